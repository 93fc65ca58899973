"""What a step of a visit is to people, and the numbers of record folders."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from scheduling.domain.identifiers import (
    AppointmentId,
    LocationId,
    PatientId,
    PractitionerId,
)
from scheduling.domain.notification import TITLES, Language, Template
from scheduling.domain.status import Status
from scheduling.domain.sub_file import (
    drawn_file,
    main_file_of,
    number_in,
    year_at,
)
from scheduling.domain.visit_news import Happening, VisitBefore, VisitNews
from tests.builders import EIGHT, a_location, a_patient, at, between

HERE = VisitNews(
    appointment_id=AppointmentId(uuid4()),
    patient_id=PatientId(uuid4()),
    practitioner_id=PractitionerId(uuid4()),
    location_id=LocationId(uuid4()),
    period=between("09:00", "09:30"),
    timezone="UTC",
    appointment_type="consultation",
    status=Status.BOOKED,
)


def after(was: Status, now: Status, **before: object) -> VisitNews:
    told = VisitBefore(was, HERE.practitioner_id, HERE.location_id, HERE.period.start)
    return replace(
        HERE,
        status=now,
        before=replace(told, **before),  # type: ignore[arg-type]  # a field's own
    )


@pytest.mark.parametrize("status", Status)
def test_of_what_is_new_only_a_booking_is_news(status: Status) -> None:
    booked = status is Status.BOOKED
    told = replace(HERE, status=status).happening
    assert told is (Happening.BOOKED if booked else None)


@pytest.mark.parametrize("was", Status)
@pytest.mark.parametrize("now", Status)
def test_what_a_change_of_status_is_to_people(was: Status, now: Status) -> None:
    asked = {Status.PROPOSED, Status.PENDING}
    expected = None
    if now is Status.BOOKED and was in asked:
        expected = Happening.BOOKED
    if now is Status.CANCELLED and was in {
        Status.BOOKED,
        Status.CONFIRMED,
        Status.ARRIVED,
    }:
        expected = Happening.CALLED_OFF
    if now is Status.ARRIVED and was is not Status.ARRIVED:
        expected = Happening.ARRIVED
    assert after(was, now).happening is expected


@pytest.mark.parametrize(
    "before",
    [
        {"start": at("10:00")},
        {"practitioner_id": uuid4()},
        {"location_id": uuid4()},
    ],
)
@pytest.mark.parametrize("status", [Status.BOOKED, Status.CONFIRMED])
def test_another_time_clinic_or_practitioner_is_a_move(
    status: Status, before: dict[str, object]
) -> None:
    assert after(status, status, **before).happening is Happening.MOVED
    # A hold that moves is still nobody's visit.
    held = after(Status.PENDING, Status.PENDING, **before)
    assert held.happening is None


def test_only_a_move_to_another_clinic_is_a_booking_there() -> None:
    booked = Status.BOOKED
    assert after(booked, booked, location_id=uuid4()).is_booking_at_clinic
    assert not after(booked, booked, start=at("10:00")).is_booking_at_clinic
    assert HERE.is_booking_at_clinic


def test_nobody_is_told_of_what_is_over() -> None:
    end = HERE.period.end
    assert HERE.tellings(end - timedelta(microseconds=1))
    assert HERE.tellings(end) == ()


@pytest.mark.parametrize("language", Language)
def test_every_language_has_a_title_for_each_template(language: Language) -> None:
    assert set(TITLES[language]) == set(Template)
    assert len(set(TITLES[language].values())) == len(Template)


@pytest.mark.parametrize(
    ("number", "is_one"),
    [
        ("FILE-2026-000123", True),
        ("FILE-2026-1000000", True),
        ("FILE-2026-00012", False),
        ("FILE-26-000123", False),
        ("file-2026-000123", False),
        ("FILE-2026-000123-YGN-01", False),
        (" FILE-2026-000123", False),
        ("2026-000123", False),
        (None, False),
    ],
)
def test_a_main_file_has_a_form(number: str | None, *, is_one: bool) -> None:
    assert main_file_of(a_patient(file_number=number)) == (number if is_one else None)


def test_a_number_is_read_from_the_main_file_to_the_folder() -> None:
    clinic = a_location(code="YGN")
    assert number_in(drawn_file(2030, 7), clinic, 3) == "FILE-2030-000007-YGN-03"
    # More than there is room for is not cut.
    million = drawn_file(2030, 1_000_000)
    assert number_in(million, clinic, 100) == "FILE-2030-1000000-YGN-100"


def test_the_year_is_the_clinics() -> None:
    midnight = EIGHT.replace(year=2029, month=12, day=31, hour=23, minute=30)
    assert year_at(a_location(timezone="Asia/Yangon"), midnight) == 2030
    assert year_at(a_location(timezone="UTC"), midnight) == 2029
    assert year_at(a_location(timezone="America/Sao_Paulo"), midnight) == 2029
