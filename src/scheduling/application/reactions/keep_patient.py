from dataclasses import dataclass

from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.inbox import Reaction, ReceivedEvent
from scheduling.application.ports.messages import PatientNews
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.domain.directory import put


@dataclass(frozen=True, slots=True)
class KeepPatient(Reaction[PatientNews]):
    """Keep what the registry says of a patient.

    Who was deleted comes back by being created again, never by an update that was late
    and names no version.
    """

    begin: BeginWork
    now: Clock

    async def __call__(self, caller: Caller, event: ReceivedEvent[PatientNews]) -> None:
        news = event.message
        async with self.begin(caller) as work:
            stored = await work.patients.find(news.patient.id)
            if stored is None or not stored.is_deleted or news.created:
                kept = put(stored, news.patient, expected=None, now=self.now())
                work.patients.save(kept)
