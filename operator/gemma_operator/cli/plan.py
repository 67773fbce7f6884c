"""``gemmactl plan``: the planner's answer for a manifest and a set of GPUs, without a cluster.

Exit codes: 0 with a plan, 2 when nothing fits, 1 on bad input.
"""

import json
import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from rich.console import Console

from gemma_operator.catalog.builtin import builtin_catalog
from gemma_operator.catalog.catalog import Catalog
from gemma_operator.catalog.parse import CatalogError, extend
from gemma_operator.cli.errors import fail
from gemma_operator.cli.plan_table import print_decision
from gemma_operator.gpus.feature_discovery import read_nodes
from gemma_operator.gpus.inventory import GpuNodes, Inventory
from gemma_operator.gpus.match import UnusableProductError, match_product
from gemma_operator.planning.document import decision_document
from gemma_operator.planning.intake import ask_from_manifest
from gemma_operator.planning.plan import plan as decide
from gemma_operator.planning.snapshot import Snapshot

NOTHING_FITS = 2
GPUS = re.compile(r"(?P<product>[^=]+)=(?P<count>[1-9]\d{0,3})(x(?P<nodes>[1-9]\d{0,4}))?", re.ASCII)


class Output(StrEnum):
    """Forms of the answer."""

    TABLE = "table"
    YAML = "yaml"
    JSON = "json"


def plan(
    manifest: Annotated[
        Path,
        typer.Option("--filename", "-f", metavar="FILE", help="A GemmaDeployment as YAML; '-' reads standard input."),
    ],
    nodes: Annotated[
        Path | None,
        typer.Option("--nodes", metavar="FILE", help="Nodes as printed by 'kubectl get nodes -o yaml' (or json)."),
    ] = None,
    gpus: Annotated[
        list[str] | None,
        typer.Option(
            "--gpus",
            metavar="PRODUCT=COUNT[xNODES]",
            help="GPUs of one node, and how many such nodes: L40S=4x2. PRODUCT is a label of GPU feature discovery "
            "or an id of the product table. May be repeated.",
        ),
    ] = None,
    catalog_files: Annotated[
        list[Path] | None,
        typer.Option("--catalog", metavar="FILE", help="More variants, checkpoints or products; may be repeated."),
    ] = None,
    output: Annotated[Output, typer.Option("--output", "-o", help="Form of the answer.")] = Output.TABLE,
) -> int:
    """Plan a GemmaDeployment for a set of GPUs: variant, checkpoint, GPUs, settings, and why.

    Exits with 0 when there is a plan, with 2 when nothing fits, with 1 on bad input.
    """
    if (nodes is None) == (not gpus):
        fail("give either --nodes FILE or at least one --gpus PRODUCT=COUNT[xNODES]")
    catalog = _catalog(catalog_files or [])
    try:
        ask = ask_from_manifest(_document(manifest, "-f"))
    except ValueError as error:
        fail(f"-f: {manifest}: {error}")
    inventory = _from_nodes(nodes, catalog) if nodes is not None else _from_gpus(gpus or [], catalog)
    decision = decide(Snapshot(ask, inventory, catalog))
    if output is Output.TABLE:
        print_decision(decision, Console())
    elif output is Output.JSON:
        typer.echo(json.dumps(decision_document(decision), indent=2, ensure_ascii=False))
    else:
        typer.echo(yaml.safe_dump(decision_document(decision), sort_keys=False, allow_unicode=True), nl=False)
    return 0 if decision.plan is not None else NOTHING_FITS


def _document(path: Path, option: str) -> Any:
    """The first YAML document of a file, or of standard input for ``-``."""
    try:
        text = typer.get_text_stream("stdin").read() if str(path) == "-" else path.read_text(encoding="utf-8")
        return next(iter(yaml.safe_load_all(text)), None)
    except OSError as error:
        fail(f"{option}: {path}: {error.strerror}")
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        fail(f"{option}: {path}: not YAML: {error}")


def _catalog(paths: list[Path]) -> Catalog:
    catalog = builtin_catalog()
    for path in paths:
        try:
            catalog = extend(catalog, str(path), path.read_text(encoding="utf-8"))
        except OSError as error:
            fail(f"--catalog: {path}: {error.strerror}")
        except CatalogError as error:
            fail(f"--catalog: {error}")
    return catalog


def _from_nodes(path: Path, catalog: Catalog) -> Inventory:
    document = _document(path, "--nodes")
    items = document.get("items", [document]) if isinstance(document, dict) else document
    if not isinstance(items, list) or not all(isinstance(item, dict) and "metadata" in item for item in items):
        fail(f"--nodes: {path}: expected nodes as 'kubectl get nodes -o yaml' prints them")
    return read_nodes(items, catalog.products)


def _from_gpus(arguments: list[str], catalog: Catalog) -> Inventory:
    groups = []
    for argument in arguments:
        match = GPUS.fullmatch(argument)
        if match is None:
            fail(f"--gpus: {argument!r} is not of the form PRODUCT=COUNT[xNODES], for example L40S=4x2")
        try:
            accelerator = match_product(catalog.products, match["product"])
        except UnusableProductError as error:
            fail(f"--gpus: {error}")
        groups.append(GpuNodes(accelerator, int(match["count"]), int(match["nodes"] or 1)))
    return Inventory(tuple(groups))
