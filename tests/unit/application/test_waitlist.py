"""Waiting for time, and what a cancel tells those who wait."""

import pytest

from scheduling.application.commands.add_to_waitlist import AddToWaitlist
from scheduling.application.commands.fulfill_waitlist_entry import (
    FulfillWaitlistEntry,
)
from scheduling.application.commands.remove_from_waitlist import RemoveFromWaitlist
from scheduling.application.ports.identity import Caller, StaffOnly
from scheduling.application.ports.waitlist import WaitlistFilter
from scheduling.application.queries.get_waitlist import GetWaitlist
from scheduling.application.queries.get_waitlist_entry import GetWaitlistEntry
from scheduling.domain.appointment import Appointment
from scheduling.domain.errors import (
    DoubleBookingDetected,
    InvalidStatusTransition,
    LocationNotFound,
    OptimisticLockConflict,
    OutsideBookingWindow,
    PatientNotFound,
    PractitionerNotFound,
    PreconditionFailed,
    PreconditionRequired,
    SlotNotAvailable,
    WaitlistEntryNotFound,
)
from scheduling.domain.settings import Settings
from scheduling.domain.status import Status
from scheduling.domain.version import ExpectedVersion
from scheduling.domain.waitlist import WaitlistEntry, WaitlistStatus
from tests.builders import (
    EIGHT,
    Clinic,
    a_caller,
    an_id,
    at,
    between,
    open_clinic,
)
from tests.fakes.storage import MemoryStorage
from tests.waiting import Reception, a_wish, announced, entries_of

FIRST = ExpectedVersion(1)


@pytest.fixture
async def clinic(storage: MemoryStorage) -> Clinic:
    periods = (between("09:00", "09:30"), between("10:00", "10:30"))
    return await open_clinic(storage.begin, *periods, patients=4)


@pytest.fixture
def reception(storage: MemoryStorage, clinic: Clinic) -> Reception:
    return Reception(storage.begin, clinic)


async def add(
    storage: MemoryStorage, caller: Caller, clinic: Clinic, **wish: object
) -> WaitlistEntry:
    wanted = a_wish(**{"patient_id": clinic.patients[0].id, **wish})  # type: ignore[arg-type]
    return await AddToWaitlist(storage.begin, lambda: EIGHT)(caller, wanted)


async def fulfil(
    storage: MemoryStorage,
    clinic: Clinic,
    entry: WaitlistEntry,
    *,
    slot: int = 0,
    caller: Caller | None = None,
    expected: ExpectedVersion | None = FIRST,
) -> tuple[WaitlistEntry, Appointment]:
    return await FulfillWaitlistEntry(storage.begin, lambda: EIGHT)(
        caller or clinic.caller,
        entry.id,
        clinic.request(3, slot),
        expected=expected,
    )


async def test_a_wish_is_taken_down_and_audited(
    storage: MemoryStorage, clinic: Clinic
) -> None:
    entry = await add(storage, clinic.caller, clinic, priority=2)
    get = GetWaitlistEntry(storage.begin, storage.recorder)
    assert (await get(clinic.caller, entry.id)).entry == entry
    added, read = (await storage.audit(clinic.caller))[-2:]
    assert (added.action, read.action) == (
        "waitlist-entry.added",
        "waitlist-entry.read",
    )
    assert added.entity_id == read.entity_id == entry.id
    assert added.changes["priority"] == (None, 2)
    assert added.changes["status"] == (None, "waiting")


async def test_everybody_whom_a_wish_names_must_be_known(
    storage: MemoryStorage, clinic: Clinic
) -> None:
    there = {
        "practitioner_ids": (clinic.practitioner.id,),
        "location_ids": (clinic.location.id,),
    }
    await add(storage, clinic.caller, clinic, **there)
    for unknown, refusal in (
        ({"patient_id": an_id()}, PatientNotFound),
        ({"practitioner_ids": (clinic.practitioner.id, an_id())}, PractitionerNotFound),
        ({"location_ids": (an_id(),)}, LocationNotFound),
    ):
        with pytest.raises(refusal):
            await add(storage, clinic.caller, clinic, **{**there, **unknown})
    with pytest.raises(PatientNotFound):
        await add(storage, a_caller(), clinic)


async def test_a_patient_waits_for_oneself_and_says_not_how_urgently(
    storage: MemoryStorage, clinic: Clinic
) -> None:
    own = clinic.own_token(0)
    await add(storage, own, clinic)
    with pytest.raises(StaffOnly):
        await add(storage, own, clinic, priority=1)
    with pytest.raises(PatientNotFound):
        await add(storage, own, clinic, patient_id=clinic.patients[1].id)


