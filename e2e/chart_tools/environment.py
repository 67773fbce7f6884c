"""Makes the environment of the judges once per lock, under the cache."""

import fcntl
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from e2e.cluster.paths import CACHE
from e2e.progress import step

LOCK = Path(__file__).parent / "requirements.lock"


def ensure_environment() -> Path:
    """The environment's Python. One that was cut short is made anew; those who come meanwhile wait."""
    room = CACHE / "chart-tools"
    target = room / hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12]
    room.mkdir(parents=True, exist_ok=True)
    with (room / "making.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (target / "complete").exists():
            with step("installing the judges of the charts"):
                _make(target)
            (target / "complete").touch()
    return target / "bin" / "python"


def _make(target: Path) -> None:
    shutil.rmtree(target, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", str(target)], check=True)
    install = [str(target / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
    result = subprocess.run([*install, "-r", str(LOCK)], capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise RuntimeError(f"pip failed: {result.stderr[-2000:]}")
