"""Who may change a visit: nobody of another tenant, no patient of another."""

from collections.abc import Awaitable, Callable
from uuid import UUID, uuid4

import httpx2
import pytest

from tests.acceptance.conftest import ALL, Token
from tests.acceptance.desk import Desk, Thing, at, codes
from tests.acceptance.visits import (
    as_it_is,
    check_in,
    edit,
    held,
    hold,
    made,
    release,
    reschedule,
    slot_now,
    step,
)

Change = Callable[[Desk, Thing, Thing], Awaitable[httpx2.Response]]
"""By whom, of which visit or hold, with which free slot."""

CHANGES: dict[str, Change] = {
    "reschedule to a slot": reschedule,
    "reschedule to a start": lambda desk, one, slot: reschedule(
        desk, one, start=slot["start"]
    ),
    "edit words": lambda desk, one, _: edit(desk, one, reason="x"),
    "edit time": lambda desk, one, _: edit(desk, one, durationMinutes=10),
    "confirm": lambda desk, one, _: step(desk, one, "confirmed"),
    "cancel by status": lambda desk, one, _: step(desk, one, "cancelled"),
    "take back": lambda desk, one, _: step(desk, one, "entered-in-error"),
    "check in": lambda desk, one, _: check_in(desk, one),
    "release": lambda desk, one, _: release(desk, one),
    "cancel": lambda desk, one, _: desk.cancel(one),
    "book what is held": lambda desk, one, slot: desk.book(
        slot, one["patientId"], holdId=one["id"]
    ),
}
"""All that is asked by the id of an appointment."""

MISSING = (404, "APPOINTMENT_NOT_FOUND")


@pytest.mark.parametrize("name", CHANGES)
async def test_every_change_takes_a_token_and_the_right_to_book(
    desk: Desk, token: Token, name: str
) -> None:
    slot = await desk.a_slot()
    one = {"id": str(uuid4()), "version": 1, "patientId": str(uuid4())}
    powerless = "scheduling:read scheduling:manage scheduling:override"
    answers = [
        await CHANGES[name](Desk(desk.http, given), one, slot)
        for given in (token() + "x", token(lifetime=-60), token(scope=powerless))
    ]
    assert codes(*answers) == [*[(401, "UNAUTHENTICATED")] * 2, (403, "FORBIDDEN")]


@pytest.mark.parametrize("name", CHANGES)
async def test_anothers_visit_is_as_if_it_were_not(
    desk: Desk, token: Token, name: str
) -> None:
    """Of another tenant, and of another patient for a patient's own token."""
    one, slot = await held(desk, await desk.a_slot()), await desk.a_slot(at("12:00"))
    stranger = Desk(desk.http, token(tenant_id=uuid4()))
    me = await desk.a_patient()
    patient = Desk(desk.http, token(patient_id=UUID(me), scope=ALL))
    theirs = {stranger.token: await stranger.a_patient(), patient.token: me}
    for somebody in (stranger, patient):
        told = one | {"patientId": theirs[somebody.token]}
        unknown = told | {"id": str(uuid4())}
        foreign = await CHANGES[name](somebody, told, slot)
        missing = await CHANGES[name](somebody, unknown, slot)
        never = somebody is patient and name == "edit time"
        expected = (403, "FORBIDDEN") if never else MISSING
        assert codes(foreign, missing) == [expected] * 2
        assert foreign.text == missing.text.replace(unknown["id"], one["id"])
        assert set(foreign.headers) == set(missing.headers)
    assert await as_it_is(desk, one) == one


async def test_nothing_of_another_tenant_serves_a_change(
    desk: Desk, token: Token
) -> None:
    stranger = Desk(desk.http, token(tenant_id=uuid4()))
    own, patient = await stranger.booked(), await stranger.a_patient()
    theirs = await desk.a_slot(at("12:00"))
    start = theirs["start"]
    refused = [
        await reschedule(stranger, own, theirs),
        await reschedule(
            stranger, own, start=start, practitionerId=theirs["practitionerId"]
        ),
        await reschedule(stranger, own, start=start, locationId=theirs["locationId"]),
        await edit(stranger, own, practitionerId=theirs["practitionerId"]),
        await hold(stranger, theirs, patient),
        await hold(stranger, await stranger.a_slot(), await desk.a_patient()),
    ]
    assert codes(*refused) == [
        (404, "SLOT_NOT_FOUND"),
        (404, "PRACTITIONER_NOT_FOUND"),
        (404, "LOCATION_NOT_FOUND"),
        (404, "PRACTITIONER_NOT_FOUND"),
        (404, "SLOT_NOT_FOUND"),
        (404, "PATIENT_NOT_FOUND"),
    ]
    assert await as_it_is(stranger, own) == own
    assert await slot_now(desk, theirs) == (0, 1, "free")


async def test_one_room_is_two_in_two_tenants(desk: Desk, token: Token) -> None:
    room = [{"type": "room", "id": str(uuid4())}]
    stranger = Desk(desk.http, token(tenant_id=uuid4()))
    for somebody in (desk, stranger):
        made(await edit(somebody, await somebody.booked(), resources=room))
