"""Seats and time, as they are taken in memory."""

from collections.abc import Sequence
from dataclasses import replace

from scheduling.application.ports.unit_of_work import DecisionOutdated
from scheduling.domain.claim import Claim
from scheduling.domain.errors import (
    DoubleBookingDetected,
    NotBookable,
)
from scheduling.domain.identifiers import SlotId
from scheduling.domain.slot import SlotStatus
from tests.fakes.slots import standing
from tests.fakes.transaction import Tables


def take_seat(
    tables: Tables, slot_id: SlotId, no_seat: type[NotBookable], *, overbooked: bool
) -> None:
    slot = tables.slots.get(slot_id)
    if (
        slot is None
        or not slot.is_open
        or not (overbooked or slot.booked < slot.capacity)
    ):
        raise DecisionOutdated(no_seat("The last seat has just gone."))
    full = slot.booked + 1 >= slot.capacity
    tables.slots[slot_id] = replace(
        slot,
        booked=slot.booked + 1,
        status=SlotStatus.BUSY if full else SlotStatus.FREE,
        version=slot.version + 1,
    )


def take_time(tables: Tables, claims: Sequence[Claim]) -> None:
    for claim in claims:
        if not claim.overbooked and any(
            claim.is_in_the_way_of(other)
            for other in standing(tables)
            if not other.overbooked
        ):
            raise DecisionOutdated(DoubleBookingDetected("The time has just gone."))
    if claims:
        tables.claims[claims[0].appointment_id] = tuple(claims)
