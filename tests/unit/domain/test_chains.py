from dataclasses import replace

from scheduling.domain.booking import decide_booking
from scheduling.domain.booking_request import ByStart
from scheduling.domain.chains import covering
from scheduling.domain.period import Period
from scheduling.domain.slot import Slot, SlotStatus
from tests.builders import (
    EIGHT,
    a_booking,
    a_request,
    a_schedule,
    a_slot,
    between,
    facts,
    slots_from,
)

SCHEDULE = a_schedule()
THREE = [a_slot(period, schedule=SCHEDULE) for period in slots_from("09:00", count=3)]


def test_consecutive_slots_hold_a_longer_period() -> None:
    assert covering(THREE, between("09:00", "10:30")) == (tuple(THREE),)
    assert covering(THREE, between("09:30", "10:30")) == (tuple(THREE[1:]),)


def test_the_last_slot_may_be_longer_than_what_is_asked() -> None:
    assert covering(THREE, between("09:00", "09:45")) == (tuple(THREE[:2]),)
    assert covering(THREE, between("09:00", "09:10")) == (tuple(THREE[:1]),)


def test_the_first_slot_begins_with_the_period() -> None:
    assert covering(THREE, between("09:15", "09:45")) == ()


def test_a_gap_breaks_the_chain() -> None:
    assert covering([THREE[0], THREE[2]], between("09:00", "10:30")) == ()
    assert covering(THREE, between("09:00", "10:31")) == ()


def test_a_slot_entered_in_error_holds_nothing() -> None:
    wrong = replace(THREE[1], status=SlotStatus.ENTERED_IN_ERROR)
    assert covering([THREE[0], wrong], between("09:00", "10:00")) == ()


def test_two_schedules_are_not_one_chain() -> None:
    elsewhere = a_slot(between("09:30", "10:00"))
    assert covering([THREE[0], elsewhere], between("09:00", "10:00")) == ()


def test_a_chain_with_seats_comes_before_a_full_one() -> None:
    other = a_schedule()
    full = [replace(slot, booked=1, status=SlotStatus.BUSY) for slot in THREE[:2]]
    free = [
        a_slot(slot.period, schedule=other, practitioner_id=slot.practitioner_id)
        for slot in full
    ]
    assert covering([*full, *free], between("09:00", "10:00")) == (
        tuple(free),
        tuple(full),
    )
    assert covering(full, between("09:00", "10:00")) == (tuple(full),)


def test_of_two_that_go_on_at_the_same_instant_the_one_with_a_seat_is_taken() -> None:
    full = replace(THREE[1], booked=1, status=SlotStatus.BUSY)
    longer = a_slot(between("09:30", "10:30"), schedule=SCHEDULE)
    assert covering([THREE[0], full, longer], between("09:00", "10:00")) == (
        (THREE[0], longer),
    )


def quarters(start: str) -> list[Slot]:
    periods = slots_from(start, minutes=15, count=2)
    return [a_slot(period, schedule=SCHEDULE) for period in periods]


def test_a_way_that_ends_too_early_is_not_taken() -> None:
    """Whatever comes first: the quarter leads nowhere."""
    quarter = quarters("09:30")[0]
    for some in ([*THREE, quarter], [quarter, *THREE]):
        assert covering(some, between("09:00", "10:30")) == (tuple(THREE),)


def test_of_several_ways_one_with_seats_all_along_is_taken() -> None:
    first, second = quarters("09:30")
    full = replace(second, booked=1, status=SlotStatus.BUSY)
    asked = between("09:00", "10:00")
    assert covering([THREE[0], first, full, THREE[1]], asked) == (tuple(THREE[:2]),)
    taken = replace(THREE[1], booked=1, status=SlotStatus.BUSY)
    assert covering([THREE[0], taken, first, second], asked) == (
        (THREE[0], first, second),
    )


def an_hour_upon(group: Slot, *others: Slot) -> tuple[Slot, ...]:
    """Return what an hour from nine takes where one sits in the group already."""
    there = a_booking(group)
    some = (THREE[0], *others, replace(group, booked=1))
    when = ByStart(group.practitioner_id, group.location_id, between("09:00", "10:00"))
    booked = decide_booking(
        a_request(when=when), facts(*some, claims=there.claims), now=EIGHT
    )
    return tuple(one for one in some if one.id in booked.appointment.slot_ids)


def test_where_a_group_meets_only_its_own_slot_goes_on() -> None:
    group = a_slot(between("09:30", "10:00"), schedule=SCHEDULE, capacity=2)
    taken = an_hour_upon(group, *quarters("09:30"))
    assert [slot.period for slot in taken] == [THREE[0].period, group.period]


def test_who_comes_after_the_end_is_in_nobodys_way() -> None:
    longer = a_slot(Period(THREE[0].period.end, THREE[2].period.end), schedule=SCHEDULE)
    first, second = quarters("09:30")
    full = replace(second, booked=1, status=SlotStatus.BUSY)
    there = a_booking(THREE[2])
    for some in ((first, full, longer), (longer, first, full)):
        when = ByStart(
            longer.practitioner_id, longer.location_id, between("09:00", "10:00")
        )
        known = facts(THREE[0], *some, claims=there.claims)
        booked = decide_booking(a_request(when=when), known, now=EIGHT)
        assert booked.seats == (THREE[0].id, longer.id)
