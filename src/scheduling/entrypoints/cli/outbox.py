"""`scheduling outbox`: what waits to be published, and how to send it again."""

import asyncio
import json
from collections import Counter
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import typer

from scheduling.application.ports.messaging import EventNotFound, OutboxStatus
from scheduling.entrypoints.cli.servers import DEFAULT_DATA_DIR, DataDir, database_url
from scheduling.entrypoints.cli.times import since as parse_since

app = typer.Typer(no_args_is_help=True, help="Look at the outbox.")


@app.command()
def status(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document")] = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Tell what waits, for how long, which aggregates are blocked, who relays."""
    found = asyncio.run(_status(database_url(data_dir)))
    if as_json:
        typer.echo(json.dumps(_document(found), indent=2))
    else:
        _print(found)


@app.command()
def replay(
    *,
    blocked: Annotated[
        bool, typer.Option("--blocked", help="Let all blocked aggregates go on")
    ] = False,
    aggregate: Annotated[
        list[UUID] | None, typer.Option(help="Let only this blocked aggregate go on")
    ] = None,
    first: Annotated[
        UUID | None, typer.Option("--from", help="Send again: first event id")
    ] = None,
    last: Annotated[
        UUID | None, typer.Option("--to", help="Send again: last event id")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(help="Send again what was published since: 15m, 2h, an instant"),
    ] = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Let blocked aggregates go on, or publish a range of events again.

    The relay does the sending. An id that the stream took less than ten minutes ago is
    dropped by it as a duplicate; older ones are stored once more, at its end.
    """
    unblocking = blocked or bool(aggregate)
    sending = first is not None or last is not None or since is not None
    if unblocking == sending:
        raise typer.BadParameter(
            "say what: --blocked or --aggregate, or else --from, --to or --since"
        )
    instant = parse_since(since, now=datetime.now(UTC)) if since else None
    url = database_url(data_dir)
    if unblocking:
        freed = asyncio.run(_unblock(url, None if blocked else aggregate))
        typer.echo(
            f"unblocked {freed} aggregate{'' if freed == 1 else 's'}: the relay tries "
            "again now; what still cannot be published blocks again"
        )
        return
    try:
        again = asyncio.run(_republish(url, first, last, instant))
    except EventNotFound as error:
        raise typer.BadParameter(str(error)) from error
    typer.echo(
        f"{again} event{'' if again == 1 else 's'} will be published again with the "
        "same ids: the stream drops those that it took in the last ten minutes, and "
        "stores older ones once more"
    )


async def _status(url: str) -> OutboxStatus:
    from scheduling.adapters.postgres.outbox_desk import (  # noqa: PLC0415  # see app.py
        open_desk,
    )

    async with open_desk(url) as desk:
        return await desk.status()


async def _unblock(url: str, aggregates: list[UUID] | None) -> int:
    from scheduling.adapters.postgres.outbox_desk import (  # noqa: PLC0415  # see app.py
        open_desk,
    )

    async with open_desk(url) as desk:
        return await desk.unblock(aggregates)


async def _republish(
    url: str, first: UUID | None, last: UUID | None, since: datetime | None
) -> int:
    from scheduling.adapters.postgres.outbox_desk import (  # noqa: PLC0415  # see app.py
        open_desk,
    )

    async with open_desk(url) as desk:
        return await desk.republish(first=first, last=last, since=since)


def _document(found: OutboxStatus) -> dict[str, Any]:
    return {
        "pending": found.pending,
        "lagSeconds": round(found.lag.total_seconds(), 3),
        "blocked": [
            {
                "tenantId": str(one.tenant_id),
                "aggregateId": str(one.aggregate_id),
                "eventId": str(one.event_id),
                "blockedAt": one.blocked_at.isoformat(),
                "reason": one.reason,
                "waiting": one.waiting,
            }
            for one in found.blocked
        ],
        "partitions": [
            {
                "partition": number,
                "pending": found.pending_by_partition.get(number, 0),
                "holder": found.holders.get(number),
            }
            for number in sorted({*found.holders, *found.pending_by_partition})
        ],
    }


def _print(found: OutboxStatus) -> None:
    typer.echo(f"pending  {found.pending}")
    typer.echo(f"lag      {found.lag.total_seconds():.1f} s")
    relays = Counter(found.holders.values())
    typer.echo(f"relays   {len(relays) or 'none: nothing is being published'}")
    for session, share in sorted(relays.items()):
        numbers = sorted(n for n, holder in found.holders.items() if holder == session)
        waiting = sum(found.pending_by_partition.get(n, 0) for n in numbers)
        typer.echo(
            f"  session {session}: {share} partitions ({_ranges(numbers)}), "
            f"{waiting} pending"
        )
    typer.echo(f"blocked  {len(found.blocked)}")
    for one in found.blocked:
        typer.echo(
            f"  aggregate {one.aggregate_id} of tenant {one.tenant_id}: {one.reason}; "
            f"event {one.event_id}, {one.waiting} waiting since "
            f"{one.blocked_at.isoformat(timespec='seconds')}"
        )


def _ranges(numbers: list[int]) -> str:
    """Write 0, 1, 2, 7 as 0-2, 7."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(
        f"{run[0]}-{run[-1]}" if len(run) > 1 else f"{run[0]}" for run in runs
    )
