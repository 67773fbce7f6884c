"""A minimal Debian root with Python 3.11, for the operator's and the engine's image: no shell, no package manager.

apt resolves the packages against an empty system, so the closure is complete; they are unpacked, not installed. What
they are stands in ``STATUS_FOLDER``, where scanners of images without a package manager look. Kept by package list, so
it is made once.
"""

import hashlib
import shutil
import subprocess
from pathlib import Path

from e2e.cluster.paths import CACHE
from images.layers import DirectoryLayer, FileEntry, FilesLayer, Layer
from images.once import made_once

PACKAGES = ("python3-minimal", "python3.11", "libpython3.11-stdlib", "libstdc++6", "ca-certificates")
ENGINE_PACKAGES = (*PACKAGES, "libgomp1", "libnuma1", "util-linux", "dash")
"""The CPU backend links libgomp and libnuma, and asks lscpu for the cores by way of a shell."""

STATUS_FOLDER = "var/lib/dpkg/status.d"
FORM = "with status.d"
"""Changed when the same packages are unpacked in another way."""

LEFT_OUT = ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/lintian", "usr/share/info")
USERS = "root:x:0:0:root:/root:/usr/sbin/nologin\ngemma:x:10001:10001:gemma:/scratch:/usr/sbin/nologin\n"
GROUPS = "root:x:0:\ngemma:x:10001:\n"


def rootfs(packages: tuple[str, ...]) -> Path:
    """The unpacked root of these packages and of everything they depend on."""
    key = hashlib.sha256(" ".join((*packages, FORM)).encode()).hexdigest()[:12]
    title = f"unpacking a Debian root with {', '.join(packages)}"
    return made_once(CACHE / "rootfs" / key, title, lambda target: _unpack(packages, target))


def base_layers(packages: tuple[str, ...]) -> list[Layer]:
    """The root and what no package brings: users, and places that a pod mounts over."""
    places = {"/tmp": 0o1777, "/scratch": 0o755, "/models": 0o755, "/etc/gemma-operator": 0o755, "/etc/podinfo": 0o755}
    files = {"/etc/passwd": FileEntry(USERS.encode()), "/etc/group": FileEntry(GROUPS.encode())}
    return [
        DirectoryLayer(rootfs(packages), keep=lambda path: not path.startswith(LEFT_OUT)),
        FilesLayer(files=files, directories=places),
    ]


def _unpack(packages: tuple[str, ...], target: Path) -> None:
    if shutil.which("apt-get") is None:
        raise RuntimeError("the images are made from Debian packages: this needs Debian's apt-get")
    state = target / ".apt"
    for folder in (state / "partial", state / "archives" / "partial"):
        folder.mkdir(parents=True)
    (state / "status").touch()
    _run(["apt-get", "update", "-qq"])
    _run(
        [
            "apt-get",
            "-o",
            f"Dir::State::status={state / 'status'}",
            "-o",
            f"Dir::Cache::archives={state / 'archives'}",
            "-o",
            "APT::Sandbox::User=root",
            "install",
            "--yes",
            "--no-install-recommends",
            "--download-only",
            "-qq",
            *packages,
        ]
    )
    for archive in sorted((state / "archives").glob("*.deb")):
        _run(["dpkg-deb", "-x", str(archive), str(target)])
        control = _run(["dpkg-deb", "-f", str(archive)])
        status = target / STATUS_FOLDER / archive.name.partition("_")[0]
        status.parent.mkdir(parents=True, exist_ok=True)
        status.write_text(control)
    shutil.rmtree(state)
    _collect_certificates(target)


def _collect_certificates(target: Path) -> None:
    """What ca-certificates' own script would do on installation."""
    bundle = target / "etc" / "ssl" / "certs" / "ca-certificates.crt"
    bundle.parent.mkdir(parents=True, exist_ok=True)
    certificates = sorted((target / "usr" / "share" / "ca-certificates").rglob("*.crt"))
    bundle.write_text("".join(certificate.read_text() for certificate in certificates))


def _run(command: list[str]) -> str:
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise RuntimeError(f"{' '.join(command[:4])} … failed: {result.stderr[-1500:]}")
    return result.stdout
