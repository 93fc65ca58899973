"""From columns to records, as a mapping file says."""

from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from scheduling.entrypoints.importing.mapping import (
    Mapped,
    MappingInvalid,
    read_mapping,
)
from scheduling.entrypoints.importing.records import (
    AppointmentRecord,
    Kind,
    LocationRecord,
    PatientRecord,
    SlotRecord,
)
from scheduling.entrypoints.importing.rules import FieldRefused

TENANT = UUID(int=1)
HEADER = "no,who,day,came,flag"
PATIENTS = """
[patients]
id = { from = ["who"] }
name = { template = "Patient {who}" }
"""


def _mapping(folder: Path, told: str, tenant: UUID = TENANT) -> Mapped:
    file, data = folder / "m.toml", folder / "d.csv"
    file.write_text(told)
    data.write_text(HEADER + "\n")
    return read_mapping(file, data, tenant)


def _row(**given: str) -> dict[str, str]:
    return {"no": "1", "who": "p", "day": "2030-01-07", "came": "", "flag": "", **given}


def test_the_same_columns_give_the_same_id_in_one_tenant_and_source_only(
    tmp_path: Path,
) -> None:
    def id_of(told: str, tenant: UUID = TENANT, who: str = "p") -> UUID:
        return _mapping(tmp_path, told, tenant).record(Kind.PATIENTS, _row(who=who)).id

    first = id_of(PATIENTS)
    assert id_of(PATIENTS) == first
    assert id_of(PATIENTS, who=" p ") == first
    assert id_of(PATIENTS, who="q") != first
    assert id_of(PATIENTS, UUID(int=2)) != first
    assert id_of("namespace = 'elsewhere'" + PATIENTS) != first


def test_a_reference_is_the_id_that_the_other_kind_has(tmp_path: Path) -> None:
    mapped = _mapping(
        tmp_path,
        PATIENTS
        + """
        [appointments]
        id = { from = ["no"] }
        patientId = { ref = "patients" }
        slotId = { from = ["day"], of = "slots" }
        appointmentType = { constant = "visit" }
        status = { column = "came", map = { Yes = "completed", "*" = "no-show" },
                   default = "?" }
        bookedAt = { column = "day", format = "%Y-%m-%d", zone = "Asia/Kolkata" }
        """.replace(",\n", ","),
    )

    patient = mapped.record(Kind.PATIENTS, _row())
    visit = mapped.record(Kind.APPOINTMENTS, _row(came="Yes"))
    missed = mapped.record(Kind.APPOINTMENTS, _row())

    assert isinstance(visit, AppointmentRecord)
    assert isinstance(missed, AppointmentRecord)
    assert visit.patient_id == patient.id != visit.id
    assert (visit.status, missed.status) == ("completed", "no-show")
    assert visit.booked_at == datetime(2030, 1, 6, 18, 30, tzinfo=UTC)


def test_values_are_split_shortened_and_nested(tmp_path: Path) -> None:
    mapped = _mapping(
        tmp_path,
        """
        [locations]
        id = { from = ["who"] }
        name = "who"
        code = { column = "who", digest = 6 }
        timezone = { constant = "Europe/Berlin" }
        [patients]
        id = { from = ["who"] }
        name = "who"
        preferences.sms = { column = "flag", map = { y = true, n = false } }
        """,
    )

    location = mapped.record(Kind.LOCATIONS, _row())
    patient = mapped.record(Kind.PATIENTS, _row(flag="y"))

    assert isinstance(location, LocationRecord)
    assert len(location.code) == 6
    assert isinstance(patient, PatientRecord)
    assert (patient.preferences.sms, patient.preferences.email) == (True, False)


SLOTS = """
zone = "Europe/Berlin"
[slots]
id = { from = ["no"] }
scheduleId = { from = ["who"], of = "schedules" }
start = "day"
durationMinutes = { constant = 30 }
"""


def test_a_time_without_an_offset_is_on_the_wall_of_its_zone(tmp_path: Path) -> None:
    mapped = _mapping(tmp_path, SLOTS)

    starts = [
        mapped.record(Kind.SLOTS, _row(day=day))
        for day in ("2030-07-01T09:00", "2030-07-01T09:00+05:00", "2030-10-27T02:30")
    ]

    assert [r.start.hour for r in starts if isinstance(r, SlotRecord)] == [7, 4, 0]


@pytest.mark.parametrize(
    ("row", "field"),
    [
        (_row(day="2030-03-31T02:30"), "start"),  # clocks jumped over it
        (_row(day="soon"), "start"),
        (_row(day="9999-12-31T23:59"), "start"),
        (_row(day=""), "start"),
        (_row(no=""), "id"),
        (_row(who=""), "scheduleId"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_by_its_field(
    tmp_path: Path, row: dict[str, str], field: str
) -> None:
    with pytest.raises(FieldRefused) as refused:
        _mapping(tmp_path, SLOTS).record(Kind.SLOTS, row)

    assert refused.value.field == field


def test_a_refusal_holds_nothing_of_the_row(tmp_path: Path) -> None:
    mapped = _mapping(tmp_path, '[patients]\nid = "who"\nname = "day"')

    with pytest.raises(FieldRefused) as refused:
        mapped.record(Kind.PATIENTS, _row(who="Marie Curie"))

    assert "Marie" not in str(refused.value)


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ("[patient]", "patient"),
        ("[patients]", "patients.id"),
        (PATIENTS + "nme = 'who'", "patients.nme"),
        (PATIENTS + "phone = 'mobile'", "mobile"),
        (PATIENTS + "phone = { column = 'who', template = 'x' }", "patients.phone"),
        (PATIENTS + "phone = { colum = 'who' }", "patients.phone"),
        (PATIENTS + "phone = { template = '{}' }", "patients.phone"),
        (PATIENTS + "phone = { ref = 'slots' }", "slots.id"),
        (PATIENTS + "phone = { from = ['who'] }", "whose"),
        ("[patients]\nid = { ref = 'patients' }\nname = 'who'", "patients.id"),
        ("[spread]\nday = 'day'", "spread"),
        ("zone = 'Mars/Base'" + PATIENTS, "zone"),
        ("[source]\ndelimiter = ';;'", "delimiter"),
        ("[[[", "m.toml"),
    ],
)
def test_what_is_wrong_with_a_mapping_is_said_before_any_row(
    tmp_path: Path, told: str, says: str
) -> None:
    with pytest.raises(MappingInvalid, match=says):
        _mapping(tmp_path, told)


SPREAD = """
[spread]
day = "day"
clinic = ["flag"]
patient = ["who"]
first = "09:00"
minutes = 20
count = 3
[slots]
id = { from = ["flag", "@start"] }
scheduleId = { from = ["flag"], of = "schedules" }
start = "@start"
end = "@end"
capacity = "@capacity"
"""


def test_the_first_visit_of_a_clinics_day_opens_all_of_its_slots(
    tmp_path: Path,
) -> None:
    mapped = _mapping(tmp_path, SPREAD)
    spread = mapped.spread()

    first = mapped.rows_of(Kind.SLOTS, _row(flag="north"), spread)
    second = mapped.rows_of(Kind.SLOTS, _row(flag="north"), spread)
    another = mapped.rows_of(Kind.SLOTS, _row(flag="south"), spread)

    assert (len(first), len(second), len(another)) == (3, 0, 3)
    assert [row["@start"] for row in first] == [
        "2030-01-07T09:00:00+00:00",
        "2030-01-07T09:20:00+00:00",
        "2030-01-07T09:40:00+00:00",
    ]
