from dataclasses import dataclass

from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.inbox import Reaction, ReceivedEvent
from scheduling.application.ports.messages import VisitTold
from scheduling.application.ports.sub_files import Alarms
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.application.steps.open_sub_file import open_sub_file
from scheduling.domain.visit_news import Happening, awaits_encounter


@dataclass(frozen=True, slots=True)
class RequestEncounter(Reaction[VisitTold]):
    """Hand a patient who is here to whoever keeps encounters, with what they begin
    with; a record folder that is missing is opened.
    """

    begin: BeginWork
    now: Clock
    alarms: Alarms

    async def __call__(self, caller: Caller, event: ReceivedEvent[VisitTold]) -> None:
        visit, at = event.message.news, event.happened_at
        if visit.happening is not Happening.ARRIVED:
            return
        async with self.begin(caller) as work:
            stored = await work.appointments.get(visit.appointment_id)
            if not awaits_encounter(stored, at):
                return
            now = self.now()
            sub_file = await open_sub_file(
                work, caller, visit, alarms=self.alarms, at=at, now=now
            )
            work.notices.tell(visit.encounter(sub_file, arrived_at=at, now=now))
