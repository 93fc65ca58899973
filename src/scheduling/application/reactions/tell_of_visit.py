from dataclasses import dataclass

from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.inbox import Reaction, ReceivedEvent
from scheduling.application.ports.messages import VisitTold
from scheduling.application.ports.unit_of_work import BeginWork


@dataclass(frozen=True, slots=True)
class TellOfVisit(Reaction[VisitTold]):
    """Have those told whom a booking, a move or a cancel concerns: the patient by
    whoever sends messages, the practitioner in the app, too.
    """

    begin: BeginWork
    now: Clock

    async def __call__(self, caller: Caller, event: ReceivedEvent[VisitTold]) -> None:
        visit, now = event.message.news, self.now()
        if not visit.tellings(now):
            return
        async with self.begin(caller) as work:
            if not visit.stands(await work.appointments.get(visit.appointment_id)):
                return
            patient = await work.patients.find(visit.patient_id)
            for notice in visit.notices(patient, source_event_id=event.id, now=now):
                work.notices.tell(notice)
            for one in visit.notifications(source_event_id=event.id, now=now):
                work.notifications.add(one)
