"""Whom we tell of what becomes of a visit, and what follows when a patient is here."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from scheduling.application.ports.inbox import Outcome
from scheduling.domain.booking_request import BySlot
from scheduling.domain.directory import ContactPreferences, put
from scheduling.domain.errors import NotificationNotFound
from scheduling.domain.identifiers import NotificationId, PractitionerId
from scheduling.domain.notification import Language, Notification, Template
from scheduling.domain.status import Status
from tests.builders import EIGHT, a_patient, a_practitioner, at
from tests.contracts.inbound import Hearing, Inbound
from tests.contracts.test_portal_requests import a_wish, accepted

NOTICE, ENCOUNTER = "notification.requested", "encounter.requested"
MADE, UPDATED = "appointment.created", "appointment.updated"
CANCELLED, ARRIVED = "appointment.cancelled", "appointment.arrived"


async def follow(inbound: Inbound, *types: str) -> None:
    for news in await inbound.told(*types):
        await inbound.hears_again(news)


async def notices(inbound: Inbound) -> Sequence[dict[str, Any]]:
    return [one["data"] for one in await inbound.told(NOTICE)]


async def whom(inbound: Inbound) -> set[tuple[str, str, str]]:
    return {
        (one["recipientType"], one["template"], one["priority"])
        for one in await notices(inbound)
    }


async def in_app(
    inbound: Inbound, practitioner: UUID | None = None, *, unread: bool = False
) -> Sequence[Notification]:
    id = PractitionerId(practitioner or inbound.clinic.practitioner.id)
    async with inbound.desk.storage.begin(inbound.clinic.caller) as work:
        return await work.notifications.of_practitioner(
            id, unread=unread, after=None, limit=50
        )


async def templates(inbound: Inbound, practitioner: UUID | None = None) -> list[str]:
    return sorted(one.template for one in await in_app(inbound, practitioner))


async def test_a_booking_is_confirmed_and_shown_to_the_practitioner(
    hearing: Hearing,
) -> None:
    reached = ContactPreferences(sms=True, email=True)
    patient = a_patient(preferences=reached, language="my")
    async with hearing(patients=(patient,)) as inbound:
        clinic = inbound.clinic
        visit = await inbound.desk.book(clinic.request())
        (news,) = await inbound.told(MADE)
        for _ in range(3):
            await inbound.hears_again(news)
        (notice,) = await notices(inbound)
        assert notice == {
            "notificationId": notice["notificationId"],
            "template": "appointment.booked",
            "recipientType": "patient",
            "recipientId": str(patient.id),
            "priority": "normal",
            "channel": "sms",
            "references": {
                "appointmentId": str(visit.id),
                "patientId": str(patient.id),
                "practitionerId": str(clinic.practitioner.id),
                "locationId": str(clinic.location.id),
                "start": "2030-01-07T09:00:00Z",
                "end": "2030-01-07T09:30:00Z",
                "timezone": "UTC",
                "appointmentType": visit.appointment_type,
                "language": "my",
            },
            "sourceEventId": news["id"],
        }
        (shown,) = await in_app(inbound)
        assert shown == Notification(
            id=shown.id,
            practitioner_id=clinic.practitioner.id,
            template=Template.BOOKED,
            patient_id=patient.id,
            appointment_id=visit.id,
            start=visit.period.start,
            timezone="UTC",
            service_type=visit.appointment_type,
            source_event_id=news["id"],
            created_at=EIGHT,
        )
        assert shown.link == f"/calendar/#/day?appointment={visit.id}"
        assert shown.title(Language.ENGLISH) == "New appointment"


async def test_what_is_only_asked_for_or_held_is_told_to_nobody(
    hearing: Hearing,
) -> None:
    async with hearing() as inbound:
        await inbound.desk.release(await inbound.desk.hold(0, 0))
        hold = await inbound.desk.hold(0, 0)
        proposed = await accepted(inbound, a_wish(inbound, 1, 1))
        await follow(inbound, MADE, UPDATED, CANCELLED)
        assert await whom(inbound) == set()
        assert await in_app(inbound) == []
        await inbound.desk.step(await inbound.visit(proposed), Status.BOOKED)
        await inbound.desk.book_held(hold, inbound.clinic.request())
        await follow(inbound, UPDATED)
        told = [(one["template"], one["recipientId"]) for one in await notices(inbound)]
        assert sorted(told) == sorted(
            ("appointment.booked", str(inbound.clinic.patients[n].id)) for n in (0, 1)
        )
        assert await templates(inbound) == ["appointment.booked"] * 2


async def test_a_move_is_told_to_both(hearing: Hearing) -> None:
    async with hearing() as inbound:
        visit = await inbound.desk.book(inbound.clinic.request())
        slot = inbound.clinic.slots[2]
        moved = await inbound.desk.move(visit, BySlot(slot.id))
        await follow(inbound, UPDATED)
        assert await whom(inbound) == {
            ("patient", "appointment.rescheduled", "normal"),
            ("practitioner", "appointment.rescheduled", "normal"),
        }
        for one in await notices(inbound):
            references = one["references"]
            assert references["start"] == "2030-01-07T10:00:00Z"
            assert references["oldStart"] == "2030-01-07T09:00:00Z"
        (shown,) = await in_app(inbound)
        assert (shown.template, shown.start) == (
            Template.RESCHEDULED,
            moved.period.start,
        )


async def test_what_changed_again_meanwhile_is_told_once_as_it_is(
    hearing: Hearing,
) -> None:
    async with hearing() as inbound:
        visit = await inbound.desk.book(inbound.clinic.request())
        for number in (1, 2):
            slot = inbound.clinic.slots[number]
            visit = await inbound.desk.move(visit, BySlot(slot.id))
        await follow(inbound, MADE, UPDATED)
        assert await templates(inbound) == ["appointment.rescheduled"]
        starts = {one["references"]["start"] for one in await notices(inbound)}
        assert starts == {"2030-01-07T10:00:00Z"}


async def test_other_edits_are_told_to_nobody(hearing: Hearing) -> None:
    async with hearing() as inbound:
        visit = await inbound.desk.book(inbound.clinic.request())
        async with inbound.desk.storage.begin(inbound.clinic.caller) as work:
            work.appointments.keep(visit.edited(now=EIGHT, notes="x"))
        await follow(inbound, UPDATED)
        assert await whom(inbound) == set()


async def test_who_gives_a_visit_away_is_told_and_who_gets_it(
    hearing: Hearing,
) -> None:
    async with hearing() as inbound:
        visit = await inbound.desk.book(inbound.clinic.request())
        other = put(None, a_practitioner(), expected=None, now=EIGHT)
        async with inbound.desk.storage.begin(inbound.clinic.caller) as work:
            work.practitioners.save(other)
            work.appointments.keep(visit.edited(now=EIGHT, practitioner_id=other.id))
        await follow(inbound, MADE, UPDATED)
        before = inbound.clinic.practitioner.id
        told = {(one["recipientId"], one["template"]) for one in await notices(inbound)}
        assert told == {
            (str(visit.patient_id), "appointment.rescheduled"),
            (str(before), "appointment.handed-over"),
        }
        assert await templates(inbound) == ["appointment.handed-over"]
        assert await templates(inbound, other.id) == ["appointment.booked"]


async def test_a_cancel_is_told_to_both_with_priority(hearing: Hearing) -> None:
    async with hearing() as inbound:
        visit = await inbound.desk.book(inbound.clinic.request())
        await inbound.desk.cancel(visit)
        await follow(inbound, MADE, CANCELLED)
        assert await whom(inbound) == {
            ("patient", "appointment.cancelled", "high"),
            ("practitioner", "appointment.cancelled", "high"),
        }
        for one in await notices(inbound):
            references = one["references"]
            assert references["reasonCode"] == "patient"
            assert references["initiatedBy"] == "patient"
        assert await templates(inbound) == ["appointment.cancelled"]


async def test_nobody_is_written_to_about_a_patient_who_is_deleted(
    hearing: Hearing,
) -> None:
    async with hearing() as inbound:
        await inbound.desk.book(inbound.clinic.request())
        await inbound.deletes()
        await follow(inbound, MADE, CANCELLED)
        assert await whom(inbound) == set()
        # Whose time it was finds it in the app.
        assert await templates(inbound) == ["appointment.cancelled"]


async def test_of_what_is_over_nobody_is_told(hearing: Hearing) -> None:
    async with hearing() as inbound:
        visit = await inbound.desk.book(inbound.clinic.request())
        inbound.desk.now = visit.period.end - timedelta(seconds=1)
        cancelled = await inbound.desk.book(inbound.clinic.request(1, 1))
        inbound.desk.now = visit.period.end
        await follow(inbound, MADE)
        told = {one["recipientId"] for one in await notices(inbound)}
        assert told == {str(cancelled.patient_id)}


async def test_who_is_here_is_handed_on_with_all_that_an_encounter_begins_with(
    hearing: Hearing,
) -> None:
    patient = a_patient(file_number="FILE-2026-000123")
    async with hearing(patients=(patient,)) as inbound:
        clinic = inbound.clinic
        visit = await inbound.desk.book(clinic.request())
        inbound.desk.now = at("08:55")
        await inbound.desk.step(visit, Status.ARRIVED)
        inbound.desk.now = at("09:10")
        # Also where nobody has heard of the booking yet.
        for _ in range(2):
            await follow(inbound, ARRIVED)
        (told,) = await inbound.told(ENCOUNTER)
        async with inbound.desk.storage.begin(clinic.caller) as work:
            (file,) = await work.sub_files.of_patient(patient.id, after=None, limit=2)
        assert told["subject"] == told["data"]["encounterRequestId"]
        assert told["data"] == {
            "encounterRequestId": told["subject"],
            "appointmentId": str(visit.id),
            "patientId": str(patient.id),
            "practitionerId": str(clinic.practitioner.id),
            "locationId": str(clinic.location.id),
            "start": "2030-01-07T09:00:00Z",
            "end": "2030-01-07T09:30:00Z",
            "timezone": "UTC",
            "appointmentType": visit.appointment_type,
            "arrivedAt": "2030-01-07T08:55:00Z",
            "subFileId": str(file.id),
            "subFileNumber": f"FILE-2026-000123-{clinic.location.code}-01",
        }
        await follow(inbound, MADE)
        assert len(await inbound.told("subfile.created")) == 1


@pytest.mark.parametrize(
    ("then", "asked"),
    [
        ((Status.IN_PROGRESS, Status.COMPLETED), 1),
        ((Status.NO_SHOW,), 0),
        ((Status.CANCELLED,), 0),
    ],
)
async def test_who_is_gone_again_needs_no_encounter(
    hearing: Hearing, then: tuple[Status, ...], asked: int
) -> None:
    async with hearing() as inbound:
        visit = await inbound.desk.book(inbound.clinic.request())
        inbound.desk.now = at("08:55")
        visit = await inbound.desk.step(visit, Status.ARRIVED)
        for minute, step in enumerate(then, start=10):
            inbound.desk.now = at(f"09:{minute}")
            if step is Status.CANCELLED:
                visit = await inbound.desk.cancel(visit)
            else:
                visit = await inbound.desk.step(visit, step)
        await follow(inbound, ARRIVED)
        assert len(await inbound.told(ENCOUNTER)) == asked


async def test_what_is_written_up_already_needs_no_encounter(hearing: Hearing) -> None:
    async with hearing() as inbound:
        visit = await inbound.desk.book(inbound.clinic.request())
        inbound.desk.now = at("09:20")
        finalized = {"appointmentId": str(visit.id)}
        await inbound.hears("encounter.finalized", finalized)
        await follow(inbound, ARRIVED)
        assert (await inbound.visit(visit.id)).status is Status.COMPLETED
        assert await inbound.told(ENCOUNTER) == []


async def test_all_that_follows_from_news_is_done_or_nothing(
    hearing: Hearing,
) -> None:
    """Where the last of it fails, nothing is remembered and all of it is done anew."""
    async with hearing() as inbound:
        await inbound.desk.book(inbound.clinic.request())
        (news,) = await inbound.told(MADE)
        lost = {**news, "data": {**news["data"], "appointmentId": str(uuid4())}}
        with pytest.raises(Exception, match="There is no appointment"):
            await inbound.hears_again(lost)
        assert await inbound.told("subfile.created", NOTICE) == []
        assert await in_app(inbound) == []
        assert await inbound.hears_again(news) is Outcome.APPLIED
        assert len(await inbound.told("subfile.created", NOTICE)) == 2


async def shown(inbound: Inbound, count: int) -> list[Notification]:
    """As many as that, a minute apart; the newest first."""
    made = [
        Notification(
            id=NotificationId(uuid4()),
            practitioner_id=inbound.clinic.practitioner.id,
            template=Template.BOOKED,
            patient_id=inbound.clinic.patients[0].id,
            appointment_id=uuid4(),  # type: ignore[arg-type]
            start=EIGHT,
            timezone="UTC",
            service_type="x",
            source_event_id=str(number),
            created_at=EIGHT + timedelta(minutes=number),
        )
        for number in range(count)
    ]
    async with inbound.inbox.begin(inbound.clinic.caller) as work:
        for one in made:
            work.notifications.add(one)
    return made[::-1]


async def test_what_is_shown_is_paged_and_read(hearing: Hearing) -> None:
    async with hearing() as inbound:
        made = await shown(inbound, 5)
        storage, clinic = inbound.desk.storage, inbound.clinic
        assert await in_app(inbound) == made
        async with storage.begin(clinic.caller) as work:
            rest = await work.notifications.of_practitioner(
                clinic.practitioner.id,
                unread=False,
                after=(made[1].created_at, made[1].id),
                limit=2,
            )
        assert rest == made[2:4]
        for later in (at("09:00"), at("10:00")):
            async with storage.begin(clinic.caller) as work:
                read = await work.notifications.mark_read(
                    clinic.practitioner.id, made[2].id, now=later
                )
            assert read == replace(made[2], read_at=at("09:00"))
        assert await in_app(inbound, unread=True) == [*made[:2], *made[3:]]
        counts = []
        for _ in range(2):
            async with storage.begin(clinic.caller) as work:
                counts.append(
                    await work.notifications.mark_all_read(
                        clinic.practitioner, now=at("11:00")
                    )
                )
        assert counts == [4, 0]
        assert await in_app(inbound, unread=True) == []
        times = [one.read_at for one in await in_app(inbound)]
        assert times == [at("11:00")] * 2 + [at("09:00")] + [at("11:00")] * 2
        audit = await storage.audit(clinic.caller)
        rows = [(row.action, row.changes) for row in audit if "read" in row.action]
        assert rows == [
            ("notification.read", {"readAt": (None, "2030-01-07T09:00:00Z")}),
            ("practitioner.notifications-read", {"unread": (4, 0)}),
        ]


async def test_nobody_reads_what_is_shown_to_another(hearing: Hearing) -> None:
    async with hearing() as inbound:
        (one,) = await shown(inbound, 1)
        other = put(None, a_practitioner(), expected=None, now=EIGHT)
        async with inbound.desk.storage.begin(inbound.clinic.caller) as work:
            work.practitioners.save(other)
        for id, practitioner in (
            (one.id, other.id),
            (NotificationId(uuid4()), one.practitioner_id),
        ):
            with pytest.raises(NotificationNotFound):
                async with inbound.desk.storage.begin(inbound.clinic.caller) as work:
                    await work.notifications.mark_read(practitioner, id, now=EIGHT)
        async with inbound.desk.storage.begin(inbound.clinic.caller) as work:
            assert await work.notifications.mark_all_read(other, now=EIGHT) == 0
        assert await in_app(inbound) == [one]
