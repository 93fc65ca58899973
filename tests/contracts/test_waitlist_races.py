"""Many accept, remove and cancel at once."""

import asyncio
from functools import partial
from typing import Any

import orjson

from scheduling.application.commands.fulfill_waitlist_entry import (
    FulfillWaitlistEntry,
)
from scheduling.application.commands.remove_from_waitlist import RemoveFromWaitlist
from scheduling.application.ports.waitlist import WaitlistFilter
from scheduling.domain.errors import (
    DomainError,
    InvalidStatusTransition,
    OptimisticLockConflict,
)
from scheduling.domain.version import ExpectedVersion
from scheduling.domain.waitlist import (
    WaitlistEntry,
    WaitlistStatus,
)
from scheduling.entrypoints.attempts import settled
from tests.builders import (
    EIGHT,
    Clinic,
)
from tests.contracts.storages import PostgresStorage, Storage
from tests.waiting import (
    a_clinic,
    announced,
)

FIRST = ExpectedVersion(1)


async def page(
    storage: Storage,
    clinic: Clinic,
    **wanted: Any,  # noqa: ANN401
) -> list[WaitlistEntry]:
    async with storage.begin(clinic.caller) as work:
        page = await work.waitlist.page(WaitlistFilter(**wanted))
    return [one.entry for one in page]


async def accept(
    storage: Storage, clinic: Clinic, entry: WaitlistEntry, slot: int
) -> object:
    fulfil = FulfillWaitlistEntry(storage.begin, lambda: EIGHT)
    return await settled(
        lambda: fulfil(clinic.caller, entry.id, clinic.request(0, slot), expected=FIRST)
    )


async def race(*attempts: Any) -> tuple[list[object], list[DomainError]]:  # noqa: ANN401
    """Return who won, and how the others were refused."""
    outcomes = await asyncio.gather(*attempts, return_exceptions=True)
    refused = [one for one in outcomes if isinstance(one, DomainError)]
    won = [one for one in outcomes if not isinstance(one, BaseException)]
    assert len(won) + len(refused) == len(outcomes), outcomes
    return won, refused


LATE = (OptimisticLockConflict, InvalidStatusTransition)


async def test_of_two_who_accept_at_once_one_wins(everywhere: Storage) -> None:
    clinic, reception = await a_clinic(everywhere)
    entry = await reception.wait(1)
    won, refused = await race(
        *(accept(everywhere, clinic, entry, slot) for slot in (0, 1, 2))
    )
    assert len(won) == 1
    assert all(isinstance(one, LATE) for one in refused)
    assert {c.appointment_id for c in await everywhere.claims(clinic.caller)} == {
        won[0][1].id  # type: ignore[index]  # an entry and its appointment
    }
    types = [
        orjson.loads(e.body)["type"] for e in await everywhere.outbox(clinic.caller)
    ]
    assert types.count("waitlist.fulfilled") == types.count("appointment.created") == 1


async def test_of_two_entries_that_accept_one_slot_one_wins(
    everywhere: Storage,
) -> None:
    clinic, reception = await a_clinic(everywhere)
    entries = [await reception.wait(n) for n in (1, 2, 3)]
    won, refused = await race(
        *(accept(everywhere, clinic, entry, 0) for entry in entries)
    )
    assert (len(won), len(refused)) == (1, 2)
    waiting = await page(everywhere, clinic, status=WaitlistStatus.WAITING)
    assert len(waiting) == 2


async def test_of_accepting_and_removing_at_once_one_wins(
    on_postgres: PostgresStorage,
) -> None:
    clinic, reception = await a_clinic(on_postgres)
    remove = RemoveFromWaitlist(on_postgres.begin, lambda: EIGHT)
    for slot in range(3):
        entry = await reception.wait(slot + 1)
        won, refused = await race(
            accept(on_postgres, clinic, entry, slot),
            settled(partial(remove, clinic.caller, entry.id, expected=FIRST)),
        )
        assert (len(won), len(refused)) == (1, 1)
        assert isinstance(refused[0], LATE)


async def test_of_parallel_cancels_one_is_told_to_who_waits(
    everywhere: Storage,
) -> None:
    clinic, reception = await a_clinic(everywhere)
    booked = await reception.book(0)
    await reception.wait(1)
    won, _ = await race(*(settled(lambda: reception.cancel(booked)) for _ in range(8)))
    assert len(won) == 1
    assert len(await announced(everywhere, clinic.caller)) == 1
