"""What is written of reminders that are there; `batch` lists it in its place."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Update, Uuid, literal_column, update

from scheduling.adapters.postgres import tables as t
from scheduling.adapters.postgres.statements import given
from scheduling.domain.directory import Channel
from scheduling.domain.due_reminder import SettledReminder

_TENANT = given("tenant_id", Uuid)

SETTLED_FIELDS = (
    "id",
    "channel",
    "status",
    "reason",
    "attempts",
    "sent_at",
    "attempt_at",
    "sending_since",
)
SETTLED = tuple(t.reminders.c[name] for name in SETTLED_FIELDS)

NO_CHANNEL = "none"
"""In the column, which is part of a unique key: in one, NULLs are all different."""


def stored_channel(channel: Channel | None) -> str:
    return NO_CHANNEL if channel is None else channel


def channel_from(stored: str) -> Channel | None:
    return None if stored == NO_CHANNEL else Channel(stored)


def settled_row(one: SettledReminder) -> Mapping[str, Any]:
    row = {name: getattr(one, name) for name in SETTLED_FIELDS}
    return {**row, "channel": stored_channel(one.channel)}


def call_reminders_off(rows: Any) -> Update:  # noqa: ANN401  # a FROM clause
    reminders = t.reminders
    return (
        update(reminders)
        .where(
            reminders.c.tenant_id == _TENANT,
            reminders.c.appointment_id == rows.c.id,
            reminders.c.status == literal_column("'SCHEDULED'"),
        )
        .values(status=literal_column("'CANCELLED'"), reason=rows.c.reason)
    )


def settle_reminders(rows: Any) -> Update:  # noqa: ANN401  # the same
    """Those that we have locked: still to be sent, or it is not ours to say."""
    reminders = t.reminders
    return (
        update(reminders)
        .where(
            reminders.c.tenant_id == _TENANT,
            reminders.c.id == rows.c.id,
            reminders.c.status == literal_column("'SCHEDULED'"),
        )
        .values({c.name: rows.c[c.name] for c in SETTLED if c.name != "id"})
    )
