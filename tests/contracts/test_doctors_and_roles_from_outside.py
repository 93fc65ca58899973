"""Practitioners and roles as their directory tells of them."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from scheduling.application.ports.inbox import Outcome
from scheduling.domain.errors import (
    InvalidInput,
    LocationNotFound,
    PractitionerNotFound,
)
from scheduling.domain.schedule import Day, PractitionerRole, Schedule
from tests.builders import a_location, at
from tests.contracts.inbound import Hearing, Inbound
from tests.fakes.almanac import MemoryAlmanac

MONDAYS = {
    "daysOfWeek": ["mon"],
    "startTime": "09:00",
    "endTime": "11:00",
    "slotMinutes": 30,
}


def a_doctor(inbound: Inbound, **told: Any) -> dict[str, Any]:  # noqa: ANN401
    return {
        "practitionerId": str(uuid4()),
        "name": "Dr. Marker",
        "specialties": ["cardiology"],
        "locationId": str(inbound.clinic.location.id),
        "availability": [MONDAYS],
        **told,
    }


def a_role(inbound: Inbound, **told: Any) -> dict[str, Any]:  # noqa: ANN401
    return {
        "practitionerRoleId": str(uuid4()),
        "practitionerId": str(inbound.clinic.practitioner.id),
        "locationId": str(inbound.clinic.location.id),
        "availability": [MONDAYS],
        **told,
    }


async def role_of(
    inbound: Inbound, id: UUID | str
) -> tuple[PractitionerRole | None, Schedule | None]:
    async with inbound.desk.storage.begin(inbound.clinic.caller) as work:
        role = await work.practitioner_roles.find(UUID(str(id)))  # type: ignore[arg-type]
        return role, await work.schedules.of_role(UUID(str(id)))  # type: ignore[arg-type]


async def changes(inbound: Inbound) -> list[tuple[str, ...]]:
    told = await inbound.told("practitioner-role.changed")
    return [tuple(one["data"]["changed"]) for one in told]


async def test_somebody_new_has_a_role_and_a_calendar_and_is_welcomed(
    hearing: Hearing,
) -> None:
    async with hearing() as inbound:
        away = {"start": "2030-01-14T00:00:00Z", "end": "2030-01-15T00:00:00Z"}
        doctor = a_doctor(inbound, serviceTypes=["echo"], vacations=[away])
        await inbound.hears("doctor.created", doctor, id="hired")
        (changed,) = await inbound.told("practitioner-role.changed")
        assert changed["data"]["practitionerId"] == doctor["practitionerId"]
        assert changed["data"]["active"] is True
        role, calendar = await role_of(inbound, changed["subject"])
        assert role is not None
        assert calendar is not None
        assert role.service_types == ("echo",)
        assert [one.days for one in calendar.availability] == [(Day.MON,)]
        (absence,) = role.not_available
        assert absence.period.start == at("00:00", day=7)
        (welcome,) = await inbound.told("notification.requested")
        assert welcome["data"] == {
            "notificationId": welcome["subject"],
            "template": "practitioner.welcome",
            "recipientType": "practitioner",
            "recipientId": doctor["practitionerId"],
            "priority": "normal",
            "channel": None,
            "references": {
                "practitionerId": doctor["practitionerId"],
                "practitionerRoleId": changed["subject"],
                "locationId": doctor["locationId"],
            },
            "sourceEventId": "hired",
        }
        assert "Marker" not in str([changed, welcome])


async def test_slots_of_somebody_new_leave_out_holidays_and_vacations(
    hearing: Hearing,
) -> None:
    holiday = a_location(country="BR", observes_public_holidays=True)
    async with hearing(location=holiday) as inbound:
        inbound.almanac = MemoryAlmanac(holidays=(at("00:00", day=7).date(),))
        away = {"start": "2030-01-21T00:00:00Z", "end": "2030-01-22T00:00:00Z"}
        doctor = a_doctor(inbound, vacations=[away])
        await inbound.hears("doctor.created", doctor)
        for _ in range(2):
            await inbound.hears_itself()
        slots = await inbound.desk.storage.slots(inbound.clinic.caller)
        starts = sorted(
            slot.period.start
            for slot in slots
            if str(slot.practitioner_id) == doctor["practitionerId"]
        )
        half_hours = [at(clock) for clock in ("09:00", "09:30", "10:00", "10:30")]
        mondays = [day for day in range(0, 91, 7) if day not in {7, 14}]
        assert starts == [
            start + timedelta(days=day) for day in mondays for start in half_hours
        ]
        created = [
            one["data"]["created"]
            for one in await inbound.told("slots.generation.completed")
            if one["data"]["practitionerId"] == doctor["practitionerId"]
        ]
        assert created == [len(starts)]


async def test_somebody_new_is_welcomed_once(hearing: Hearing) -> None:
    async with hearing() as inbound:
        doctor = a_doctor(inbound)
        for _ in range(2):
            await inbound.hears("doctor.created", doctor, id="hired")
        assert len(await inbound.told("notification.requested")) == 1


async def test_somebody_new_who_comes_late_undoes_nothing_newer_of_the_role(
    hearing: Hearing,
) -> None:
    async with hearing() as inbound:
        doctor = a_doctor(inbound, practitionerRoleId=str(uuid4()), name="Dr. Late")
        id = UUID(doctor["practitionerRoleId"])
        await inbound.hears("doctor.created", doctor)
        longer = [{**MONDAYS, "endTime": "12:00"}]
        keys = ("practitionerRoleId", "practitionerId", "locationId")
        told = {key: doctor[key] for key in keys}
        inbound.stored_at += timedelta(seconds=10)
        await inbound.hears(
            "practitioner-role.updated", {**told, "availability": longer}, version=4
        )
        inbound.stored_at -= timedelta(seconds=8)
        late = {**doctor, "name": "Dr. Newer"}
        assert await inbound.hears("doctor.created", late) is Outcome.APPLIED
        role, _ = await role_of(inbound, id)
        assert role is not None
        assert role.availability[0].end.hour == 12
        inbound.stored_at += timedelta(seconds=20)
        await inbound.hears("doctor.created", late, version=1)
        role, _ = await role_of(inbound, id)
        assert role is not None
        assert role.availability[0].end.hour == 11


async def test_somebody_new_at_a_place_that_is_not_there_is_refused(
    hearing: Hearing,
) -> None:
    async with hearing() as inbound:
        doctor = a_doctor(inbound, locationId=str(uuid4()))
        with pytest.raises(LocationNotFound):
            await inbound.hears("doctor.created", doctor)
        assert await inbound.told("notification.requested") == []
        async with inbound.desk.storage.begin(inbound.clinic.caller) as work:
            id = UUID(doctor["practitionerId"])
            assert await work.practitioners.find(id) is None  # type: ignore[arg-type]


async def test_a_role_is_put_as_over_rest(hearing: Hearing) -> None:
    async with hearing() as inbound:
        told = a_role(inbound)
        id = told["practitionerRoleId"]
        await inbound.hears("practitioner-role.created", told, version=1)
        role, calendar = await role_of(inbound, id)
        assert role is not None
        assert calendar is not None
        assert role.version == 1
        longer = {**MONDAYS, "endTime": "12:00"}
        await inbound.hears(
            "practitioner-role.updated", {**told, "availability": [longer]}, version=2
        )
        role, calendar = await role_of(inbound, id)
        assert role is not None
        assert calendar is not None
        assert calendar.availability == role.availability
        assert calendar.availability[0].end.hour == 12
        assert await changes(inbound) == [("created",), ("availability",)]


async def test_an_older_version_of_a_role_is_not_followed(hearing: Hearing) -> None:
    async with hearing() as inbound:
        told = a_role(inbound)
        newer = {**told, "availability": [{**MONDAYS, "endTime": "12:00"}]}
        await inbound.hears("practitioner-role.updated", newer, version=3)
        stale = await inbound.hears("practitioner-role.updated", told, version=2)
        assert stale is Outcome.STALE
        role, _ = await role_of(inbound, told["practitionerRoleId"])
        assert role is not None
        assert role.availability[0].end.hour == 12
        assert len(await changes(inbound)) == 1


async def test_a_role_that_is_deleted_ends(hearing: Hearing) -> None:
    async with hearing() as inbound:
        told = a_role(inbound)
        gone = {"practitionerRoleId": told["practitionerRoleId"]}
        await inbound.hears("practitioner-role.created", told, version=1)
        await inbound.hears("practitioner-role.deleted", gone, version=2)
        late = await inbound.hears("practitioner-role.updated", told, version=1)
        assert late is Outcome.STALE
        role, _ = await role_of(inbound, told["practitionerRoleId"])
        assert role is not None
        assert (role.active, role.is_deleted) == (False, True)
        *_, last = await inbound.told("practitioner-role.changed")
        assert (last["data"]["active"], last["data"]["deleted"]) == (False, True)
        # Once more, or one that nobody knew: nothing to do.
        await inbound.hears("practitioner-role.deleted", gone, version=3)
        unknown = {"practitionerRoleId": str(uuid4())}
        await inbound.hears("practitioner-role.deleted", unknown)
        assert len(await changes(inbound)) == 2


async def test_a_role_that_was_deleted_comes_back_with_newer_news(
    hearing: Hearing,
) -> None:
    async with hearing() as inbound:
        told = a_role(inbound)
        gone = {"practitionerRoleId": told["practitionerRoleId"]}
        await inbound.hears("practitioner-role.created", told, version=1)
        await inbound.hears("practitioner-role.deleted", gone, version=2)
        await inbound.hears("practitioner-role.created", told, version=3)
        role, _ = await role_of(inbound, told["practitionerRoleId"])
        assert role is not None
        assert (role.active, role.is_deleted, role.version) == (True, False, 3)


async def test_a_role_of_nobody_is_refused(hearing: Hearing) -> None:
    async with hearing() as inbound:
        nobody = a_role(inbound, practitionerId=str(uuid4()))
        with pytest.raises(PractitionerNotFound):
            await inbound.hears("practitioner-role.created", nobody)
        nowhere = a_role(inbound, locationId=str(uuid4()))
        with pytest.raises(LocationNotFound):
            await inbound.hears("practitioner-role.created", nowhere)


async def test_a_role_does_not_move_to_somebody_else(hearing: Hearing) -> None:
    async with hearing() as inbound:
        told = a_role(inbound)
        await inbound.hears("practitioner-role.created", told)
        doctor = a_doctor(inbound)
        await inbound.hears("doctor.created", doctor)
        with pytest.raises(InvalidInput):
            await inbound.hears(
                "practitioner-role.updated",
                {**told, "practitionerId": doctor["practitionerId"]},
            )
