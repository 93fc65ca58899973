from dataclasses import dataclass

from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.inbox import Reaction, ReceivedEvent
from scheduling.application.ports.messages import VisitTold
from scheduling.application.ports.sub_files import Alarms
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.application.steps.open_sub_file import open_sub_file


@dataclass(frozen=True, slots=True)
class OpenSubFile(Reaction[VisitTold]):
    """Open the patient's record folder at a clinic with the first booking there."""

    begin: BeginWork
    now: Clock
    alarms: Alarms

    async def __call__(self, caller: Caller, event: ReceivedEvent[VisitTold]) -> None:
        visit = event.message.news
        if not visit.is_booking_at_clinic:
            return
        async with self.begin(caller) as work:
            await open_sub_file(
                work,
                caller,
                visit,
                alarms=self.alarms,
                at=event.happened_at,
                now=self.now(),
            )
