"""`/v1/appointments/status`: the next step of many appointments at once."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Depends, Request
from fastapi.responses import Response
from pydantic import AfterValidator, ConfigDict, Field

from scheduling.application.commands.update_appointment_statuses import (
    Outcome,
    StatusChange,
)
from scheduling.application.ports.audit import Entity
from scheduling.application.ports.identity import Caller, Scope
from scheduling.application.ports.repositories import StoredAnswer
from scheduling.domain.appointment import Appointment
from scheduling.domain.identifiers import AppointmentId
from scheduling.domain.status import Status
from scheduling.entrypoints.http import documented
from scheduling.entrypoints.http.appointment_shapes import (
    AppointmentView,
    appointment_view,
)
from scheduling.entrypoints.http.caller import Requires
from scheduling.entrypoints.http.commanding import commanding
from scheduling.entrypoints.http.direct_route import room
from scheduling.entrypoints.http.problems import in_brief
from scheduling.entrypoints.http.refusals import RefusalAudit
from scheduling.entrypoints.http.shapes import Code, FreeText, Shape, Version, answer
from scheduling.entrypoints.http.use_cases import Commands

router = room("/appointments/status", "appointments")

MOST_AT_ONCE = 100


class StatusItemBody(Shape):
    """To cancel, `reasonCode` is one of those that `/cancel` takes."""

    id: UUID
    status: Status
    version: Version
    reason_code: Code | None = None
    comment: FreeText | None = None


def _each_once(items: tuple[StatusItemBody, ...]) -> tuple[StatusItemBody, ...]:
    if len({item.id for item in items}) < len(items):
        raise ValueError("must not name an appointment twice")
    return items


class BulkStatusBody(Shape):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "items": [
                        {
                            "id": "019a9d3e-0000-7000-8000-000000000601",
                            "status": "confirmed",
                            "version": 1,
                        },
                        {
                            "id": "019a9d3e-0000-7000-8000-000000000602",
                            "status": "cancelled",
                            "reasonCode": "weather",
                            "version": 3,
                        },
                    ]
                }
            ]
        }
    )

    items: Annotated[
        tuple[StatusItemBody, ...],
        Field(min_length=1, max_length=MOST_AT_ONCE),
        AfterValidator(_each_once),
    ]

    def to_changes(self) -> list[StatusChange]:
        return [
            StatusChange(
                id=AppointmentId(item.id),
                status=item.status,
                version=item.version,
                reason_code=item.reason_code,
                comment=item.comment,
            )
            for item in self.items
        ]


class ItemProblemView(Shape):
    """What the problem of a request for this one alone would say."""

    code: str
    detail: str


class StatusOutcomeView(Shape):
    """`status` is what a request for this one alone would be answered with."""

    id: UUID
    outcome: Literal["done", "refused"]
    status: Annotated[int, Field(ge=200, le=499)]
    appointment: AppointmentView | None
    problem: ItemProblemView | None


class BulkStatusView(Shape):
    """One outcome for each item, in their order."""

    items: list[StatusOutcomeView]


def _view(id: UUID, outcome: Outcome) -> dict[str, Any]:
    if isinstance(outcome, Appointment):
        return {
            "id": id,
            "outcome": "done",
            "status": 200,
            "appointment": appointment_view(outcome),
            "problem": None,
        }
    status, detail = in_brief(outcome)
    return {
        "id": id,
        "outcome": "refused",
        "status": status,
        "appointment": None,
        "problem": {"code": outcome.code, "detail": detail},
    }


@router.post("", **documented.command(BulkStatusView, status=200, tag=False))
async def update_appointment_statuses(
    wanted: BulkStatusBody,
    request: Request,
    caller: Annotated[Caller, Depends(Requires(Scope.BOOK))],
) -> Response:
    """Take the next step of many appointments, each for itself.

    What is refused of one is told with it and is no matter to the others. Steps that
    look for free time again are refused here: from `proposed` or a hold to `booked`,
    from `no-show` to `arrived`. `POST /v1/appointments/{id}/status` takes them.
    """
    ids = [item.id for item in wanted.items]
    outcomes: list[Outcome] = []

    async def run(do: Commands) -> Sequence[Outcome]:
        outcomes[:] = await do.update_appointment_statuses(caller, wanted.to_changes())
        return outcomes

    def told(outcomes: Sequence[Outcome]) -> StoredAnswer:
        pairs = zip(ids, outcomes, strict=True)
        return answer(200, {"items": [_view(id, one) for id, one in pairs]})

    response = await commanding(request, caller, run, told)
    await _note(request, zip(ids, outcomes, strict=False))
    return response


async def _note(request: Request, outcomes: Iterable[tuple[UUID, Outcome]]) -> None:
    """Take down what was refused, by its appointment. An answer that was given before
    has no outcomes: they were noted then.
    """
    audit: RefusalAudit = request.state.refusals
    await asyncio.gather(
        *(
            audit.note(request, refusal, about=Entity("appointment", id))
            for id, refusal in outcomes
            if not isinstance(refusal, Appointment)
        )
    )
