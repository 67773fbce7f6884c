"""``python -m images.build [operator|engine]``: makes the images and puts them into the local cluster's store.

Nothing is done for an engine image that is there already; the operator's is made anew each time, which takes seconds.
"""

import argparse
import sys
from typing import IO

from e2e.cluster import Cluster
from e2e.cluster.images import has_image, import_image
from e2e.progress import step
from images import engine_image, operator_image
from images.oci import write_oci_tar


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
    """Import the engine's image unless it is there; its reference."""
    if not has_image(engine_image.REFERENCE):
        layers = engine_image.engine_layers()
        with step(f"importing {engine_image.REFERENCE}"):
            import_image(
                lambda out: write_oci_tar(
                    out, reference=engine_image.REFERENCE, layers=layers, config=engine_image.CONFIG
                )
            )
    return engine_image.REFERENCE


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
