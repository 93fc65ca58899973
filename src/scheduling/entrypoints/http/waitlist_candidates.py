"""`/v1/slots/{id}/waitlist-candidates`: who waits for it, and could be asked."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request
from fastapi.responses import Response

from scheduling.application.ports.identity import Caller, Scope
from scheduling.domain import errors
from scheduling.domain.identifiers import SlotId
from scheduling.entrypoints.http import documented
from scheduling.entrypoints.http.caller import Requires
from scheduling.entrypoints.http.direct_route import room
from scheduling.entrypoints.http.shapes import dumped
from scheduling.entrypoints.http.use_cases import Queries
from scheduling.entrypoints.http.waitlist_shapes import CandidatesView, candidate_view

router = room("/slots", "waitlist")


@router.get(
    "/{id}/waitlist-candidates",
    **documented.reading(CandidatesView, errors.SlotNotFound, tag=False),
)
async def find_waitlist_candidates(
    id: UUID,
    request: Request,
    caller: Annotated[Caller, Depends(Requires(Scope.READ))],
) -> Response:
    """Who waits for a slot that is free: up to 20, as they would be told of freed time;
    nobody where it cannot be booked. Staff see this.
    """
    queries: Queries = request.state.queries
    found = await queries.find_waitlist_candidates(caller, SlotId(id))
    page = {"items": [candidate_view(one, caller) for one in found]}
    return Response(dumped(page), media_type="application/json")
