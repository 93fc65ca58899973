"""Durable consumers: made or mended at start, as what follows news needs them.

Asked and changed in the server's own JSON, as streams are. A setting that the server
would not change has the consumer made anew where it stood: some news comes twice then,
and is known by its id.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scheduling.adapters.nats.connection import Connection
from scheduling.adapters.nats.streams import SCHEDULING, StreamPlan, accept, ask

INBOX = "SCHEDULING_INBOX"
ADVISORIES = "SCHEDULING_ADVISORIES"

NANO = 1_000_000_000
FOR_EVER = -1
MOST_UNANSWERED = 20_000
"""Messages that are out, or wait for another try; with so many of them the broker
delivers nothing else. A process has a few dozen at a time whatever this is.
"""

CONSUMER_NOT_FOUND = 10014

FOREIGN_NEWS = StreamPlan(INBOX, ("inbox.>",), "inbox.")
_GIVEN_UP = "$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES"


@dataclass(frozen=True, slots=True)
class ConsumerPlan:
    """`ack_wait`: seconds after which what is not answered for is delivered again;
    `max_deliver`: how often, before the broker gives it up. No subjects: all.
    """

    stream: str
    name: str
    ack_wait: float
    max_deliver: int
    subjects: tuple[str, ...] = ()

    def settings(self) -> dict[str, Any]:
        return {
            "durable_name": self.name,
            "ack_policy": "explicit",
            "ack_wait": int(self.ack_wait * NANO),
            "max_deliver": self.max_deliver,
            "replay_policy": "instant",
            "max_ack_pending": MOST_UNANSWERED,
            **_filter(self.subjects),
        }


def given_up(consumers: Sequence[ConsumerPlan]) -> StreamPlan:
    """Where the broker says what it delivers no more."""
    subjects = tuple(f"{_GIVEN_UP}.{one.stream}.{one.name}" for one in consumers)
    return StreamPlan(ADVISORIES, subjects, f"{_GIVEN_UP}.SCHEDULING")


async def ensure_consumer(connection: Connection, plan: ConsumerPlan) -> list[str]:
    """Make it or mend it; return the names of the settings that were changed.

    Raise BrokerUnavailable.
    """
    wanted = plan.settings()
    answer = await ask(connection, f"CONSUMER.INFO.{plan.stream}.{plan.name}", {})
    if answer.get("error", {}).get("err_code") == CONSUMER_NOT_FOUND:
        await _put(connection, plan, {"deliver_policy": "all", **wanted})
        return []
    told = accept(answer)
    found = told["config"]
    changes = [
        name for name in sorted(_NORMAL | wanted.keys()) if _differ(name, found, wanted)
    ]
    if not changes:
        return []
    if set(changes) & _FIXED:
        done = told["ack_floor"]["stream_seq"]
        start = {"deliver_policy": "by_start_sequence", "opt_start_seq": done + 1}
        accept(await ask(connection, f"CONSUMER.DELETE.{plan.stream}.{plan.name}", {}))
        await _put(connection, plan, {**start, **wanted})
    else:
        kept = {n: v for n, v in found.items() if n not in _FILTERS}
        kept |= {
            name: normal for name, normal in _NORMAL_VALUES.items() if name in kept
        }
        await _put(connection, plan, {**kept, **wanted})
    return changes


_FILTERS = ("filter_subject", "filter_subjects")
_NORMAL_VALUES: Mapping[str, Any] = {
    "deliver_subject": "",
    "headers_only": False,
    "inactive_threshold": 0,
    "mem_storage": False,
    "max_batch": 0,
    "max_expires": 0,
    "max_bytes": 0,
    "backoff": [],
    "filter_subject": "",
    "filter_subjects": [],
}
_NORMAL = _NORMAL_VALUES.keys()
_FIXED = frozenset(
    {"ack_policy", "replay_policy", "deliver_subject", "mem_storage", "durable_name"}
)
"""What the server refuses to change."""


def _differ(name: str, found: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    normal = _NORMAL_VALUES.get(name)
    return bool(found.get(name, normal) != wanted.get(name, normal))


def _filter(subjects: tuple[str, ...]) -> dict[str, Any]:
    """As the server tells it: one by itself, several as a list."""
    if not subjects:
        return {}
    return (
        {"filter_subject": subjects[0]}
        if len(subjects) == 1
        else {"filter_subjects": [*subjects]}
    )


async def _put(
    connection: Connection, plan: ConsumerPlan, config: Mapping[str, Any]
) -> None:
    body = {"stream_name": plan.stream, "config": config}
    accept(
        await ask(
            connection, f"CONSUMER.DURABLE.CREATE.{plan.stream}.{plan.name}", body
        )
    )


def foreign_news(ack_wait: float, max_deliver: int) -> ConsumerPlan:
    return ConsumerPlan(INBOX, "scheduling-inbox", ack_wait, max_deliver)


def own_news(types: Iterable[str], ack_wait: float, max_deliver: int) -> ConsumerPlan:
    """The consumer of our own events that we follow ourselves."""
    subjects = tuple(sorted(f"scheduling.*.{type}" for type in types))
    return ConsumerPlan(
        SCHEDULING, "scheduling-reactions", ack_wait, max_deliver, subjects
    )


def advisories(ack_wait: float) -> ConsumerPlan:
    """Never given up: nobody would hear of it."""
    return ConsumerPlan(ADVISORIES, "scheduling-advisories", ack_wait, FOR_EVER)
