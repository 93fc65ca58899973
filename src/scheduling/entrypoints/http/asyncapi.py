"""`/asyncapi.json`: what we tell and what we listen to on NATS. Needs no token, like
`/openapi.json`, and stands beside what that describes.
"""

from collections.abc import Callable
from typing import TypeAlias

from fastapi import APIRouter, Request
from fastapi.responses import Response

router = APIRouter(include_in_schema=False)

EventsDocument: TypeAlias = Callable[[], bytes]
"""Return the AsyncAPI document as JSON; made when it is first asked for."""


@router.get("/asyncapi.json")
async def asyncapi_document(request: Request) -> Response:
    document: EventsDocument = request.state.events_document
    return Response(document(), media_type="application/json")
