"""What commands have in common: options, and how a command ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Write a summary for programs to stdout.")]
Broker = Annotated[
    str, typer.Option(help="kafka://host:port or redis://host:port.", envvar="VOXMESH_BROKER")
]


def end(command: Callable[[], int]) -> None:
    """Run a command and leave with its exit code; errors become one sentence."""
    from services.cli.exits import exit_code

    raise typer.Exit(exit_code(command))
