"""The API keeps its own contract, whatever it is asked (P24).

schemathesis asks all that the document allows, and much that it does not, as staff and
as a patient, and judges every answer by all of its checks. Here it is bounded by the
number of examples; `make schemathesis` gives each of the two so many seconds.
"""

import os
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from tests.acceptance.conftest import Token
from tests.acceptance.desk import Desk, at
from tests.acceptance.fuzzing.liar import lying_api
from tests.acceptance.fuzzing.run import EVERYTHING, Report, World, examined
from tests.acceptance.product import Product

SEED = int(os.environ.get("SCHEMATHESIS_SEED") or 20260401)
SECONDS = int(os.environ.get("SCHEMATHESIS_SECONDS") or 0) or None

SELF_BOOKING = "POST /v1/appointments/self-book"
"""For patients only."""


@pytest.fixture
async def clinic(desk: Desk) -> World:
    """A clinic with things of every kind, for requests to be about."""
    practitioners = [await desk.a_practitioner() for _ in range(3)]
    locations = [await desk.a_location() for _ in range(2)]
    patients = [await desk.a_patient() for _ in range(4)]
    schedules = [await desk.a_schedule(p, x) for p in practitioners for x in locations]
    slots = [
        (await desk.a_slot(at("09:00", days=day), schedule=schedule, capacity=3))["id"]
        for day, schedule in enumerate(schedules * 4)
    ]
    appointments = [
        (await desk.booked({"id": slot}, patient))["id"]
        for slot, patient in zip(slots[::3], patients * 2, strict=True)
    ]
    weekly = [
        await desk.a_slot(at("15:00", days=day), schedule=schedules[0])
        for day in (0, 7)
    ]
    visits = {"patientId": patients[0], "appointmentType": "visit", "occurrences": 2}
    series = await desk.post(
        "/v1/appointments/series", {"slotId": weekly[0]["id"], **visits}
    )
    assert series.status_code == 201, series.text
    holiday = await desk.post(
        f"/v1/schedules/{schedules[-1]['id']}/exceptions",
        {"kind": "closed", "date": at("09:00", days=80).date().isoformat()},
    )
    assert holiday.status_code == 201, holiday.text
    exception = holiday.json()["id"]
    ids = {
        "exception": [exception],
        "series": [series.json()["seriesId"]],
        "practitioner": practitioners,
        "location": locations,
        "patient": patients,
        "schedule": [schedule["id"] for schedule in schedules],
        "slot": slots,
        "appointment": appointments,
        # One is spared, the others can be deleted.
        "practitionerrole": [
            await desk.a_role(practitioners[0], locations[0]) for _ in range(6)
        ],
    }
    return World(ids, {exception: schedules[-1]["id"]})


def held_to_account(report: Report) -> None:
    print(report.output)  # noqa: T201  # with the seed, and for `make schemathesis`
    assert report.told["failures"] == [], report.output
    assert report.told["errors"] == [], report.output


async def test_staff_find_no_answer_that_breaks_the_contract(
    product: Product, token: Token, clinic: World, tmp_path: Path
) -> None:
    report = examined(
        product.url,
        (token(), token(tenant_id=uuid4())),
        clinic,
        tmp_path,
        seed=SEED,
        examples=6,
        seconds=SECONDS,
    )
    held_to_account(report)
    # Of what is always refused, the answers to success would never have been judged.
    assert report.never_accepted() == {SELF_BOOKING}


async def test_a_patient_finds_no_answer_that_breaks_the_contract(
    product: Product, token: Token, clinic: World, tmp_path: Path
) -> None:
    """Shapes are judged the same for all: here it is what patients may see and do."""
    own = token(subject="patient", patient_id=UUID(clinic.ids["patient"][0]))
    report = examined(
        product.url,
        (own, token(subject="patient", tenant_id=uuid4(), patient_id=uuid4())),
        clinic,
        tmp_path,
        seed=SEED,
        examples=6,
        seconds=SECONDS,
        phases="examples,fuzzing,stateful" if SECONDS is None else EVERYTHING,
    )
    held_to_account(report)
    assert SELF_BOOKING not in report.never_accepted()


def test_an_api_that_lies_is_found_out(tmp_path: Path) -> None:
    with lying_api() as url:
        report = examined(
            url,
            ("x", "y"),
            World(),
            tmp_path,
            seed=SEED,
            examples=5,
            thorough=True,
        )
    assert report.failures >= {
        "JsonSchemaError",
        "UndefinedStatusCode",
        "ServerError",
        "IgnoredAuth",
        "AcceptedNegativeData",
        "RejectedPositiveData",
        "ObjectLevelAuthorizationViolation",
    }, report.output
