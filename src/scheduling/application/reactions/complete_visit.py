from dataclasses import dataclass

from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.inbox import Reaction, ReceivedEvent
from scheduling.application.ports.messages import EncounterFinalized
from scheduling.application.ports.unit_of_work import BeginWork


@dataclass(frozen=True, slots=True)
class CompleteVisit(Reaction[EncounterFinalized]):
    """A visit is over when what was done in it is written up; what came before that and
    was not said is said now.
    """

    begin: BeginWork
    now: Clock

    async def __call__(
        self, caller: Caller, event: ReceivedEvent[EncounterFinalized]
    ) -> None:
        async with self.begin(caller) as work:
            visit, _ = await work.appointments.with_slots(event.message.appointment_id)
            for step in visit.carried_out(now=self.now()):
                work.appointments.keep(step)
                work.appointments.then()
