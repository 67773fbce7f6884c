"""The tiny checkpoints on disk, made once and kept by content."""

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from e2e.cluster.paths import CACHE, ROOT
from images.engine import engine_environment
from images.once import made_once
from images.tiny.shapes import SHAPES, catalog_text, products_text

HERE = Path(__file__).parent
SOURCES = ("models.py", "shapes.py", "make.py", "vision.py", "chat_template.jinja", "transcripts.json")


def tiny_models() -> Path:
    """Folder with one folder per checkpoint, and ``catalog.yaml`` and ``products.yaml`` for the operator.

    Beside each checkpoint lies its part of the catalog, ``facts.yaml``; beside tiny-chat what it knows by heart.
    """
    key = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in SOURCES)).hexdigest()[:12]
    return made_once(CACHE / "tiny" / key, "making tiny Gemma 4 checkpoints", _make)


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
    (folder / "catalog.yaml").write_text(catalog_text())
    (folder / "products.yaml").write_text(products_text())
    for shape in SHAPES:
        (folder / shape.name / "facts.yaml").write_text(catalog_text((shape,)))
    shutil.copy(HERE / "transcripts.json", folder / "tiny-chat" / "transcripts.json")
    for path in (folder, *folder.rglob("*")):
        # Engines run as a user of their own and read these through a volume.
        path.chmod(0o755 if path.is_dir() else 0o644)
