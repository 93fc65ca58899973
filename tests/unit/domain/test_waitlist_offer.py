"""What an entry goes through while freed time is kept for it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from scheduling.domain.appointment import Appointment, CancelReason, Initiator
from scheduling.domain.booking import decide_hold
from scheduling.domain.booking_request import ByStart
from scheduling.domain.errors import (
    BookingLimitReached,
    InvalidStatusTransition,
    SlotNotAvailable,
)
from scheduling.domain.events import (
    WaitlistFulfilled,
    WaitlistOfferAccepted,
    WaitlistOfferDeclined,
    WaitlistOffered,
    WaitlistOfferExpired,
)
from scheduling.domain.freed_time import TimeToOffer, decide_offer
from scheduling.domain.slot import Slot
from scheduling.domain.status import Status
from scheduling.domain.waitlist import WaitlistEntry, WaitlistStatus
from scheduling.domain.waitlist_offer import WAITLIST, OfferStatus, what_became_of
from tests.builders import EIGHT, a_request, a_slot, an_id, at, facts
from tests.waiting import an_entry

LATER = EIGHT + timedelta(minutes=5)
UNTIL = EIGHT + timedelta(minutes=10)


def a_hold(slot: Slot | None = None) -> Appointment:
    slot = slot or a_slot()
    booking = decide_hold(a_request(slot), facts(slot), by=WAITLIST, now=EIGHT)
    return replace(booking.appointment, events=())


def offered(hold: Appointment | None = None) -> WaitlistEntry:
    """Return an entry as storage gives it back: its news is told."""
    entry = an_entry().offered(
        hold or a_hold(), source_event_id="news", candidates=(), now=EIGHT
    )
    return replace(entry, events=())


def time_of(slot: Slot) -> TimeToOffer:
    when = ByStart(slot.practitioner_id, slot.location_id, slot.period)
    return TimeToOffer("news", (), when, "consultation")


def test_what_is_offered_is_told_with_the_hold_and_its_end() -> None:
    hold, entry = a_hold(), an_entry()
    after = entry.offered(hold, source_event_id="news", candidates=(), now=EIGHT)
    assert (after.status, after.version) == (WaitlistStatus.WAITING, 2)
    assert after.offer is not None
    assert after.offer.is_open
    (told,) = after.events
    assert isinstance(told, WaitlistOffered)
    assert (told.aggregate_id, told.version) == (entry.id, 2)
    assert (told.appointment_id, told.period) == (hold.id, hold.period)
    assert told.expires_at == after.offer.expires_at == UNTIL


def test_whoever_is_booked_there_has_accepted() -> None:
    hold = a_hold()
    after = offered(hold).fulfilled(hold.id, now=LATER)
    accepted, fulfilled = after.events
    assert isinstance(accepted, WaitlistOfferAccepted)
    assert isinstance(fulfilled, WaitlistFulfilled)
    assert {accepted.version, fulfilled.version} == {after.version} == {3}
    assert after.offer is not None
    assert after.offer.status is OfferStatus.ACCEPTED
    assert after.status is WaitlistStatus.FULFILLED


def test_whoever_is_booked_elsewhere_has_declined() -> None:
    after = offered().fulfilled(an_id(), now=LATER)
    assert [type(one) for one in after.events] == [
        WaitlistOfferDeclined,
        WaitlistFulfilled,
    ]


def test_whoever_waits_no_more_has_declined() -> None:
    after = offered().removed(now=LATER)
    assert [type(one) for one in after.events] == [WaitlistOfferDeclined]
    assert after.status is WaitlistStatus.REMOVED


def test_after_an_offer_the_waiting_goes_on() -> None:
    declined = offered().offer_declined(now=LATER)
    expired = offered().offer_expired(now=UNTIL)
    assert [type(one) for one in declined.events] == [WaitlistOfferDeclined]
    assert [type(one) for one in expired.events] == [WaitlistOfferExpired]
    assert declined.status is expired.status is WaitlistStatus.WAITING
    again = replace(declined, offer=None, events=())
    assert (
        again.offered(
            a_hold(), source_event_id="other", candidates=(), now=UNTIL
        ).version
        == declined.version + 1
    )


def test_who_waits_no_more_is_offered_nothing_and_has_nothing_to_answer() -> None:
    gone = an_entry().removed(now=LATER)
    with pytest.raises(InvalidStatusTransition):
        gone.offered(a_hold(), source_event_id="news", candidates=(), now=LATER)
    for entry in (gone, an_entry()):
        with pytest.raises(InvalidStatusTransition):
            entry.demand_offer()


def test_what_became_of_an_offer_is_told_by_its_hold() -> None:
    hold = a_hold()
    booked = hold.become(Status.BOOKED, now=LATER)
    given_up = hold.cancel(
        reason_code=CancelReason.OTHER,
        initiated_by=Initiator.STAFF,
        comment=None,
        now=LATER,
    )
    just_before = UNTIL - timedelta(microseconds=1)
    assert what_became_of(hold, just_before) is OfferStatus.OFFERED
    assert what_became_of(hold, UNTIL) is OfferStatus.EXPIRED
    lapsed = hold.lapsed(UNTIL)
    assert lapsed is not None
    assert what_became_of(lapsed, UNTIL) is OfferStatus.EXPIRED
    assert what_became_of(booked, UNTIL) is OfferStatus.ACCEPTED
    assert what_became_of(given_up, UNTIL) is OfferStatus.DECLINED


def test_what_is_offered_is_held_for_who_waits_by_nobodys_token() -> None:
    slot, entry = a_slot(), an_entry(service_type="x-ray")
    held = decide_offer(entry, time_of(slot), facts(slot), now=EIGHT)
    assert held is not None
    one = held.appointment
    assert (one.patient_id, one.held_by) == (entry.patient_id, WAITLIST)
    assert (one.status, one.hold_expires_at) == (Status.PENDING, UNTIL)
    assert one.appointment_type == "x-ray"


def test_what_was_not_wished_for_is_not_offered() -> None:
    slot = a_slot()
    for wish in (
        {"earliest": at("09:01")},
        {"latest": at("09:29")},
        {"practitioner_ids": (an_id(),)},
        {"location_ids": (an_id(),)},
    ):
        entry = an_entry(**wish)
        assert decide_offer(entry, time_of(slot), facts(slot), now=EIGHT) is None
    special = replace(slot, service_types=("surgery",))
    entry = an_entry(service_type="x-ray")
    assert decide_offer(entry, time_of(special), facts(special), now=EIGHT) is None


def test_an_offer_keeps_the_rules_of_holds() -> None:
    slot = a_slot()
    full = replace(slot, booked=1)
    with pytest.raises(SlotNotAvailable):
        decide_offer(an_entry(), time_of(slot), facts(full), now=EIGHT)
    with pytest.raises(BookingLimitReached):
        decide_offer(an_entry(), time_of(slot), facts(slot, live_holds=3), now=EIGHT)


def test_a_hold_that_goes_is_not_in_the_way_of_the_next() -> None:
    slot = a_slot()
    hold = a_hold(slot)
    full = replace(slot, booked=1)
    held = decide_offer(
        an_entry(), time_of(slot), facts(full), instead_of=hold, now=EIGHT
    )
    assert held is not None
    assert held.seats == (slot.id,)
