"""``python -m images.build [operator|engine]``: makes the images and puts them into the local cluster's store.

An engine image that is there and made of the same parts is kept; the operator's is made anew each time, in seconds.
"""

import argparse
import subprocess
import sys
from typing import IO

from e2e.cluster import Cluster
from e2e.cluster.images import CTR, import_image
from e2e.progress import step
from images import engine_image, operator_image
from images.oci import write_oci_tar

SOURCE_LABEL = "gemma-operator.io/made-of"


def import_operator() -> str:
    """Import the operator's image; its digest, by which a changed one is told from the last."""
    layers = operator_image.operator_layers()
    digests: list[str] = []

    def write(out: IO[bytes]) -> None:
        written = write_oci_tar(out, reference=operator_image.REFERENCE, layers=layers, config=operator_image.CONFIG)
        digests.append(written.digest)

    with step(f"importing {operator_image.REFERENCE}"):
        import_image(write)
    return digests[0]


def import_engine() -> str:
    """Import the engine's image unless it is there, made of the same parts; its reference."""
    source = engine_image.engine_source()
    if not _imported_from(engine_image.REFERENCE, source):
        layers = engine_image.engine_layers()
        with step(f"importing {engine_image.REFERENCE}"):
            import_image(
                lambda out: write_oci_tar(
                    out, reference=engine_image.REFERENCE, layers=layers, config=engine_image.CONFIG
                )
            )
        _ctr("label", engine_image.REFERENCE, f"{SOURCE_LABEL}={source}")
    return engine_image.REFERENCE


def _imported_from(reference: str, source: str) -> bool:
    """Whether the store has the image and remembers that it was made of ``source``."""
    return reference in _ctr("list", "--quiet", f'name=="{reference}",labels."{SOURCE_LABEL}"=={source}').split()


def _ctr(*arguments: str) -> str:
    return subprocess.run([*CTR, *arguments], capture_output=True, text=True, check=True).stdout


def main() -> int:
    """Entry point; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m images.build", description=__doc__)
    parser.add_argument("image", choices=["operator", "engine", "all"], nargs="?", default="all")
    chosen = parser.parse_args().image
    Cluster.ensure("full")
    if chosen in {"operator", "all"}:
        print(import_operator())
    if chosen in {"engine", "all"}:
        print(import_engine())
    return 0


if __name__ == "__main__":
    sys.exit(main())
