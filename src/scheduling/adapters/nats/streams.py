"""The streams, and what must be true of them: the one that all our events go to, that
of news from outside, and that of what the broker gave up.

Asked and changed in the server's own JSON: a client library that is older than the
server would drop the settings that it does not know when it writes the others back.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from scheduling.adapters.nats.connection import FAILURES, Connection
from scheduling.application.ports.messaging import BrokerUnavailable

SCHEDULING = "SCHEDULING"
SUBJECTS = "scheduling.>"
DUPLICATE_WINDOW = 600 * 1_000_000_000
"""Nanoseconds. A relay must be back within it, or an event may be there twice."""

NOT_FOUND = 10059


class UnsafeStream(Exception):
    """The stream is not what events need, and putting it right would lose some."""


@dataclass(frozen=True, slots=True)
class StreamPlan:
    """`subjects` that it must have; further ones are left, but for those `ours`."""

    name: str
    subjects: tuple[str, ...]
    ours: str
    settings: Mapping[str, Any] = field(default_factory=dict)


EVENTS = StreamPlan(SCHEDULING, (SUBJECTS,), "scheduling.", {"allow_atomic": True})


async def ensure_stream(
    connection: Connection, plan: StreamPlan = EVENTS, *, replicas: int
) -> list[str]:
    """Make the stream or mend it; return the names of the settings that were changed.

    Limits of age and size are the operator's: they are left as they are. Raise
    UnsafeStream or BrokerUnavailable.
    """
    wanted: dict[str, Any] = {
        "name": plan.name,
        "subjects": [*plan.subjects],
        "storage": "file",
        "retention": "limits",
        "discard": "new",
        "duplicate_window": DUPLICATE_WINDOW,
        "num_replicas": replicas,
        "allow_direct": True,
        **plan.settings,
    }
    answer = await ask(connection, f"STREAM.INFO.{plan.name}", {})
    if answer.get("error", {}).get("err_code") == NOT_FOUND:
        accept(await ask(connection, f"STREAM.CREATE.{plan.name}", wanted))
        return []
    found = accept(answer)["config"]
    _refuse_unsafe(found)
    changes = _drift(found, wanted, plan)
    if changes:
        mended = {**found, **changes}
        accept(await ask(connection, f"STREAM.UPDATE.{plan.name}", mended))
    return sorted(changes)


def _refuse_unsafe(found: Mapping[str, Any]) -> None:
    wrongs = [
        f"{name} is {found[name]!r}: {why}"
        for name, right, why in (
            ("storage", "file", "a restart of the server would forget every event"),
            ("retention", "limits", "one consumer's acknowledgement would take it all"),
            ("sealed", False, "nothing can be added"),
            ("mirror", None, "a mirror takes no events"),
            ("no_ack", False, "nobody would know what was stored"),
            ("subject_transform", None, "events would be stored under other subjects"),
            ("persist_mode", "default", "acknowledged events could be lost"),
        )
        if found.get(name, right) not in (right, None, "")
    ]
    if wrongs:
        raise UnsafeStream(
            f"stream {found['name']} cannot be used as it is, and is not changed: "
            + "; ".join(wrongs)
        )


def _drift(
    found: Mapping[str, Any], wanted: Mapping[str, Any], plan: StreamPlan
) -> dict[str, Any]:
    """What to change: none of it touches an event that is stored."""
    changes = {
        name: wanted[name]
        for name in ("discard", "num_replicas", "allow_direct", *plan.settings)
        if found.get(name) != wanted[name]
    }
    if found.get("discard_new_per_subject"):
        changes["discard_new_per_subject"] = False
    if found.get("duplicate_window", 0) < DUPLICATE_WINDOW:
        changes["duplicate_window"] = DUPLICATE_WINDOW
    subjects = found.get("subjects") or []
    if not set(plan.subjects) <= set(subjects):
        others = [s for s in subjects if not s.startswith(plan.ours)]
        changes["subjects"] = [*others, *plan.subjects]
    return changes


async def ask(
    connection: Connection,
    verb: str,
    body: Mapping[str, Any],
    *,
    within: float = 10.0,
) -> dict[str, Any]:
    """Return what JetStream says; `within` seconds, or raise BrokerUnavailable."""
    try:
        answer = await connection.client.request(
            f"$JS.API.{verb}", orjson.dumps(body) if body else b"", timeout=within
        )
    except FAILURES as error:
        raise BrokerUnavailable(f"{verb}: {type(error).__name__}") from error
    result: dict[str, Any] = orjson.loads(answer.data)
    return result


def accept(answer: dict[str, Any]) -> dict[str, Any]:
    """Raise BrokerUnavailable for an answer that is a refusal."""
    if error := answer.get("error"):
        raise BrokerUnavailable(
            f"JetStream error {error.get('err_code')}: {error.get('description')}"
        )
    return answer
