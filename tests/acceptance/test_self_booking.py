"""A patient books for themselves: by the same rules, for nobody else."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest

from tests.acceptance.conftest import ALL, Token
from tests.acceptance.desk import Desk, Thing, at, codes
from tests.acceptance.product import Product
from tests.acceptance.visits import (
    BUSY,
    FREE,
    as_it_is,
    has_run_out,
    held,
    hold,
    made,
    news,
    release,
    same,
    slot_now,
)

PATH = "/v1/appointments/self-book"
TAKEN = (409, "SLOT_NOT_AVAILABLE")
INVALID = (422, "VALIDATION_FAILED")


class Patients:
    def __init__(self, desk: Desk, token: Token) -> None:
        self.desk, self._token = desk, token

    async def one(self, *, scope: str = "scheduling:read scheduling:book") -> "Patient":
        return self.of(await self.desk.a_patient(), scope)

    def of(self, id: str, scope: str = "scheduling:book") -> "Patient":
        token = self._token(subject=f"portal-{id}", patient_id=UUID(id), scope=scope)
        return Patient(Desk(self.desk.http, token), id)


class Patient:
    def __init__(self, own: Desk, id: str) -> None:
        self.own, self.id = own, id

    async def books(
        self,
        slot: Thing | None = None,
        *,
        key: str | None = None,
        **told: Any,  # noqa: ANN401
    ) -> httpx2.Response:
        when = {} if slot is None else {"slotId": slot["id"]}
        given = {"appointmentType": "consultation", **when, **told}
        return await self.own.post(PATH, given, key=key)


@pytest.fixture
def patients(desk: Desk, token: Token) -> Patients:
    return Patients(desk, token)


async def test_a_patient_books_for_who_the_token_says_they_are(
    desk: Desk, patients: Patients, product: Product, tenant: UUID
) -> None:
    slot, patient = await desk.a_slot(), await patients.one()
    answer = await patient.books(slot, reason="a private reason")
    booked = made(answer, 201)
    assert answer.headers["location"] == f"/v1/appointments/{booked['id']}"
    assert (booked["patientId"], booked["status"]) == (patient.id, "booked")
    assert booked["reason"] == "a private reason"
    assert await as_it_is(patient.own, booked) == booked
    assert await slot_now(desk, slot) == BUSY
    told = await news(product, tenant)
    assert told.types_of(booked) == ["appointment.created"]
    assert "private" not in str(told.events)


async def test_without_a_patients_own_token_nobody_books_themselves(
    desk: Desk, token: Token
) -> None:
    slot = await desk.a_slot()
    wish = {"slotId": slot["id"], "appointmentType": "visit"}
    assert codes(await desk.post(PATH, wish)) == [(400, "PATIENT_ID_CLAIM_REQUIRED")]
    reader = Desk(
        desk.http,
        token(scope="scheduling:read", patient_id=UUID(await desk.a_patient())),
    )
    assert codes(await reader.post(PATH, wish)) == [(403, "FORBIDDEN")]
    assert await slot_now(desk, slot) == FREE


async def test_there_is_no_word_for_anybody_elses_rights_in_it(
    desk: Desk, patients: Patients
) -> None:
    slot, patient = await desk.a_slot(), await patients.one(scope=ALL)
    for told in (
        {"patientId": await desk.a_patient()},
        {"notes": "mine"},
        {"resources": [{"type": "room", "id": str(uuid4())}]},
        {"allowDoubleBooking": True, "overrideReason": "because"},
    ):
        assert codes(await patient.books(slot, **told)) == [INVALID]
    neither, both = await patient.books(), await patient.books(slot, durationMinutes=30)
    assert codes(neither, both) == [INVALID] * 2
    assert await slot_now(desk, slot) == FREE


async def test_the_rules_are_those_of_every_booking(
    desk: Desk, patients: Patients
) -> None:
    await desk.settings(minimumNoticeMinutes=60, horizonDays=3, bufferMinutes=10)
    schedule = await desk.a_schedule()
    full, near, free = [
        await desk.a_slot(at(start), schedule=schedule)
        for start in ("09:00", "09:30", "11:00")
    ]
    far = await desk.a_slot(at("09:00", days=5), schedule=schedule)
    standing = await desk.booked(full)
    patient = await patients.one()
    inactive = patients.of(await desk.a_patient(active=False))
    refused = [
        await patient.books(full),
        await patient.books(near),
        await patient.books(far),
        await patient.books({"id": str(uuid4())}),
        await inactive.books(free),
        await patients.of(str(uuid4())).books(free),
    ]
    assert codes(*refused) == [
        TAKEN,
        (409, "BUFFER_TIME_CONFLICT"),
        (409, "OUTSIDE_BOOKING_WINDOW"),
        (404, "SLOT_NOT_FOUND"),
        *[(404, "PATIENT_NOT_FOUND")] * 2,
    ]
    for answer in refused:
        assert standing["id"] not in answer.text, "whose it is, is for staff"

    place = {name: schedule[name] for name in ("practitionerId", "locationId")}
    start = at("11:00").isoformat()
    booked = made(await patient.books(start=start, durationMinutes=20, **place), 201)
    assert (booked["slotIds"], booked["durationMinutes"]) == ([free["id"]], 20)
    at_once = await desk.a_slot(at("11:15"))
    assert codes(await patient.books(at_once)) == [(409, "DOUBLE_BOOKING_DETECTED")]


async def test_of_twenty_patients_who_book_themselves_into_one_slot_one_does(
    desk: Desk, patients: Patients
) -> None:
    slot = await desk.a_slot()
    crowd = [await patients.one() for _ in range(20)]
    answers = await asyncio.gather(*(patient.books(slot) for patient in crowd))
    assert Counter(a.status_code for a in answers) == {201: 1, 409: 19}
    assert await slot_now(desk, slot) == BUSY


async def test_a_patient_holds_and_books_what_they_hold(
    desk: Desk, patients: Patients, product: Product, tenant: UUID
) -> None:
    slot, patient = await desk.a_slot(), await patients.one()
    one = await held(patient.own, slot, patient.id)
    other = await patients.one()
    assert codes(
        await other.books(slot),
        await other.books(slot, holdId=one["id"]),
        await hold(patient.own, slot, other.id),
        await release(other.own, one),
    ) == [
        TAKEN,
        (404, "APPOINTMENT_NOT_FOUND"),
        (404, "PATIENT_NOT_FOUND"),
        (404, "APPOINTMENT_NOT_FOUND"),
    ]
    booked = made(await patient.books(slot, holdId=one["id"], reason="knee"), 201)
    assert (booked["id"], booked["version"]) == (one["id"], 2)
    assert (booked["status"], booked["reason"]) == ("booked", "knee")

    later = await desk.a_slot(at("15:00"))
    two = await held(patient.own, later, patient.id)
    await has_run_out(product, tenant, two)
    late = await patient.books(later, holdId=two["id"])
    assert codes(late) == [(409, "HOLD_EXPIRED")]
    assert made(await patient.books(later), 201)


async def test_what_staff_hold_for_a_patient_is_theirs_to_book(
    desk: Desk, patients: Patients
) -> None:
    """The hold is the receptionist's until they book it or let it go."""
    slot, patient = await desk.a_slot(), await patients.one()
    one = await held(desk, slot, patient.id)
    assert codes(await patient.books(slot, holdId=one["id"])) == [TAKEN]
    assert codes(await release(patient.own, one)) == [(403, "FORBIDDEN")]
    assert (await patient.own.cancel(one)).status_code == 200
    assert made(await patient.books(slot), 201)


