from dataclasses import dataclass

from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.inbox import Reaction, ReceivedEvent
from scheduling.application.ports.messages import PatientDeleted
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.application.steps.take_a_step import keep_or_release_all


@dataclass(frozen=True, slots=True)
class ForgetPatient(Reaction[PatientDeleted]):
    """Call off what is to come, wait for nothing any more, and forget the person; that
    there were visits stays. Who waits for such a time is told of it, as of any.
    """

    begin: BeginWork
    now: Clock

    async def __call__(
        self, caller: Caller, event: ReceivedEvent[PatientDeleted]
    ) -> None:
        id = event.message.patient_id
        async with self.begin(caller) as work:
            await work.forgetting.hold(id)
            patient = await work.patients.find(id)
            if patient is None or patient.is_deleted:
                return
            now = self.now()
            visits = await work.forgetting.visits(id, now)
            for entry in await work.waitlist.waiting(id):
                work.waitlist.save(entry.removed(now=now))
            work.patients.save(patient.forgotten(now))
            gone = [(one.called_off_for_good(now=now), slots) for one, slots in visits]
            await keep_or_release_all(work, gone, now=now)
            await work.forgetting.forget(id, but=[visit.id for visit, _ in gone])
