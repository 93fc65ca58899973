"""A weekly series: the same time on the wall, week after week, all of it or nothing.

Each occurrence is an appointment like any other; the series is what they have in
common, and their order in it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from scheduling.domain.appointment import Appointment
from scheduling.domain.booking import Booking, BookingFacts, decide_booking
from scheduling.domain.booking_request import BookingRequest, ByStart
from scheduling.domain.errors import NotBookable
from scheduling.domain.identifiers import AppointmentId, SeriesId, new_id
from scheduling.domain.period import Period
from scheduling.domain.status import MOVABLE, TRANSITIONS, Status
from scheduling.domain.wall_clock import shown

FEWEST_OCCURRENCES = 2
MOST_OCCURRENCES = 52

_WEEK = timedelta(days=7)


class HowMuch(StrEnum):
    """What of a series is meant, when one appointment of it is named."""

    ONE = "one"
    FOLLOWING = "following"
    ALL = "all"


def weekly(
    first: BookingRequest, known: BookingFacts, occurrences: int, *, now: datetime
) -> tuple[BookingRequest, ...]:
    """Return a request for each occurrence; the first alone where its slot is unknown.

    Later ones begin when a wall in the zone of the slot, or of the location that was
    named, shows the same time, as `wall_clock` has it for a start. They are as long as
    the first: a length is elapsed time.
    """
    series = SeriesId(new_id(now))
    place = _place(first, known)
    if place is None:
        return (replace(first, series=(series, 1)),)
    when, timezone = place
    return tuple(
        replace(
            first,
            series=(series, number),
            when=first.when
            if number == 1
            else replace(when, period=_weeks_on(when.period, number - 1, timezone)),
        )
        for number in range(1, occurrences + 1)
    )


def _place(first: BookingRequest, known: BookingFacts) -> tuple[ByStart, str] | None:
    if isinstance(first.when, ByStart):
        return first.when, known.location_timezone
    slot = next(iter(known.slots), None)
    if slot is None:
        return None
    when = ByStart(slot.practitioner_id, slot.location_id, slot.period)
    return when, slot.timezone


def _weeks_on(period: Period, weeks: int, timezone: str) -> Period:
    zone = ZoneInfo(timezone)
    wall = period.start.astimezone(zone).replace(tzinfo=None) + weeks * _WEEK
    return Period.of(shown(wall, zone).first, period.length)


def decide_series(
    requests: Iterable[BookingRequest],
    facts: Iterable[BookingFacts],
    *,
    now: datetime,
) -> tuple[Booking, ...]:
    """Book all, or raise the refusal of the first that cannot be had, with its index.

    They count to each other's limits. They cannot be in each other's way otherwise: an
    appointment is a day long at the most.
    """
    bookings: list[Booking] = []
    for request, known in zip(requests, facts, strict=True):
        earlier = [booking.appointment for booking in bookings]
        try:
            booking = decide_booking(request, _counting(earlier, known), now=now)
        except NotBookable as refusal:
            refusal.index = len(bookings) + 1
            raise
        bookings.append(booking)
    return tuple(bookings)


def _counting(earlier: Sequence[Appointment], facts: BookingFacts) -> BookingFacts:
    """Return the facts as they will be when the earlier ones are booked."""
    if not facts.limited:
        return facts
    taken_of = dict(facts.taken_of)
    for one in earlier:
        of_schedule = taken_of.get(one.schedule_id, ())
        taken_of[one.schedule_id] = (*of_schedule, one.period.start)
    starts = (one.period.start for one in earlier)
    return replace(facts, taken=(*facts.taken, *starts), taken_of=taken_of)


def meant(
    named: Appointment, series: Iterable[Appointment], much: HowMuch, now: datetime
) -> frozenset[AppointmentId]:
    """Return which are to be cancelled where one of a series is named.

    Of the others those that are still to come: a visit that began, or is over or called
    off already, stays as it is. So does the one that is named, where it cannot be
    cancelled and another can.
    """
    others = {
        one.id
        for one in series
        if one.status in MOVABLE
        and now < one.period.start
        and (
            much is HowMuch.ALL or (much is HowMuch.FOLLOWING and _follows(one, named))
        )
    } - {named.id}
    if others and Status.CANCELLED not in TRANSITIONS[named.status]:
        return frozenset(others)
    return frozenset({named.id, *others})


def _follows(one: Appointment, named: Appointment) -> bool:
    return (one.series_index or 0) > (named.series_index or 0)
