"""The inbox between real servers: what becomes of each message."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import nats
import orjson
import pytest
from nats.js.errors import NotFoundError

from scheduling.application.commands.receive_event import Reactions
from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.inbox import ReceivedEvent
from scheduling.application.ports.messages import CalendarNews, Message, RoutedNews
from scheduling.application.ports.sub_files import Alarms
from scheduling.application.ports.unavailable import Unavailable
from scheduling.application.ports.unit_of_work import BeginWork, DecisionOutdated
from scheduling.domain.errors import InvalidInput
from tests.following import (
    STRUCTURED,
    an_event,
    following,
    rows,
    send_raw,
    sending,
    settings_of,
    until_answered,
    until_rows,
)

DEAD = "SELECT * FROM dead_letters ORDER BY stream_sequence"
FOLLOWED = "SELECT * FROM inbox"
INBOX = ("SCHEDULING_INBOX", "scheduling-inbox")

React = Callable[[ReceivedEvent[Message]], Awaitable[None]]


def doing(react: React) -> dict[str, Any]:
    """An inbox that follows news of equipment so, and soon tries again."""

    async def reaction(_caller: Caller, event: ReceivedEvent[Message]) -> None:
        await react(event)

    def reactions(_begin: BeginWork, _now: Clock, _alarms: Alarms) -> Reactions:
        return {CalendarNews: reaction, RoutedNews: reaction}

    return {"reactions": reactions, "first_pause": 0.01}


async def nothing(_event: ReceivedEvent[Message]) -> None:
    """Follow it by doing nothing."""


def news(**attributes: object) -> dict[str, Any]:
    return an_event("equipment.low-stock", low_stock(), **attributes)


def low_stock() -> dict[str, str]:
    return {"equipmentId": str(uuid4()), "locationId": str(uuid4())}


async def test_the_same_event_twice_is_followed_once(
    database_url: str, nats_url: str
) -> None:
    tenant, event = uuid4(), news()
    seen: list[str] = []

    async def react(event: ReceivedEvent[Message]) -> None:
        seen.append(event.id)

    async with (
        following(settings_of(database_url, nats_url), **doing(react)),
        sending(nats_url) as sender,
    ):
        for _ in range(3):
            await sender.send(tenant, event)
        await sender.send(tenant, news(id="last"))
        await until_answered(nats_url, *INBOX)
    assert seen == [event["id"], "last"]
    assert await rows(database_url, DEAD) == []


async def test_both_modes_are_followed_as_the_tenant_of_their_subject(
    database_url: str, nats_url: str
) -> None:
    tenant = uuid4()
    seen: list[tuple[UUID, str, int | None]] = []

    async def react(event: ReceivedEvent[Message]) -> None:
        seen.append((event.tenant_id, event.id, event.version))

    headers = {
        "ce-specversion": "1.0",
        "ce-id": "two",
        "ce-source": "/somebody",
        "ce-type": "equipment.low-stock",
        "ce-aggregateversion": "7",
    }
    async with (
        following(settings_of(database_url, nats_url), **doing(react)),
        sending(nats_url) as sender,
    ):
        await sender.send(tenant, news(id="one", aggregateversion=6))
        body = orjson.dumps(low_stock())
        subject = f"inbox.{tenant}.equipment.low-stock"
        await sender.send_bytes(subject, body, headers)
        await until_answered(nats_url, *INBOX)
    assert seen == [(tenant, "one", 6), (tenant, "two", 7)]


async def test_what_only_we_may_say_is_not_believed_of_others(
    database_url: str, nats_url: str
) -> None:
    tenant = uuid4()
    event = an_event("schedule.changed", {"scheduleId": str(uuid4())})
    async with (
        following(settings_of(database_url, nats_url), **doing(nothing)),
        sending(nats_url) as sender,
    ):
        await sender.send(tenant, event)
        (letter,) = await until_rows(database_url, 1, DEAD)
        assert letter["reason"] == "UNKNOWN_TYPE"
        for way in ("inbox.replay", "scheduling"):
            subject = f"{way}.{tenant}.schedule.changed"
            body = orjson.dumps({**event, "id": way})
            await sender.send_bytes(subject, body, STRUCTURED)
        followed = await until_rows(database_url, 2, FOLLOWED)
    assert {one["event_id"] for one in followed} == {"inbox.replay", "scheduling"}


async def test_poison_becomes_a_dead_letter_and_the_next_goes_on(
    database_url: str, nats_url: str
) -> None:
    tenant = uuid4()
    subject = f"inbox.{tenant}.equipment.low-stock"
    known = f"inbox.{tenant}.patient.updated".encode()
    async with (
        following(settings_of(database_url, nats_url), **doing(nothing)),
        sending(nats_url) as sender,
    ):
        await sender.send(tenant, news(specversion="0.3"))
        await sender.send(tenant, news(tenantid=str(uuid4())))
        await sender.send(tenant, an_event("nobody.listens", {}))
        await sender.send(tenant, an_event("equipment.low-stock", {"equipmentId": 7}))
        await sender.send_bytes(subject, b"\xff\x00", STRUCTURED)
        await sender.send_bytes("inbox.nobody.equipment.low-stock", b"{}", STRUCTURED)
        other = orjson.dumps(an_event("of.another.type", {}))
        await sender.send_bytes(subject, other, STRUCTURED)
        await send_raw(nats_url, known + b".\xff\xfe", b"NATS/1.0\r\n\r\n", b"{}")
        await send_raw(nats_url, known, b"NATS/1.0 404 Gone\r\n\r\n", b"")
        await send_raw(nats_url, known, b"NATS/1.0\r\nStatus: 409\r\n\r\n", b"{}")
        await send_raw(nats_url, known, b"NATS/1.0\r\nno colon\r\n\r\n", b"{}")
        await send_raw(nats_url, known, b"NATS/1.0\r\nX: \xff\x00\r\n\r\n", b"{}")
        last = news()
        await sender.send(tenant, last)
        await until_answered(nats_url, *INBOX)
        (followed,) = await rows(database_url, FOLLOWED)
        letters = await until_rows(database_url, 12, DEAD)
    assert followed["event_id"] == last["id"]
    assert [letter["reason"] for letter in letters] == [
        "NOT_A_CLOUD_EVENT",
        "TENANT_MISMATCH",
        "UNKNOWN_TYPE",
        "VALIDATION_FAILED",
        "NOT_A_CLOUD_EVENT",
        "BAD_SUBJECT",
        "BAD_SUBJECT",
        *["NOT_A_CLOUD_EVENT"] * 5,
    ]
    assert {letter["deliveries"] for letter in letters} == {1}
    owners = [letter["tenant_id"] for letter in letters]
    assert owners == [*[tenant] * 5, UUID(int=0), *[tenant] * 6]
    assert letters[4]["body"] == b"\xff\x00"
    assert letters[3]["event_type"] == "equipment.low-stock"


async def test_a_refusal_undoes_everything_and_is_the_reason_of_a_dead_letter(
    database_url: str, nats_url: str
) -> None:
    data = {"appointmentId": str(uuid4())}
    async with (
        following(settings_of(database_url, nats_url)),
        sending(nats_url) as sender,
    ):
        await sender.send(uuid4(), an_event("encounter.finalized", data))
        (letter,) = await until_rows(database_url, 1, DEAD)
        await until_answered(nats_url, *INBOX)
    assert letter["reason"] == "APPOINTMENT_NOT_FOUND"
    assert await rows(database_url, FOLLOWED) == []


class Away(Unavailable):
    pass


LOST = DecisionOutdated(InvalidInput("others were faster"))


@pytest.mark.parametrize("fault", [ZeroDivisionError("x"), Away(), LOST])
async def test_what_may_succeed_later_is_tried_again(
    fault: Exception, database_url: str, nats_url: str
) -> None:
    # A lost race is asked again three times before it costs a delivery.
    at_once = 3 if fault is LOST else 1
    tries: list[str] = []

    async def react(event: ReceivedEvent[Message]) -> None:
        tries.append(event.id)
        if len(tries) <= 2 * at_once:
            raise fault

    async with (
        following(settings_of(database_url, nats_url), **doing(react)),
        sending(nats_url) as sender,
    ):
        await sender.send(uuid4(), news(id="a"))
        await until_rows(database_url, 1, FOLLOWED)
    assert tries == ["a"] * (2 * at_once + 1)
    assert await rows(database_url, DEAD) == []


async def test_what_fails_each_time_is_put_aside_in_the_end(
    database_url: str, nats_url: str
) -> None:
    async def react(_event: ReceivedEvent[Message]) -> None:
        raise ZeroDivisionError

    settings = settings_of(database_url, nats_url, inbox_max_deliver=3)
    async with following(settings, **doing(react)), sending(nats_url) as sender:
        await sender.send(uuid4(), news())
        (letter,) = await until_rows(database_url, 1, DEAD)
        await until_answered(nats_url, *INBOX)
    assert (letter["reason"], letter["deliveries"]) == ("MAX_DELIVERIES", 3)
    assert await rows(database_url, FOLLOWED) == []


async def taken_and_never_answered(nats_url: str) -> None:
    """Do as a process does that dies of what it takes."""
    client = await nats.connect(nats_url)
    try:
        subscription = await client.jetstream().pull_subscribe_bind(
            "scheduling-inbox", "SCHEDULING_INBOX"
        )
        await subscription.fetch(1, timeout=5)
    finally:
        await client.close()


@pytest.mark.parametrize("followed", [False, True])
async def test_what_the_broker_gives_up_is_put_aside_unless_it_was_followed(
    database_url: str, nats_url: str, *, followed: bool
) -> None:
    tenant, event = uuid4(), news(id="deadly")
    settings = settings_of(
        database_url, nats_url, inbox_max_deliver=1, inbox_ack_wait=1
    )
    async with following(settings, **doing(nothing)), sending(nats_url) as sender:
        await sender.send(tenant, news())
        await until_rows(database_url, 1, FOLLOWED)
    async with sending(nats_url) as sender:
        sequence = await sender.send(tenant, event)
    await taken_and_never_answered(nats_url)
    if followed:
        await rows(
            database_url,
            "INSERT INTO inbox VALUES ($1, '/somebody', 'deadly', 'x', now())",
            tenant,
        )
    async with following(settings, **doing(nothing)):
        await until_answered(nats_url, *INBOX)
        await until_stored(nats_url, "SCHEDULING_ADVISORIES", 1)
        await until_answered(nats_url, "SCHEDULING_ADVISORIES", "scheduling-advisories")
    letters = await rows(database_url, DEAD)
    told = [(letter["reason"], letter["stream_sequence"]) for letter in letters]
    assert told == ([] if followed else [("MAX_DELIVERIES", sequence)])


async def until_stored(nats_url: str, stream: str, count: int) -> None:
    async with sending(nats_url) as sender, asyncio.timeout(30):
        while True:
            try:
                told = await sender.client.jsm().stream_info(stream)
            except NotFoundError:
                continue
            if told.state.messages >= count:
                return
            await asyncio.sleep(0.05)  # a server: it cannot be awaited


async def test_news_of_one_aggregate_go_one_by_one_while_others_go_on(
    database_url: str, nats_url: str
) -> None:
    tenant, aggregates = uuid4(), [str(uuid4()) for _ in range(4)]
    busy: set[str] = set()
    most = 0
    order: list[str] = []

    async def react(event: ReceivedEvent[Message]) -> None:
        nonlocal most
        whose, _, _ = event.id.partition("/")
        assert whose not in busy
        busy.add(whose)
        most = max(most, len(busy))
        await asyncio.sleep(0.001)  # others may overtake here if they can
        busy.discard(whose)
        order.append(event.id)

    async with (
        following(settings_of(database_url, nats_url), **doing(react)),
        sending(nats_url) as sender,
    ):
        sent = [f"{whose}/{number}" for number in range(25) for whose in aggregates]
        for id in sent:
            await sender.send(tenant, news(id=id, subject=id.partition("/")[0]))
        await until_rows(database_url, len(sent), FOLLOWED)
    for whose in aggregates:
        own = [id for id in order if id.startswith(whose)]
        assert own == [id for id in sent if id.startswith(whose)]
    assert most > 1
    assert order != sent


async def test_two_processes_share_the_work(database_url: str, nats_url: str) -> None:
    settings = settings_of(database_url, nats_url)
    seen: list[list[str]] = [[], []]

    def into(own: list[str]) -> dict[str, Any]:
        async def react(event: ReceivedEvent[Message]) -> None:
            own.append(event.id)

        return doing(react)

    async with (
        following(settings, **into(seen[0])),
        following(settings, **into(seen[1])),
        sending(nats_url) as sender,
    ):
        for number in range(200):
            await sender.send(uuid4(), news(id=str(number)))
        await until_rows(database_url, 200, FOLLOWED)
    assert sorted(map(int, seen[0] + seen[1])) == list(range(200))
    assert min(map(len, seen)) > 0


async def test_a_consumer_that_forgot_everything_changes_nothing(
    database_url: str, nats_url: str
) -> None:
    """All acknowledgements lost at once: everything comes again."""
    seen: list[str] = []

    async def react(event: ReceivedEvent[Message]) -> None:
        seen.append(event.id)

    settings = settings_of(database_url, nats_url)
    async with following(settings, **doing(react)), sending(nats_url) as sender:
        for number in range(50):
            await sender.send(uuid4(), news(id=str(number)))
        await sender.send(uuid4(), news(specversion="2"))
        await until_answered(nats_url, *INBOX)
        await sender.client.jsm().delete_consumer(*INBOX)
    async with following(settings, **doing(react)) as figures:
        await until_answered(nats_url, *INBOX)
        again = figures.registry.get_sample_value(
            "scheduling_inbox_received_total",
            {"type": "equipment.low-stock", "outcome": "duplicate"},
        )
    assert again == 50
    assert len(seen) == len(set(seen)) == 50
    assert len(await rows(database_url, DEAD)) == 1


async def test_what_takes_longer_than_the_broker_waits_is_not_delivered_twice(
    database_url: str, nats_url: str
) -> None:
    seen: list[str] = []

    async def react(event: ReceivedEvent[Message]) -> None:
        seen.append(event.id)
        await asyncio.sleep(2)  # twice as long as it waits

    settings = settings_of(database_url, nats_url, inbox_ack_wait=1)
    async with (
        following(settings, **doing(react)),
        following(settings, **doing(react)),
        sending(nats_url) as sender,
    ):
        await sender.send(uuid4(), news(id="long"))
        await until_answered(nats_url, *INBOX)
    assert seen == ["long"]
