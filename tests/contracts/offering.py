"""A clinic that offers freed time to those who wait, with its inbox and its crons."""

from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from scheduling.application.commands.accept_waitlist_offer import AcceptWaitlistOffer
from scheduling.application.commands.add_to_waitlist import AddToWaitlist
from scheduling.application.commands.cancel_appointment import CancelAppointment
from scheduling.application.commands.decline_waitlist_offer import (
    DeclineWaitlistOffer,
)
from scheduling.application.commands.expire_holds import ExpireHolds
from scheduling.application.commands.expire_waitlist_offers import (
    ExpireWaitlistOffers,
)
from scheduling.application.commands.fulfill_waitlist_entry import (
    FulfillWaitlistEntry,
)
from scheduling.application.commands.make_waitlist_offer import MakeWaitlistOffer
from scheduling.application.commands.remove_from_waitlist import RemoveFromWaitlist
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.waitlist import NamedEntry
from scheduling.application.queries.find_waitlist_candidates import (
    FindWaitlistCandidates,
)
from scheduling.domain.appointment import Appointment, CancelReason, Initiator
from scheduling.domain.settings import Settings
from scheduling.domain.version import ExpectedVersion
from scheduling.domain.waitlist import WaitlistEntry
from scheduling.entrypoints.attempts import settled
from tests.builders import Clinic
from tests.contracts.inbound import Hearing, Inbound
from tests.contracts.reception import Reception
from tests.fakes.storage import MemoryStorage
from tests.waiting import a_wish

OFFERING = Settings(hold_minutes=10, waitlist_offers=True)


@dataclass
class Offering:
    """Who waits is named by the number of the patient."""

    inbound: Inbound
    waiting: int = 0

    @property
    def desk(self) -> Reception:
        return self.inbound.desk

    @property
    def clinic(self) -> Clinic:
        return self.inbound.clinic

    def clock(self) -> datetime:
        return self.desk.now

    async def book(self, patient: int, slot: int = 0) -> Appointment:
        return await self.desk.book(self.clinic.request(patient, slot))

    async def wait(self, patient: int, **told: Any) -> WaitlistEntry:  # noqa: ANN401
        """Who is added later has waited less, also at the same instant."""
        self.waiting += 1
        now = self.desk.now + timedelta(microseconds=self.waiting)
        add = AddToWaitlist(self.desk.storage.begin, lambda: now)
        return await add(
            self.clinic.caller, a_wish(self.clinic.patients[patient].id, **told)
        )

    async def cancel(self, one: Appointment) -> None:
        cancel = CancelAppointment(self.desk.storage.begin, self.clock)
        await settled(
            lambda: cancel(
                self.clinic.caller,
                one.id,
                expected=ExpectedVersion(one.version),
                reason_code=CancelReason.PATIENT,
                initiated_by=Initiator.STAFF,
                comment=None,
            )
        )

    async def free(self, one: Appointment) -> None:
        """Cancel it, and let the inbox hear of it."""
        await self.cancel(one)
        await self.inbound.hears_itself()

    async def as_it_is(self, entry: WaitlistEntry) -> WaitlistEntry:
        async with self.desk.storage.begin(self.clinic.caller) as work:
            return await work.waitlist.get(entry.id)

    async def asked(self, *entries: WaitlistEntry) -> list[int]:
        """Return the places in the list of those to whom something is offered."""
        now = [await self.as_it_is(entry) for entry in entries]
        return [place for place, entry in enumerate(now) if entry.offer is not None]

    async def hold_of(self, entry: WaitlistEntry) -> Appointment:
        offer = (await self.as_it_is(entry)).offer
        assert offer is not None
        async with self.desk.storage.begin(self.clinic.caller) as work:
            return await work.appointments.get(offer.appointment_id)

    async def candidates(self, slot: int = 0) -> list[NamedEntry]:
        audit = MemoryStorage().recorder
        find = FindWaitlistCandidates(self.desk.storage.begin, self.clock, audit)
        return list(await find(self.caller, self.clinic.slots[slot].id))

    async def offer(
        self,
        entry: WaitlistEntry,
        slot: int = 0,
        *,
        caller: Caller | None = None,
        version: int | None = None,
    ) -> WaitlistEntry:
        """As the desk does, whatever the organisation has set."""
        offer = MakeWaitlistOffer(self.desk.storage.begin, self.clock)
        known = version or (await self.as_it_is(entry)).version
        return await settled(
            lambda: offer(
                caller or self.caller,
                entry.id,
                self.clinic.slots[slot].id,
                appointment_type="unspecified",
                expected=ExpectedVersion(known),
            )
        )

    async def accept(
        self, entry: WaitlistEntry, caller: Caller | None = None
    ) -> tuple[WaitlistEntry, Appointment]:
        accept = AcceptWaitlistOffer(self.desk.storage.begin, self.clock)
        expected = ExpectedVersion((await self.as_it_is(entry)).version)
        return await settled(
            lambda: accept(caller or self.clinic.caller, entry.id, expected=expected)
        )

    async def decline(
        self, entry: WaitlistEntry, caller: Caller | None = None
    ) -> WaitlistEntry:
        decline = DeclineWaitlistOffer(self.desk.storage.begin, self.clock)
        expected = ExpectedVersion((await self.as_it_is(entry)).version)
        return await settled(
            lambda: decline(caller or self.clinic.caller, entry.id, expected=expected)
        )

    async def remove(self, entry: WaitlistEntry) -> None:
        remove = RemoveFromWaitlist(self.desk.storage.begin, self.clock)
        expected = ExpectedVersion((await self.as_it_is(entry)).version)
        await settled(lambda: remove(self.clinic.caller, entry.id, expected=expected))

    async def fulfil(self, entry: WaitlistEntry, slot: int) -> Appointment:
        fulfil = FulfillWaitlistEntry(self.desk.storage.begin, self.clock)
        expected = ExpectedVersion((await self.as_it_is(entry)).version)
        _, booked = await settled(
            lambda: fulfil(
                self.clinic.caller,
                entry.id,
                self.clinic.request(0, slot),
                expected=expected,
            )
        )
        return booked

    async def expire(self) -> int:
        """As the cron does, which works under the inbox's role."""
        sweep = ExpireWaitlistOffers(self.inbound.inbox.begin, self.clock)
        return await sweep(self._cron())

    async def expire_holds(self) -> int:
        sweep = ExpireHolds(self.inbound.inbox.begin, self.clock)
        return await settled(lambda: sweep(self._cron()))

    def _cron(self) -> Caller:
        return replace(self.clinic.caller, subject="cron", scopes=frozenset())

    async def types(self) -> Counter[str]:
        outbox = await self.desk.storage.outbox(self.clinic.caller)
        return Counter(one.subject.split(".", 2)[2] for one in outbox)

    async def claimed_by(self) -> set[Any]:
        """Return whose appointments take time now."""
        return {c.appointment_id for c in await self.desk.storage.claims(self.caller)}

    @property
    def caller(self) -> Caller:
        return self.clinic.caller


OpenOffering = Callable[..., AbstractAsyncContextManager[Offering]]
"""Open a clinic of four half hours and six patients that offers freed time."""


def offering_over(hearing: Hearing) -> OpenOffering:
    @asynccontextmanager
    async def opened(**told: Any) -> AsyncIterator[Offering]:  # noqa: ANN401
        async with hearing(**{"patients": 6, "settings": OFFERING, **told}) as inbound:
            yield Offering(inbound)

    return opened
