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

from gemma_operator.catalog.catalog import Catalog
from gemma_operator.cli.documents import read_catalog, read_document, read_documents
from gemma_operator.cli.errors import fail
from gemma_operator.cli.plan_table import print_decision
from gemma_operator.gpus.feature_discovery import read_nodes
from gemma_operator.gpus.inventory import GpuNodes, Inventory
from gemma_operator.gpus.match import UnusableProductError, match_product
from gemma_operator.planning.ask import Ask
from gemma_operator.planning.decision import Decision
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
        typer.Option(
            "--filename",
            "-f",
            metavar="FILE",
            help="A GemmaDeployment as YAML; '-' reads standard input. Several are planned "
            "together: each on the GPUs that those before it leave.",
        ),
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

    Exits with 0 when there is a plan (for each), with 2 when nothing fits, with 1 on bad input.
    """
    if (nodes is None) == (not gpus):
        fail("give either --nodes FILE or at least one --gpus PRODUCT=COUNT[xNODES]")
    catalog = read_catalog(catalog_files or [])
    documents = read_documents(manifest, "-f") or [None]
    try:
        asks = [ask_from_manifest(document) for document in documents]
    except ValueError as error:
        fail(f"-f: {manifest}: {error}")
    inventory = _from_nodes(nodes, catalog) if nodes is not None else _from_gpus(gpus or [], catalog)
    decisions = _together(asks, inventory, catalog)
    if output is Output.TABLE:
        for ask, decision in zip(asks, decisions, strict=True):
            if len(asks) > 1:
                typer.echo(f"{ask.served_model_names[0]}:")
            print_decision(decision, Console())
    else:
        answer = _document(asks, decisions)
        if output is Output.JSON:
            typer.echo(json.dumps(answer, indent=2, ensure_ascii=False))
        else:
            typer.echo(yaml.safe_dump(answer, sort_keys=False, allow_unicode=True), nl=False)
    return 0 if all(decision.plan is not None for decision in decisions) else NOTHING_FITS


def _together(asks: list[Ask], inventory: Inventory, catalog: Catalog) -> list[Decision]:
    decisions = []
    for ask in asks:
        decision = decide(Snapshot(ask, inventory, catalog))
        if (found := decision.plan) is not None:
            inventory = inventory.less(found.accelerator, ask.replicas, found.tensor_parallel_size)
        decisions.append(decision)
    return decisions


def _document(asks: list[Ask], decisions: list[Decision]) -> dict[str, Any]:
    if len(asks) == 1:
        return decision_document(decisions[0])
    named = zip(asks, decisions, strict=True)
    return {
        "plans": [
            {"name": ask.served_model_names[0], "decision": decision_document(decision)} for ask, decision in named
        ]
    }


def _from_nodes(path: Path, catalog: Catalog) -> Inventory:
    document = read_document(path, "--nodes")
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
