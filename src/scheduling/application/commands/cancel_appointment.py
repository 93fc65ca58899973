from collections.abc import Sequence
from dataclasses import dataclass

from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unit_of_work import BeginWork, UnitOfWork
from scheduling.application.steps.take_a_step import keep_or_release_all
from scheduling.domain.appointment import Appointment, CancelReason, Initiator
from scheduling.domain.errors import AppointmentNotFound
from scheduling.domain.identifiers import AppointmentId
from scheduling.domain.series import HowMuch, meant
from scheduling.domain.slot import Slot
from scheduling.domain.version import ExpectedVersion, demand_version


@dataclass(frozen=True, slots=True)
class CancelAppointment:
    """Call a visit off and give its time back, so that somebody else can have it; who
    waits for such a time is told. Of a series, those that follow it or all that are
    still to come go with it.
    """

    begin: BeginWork
    now: Clock

    async def __call__(
        self,
        caller: Caller,
        id: AppointmentId,
        *,
        expected: ExpectedVersion | None,
        reason_code: CancelReason,
        initiated_by: Initiator,
        comment: str | None,
        series: HowMuch = HowMuch.ONE,
    ) -> Appointment:
        """Return the one that is named, as it then is; `expected` is its version."""
        async with self.begin(caller) as work:
            found = await _found(work, id, series)
            named = next(one for one, _ in found if one.id == id)
            if not caller.sees(named.patient_id):
                raise AppointmentNotFound(id)
            demand_version(expected, named.version)
            now = self.now()
            ids = meant(named, (one for one, _ in found), series, now)
            gone = [
                (
                    one.cancel(
                        reason_code=reason_code,
                        initiated_by=initiated_by,
                        comment=comment,
                        now=now,
                    ),
                    slots,
                )
                for one, slots in found
                if one.id in ids
            ]
            await keep_or_release_all(work, gone, now=now)
        return next((one for one, _ in gone if one.id == id), named)


async def _found(
    work: UnitOfWork, id: AppointmentId, series: HowMuch
) -> Sequence[tuple[Appointment, tuple[Slot, ...]]]:
    """All of a series are locked in one order: two who call it off by two of its
    appointments would else wait for each other.
    """
    if series is HowMuch.ONE:
        return [await work.appointments.with_slots(id)]
    series_id = (await work.appointments.get(id)).series_id
    if series_id is None:
        return [await work.appointments.with_slots(id)]
    return await work.appointments.of_series(series_id)
