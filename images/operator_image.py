"""The operator's image: the Debian root, the locked dependencies, the package."""

import compileall
import hashlib
import os
import py_compile
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from e2e.cluster.paths import CACHE, ROOT
from e2e.progress import step
from gemma_operator import __version__
from images.layers import DirectoryLayer, FileEntry, FilesLayer, Layer
from images.oci import ImageConfig
from images.rootfs import PACKAGES, STATUS_FOLDER, base_layers, rootfs
from images.sbom import Part, as_text, debian_parts, python_parts, sbom

REFERENCE = f"gemma-operator.local/gemma-operator:{__version__}"
LOCK = ROOT / "requirements.lock"
SOURCE = ROOT / "operator" / "gemma_operator"
HOME = "/opt/gemma-operator"

CONFIG = ImageConfig(
    entrypoint=["/usr/bin/python3", "-m", "gemma_operator.controller"],
    env={
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": f"{HOME}/lib:{HOME}/app",
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    },
    labels={"org.opencontainers.image.title": "gemma-operator", "org.opencontainers.image.version": __version__},
)


def operator_layers() -> list[Layer]:
    """Root, dependencies, package: the part that changes most comes last."""
    return [
        *base_layers(PACKAGES),
        DirectoryLayer(_dependencies(), prefix=f"{HOME}/lib", keep=lambda path: not path.startswith("bin")),
        DirectoryLayer(_package(), prefix=f"{HOME}/app"),
        FilesLayer(files={f"{HOME}/sbom.spdx.json": FileEntry(as_text(operator_sbom()).encode())}),
    ]


def operator_sbom() -> dict[str, Any]:
    """What the image is made of."""
    parts = [*debian_parts(rootfs(PACKAGES) / STATUS_FOLDER), *python_parts(_dependencies())]
    return sbom("gemma-operator", __version__, [*parts, Part("pypi", "gemma-operator", __version__)])


def _dependencies() -> Path:
    target = CACHE / "operator-lib" / hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12]
    if not target.exists():
        unfinished = target.with_suffix(f".{os.getpid()}.part")
        shutil.rmtree(unfinished, ignore_errors=True)
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps",
                   "--no-compile", "--require-hashes", "--target", str(unfinished), "-r", str(LOCK)]  # fmt: skip
        with step("installing the operator's dependencies"):
            result = subprocess.run(command, capture_output=True, text=True, check=False)
            if result.returncode != 0:
                raise RuntimeError(f"pip failed: {result.stderr[-2000:]}")
            _compile(unfinished)
        unfinished.rename(target)
    return target


def _package() -> Path:
    """The package as it stands, compiled: the image's root is read-only and would compile at every start."""
    target = CACHE / "operator-app"
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(SOURCE, target / "gemma_operator", ignore=shutil.ignore_patterns("__pycache__"))
    _compile(target)
    return target


def _compile(folder: Path) -> None:
    unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
    compileall.compile_dir(folder, quiet=2, invalidation_mode=unchecked, stripdir=str(folder))