async def test_a_patient_sees_and_removes_the_own_entries_only(
    storage: MemoryStorage, clinic: Clinic, reception: Reception
) -> None:
    own, other = await reception.wait(0), await reception.wait(1)
    show = GetWaitlist(storage.begin, storage.recorder)
    get = GetWaitlistEntry(storage.begin, storage.recorder)
    remove = RemoveFromWaitlist(storage.begin, lambda: EIGHT)
    token = clinic.own_token(0)
    assert [one.entry for one in (await show(token, WaitlistFilter())).items] == [own]
    assert (await get(token, own.id)).entry == own
    with pytest.raises(PatientNotFound):
        await show(token, WaitlistFilter(patient_id=other.patient_id))
    for id in (other.id, an_id()):
        with pytest.raises(WaitlistEntryNotFound):
            await get(token, id)  # type: ignore[arg-type]  # an id is an id
        with pytest.raises(WaitlistEntryNotFound):
            await remove(token, id, expected=None)  # type: ignore[arg-type]
    assert (await remove(token, own.id, expected=FIRST)).status == "removed"
    with pytest.raises(StaffOnly):
        await fulfil(storage, clinic, own, caller=token)


async def test_the_list_goes_by_status_and_page(
    storage: MemoryStorage, clinic: Clinic, reception: Reception
) -> None:
    entries = [await reception.wait(n, now=at(f"07:0{n}")) for n in range(4)]
    show = GetWaitlist(storage.begin, storage.recorder)
    await RemoveFromWaitlist(storage.begin, lambda: EIGHT)(
        clinic.caller, entries[1].id, expected=FIRST
    )
    waiting = WaitlistFilter(status=WaitlistStatus.WAITING, limit=2)
    first = await show(clinic.caller, waiting)
    assert [one.entry for one in first.items] == [entries[0], entries[2]]
    assert first.more
    gone = await show(clinic.caller, WaitlistFilter(status=WaitlistStatus.REMOVED))
    assert [one.entry.id for one in gone.items] == [entries[1].id]
    read = (await storage.audit(clinic.caller))[-1]
    assert (read.action, read.entity_type) == ("waitlist.read", "tenant")
    await show(clinic.caller, WaitlistFilter(patient_id=entries[0].patient_id))
    read = (await storage.audit(clinic.caller))[-1]
    assert (read.entity_type, read.entity_id) == ("patient", entries[0].patient_id)


async def test_a_removal_says_which_version_it_was_decided_on(
    storage: MemoryStorage, clinic: Clinic, reception: Reception
) -> None:
    entry = await reception.wait()
    remove = RemoveFromWaitlist(storage.begin, lambda: EIGHT)
    for expected, refusal in (
        (None, PreconditionRequired),
        (ExpectedVersion(2), OptimisticLockConflict),
        (ExpectedVersion(2, in_header=True), PreconditionFailed),
    ):
        with pytest.raises(refusal):
            await remove(clinic.caller, entry.id, expected=expected)
    await remove(clinic.caller, entry.id, expected=FIRST)
    with pytest.raises(InvalidStatusTransition):
        await remove(clinic.caller, entry.id, expected=ExpectedVersion(2))


async def test_a_fulfilled_wish_is_a_booking_and_the_end_of_the_waiting(
    storage: MemoryStorage, clinic: Clinic, reception: Reception
) -> None:
    entry = await reception.wait(1)
    done, booked = await fulfil(storage, clinic, entry)
    assert booked.patient_id == entry.patient_id
    assert booked.status is Status.BOOKED
    assert (done.status, done.appointment_id) == ("fulfilled", booked.id)
    types = [
        e.subject.rpartition(f"{clinic.caller.tenant_id}.")[2]
        for e in await storage.outbox(clinic.caller)
    ]
    assert types[-2:] == ["appointment.created", "waitlist.fulfilled"]
    actions = [one.action for one in await storage.audit(clinic.caller)]
    assert actions[-2:] == ["appointment.booked", "waitlist-entry.fulfilled"]
    with pytest.raises(InvalidStatusTransition):
        await fulfil(storage, clinic, entry, slot=1, expected=ExpectedVersion(2))


async def test_a_fulfilment_says_which_version_it_was_decided_on(
    storage: MemoryStorage, clinic: Clinic, reception: Reception
) -> None:
    entry = await reception.wait(1)
    with pytest.raises(PreconditionRequired):
        await fulfil(storage, clinic, entry, expected=None)
    with pytest.raises(OptimisticLockConflict):
        await fulfil(storage, clinic, entry, expected=ExpectedVersion(2))


async def test_a_wish_that_cannot_be_booked_waits_on(
    storage: MemoryStorage, clinic: Clinic, reception: Reception
) -> None:
    entry = await reception.wait(1)
    await reception.book(0, slot=0)
    with pytest.raises(SlotNotAvailable):
        await fulfil(storage, clinic, entry)
    await open_clinic(
        storage.begin,
        caller=clinic.caller,
        settings=Settings(minimum_notice_minutes=180),
    )
    with pytest.raises(OutsideBookingWindow):
        await fulfil(storage, clinic, entry, slot=1)
    get = GetWaitlistEntry(storage.begin, storage.recorder)
    assert (await get(clinic.caller, entry.id)).entry == entry


async def test_a_patient_who_is_elsewhere_then_is_not_booked_either(
    storage: MemoryStorage, clinic: Clinic, reception: Reception
) -> None:
    entry = await reception.wait(1)
    await reception.book(1, slot=0)
    other = await open_clinic(storage.begin, caller=clinic.caller, patients=1)
    with pytest.raises(DoubleBookingDetected):
        await FulfillWaitlistEntry(storage.begin, lambda: EIGHT)(
            clinic.caller, entry.id, other.request(), expected=FIRST
        )


