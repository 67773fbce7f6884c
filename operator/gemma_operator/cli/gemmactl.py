"""The ``gemmactl`` command: one sub-command per module of this room.

Exit codes: 0 done, 1 bad input or usage, 2 nothing fits (``plan``, ``simulate``).
"""

import sys

import click
import typer

from gemma_operator import __version__
from gemma_operator.cli import kv, plan, simulate
from gemma_operator.cli.crd import crd

app = typer.Typer(
    name="gemmactl",
    help="Ask the Gemma operator's planner and memory arithmetic without a cluster.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("plan")(plan.plan)
app.command("kv")(kv.kv)
app.command("simulate")(simulate.simulate)
app.command("crd")(crd)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"gemmactl {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: bool = typer.Option(
        False, "--version", help="Print the version and exit.", is_eager=True, callback=_print_version
    ),
) -> None:
    """Ask the Gemma operator's planner and memory arithmetic without a cluster."""


def main() -> None:
    """Entry point; usage errors exit with 1, since 2 means that nothing fits."""
    try:
        code = app(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(1)
    except click.Abort:
        sys.exit(130)
    sys.exit(code if isinstance(code, int) else 0)