async def test_a_patient_books_once_under_a_key(
    desk: Desk, patients: Patients, product: Product, tenant: UUID
) -> None:
    slot, patient = await desk.a_slot(capacity=2), await patients.one()
    answers = await asyncio.gather(*(patient.books(slot, key="k") for _ in range(8)))
    done = [answer for answer in answers if answer.status_code == 201]
    assert len({answer.content for answer in done}) == 1
    first = next(a for a in done if "idempotency-replayed" not in a.headers)
    same(first, await patient.books(slot, key="k"))
    other = await patient.books(slot, key="k", reason="another")
    assert codes(other) == [(422, "IDEMPOTENCY_KEY_REUSED")]
    someone = await patients.one()
    theirs = made(await someone.books(slot, key="k"), 201)
    assert theirs["id"] != made(first, 201)["id"], "a key is its caller's own"
    told = (await news(product, tenant)).types()
    assert told.count("appointment.created") == 2


async def test_limits_hold_for_patients_who_book_at_once(
    desk: Desk, patients: Patients
) -> None:
    await desk.settings(limits={"perPractitionerDay": 2})
    schedule = await desk.a_schedule()
    slots = [
        await desk.a_slot(at("09:00") + timedelta(minutes=30 * n), schedule=schedule)
        for n in range(6)
    ]
    crowd = [await patients.one() for _ in slots]
    answers = await asyncio.gather(
        *(patient.books(slot) for patient, slot in zip(crowd, slots, strict=True))
    )
    assert Counter(a.status_code for a in answers) == {201: 2, 409: 4}
    refused = [answer for answer in answers if answer.status_code == 409]
    assert set(codes(*refused)) == {(409, "BOOKING_LIMIT_REACHED")}