async def test_a_cancel_tells_who_waits_and_books_nobody(
    storage: MemoryStorage, clinic: Clinic, reception: Reception
) -> None:
    booked = await reception.book(0)
    entry = await reception.wait(1)
    gone = await reception.cancel(booked)
    (told,) = await announced(storage, clinic.caller)
    assert told == {
        "appointmentId": str(booked.id),
        "practitionerId": str(clinic.practitioner.id),
        "locationId": str(clinic.location.id),
        "slotIds": [str(clinic.slots[0].id)],
        "start": "2030-01-07T09:00:00Z",
        "end": "2030-01-07T09:30:00Z",
        "timezone": "UTC",
        "appointmentType": "consultation",
        "candidates": [
            {
                "waitlistEntryId": str(entry.id),
                "patientId": str(clinic.patients[1].id),
            }
        ],
    }
    (envelope,) = (
        e
        for e in await storage.outbox(clinic.caller)
        if e.subject.endswith("waitlist.slot-available")
    )
    assert (envelope.aggregate_id, envelope.aggregate_version) == (gone.id, 2)
    assert await storage.claims(clinic.caller) == []
    get = GetWaitlistEntry(storage.begin, storage.recorder)
    assert (await get(clinic.caller, entry.id)).entry.status is WaitlistStatus.WAITING
    async with storage.begin(clinic.caller) as work:
        assert (await work.slots.get(clinic.slots[0].id)).booked == 0


async def test_whoever_is_told_can_accept_what_was_told(
    storage: MemoryStorage, clinic: Clinic, reception: Reception
) -> None:
    booked = await reception.book(0, slot=1)
    entry = await reception.wait(1)
    await reception.cancel(booked)
    (told,) = await announced(storage, clinic.caller)
    assert entries_of(told) == [entry.id]
    assert told["slotIds"] == [str(clinic.slots[1].id)]
    _, accepted = await fulfil(storage, clinic, entry, slot=1)
    assert accepted.slot_ids == booked.slot_ids
    await reception.cancel(accepted)
    assert len(await announced(storage, clinic.caller)) == 1, "nobody waits any more"


async def test_one_freed_seat_is_one_announcement_though_the_cancel_comes_again(
    storage: MemoryStorage, clinic: Clinic, reception: Reception
) -> None:
    booked = await reception.book(0)
    await reception.wait(1)
    gone = await reception.cancel(booked)
    with pytest.raises(OptimisticLockConflict):
        await reception.cancel(booked)
    with pytest.raises(InvalidStatusTransition):
        await reception.cancel(gone)
    assert len(await announced(storage, clinic.caller)) == 1


async def test_priority_comes_first_then_who_has_waited_longest(
    storage: MemoryStorage, clinic: Clinic, reception: Reception
) -> None:
    booked = await reception.book(0)
    late = await reception.wait(1, now=at("07:30"))
    early = await reception.wait(2, now=at("07:00"))
    urgent = await reception.wait(3, now=at("07:45"), priority=5)
    await reception.cancel(booked)
    (told,) = await announced(storage, clinic.caller)
    assert entries_of(told) == [urgent.id, early.id, late.id]


async def test_a_patient_with_an_overlapping_booking_is_skipped(
    storage: MemoryStorage, clinic: Clinic, reception: Reception
) -> None:
    elsewhere = await open_clinic(
        storage.begin,
        between("09:15", "09:45"),
        caller=clinic.caller,
        patients=clinic.patients,
    )
    booked = await reception.book(0)
    taken = await reception.wait(1)
    free = await reception.wait(2)
    other = Reception(storage.begin, elsewhere)
    in_the_way = await other.book(1)
    await reception.cancel(booked)
    (told,) = await announced(storage, clinic.caller)
    assert entries_of(told) == [free.id]
    await other.cancel(in_the_way)
    await reception.cancel(await reception.book(0))
    assert taken.id in entries_of((await announced(storage, clinic.caller))[-1])


@pytest.mark.parametrize(("now", "times"), [("08:00", 1), ("08:01", 0), ("09:00", 0)])
async def test_inside_the_minimum_notice_nobody_is_told(
    storage: MemoryStorage, now: str, times: int
) -> None:
    clinic = await open_clinic(
        storage.begin, settings=Settings(minimum_notice_minutes=60)
    )
    reception = Reception(storage.begin, clinic)
    booked = await reception.book(0, now=at("07:00"))
    await reception.wait(1, now=at("07:00"))
    await reception.cancel(booked, now=at(now))
    assert len(await announced(storage, clinic.caller)) == times


async def test_who_waits_no_more_is_told_nothing(
    storage: MemoryStorage, clinic: Clinic, reception: Reception
) -> None:
    booked = await reception.book(0)
    entry = await reception.wait(1)
    await RemoveFromWaitlist(storage.begin, lambda: EIGHT)(
        clinic.caller, entry.id, expected=FIRST
    )
    await reception.cancel(booked)
    assert await announced(storage, clinic.caller) == []
