"""`scheduling events`: watch them arrive on NATS."""

import asyncio
import json
import sys
from collections.abc import Callable
from contextlib import aclosing
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from scheduling.entrypoints.cli.servers import DEFAULT_DATA_DIR, DataDir, nats_url
from scheduling.entrypoints.cli.times import since as parse_since

app = typer.Typer(no_args_is_help=True, help="Watch events arrive.")


@app.callback()
def events() -> None:
    """Watch events arrive."""


@app.command()
def tail(
    *,
    tenant: Annotated[UUID | None, typer.Option(help="Only this tenant's")] = None,
    since: Annotated[
        str | None,
        typer.Option(help="From when on: 15m, 2h, an instant; by default from now on"),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="The whole event, one JSON line each")
    ] = False,
    count: Annotated[
        int | None, typer.Option(min=1, help="Stop after that many")
    ] = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Print events as the stream has them, until Ctrl-C."""
    begin = parse_since(since, now=datetime.now(UTC)) if since else None
    subject = f"scheduling.{tenant}.>" if tenant else "scheduling.>"
    try:
        asyncio.run(
            _tail(data_dir, subject, begin, _as_json if as_json else _line(), count)
        )
    except (KeyboardInterrupt, BrokenPipeError):
        # Both are how one leaves it; what cannot be written any more is not tried.
        sys.stdout = None


async def _tail(
    data_dir: Path,
    subject: str,
    since: datetime | None,
    show: Callable[[Any], None],
    count: int | None,
) -> None:
    from scheduling.adapters.nats.tail import tail  # noqa: PLC0415  # see app.py
    from scheduling.application.ports.messaging import (  # noqa: PLC0415  # see app.py
        BrokerUnavailable,
    )

    shown = 0
    try:
        async with aclosing(
            tail(nats_url(data_dir), subject=subject, since=since)
        ) as arrivals:
            async for arrival in arrivals:
                show(arrival)
                shown += 1
                if shown == count:
                    return
    except BrokerUnavailable as error:
        typer.echo(f"NATS does not answer: {error}", err=True)
        raise typer.Exit(1) from error


def _as_json(arrival: Any) -> None:  # noqa: ANN401  # its module is loaded late
    body = _read(arrival.body)
    print(json.dumps(body, separators=(",", ":"), ensure_ascii=False), flush=True)  # noqa: T201


def _line() -> Callable[[Any], None]:
    from rich.console import Console  # noqa: PLC0415  # see app.py
    from rich.text import Text  # noqa: PLC0415  # see app.py

    console = Console(soft_wrap=True, highlight=False)

    def show(arrival: Any) -> None:  # noqa: ANN401  # its module is loaded late
        event = _read(arrival.body)
        _, tenant, *type_ = arrival.subject.split(".")
        console.print(
            Text.assemble(
                (f"{arrival.stored_at.astimezone():%H:%M:%S.%f}"[:-3], "dim"),
                "  ",
                (f"{'.'.join(type_):<24}", "bold"),
                f"  {event.get('subject', '?')}  v{event.get('aggregateversion', '?')}",
                (f"  tenant {tenant}  #{arrival.sequence}", "dim"),
            )
        )

    return show


def _read(body: bytes) -> dict[str, Any]:
    """What is no event is shown as one that says so, rather than ending the tail."""
    try:
        event = json.loads(body)
    except ValueError:
        event = None
    return event if isinstance(event, dict) else {"unreadable": True}
