"""``gemmactl crd``: the CRD of this version, for ``kubectl apply -f -``."""

import typer

from gemma_operator.api.crd import render_crd


def crd() -> None:
    """Print the CustomResourceDefinition of this version."""
    typer.echo(render_crd(), nl=False)
