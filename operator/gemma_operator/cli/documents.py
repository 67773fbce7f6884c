"""Files that commands read: manifests and catalogs. What can't be read ends the command with one line that says why."""

from pathlib import Path
from typing import Any

import typer
import yaml

from gemma_operator.catalog.builtin import builtin_catalog
from gemma_operator.catalog.catalog import Catalog
from gemma_operator.catalog.parse import CatalogError, extend
from gemma_operator.cli.errors import fail


def read_document(path: Path, option: str) -> Any:
    """The first YAML document of a file, or of standard input for ``-``."""
    try:
        text = typer.get_text_stream("stdin").read() if str(path) == "-" else path.read_text(encoding="utf-8")
        return next(iter(yaml.safe_load_all(text)), None)
    except OSError as error:
        fail(f"{option}: {path}: {error.strerror}")
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        fail(f"{option}: {path}: not YAML: {error}")


def read_catalog(paths: list[Path]) -> Catalog:
    """The catalog that comes with the operator, extended by files."""
    catalog = builtin_catalog()
    for path in paths:
        try:
            catalog = extend(catalog, str(path), path.read_text(encoding="utf-8"))
        except OSError as error:
            fail(f"--catalog: {path}: {error.strerror}")
        except CatalogError as error:
            fail(f"--catalog: {error}")
    return catalog
