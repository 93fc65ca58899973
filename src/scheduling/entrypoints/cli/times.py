"""Instants and ages as people type them."""

import re
from datetime import UTC, datetime, timedelta

import typer

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def since(text: str, *, now: datetime) -> datetime:
    """Read `15m`, `2h` (before now) or an instant with its offset.

    Raise BadParameter, also for an instant that does not say its offset.
    """
    if age := re.fullmatch(r"(\d{1,6})([smhd])", text):
        return now - timedelta(**{UNITS[age[2]]: int(age[1])})
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise typer.BadParameter(
            "an age like 90s, 15m, 2h, 3d, or an instant like 2026-05-04T09:00:00Z",
            param_hint="--since",
        )
    return instant.astimezone(UTC)
