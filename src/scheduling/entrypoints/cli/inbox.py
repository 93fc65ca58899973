"""`scheduling inbox`: the process that follows news, and what could not be followed."""

import asyncio
import base64
import json
from collections.abc import Collection
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import typer

from scheduling.application.ports.dead_letters import NO_TENANT, DeadLetter
from scheduling.application.ports.messaging import BrokerUnavailable
from scheduling.entrypoints.cli.processes import After, wait_for
from scheduling.entrypoints.cli.servers import (
    DEFAULT_DATA_DIR,
    DataDir,
    database_url,
    nats_url,
)
from scheduling.entrypoints.settings import Settings

app = typer.Typer(
    invoke_without_command=True,
    help="Follow news, ours and that of others; without a command: until told to stop.",
)


@app.callback()
def inbox(context: typer.Context, *, after: After = None) -> None:
    """Follow news, ours and that of others; without a command: until told to stop."""
    if context.invoked_subcommand is not None:
        return
    from scheduling.entrypoints.inbox.process import (  # noqa: PLC0415  # see app.py
        run,
    )

    wait_for(after)
    asyncio.run(run(Settings()))


@app.command()
def dead_letters(
    *,
    tenant: Annotated[UUID | None, typer.Option(help="Of this tenant only")] = None,
    reason: Annotated[
        str | None, typer.Option(help="Only those, as VALIDATION_FAILED")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Those that were replayed, too")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON document a line")
    ] = False,
    bodies: Annotated[
        bool,
        typer.Option(
            "--bodies", help="With the message itself, which may name patients (--json)"
        ),
    ] = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """List what could not be followed, and why; the oldest first."""
    asyncio.run(
        _list(
            database_url(data_dir),
            tenant_id=tenant,
            reason=reason,
            waiting=not everything,
            as_json=as_json,
            bodies=bodies,
        )
    )


@app.command()
def replay(
    *,
    ids: Annotated[
        list[UUID] | None, typer.Argument(help="Ids of dead letters", metavar="ID…")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="All that were not replayed yet")
    ] = False,
    reason: Annotated[
        str | None, typer.Option(help="All of this reason that were not replayed yet")
    ] = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Send dead letters to the inbox again, after what was wrong has been mended.

    What was followed meanwhile is known by its id and has no second effect. What still
    cannot be followed becomes a dead letter of its own.
    """
    if (bool(ids), everything, reason is not None).count(True) != 1:
        raise typer.BadParameter("say which: ids, --all or --reason")
    try:
        sent = asyncio.run(
            _replay(database_url(data_dir), nats_url(data_dir), ids or None, reason)
        )
    except BrokerUnavailable as error:
        typer.echo(f"NATS took no more: {error}", err=True)
        raise typer.Exit(1) from error
    typer.echo(f"replayed {sent} dead letter{'' if sent == 1 else 's'}")
    if ids and sent < len(set(ids)):
        typer.echo("the others are not there", err=True)
        raise typer.Exit(1)


async def _list(
    url: str,
    *,
    tenant_id: UUID | None,
    reason: str | None,
    waiting: bool,
    as_json: bool,
    bodies: bool,
) -> None:
    from scheduling.adapters.postgres.dead_letter_desk import (  # noqa: PLC0415  # see app.py
        open_letter_desk,
    )

    async with open_letter_desk(url) as desk:
        count = 0
        found = desk.find(tenant_id=tenant_id, reason=reason, waiting=waiting)
        async with aclosing(found):
            async for letter in found:
                count += 1
                if as_json:
                    typer.echo(json.dumps(_document(letter, bodies=bodies)))
                else:
                    typer.echo(_line(letter))
    if not as_json:
        typer.echo(f"{count} dead letter{'' if count == 1 else 's'}")


async def _replay(
    url: str, broker_url: str, ids: Collection[UUID] | None, reason: str | None
) -> int:
    from scheduling.adapters.nats.connection import (  # noqa: PLC0415  # see app.py
        open_connection,
    )
    from scheduling.adapters.nats.resending import (  # noqa: PLC0415
        JetStreamResender,
    )
    from scheduling.adapters.postgres.dead_letter_desk import (  # noqa: PLC0415
        open_letter_desk,
    )
    from scheduling.application.commands.replay_dead_letters import (  # noqa: PLC0415
        ReplayDeadLetters,
    )

    sent = 0
    async with (
        open_letter_desk(url) as desk,
        open_connection(broker_url, name="scheduling replay") as broker,
    ):
        again = ReplayDeadLetters(
            desk, JetStreamResender(broker), lambda: datetime.now(UTC)
        )
        async with aclosing(again(ids=ids, reason=reason)) as letters:
            async for letter in letters:
                sent += 1
                typer.echo(f"{letter.id} {letter.event_type or '-'} {letter.reason}")
    return sent


def _line(letter: DeadLetter) -> str:
    tenant = "no tenant" if letter.tenant_id == NO_TENANT else str(letter.tenant_id)
    again = (
        f", replayed {letter.replayed_at.isoformat(timespec='seconds')}"
        if letter.replayed_at
        else ""
    )
    return (
        f"{letter.id}  {letter.died_at.isoformat(timespec='seconds')}  {tenant}  "
        f"{letter.event_type or '-'}  {letter.reason}: {letter.detail} "
        f"({letter.stream} {letter.sequence}{again})"
    )


def _document(letter: DeadLetter, *, bodies: bool) -> dict[str, Any]:
    message = {
        "headers": dict(letter.headers),
        "body": base64.b64encode(letter.body).decode(),
    }
    return {
        "id": str(letter.id),
        "tenantId": str(letter.tenant_id),
        "diedAt": letter.died_at.isoformat(),
        "reason": letter.reason,
        "detail": letter.detail,
        "eventId": letter.event_id,
        "eventType": letter.event_type,
        "subject": letter.subject,
        "stream": letter.stream,
        "sequence": letter.sequence,
        "storedAt": letter.stored_at.isoformat(),
        "deliveries": letter.deliveries,
        "replayedAt": letter.replayed_at.isoformat() if letter.replayed_at else None,
        **(message if bodies else {}),
    }
