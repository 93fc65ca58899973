"""`/v1/waitlist`: patients who wait for time that is not to be had yet."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request
from fastapi.responses import Response
from pydantic import AfterValidator, ConfigDict, Field

from scheduling.application.ports.identity import Caller, Scope
from scheduling.application.ports.repositories import StoredAnswer
from scheduling.application.ports.waitlist import WaitlistFilter
from scheduling.domain import errors
from scheduling.domain.booking_request import BookingRequest
from scheduling.domain.identifiers import (
    LocationId,
    PatientId,
    PractitionerId,
    WaitlistEntryId,
)
from scheduling.domain.waitlist import (
    LONGEST_WISH,
    WaitlistEntry,
    WaitlistStatus,
    Wish,
)
from scheduling.entrypoints.http import documented
from scheduling.entrypoints.http.booking_time import BookingTime
from scheduling.entrypoints.http.caller import Requires
from scheduling.entrypoints.http.commanding import commanding, expected_version
from scheduling.entrypoints.http.direct_route import room
from scheduling.entrypoints.http.found import found
from scheduling.entrypoints.http.paging import (
    LARGEST_PAGE,
    Cursor,
    Limit,
    cursor_at,
    position_of,
)
from scheduling.entrypoints.http.shapes import (
    FreeText,
    Instant,
    Line,
    Shape,
    Version,
    Whole,
    answer,
    dumped,
)
from scheduling.entrypoints.http.use_cases import Queries
from scheduling.entrypoints.http.waitlist_shapes import (
    FulfilmentView,
    WaitlistEntryEffectView,
    WaitlistEntryView,
    entry_view,
    fulfilled,
    named_view,
)

router = room("/waitlist", "waitlist")


def _each_once(ids: tuple[UUID, ...]) -> tuple[UUID, ...]:
    if len(set(ids)) < len(ids):
        raise ValueError("must not name the same twice")
    return ids


_Ids = Annotated[
    tuple[UUID, ...],
    Field(
        max_length=50,
        json_schema_extra={"uniqueItems": True},
        description="None: any",
    ),
    AfterValidator(_each_once),
]


class WishBody(Shape):
    """Time wholly between `earliest` and `latest`."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "patientId": "019a9d3e-0000-7000-8000-000000000401",
                    "practitionerIds": ["019a9d3e-0000-7000-8000-000000000101"],
                    "serviceType": "consultation",
                    "earliest": "2030-01-07T00:00:00-03:00",
                    "latest": "2030-01-14T00:00:00-03:00",
                }
            ]
        }
    )

    patient_id: UUID
    practitioner_ids: _Ids = ()
    location_ids: _Ids = ()
    service_type: Annotated[Line, Field(max_length=100)] | None = None
    earliest: Instant
    latest: Annotated[
        Instant,
        Field(
            description=f"Ahead, and {LONGEST_WISH.days} days after `earliest` at most"
        ),
    ]
    priority: Annotated[
        Whole,
        Field(ge=-1000, le=1000, description="Higher comes first; staff decide it"),
    ] = 0

    def to_wish(self) -> Wish:
        return Wish(
            patient_id=PatientId(self.patient_id),
            practitioner_ids=tuple(map(PractitionerId, self.practitioner_ids)),
            location_ids=tuple(map(LocationId, self.location_ids)),
            service_type=self.service_type,
            earliest=self.earliest,
            latest=self.latest,
            priority=self.priority,
        )


