"""`/v1/patients`: as much of them as booking needs."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Request
from fastapi.responses import Response
from pydantic import ConfigDict, Field

from scheduling.application.ports.identity import Caller, Scope
from scheduling.application.ports.repositories import StoredAnswer
from scheduling.domain import errors
from scheduling.domain.directory import ContactPreferences, Patient
from scheduling.domain.identifiers import PatientId
from scheduling.entrypoints.http import documented
from scheduling.entrypoints.http.caller import Requires
from scheduling.entrypoints.http.commanding import (
    asking_of_patients,
    commanding,
    expected_version,
)
from scheduling.entrypoints.http.direct_route import room
from scheduling.entrypoints.http.found import found
from scheduling.entrypoints.http.paging import LARGEST_PAGE
from scheduling.entrypoints.http.shapes import (
    Flag,
    Instant,
    Line,
    Shape,
    Whole,
    answer_put,
    dumped,
)
from scheduling.entrypoints.http.use_cases import Queries

router = room("/patients", "directory")

Phone = Annotated[str, Field(max_length=40, pattern=r"^\+?[0-9(][0-9 ()./-]*$")]
Email = Annotated[
    str, Field(max_length=254, pattern=r"^[^@\x00-\x20]+@[^@\x00-\x20]+$")
]

Language = Annotated[
    str,
    Field(max_length=35, pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$"),
]
"""A BCP 47 tag."""


class Preferences(Shape):
    """Which ways of being reminded the patient agreed to."""

    whatsapp: Flag = False
    sms: Flag = False
    email: Flag = False


class PatientBody(Shape):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "Maria Silva",
                    "fileNumber": "2026-000123",
                    "phone": "+55 27 99999-0000",
                    "email": "maria@example.org",
                    "preferences": {"whatsapp": True},
                    "language": "en",
                }
            ]
        }
    )

    name: Line
    active: Flag = True
    file_number: Line | None = None
    phone: Phone | None = None
    email: Email | None = None
    preferences: Preferences = Preferences()
    language: Annotated[
        Language | None,
        Field(description="Of reminders; English where we do not speak it"),
    ] = None

    def to_patient(self, id: UUID) -> Patient:
        return Patient(
            id=PatientId(id),
            name=self.name,
            active=self.active,
            file_number=self.file_number,
            phone=self.phone,
            email=self.email,
            preferences=ContactPreferences(
                whatsapp=self.preferences.whatsapp,
                sms=self.preferences.sms,
                email=self.preferences.email,
            ),
            language=self.language,
        )


class PatientView(Shape):
    id: UUID
    name: str
    active: bool
    file_number: str | None
    phone: str | None
    email: str | None
    preferences: Preferences
    language: str | None
    created_at: Instant
    updated_at: Instant
    version: int


class PatientSearchBody(Shape):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"query": "mar silva", "limit": 20}]}
    )

    query: Annotated[
        Line,
        Field(
            description="Beginnings of words of the name, in any order; the file "
            "number, the phone, the mail. Case and accents do not count, nor do more "
            "than the eight longest words"
        ),
    ]
    limit: Annotated[Whole, Field(ge=1, le=LARGEST_PAGE)] = 20


class PatientFoundView(Shape):
    id: UUID
    name: str
    file_number: str | None
    phone: str | None
    email: str | None
    active: bool
    version: int


class PatientsFoundView(Shape):
    """Those who are called just what was asked for before who is called something
    longer.
    """

    items: list[PatientFoundView]


def _found(one: Patient) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.name,
        "fileNumber": one.file_number,
        "phone": one.phone,
        "email": one.email,
        "active": one.active,
        "version": one.version,
    }


def _view(one: Patient) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.name,
        "active": one.active,
        "fileNumber": one.file_number,
        "phone": one.phone,
        "email": one.email,
        "preferences": {
            "whatsapp": one.preferences.whatsapp,
            "sms": one.preferences.sms,
            "email": one.preferences.email,
        },
        "language": one.language,
        "createdAt": one.created_at,
        "updatedAt": one.updated_at,
        "version": one.version,
    }


def _put(one: Patient) -> StoredAnswer:
    return answer_put(
        _view(one), one.version, f"/v1/patients/{one.id}", is_new=one.is_new
    )


@router.put(
    "/{id}",
    **documented.put(PatientView),
)
async def put_patient(
    id: UUID,
    wanted: PatientBody,
    request: Request,
    caller: Annotated[Caller, Depends(Requires(Scope.MANAGE))],
) -> Response:
    """Make a patient, or replace one whole; the same again changes nothing."""
    return await commanding(
        request,
        caller,
        lambda do: do.put_patient(
            caller, wanted.to_patient(id), expected=expected_version(request)
        ),
        _put,
    )


@router.post("/search", **documented.computing(PatientsFoundView, "Who is found"))
async def search_patients(
    wanted: PatientSearchBody,
    request: Request,
    caller: Annotated[Caller, Depends(Requires(Scope.READ))],
) -> Response:
    """Patients by name, file number, phone or mail; also those who are inactive.

    For staff; who was found is recorded. It changes nothing, and is a POST so that no
    name stands in an address, which others log.
    """
    queries: Queries = request.state.queries
    patients = await queries.search_patients(caller, wanted.query, limit=wanted.limit)
    page = {"items": [_found(one) for one in patients]}
    return Response(dumped(page), media_type="application/json")


@router.get("/{id}", **documented.reading(PatientView, errors.PatientNotFound))
async def get_patient(
    id: UUID,
    request: Request,
    caller: Annotated[Caller, Depends(Requires(Scope.READ))],
) -> Response:
    """One patient. A patient's own token sees that patient only."""
    one = await asking_of_patients(
        request, caller, lambda of: of.get_patient(caller, PatientId(id))
    )
    return found(request, _view(one), one.version)
