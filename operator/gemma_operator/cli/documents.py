"""Files that commands read: manifests and catalogs. What can't be read ends the command with one line that says why."""

from pathlib import Path
from typing import Any

import typer
import yaml

from gemma_operator.catalog.builtin import builtin_catalog
from gemma_operator.catalog.catalog import Catalog
from gemma_operator.catalog.parse import CatalogError, extend
from gemma_operator.cli.errors import fail


def read_documents(path: Path, option: str) -> list[Any]:
    """The YAML documents of a file, or of standard input for ``-``; empty ones are left out."""
    try:
        text = typer.get_text_stream("stdin").read() if str(path) == "-" else path.read_text(encoding="utf-8")
        return [document for document in yaml.safe_load_all(text) if document is not None]
    except OSError as error:
        fail(f"{option}: {path}: {error.strerror}")
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        fail(f"{option}: {path}: not YAML: {error}")


def read_document(path: Path, option: str) -> Any:
    """The one document of a file, ``None`` for an empty file; more than one ends the command."""
    documents = read_documents(path, option)
    if len(documents) > 1:
        fail(f"{option}: {path}: has {len(documents)} documents; give it one")
    return documents[0] if documents else None


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
