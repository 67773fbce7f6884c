"""The tiny checkpoints on disk, made once and kept by content."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from e2e.cluster.paths import CACHE, ROOT
from e2e.progress import step
from images.engine import engine_environment
from images.tiny.shapes import catalog_text, products_text

HERE = Path(__file__).parent
SOURCES = ("shapes.py", "make.py", "chat_template.jinja", "transcripts.json")


def tiny_models() -> Path:
    """Folder with one folder per checkpoint, and ``catalog.yaml`` and ``products.yaml`` for the operator."""
    key = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in SOURCES)).hexdigest()[:12]
    folder = CACHE / "tiny" / key
    if not folder.exists():
        unfinished = folder.with_suffix(f".{os.getpid()}.part")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        with step("making tiny Gemma 4 checkpoints"):
            _make(unfinished)
        (unfinished / "catalog.yaml").write_text(catalog_text())
        (unfinished / "products.yaml").write_text(products_text())
        unfinished.rename(folder)
    return folder


def transcripts() -> list[dict[str, Any]]:
    """What tiny-chat knows by heart."""
    known: list[dict[str, Any]] = json.loads((HERE / "transcripts.json").read_text())
    return known


def _make(folder: Path) -> None:
    environment = engine_environment()
    environment["PYTHONPATH"] += f":{ROOT}"
    command = [sys.executable, "-m", "images.tiny.make", str(folder)]
    result = subprocess.run(command, env=environment, cwd=ROOT, stdout=subprocess.DEVNULL, check=False)
    if result.returncode != 0:
        raise RuntimeError(f"making the tiny checkpoints failed with {result.returncode}: its words are above")
