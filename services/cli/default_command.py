"""A group of commands, one of which need not be named."""

from __future__ import annotations

import typer
from typer.core import TyperGroup

DEFAULT = "write"


class DefaultGroup(TyperGroup):
    """Takes arguments that begin with no command's name for those of the command `write`."""

    # typer keeps the type of its contexts' base to itself.
    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        """Put the command's name where it is missing."""
        is_named = bool(args) and (args[0] in self.commands or args[0] in ctx.help_option_names)
        return super().parse_args(ctx, args if is_named or not args else [DEFAULT, *args])
