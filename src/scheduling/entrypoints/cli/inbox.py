"""`scheduling inbox`: the process that follows news, and what could not be followed."""

import asyncio

import typer

from scheduling.entrypoints.cli.processes import After, wait_for
from scheduling.entrypoints.settings import Settings

app = typer.Typer(invoke_without_command=True)


@app.callback()
def inbox(context: typer.Context, *, after: After = None) -> None:
    """Follow news from outside and our own, until it is told to stop."""
    if context.invoked_subcommand is not None:
        return
    from scheduling.entrypoints.inbox.process import (  # noqa: PLC0415  # see app.py
        run,
    )

    wait_for(after)
    asyncio.run(run(Settings()))
