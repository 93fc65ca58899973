"""Whatever receptions do, in whatever order: storage is what the plain model says.

`LIVES=20` lives twenty times as many lives.
"""

import asyncio
import os
from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from functools import cached_property
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase
from hypothesis import settings as examples
from hypothesis.stateful import run_state_machine_as_test

from scheduling.adapters.cloud_events.outgoing import Envelope
from scheduling.application.ports.availability import AvailabilityRepository
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.repositories import AppointmentRepository
from scheduling.application.ports.unit_of_work import DecisionOutdated
from scheduling.application.ports.waitlist import WaitlistRepository
from scheduling.domain.appointment import Appointment
from scheduling.domain.changes import Changes
from scheduling.domain.claim import Clashes
from scheduling.domain.events import WaitlistSlotAvailable
from scheduling.domain.identifiers import SlotId
from tests.contracts.storages import Storage, postgres_storage
from tests.fakes.appointments import MemoryAppointments
from tests.fakes.availability import MemoryAvailability
from tests.fakes.storage import MemoryStorage, MemoryUnitOfWork
from tests.fakes.transaction import AuditRow, Tables
from tests.fakes.waitlist import MemoryWaitlist
from tests.property.life_looking import Looking
from tests.property.life_running import Running
from tests.property.life_seeing import Seeing
from tests.property.life_shaping import Shaping
from tests.property.life_steps import Stepping
from tests.property.life_wishing import Wishing

TIMES = int(os.environ.get("LIVES", "1"))
STEPS = 50


class Life(Stepping, Running, Shaping, Wishing, Looking, Seeing):
    pass


QUICKLY: dict[str, Any] = {
    "deadline": None,
    "stateful_step_count": STEPS,
    "phases": [Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.filter_too_much],
}


def live(storage: Storage, runner: asyncio.Runner, **bounds: Any) -> None:  # noqa: ANN401
    class Lived(Life):
        pass

    Lived.storage = storage
    Lived.run = staticmethod(runner.run)
    run_state_machine_as_test(Lived, settings=examples(**{**QUICKLY, **bounds}))


def test_on_storage_in_memory() -> None:
    with asyncio.Runner() as runner:
        live(MemoryStorage(), runner, max_examples=100 * TIMES)


def test_on_postgresql(database_url: str) -> None:
    with asyncio.Runner() as runner:
        opened: AbstractAsyncContextManager[Storage] = postgres_storage(
            database_url, size=1
        )
        storage = runner.run(opened.__aenter__())
        try:
            live(storage, runner, max_examples=30 * TIMES)
        finally:
            runner.run(opened.__aexit__(None, None, None))


class LosesNews(MemoryStorage):
    """Of one check-in, of the many events that there are."""

    async def outbox(self, caller: Caller) -> list[Envelope]:
        kept = await super().outbox(caller)
        return [e for e in kept if b'"type":"checkin.completed"' not in e.body]


class ForgetsWhatWas(MemoryStorage):
    async def audit(self, caller: Caller) -> list[AuditRow]:
        rows = await super().audit(caller)
        return [replace(row, changes=_only_new(row.changes)) for row in rows]


def _only_new(changes: Changes) -> Changes:
    return {name: (None, new) for name, (_, new) in changes.items()}


class KeepsSeats(MemoryAppointments):
    def _give_seats_back(self, slot_ids: Iterable[SlotId]) -> None:
        pass


class KeepsTime(MemoryAppointments):
    def _give_time_back(self, appointment: Appointment, why: str | None) -> None:
        claims = self.transaction.tables.claims[appointment.id]
        super()._give_time_back(appointment, why)

        def write(tables: Tables) -> None:
            tables.claims[appointment.id] = claims

        self.transaction.change(write)


class TellsNobody(MemoryWaitlist):
    def announce(self, event: WaitlistSlotAvailable) -> None:
        pass


class OverlooksWhoIsTaken(MemoryAvailability):
    def in_the_way(self, *_of: object) -> Clashes:
        return Clashes()


class KeepingSeats(MemoryUnitOfWork):
    @cached_property
    def appointments(self) -> AppointmentRepository:
        return KeepsSeats(self._transaction)


class KeepingTime(MemoryUnitOfWork):
    @cached_property
    def appointments(self) -> AppointmentRepository:
        return KeepsTime(self._transaction)


class TellingNobody(MemoryUnitOfWork):
    @cached_property
    def waitlist(self) -> WaitlistRepository:
        return TellsNobody(self._transaction)


class OverlookingWhoIsTaken(MemoryUnitOfWork):
    @cached_property
    def availability(self) -> AvailabilityRepository:
        return OverlooksWhoIsTaken(self._transaction)


FAULTS: dict[str, Callable[[], Storage]] = {
    "news is lost": LosesNews,
    "what was is forgotten": ForgetsWhatWas,
    "a seat is not given back": lambda: MemoryStorage(work=KeepingSeats),
    "a claim is kept": lambda: MemoryStorage(work=KeepingTime),
    "who waits is not told": lambda: MemoryStorage(work=TellingNobody),
    "search overlooks who is taken": lambda: MemoryStorage(work=OverlookingWhoIsTaken),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found_out(fault: str) -> None:
    """The judge is judged: somebody sees it, or storage itself comes to a stop."""
    found = (AssertionError, DecisionOutdated)
    with asyncio.Runner() as runner, pytest.raises(found):
        live(
            FAULTS[fault](),
            runner,
            max_examples=1000,
            database=None,
            phases=[Phase.generate],
            report_multiple_bugs=False,
        )
