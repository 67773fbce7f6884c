"""How the command line says that its input is wrong: one line on standard error, exit code 1."""

from typing import NoReturn

import typer


def fail(message: str) -> NoReturn:
    """Print the message and exit with 1."""
    typer.echo(f"gemmactl: {message}", err=True)
    raise typer.Exit(1)
