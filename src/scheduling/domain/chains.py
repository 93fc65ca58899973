"""Consecutive slots of one schedule, which hold a time together."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from scheduling.domain.booking_request import BookingRequest
from scheduling.domain.claim import SOMEBODY, Claim, claims_of, clashes
from scheduling.domain.identifiers import AppointmentId, ScheduleId
from scheduling.domain.period import Period
from scheduling.domain.slot import Slot, SlotStatus

Chain = tuple[Slot, ...]


def has_a_seat(slot: Slot) -> bool:
    return slot.remaining > 0


def covering(
    slots: Iterable[Slot],
    period: Period,
    *,
    suits: Callable[[Slot], bool] = has_a_seat,
) -> tuple[Chain, ...]:
    """Return chains that hold the period: one from each slot that begins with it. The
    last slot ends with the period or after it.

    Where several slots go on at the same instant, the chain takes those by which fewest
    of it do not suit. Chains with a seat left come before full ones.
    """
    chains = [
        chain
        for slots_of_one in _by_schedule(slots).values()
        for chain in _chains(slots_of_one, period, suits)
    ]
    chains.sort(key=lambda chain: not all(map(has_a_seat, chain)))
    return tuple(chains)


def _by_schedule(slots: Iterable[Slot]) -> dict[ScheduleId, list[Slot]]:
    groups: dict[ScheduleId, list[Slot]] = {}
    for slot in slots:
        if slot.status is not SlotStatus.ENTERED_IN_ERROR:
            groups.setdefault(slot.schedule_id, []).append(slot)
    return groups


def _chains(
    slots: list[Slot], period: Period, suits: Callable[[Slot], bool]
) -> Iterator[Chain]:
    """From the end on, so that each slot is looked at once."""
    best: dict[datetime, tuple[int, Chain]] = {}
    nothing: tuple[int, Chain] = (0, ())
    for slot in sorted(slots, key=lambda slot: slot.period.start, reverse=True):
        start, end = slot.period.start, slot.period.end
        rest = nothing if end >= period.end else best.get(end)
        if rest is None:
            continue
        found = (rest[0] + (not suits(slot)), (slot, *rest[1]))
        if start == period.start:
            yield found[1]
        if start not in best or found[0] < best[start][0]:
            best[start] = found


def to_prefer(
    slots: Sequence[Slot],
    period: Period,
    request: BookingRequest,
    standing: Sequence[Claim],
) -> Callable[[Slot], bool]:
    """Return which slots to prefer where they lie upon each other: those with a seat,
    and with nobody in the way of it. Of a group's slot and others at its time only the
    group's may do.
    """
    starts = {(slot.schedule_id, slot.period.start) for slot in slots}
    if len(starts) == len(slots):
        return has_a_seat

    def suits(slot: Slot) -> bool:
        cut = Period(slot.period.start, min(slot.period.end, period.end))
        nobody = AppointmentId(SOMEBODY)
        wanted = claims_on((slot,), cut, request, id=nobody, buffer=timedelta())
        return has_a_seat(slot) and not clashes(wanted, standing).overlapping

    return suits


def claims_on(
    slots: Chain,
    period: Period,
    request: BookingRequest,
    *,
    id: AppointmentId,
    buffer: timedelta,
) -> tuple[Claim, ...]:
    """Return what the request would take there."""
    return claims_of(
        id,
        period=period,
        practitioner_id=slots[0].practitioner_id,
        patient_id=request.patient_id,
        resources=request.resources,
        slots=[(slot.id, slot.period) for slot in slots],
        buffer=buffer,
        overbooked=False,
        expires_at=request.hold.until if request.hold else None,
    )
