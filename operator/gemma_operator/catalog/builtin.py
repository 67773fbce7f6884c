"""The catalog's two files as text, read once from the installed package.

The only place of the pure rooms that touches a resource; command line and controller call it at start.
"""

from importlib.resources import files

from gemma_operator.catalog.catalog import Catalog
from gemma_operator.catalog.parse import parse_catalog


def builtin_catalog() -> Catalog:
    """The catalog that ships with this version of the operator."""
    room = files("gemma_operator.catalog")
    return parse_catalog(
        (room / "gemma4.yaml").read_text(encoding="utf-8"), (room / "gpus.yaml").read_text(encoding="utf-8")
    )
