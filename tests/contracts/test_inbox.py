"""What the inbox promises: news takes effect once, and never goes back."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest

from scheduling.adapters.postgres.dead_letters import letter_from
from scheduling.application.ports.dead_letters import NO_TENANT, DeadLetter
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.inbox import Outcome, ReceivedEvent
from scheduling.application.ports.messages import Aggregate, Message
from scheduling.application.ports.unit_of_work import TransactionAborted
from scheduling.domain.identifiers import TenantId
from scheduling.entrypoints.attempts import settled
from tests.builders import EIGHT, a_caller
from tests.contracts.storages import Storage, postgres_storage
from tests.fakes.storage import MemoryStorage

PATIENT = Aggregate("patient", UUID(int=7))


@dataclass(frozen=True, slots=True, kw_only=True)
class News(Message):
    whose: Aggregate | None = PATIENT

    @property
    def aggregate(self) -> Aggregate | None:
        return self.whose


def news(
    caller: Caller,
    id: str = "e1",
    *,
    version: int | None = None,
    minute: int = 0,
    **told: Aggregate | None,
) -> ReceivedEvent[News]:
    return ReceivedEvent(
        tenant_id=caller.tenant_id,
        source="/registry",
        id=id,
        type="patient.updated",
        stored_at=EIGHT + timedelta(minutes=minute),
        version=version,
        traceparent=None,
        message=News(**told),
    )


@pytest.fixture(params=["memory", "postgres"])
async def storage(request: pytest.FixtureRequest) -> AsyncIterator[Storage]:
    """Under the role of the process that follows news."""
    if request.param == "memory":
        yield MemoryStorage()
        return
    url = request.getfixturevalue("shared_database_url")
    async with postgres_storage(url, size=8, role="scheduling_inbox") as storage:
        yield storage


async def recalled(
    storage: Storage, caller: Caller, event: ReceivedEvent[News]
) -> Outcome | None:
    async with storage.begin(caller) as work:
        return await work.inbox.recall(event)


async def followed(
    storage: Storage, caller: Caller, event: ReceivedEvent[News]
) -> Outcome:
    """Do with it what is done with every event."""
    async with storage.begin(caller) as work:
        if await work.inbox.recall(event):
            return Outcome.DUPLICATE
        stale = await work.inbox.is_stale(event)
        outcome = Outcome.STALE if stale else Outcome.APPLIED
        work.inbox.remember(event, outcome, EIGHT)
    return outcome


async def test_what_was_followed_is_recalled_with_its_outcome(storage: Storage) -> None:
    caller = a_caller()
    event = news(caller)
    assert await recalled(storage, caller, event) is None
    assert await followed(storage, caller, event) is Outcome.APPLIED
    assert await recalled(storage, caller, event) is Outcome.APPLIED


async def test_an_event_is_known_by_tenant_source_and_id(storage: Storage) -> None:
    caller, other = a_caller(), a_caller()
    event = news(caller)
    await followed(storage, caller, event)
    assert await recalled(storage, other, news(other)) is None
    assert await recalled(storage, caller, replace(event, source="/else")) is None
    assert await recalled(storage, caller, replace(event, id="e2")) is None
    assert await recalled(storage, caller, replace(event, type="else")) is not None


async def test_what_is_undone_was_not_followed(storage: Storage) -> None:
    caller = a_caller()
    event = news(caller, version=5)
    with pytest.raises(ZeroDivisionError):
        async with storage.begin(caller) as work:
            await work.inbox.recall(event)
            work.inbox.remember(event, Outcome.APPLIED, EIGHT)
            raise ZeroDivisionError
    assert await followed(storage, caller, event) is Outcome.APPLIED


async def test_who_has_the_same_event_waits_and_then_knows(storage: Storage) -> None:
    caller = a_caller()
    event = news(caller)
    async with storage.begin(caller) as work:
        await work.inbox.recall(event)
        second = asyncio.create_task(followed(storage, caller, event))
        # Another goes on meanwhile; by then the second would long have been through.
        other = news(caller, "e2", whose=None)
        assert await followed(storage, caller, other) is Outcome.APPLIED
        assert not second.done()
        work.inbox.remember(event, Outcome.APPLIED, EIGHT)
    assert await second is Outcome.DUPLICATE


async def test_who_has_news_of_the_same_aggregate_waits(storage: Storage) -> None:
    caller = a_caller()
    newer, older = news(caller, "e2", version=2), news(caller, "e1", version=1)
    async with storage.begin(caller) as work:
        await work.inbox.recall(newer)
        assert not await work.inbox.is_stale(newer)
        second = asyncio.create_task(followed(storage, caller, older))
        other = news(caller, "e3", whose=Aggregate("patient", uuid4()))
        assert await followed(storage, caller, other) is Outcome.APPLIED
        assert not second.done()
        work.inbox.remember(newer, Outcome.APPLIED, EIGHT)
    assert await second is Outcome.STALE


async def test_of_parallel_duplicates_one_is_followed(storage: Storage) -> None:
    caller = a_caller()
    event = news(caller)
    outcomes = await asyncio.gather(
        *(settled(lambda: followed(storage, caller, event)) for _ in range(20))
    )
    assert sorted(outcomes) == [Outcome.APPLIED, *[Outcome.DUPLICATE] * 19]


async def test_the_key_has_the_last_word_where_nobody_asked(storage: Storage) -> None:
    caller = a_caller()
    event = news(caller)
    await followed(storage, caller, event)
    with pytest.raises(TransactionAborted):
        async with storage.begin(caller) as work:
            work.inbox.remember(event, Outcome.APPLIED, EIGHT)


Told = tuple[int | None, int]
"""Version, and the minute in which the broker stored it."""


@pytest.mark.parametrize(
    ("before", "then", "is_stale"),
    [
        ((2, 0), (3, 1), False),
        ((2, 5), (3, 1), False),
        ((3, 0), (2, 1), True),
        ((3, 0), (3, 1), True),
        ((None, 0), (None, 1), False),
        ((None, 1), (None, 0), True),
        ((2, 0), (None, 1), False),
        ((2, 1), (None, 0), True),
        ((None, 0), (1, 1), False),
        ((None, 1), (1, 0), True),
    ],
)
async def test_older_news_never_come_after_newer(
    storage: Storage, before: Told, then: Told, *, is_stale: bool
) -> None:
    caller = a_caller()
    first = news(caller, "e1", version=before[0], minute=before[1])
    second = news(caller, "e2", version=then[0], minute=then[1])
    assert await followed(storage, caller, first) is Outcome.APPLIED
    expected = Outcome.STALE if is_stale else Outcome.APPLIED
    assert await followed(storage, caller, second) is expected
    assert await recalled(storage, caller, second) is expected


async def test_how_far_news_were_followed_never_goes_back(storage: Storage) -> None:
    caller = a_caller()
    for id, version, minute, expected in (
        ("e1", 5, 9, Outcome.APPLIED),
        ("e2", 3, 20, Outcome.STALE),
        ("e3", None, 10, Outcome.APPLIED),
        ("e4", 5, 30, Outcome.STALE),
        ("e5", 6, 1, Outcome.APPLIED),
        ("e6", None, 9, Outcome.STALE),
    ):
        event = news(caller, id, version=version, minute=minute)
        assert await followed(storage, caller, event) is expected, id


async def test_each_aggregate_has_news_of_its_own(storage: Storage) -> None:
    caller, other = a_caller(), a_caller()
    await followed(storage, caller, news(caller, "e1", version=9))
    for owner, whose in (
        (caller, Aggregate("patient", uuid4())),
        (caller, Aggregate("practitioner-role", PATIENT.id)),
        (caller, None),
        (other, PATIENT),
    ):
        event = news(owner, "e2" if whose else "e3", version=1, whose=whose)
        event = replace(event, id=str(uuid4()))
        assert await followed(storage, owner, event) is Outcome.APPLIED, whose


def a_letter(caller: Caller, **told: object) -> DeadLetter:
    given = {
        "id": uuid4(),
        "tenant_id": caller.tenant_id,
        "stream": "SCHEDULING_INBOX",
        "sequence": 4,
        "stored_at": EIGHT,
        "subject": "inbox.x.y",
        "headers": {"Content-Type": "application/json", "x": "Žofie"},
        "body": bytes(range(256)),
        "event_id": None,
        "event_type": None,
        "reason": "NOT_A_CLOUD_EVENT",
        "detail": "missing: id",
        "deliveries": 1,
        "died_at": EIGHT,
        **told,
    }
    return DeadLetter(**given)  # type: ignore[arg-type]  # as many types as fields


async def keep(storage: Storage, caller: Caller, letter: DeadLetter) -> None:
    async with storage.begin(caller) as work:
        work.dead_letters.keep(letter)


async def letters(storage: Storage, caller: Caller) -> list[DeadLetter]:
    if isinstance(storage, MemoryStorage):
        return list(storage.of(caller.tenant_id).dead_letters.values())
    rows = await storage.rows(caller, "SELECT * FROM dead_letters ORDER BY id")
    return [letter_from(row) for row in rows]


async def test_a_letter_is_kept_byte_for_byte(storage: Storage) -> None:
    caller = a_caller()
    letter = a_letter(caller)
    await keep(storage, caller, letter)
    assert await letters(storage, caller) == [letter]
    assert await letters(storage, a_caller()) == []


async def test_a_message_is_kept_once_as_it_first_came(storage: Storage) -> None:
    caller = a_caller()
    first, second = a_letter(caller), a_letter(caller, reason="MAX_DELIVERIES")
    later: datetime = EIGHT + timedelta(days=1)
    in_a_new_stream = a_letter(caller, stored_at=later)
    for letter in (first, second, in_a_new_stream):
        await keep(storage, caller, letter)
    kept = await letters(storage, caller)
    assert {letter.id for letter in kept} == {first.id, in_a_new_stream.id}


async def test_what_belongs_to_nobody_is_kept_too(storage: Storage) -> None:
    caller = replace(a_caller(), tenant_id=TenantId(NO_TENANT))
    letter = a_letter(caller)
    await keep(storage, caller, letter)
    assert letter.id in {kept.id for kept in await letters(storage, caller)}