class FulfilmentBody(BookingTime):
    """What is booked for the patient, by `slotId` or by a start; it need not be what
    was wished for. `version` is the entry's.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "slotId": "019a9d3e-0000-7000-8000-000000000501",
                    "appointmentType": "consultation",
                    "version": 1,
                }
            ]
        }
    )

    appointment_type: Line
    reason: FreeText | None = None
    notes: FreeText | None = None
    version: Version | None = None

    def to_request(self) -> BookingRequest:
        return BookingRequest(
            patient_id=PatientId(UUID(int=0)),  # the entry says whose it is
            when=self.when(),
            appointment_type=self.appointment_type,
            reason=self.reason,
            notes=self.notes,
        )


class WaitlistQuery(Shape):
    status: WaitlistStatus | None = None
    patient_id: UUID | None = None
    limit: Limit = LARGEST_PAGE
    cursor: Cursor = None

    def to_filter(self) -> WaitlistFilter:
        after = None if self.cursor is None else position_of(self.cursor)
        return WaitlistFilter(
            status=self.status,
            patient_id=None if self.patient_id is None else PatientId(self.patient_id),
            after=None if after is None else (after[0], WaitlistEntryId(after[1])),
            limit=self.limit,
        )


class WaitlistView(Shape):
    """The oldest first; whom freed time is offered to goes by priority, too."""

    items: list[WaitlistEntryView]
    next_cursor: str | None


def _added(one: WaitlistEntry) -> StoredAnswer:
    return answer(
        201, entry_view(one), version=one.version, Location=f"/v1/waitlist/{one.id}"
    )


def _removed(one: WaitlistEntry) -> StoredAnswer:
    return answer(200, entry_view(one), version=one.version)


@router.post(
    "",
    **documented.command(
        WaitlistEntryEffectView,
        errors.PatientNotFound,
        errors.PractitionerNotFound,
        errors.LocationNotFound,
        status=201,
    ),
)
async def add_to_waitlist(
    wanted: WishBody,
    request: Request,
    caller: Annotated[Caller, Depends(Requires(Scope.BOOK))],
) -> Response:
    """Take down what time a patient waits for."""
    return await commanding(
        request,
        caller,
        lambda do: do.add_to_waitlist(caller, wanted.to_wish()),
        _added,
    )


@router.get("", **documented.reading(WaitlistView, errors.PatientNotFound, tag=False))
async def get_waitlist(
    wanted: Annotated[WaitlistQuery, Query()],
    request: Request,
    caller: Annotated[Caller, Depends(Requires(Scope.READ))],
) -> Response:
    """Who waits, or waited. A patient's own token sees its own entries."""
    queries: Queries = request.state.queries
    waitlist = await queries.get_waitlist(caller, wanted.to_filter())
    last = waitlist.items[-1].entry if waitlist.more else None
    page = {
        "items": [named_view(one, caller) for one in waitlist.items],
        "nextCursor": None if last is None else cursor_at(last.created_at, last.id),
    }
    return Response(dumped(page), media_type="application/json")


@router.get(
    "/{id}", **documented.reading(WaitlistEntryView, errors.WaitlistEntryNotFound)
)
async def get_waitlist_entry(
    id: UUID,
    request: Request,
    caller: Annotated[Caller, Depends(Requires(Scope.READ))],
) -> Response:
    """One entry, with what became of it."""
    queries: Queries = request.state.queries
    one = await queries.get_waitlist_entry(caller, WaitlistEntryId(id))
    return found(request, named_view(one, caller), one.entry.version)


@router.post(
    "/{id}/fulfil",
    **documented.command(
        FulfilmentView,
        errors.WaitlistEntryNotFound,
        errors.InvalidStatusTransition,
        errors.OptimisticLockConflict,
        errors.PreconditionFailed,
        errors.PreconditionRequired,
        errors.PatientNotFound,
        errors.PractitionerNotFound,
        errors.LocationNotFound,
        errors.SlotNotFound,
        errors.PractitionerNotAvailable,
        errors.PractitionerNotAssigned,
        errors.OutsideSchedule,
        errors.OutsideBookingWindow,
        errors.SlotNotAvailable,
        errors.DoubleBookingDetected,
        errors.BufferTimeConflict,
        errors.BookingLimitReached,
        status=201,
        if_match=True,
    ),
)
async def fulfill_waitlist_entry(
    id: UUID,
    wanted: FulfilmentBody,
    request: Request,
    caller: Annotated[Caller, Depends(Requires(Scope.BOOK))],
) -> Response:
    """Book for a patient who waits, and end the waiting with it. Staff do this."""
    return await commanding(
        request,
        caller,
        lambda do: do.fulfill_waitlist_entry(
            caller,
            WaitlistEntryId(id),
            wanted.to_request(),
            expected=expected_version(request, wanted.version),
        ),
        fulfilled,
    )


@router.delete(
    "/{id}",
    **documented.command(
        WaitlistEntryEffectView,
        errors.WaitlistEntryNotFound,
        errors.InvalidStatusTransition,
        errors.OptimisticLockConflict,
        errors.PreconditionFailed,
        errors.PreconditionRequired,
        status=200,
        if_match=True,
    ),
)
async def remove_from_waitlist(
    id: UUID,
    request: Request,
    caller: Annotated[Caller, Depends(Requires(Scope.BOOK))],
) -> Response:
    """Let a patient wait no longer. The entry stays, as removed."""
    return await commanding(
        request,
        caller,
        lambda do: do.remove_from_waitlist(
            caller, WaitlistEntryId(id), expected=expected_version(request)
        ),
        _removed,
    )
