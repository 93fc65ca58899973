from contextlib import suppress
from dataclasses import dataclass

from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.inbox import Reaction, ReceivedEvent
from scheduling.application.ports.messages import TimeFreed
from scheduling.application.ports.unit_of_work import BeginWork, UnitOfWork
from scheduling.application.steps.offer_freed_time import find_who_takes_it, keep_for
from scheduling.domain.booking_request import ByStart
from scheduling.domain.errors import SlotNotFound
from scheduling.domain.freed_time import TimeToOffer
from scheduling.domain.identifiers import PatientId
from scheduling.domain.period import Period


@dataclass(frozen=True, slots=True)
class OfferFreedTime(Reaction[TimeFreed]):
    """Keep each slot that was freed for the best of those who wait for it and can still
    have it, where the organisation wants that. Each is offered one of them at the most.

    Whoever was faster than we are has it: until it is held it is everybody's.
    """

    begin: BeginWork
    now: Clock

    async def __call__(self, caller: Caller, event: ReceivedEvent[TimeFreed]) -> None:
        async with self.begin(caller) as work:
            if not (await work.settings.get()).waitlist_offers:
                return
            now, asked = self.now(), set[PatientId]()
            for period in await _stretches(work, event.message):
                time = _offered(event, period)
                found = await find_who_takes_it(work, time, but=asked, now=now)
                if found is not None:
                    asked.add(found[0].patient_id)
                    await keep_for(work, found, now=now)
                    work.appointments.then()


async def _stretches(work: UnitOfWork, freed: TimeFreed) -> list[Period]:
    """Return what of each slot was freed; one that has gone since is left out."""
    slots = []
    for id in freed.slot_ids:
        with suppress(SlotNotFound):
            slots.append(await work.slots.get(id))
    return [
        Period(slot.period.start, min(slot.period.end, freed.period.end))
        for slot in slots
    ]


def _offered(event: ReceivedEvent[TimeFreed], period: Period) -> TimeToOffer:
    freed = event.message
    return TimeToOffer(
        source_event_id=event.id,
        candidates=freed.candidates,
        when=ByStart(freed.practitioner_id, freed.location_id, period),
        appointment_type=freed.appointment_type,
    )
