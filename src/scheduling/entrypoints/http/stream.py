"""`/v1/events/stream`: the tenant's changes, as they are published."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request
from fastapi.responses import Response
from pydantic import Field

from scheduling.application.ports.event_feed import EventFilter, Position
from scheduling.application.ports.identity import Caller, Scope
from scheduling.domain.errors import InvalidInput
from scheduling.entrypoints.http import documented
from scheduling.entrypoints.http.caller import Requires
from scheduling.entrypoints.http.direct_route import room
from scheduling.entrypoints.http.event_stream import (
    MEDIA_TYPE,
    EventStream,
    OpenStreams,
)
from scheduling.entrypoints.http.shapes import Shape
from scheduling.entrypoints.http.use_cases import Queries

router = room("/events", "events")

Ids = Annotated[tuple[UUID, ...], Field(max_length=50)]

EXAMPLE = """\
retry: 2000
id: 6479c1e2a9f40-1234

id: 6479c1e2a9f40-1240
event: appointment.cancelled
data: {"specversion":"1.0","id":"01a1f7a8-acbf-719e-998b-b1d819c0858a","source":\
"/scheduling","type":"appointment.cancelled","subject":\
"01a1f7a8-ac38-7f8c-b9ee-53b7fa2244c3","aggregateversion":2,"data":{}}

:
id: 6479c1e2a9f40-1240

"""


class StreamQuery(Shape):
    location_id: Annotated[
        Ids, Field(description="Only what happens at one of these; may be repeated")
    ] = ()
    practitioner_id: Annotated[
        Ids, Field(description="Only what happens to one of these; may be repeated")
    ] = ()

    def to_filter(self) -> EventFilter:
        return EventFilter(frozenset(self.location_id), frozenset(self.practitioner_id))


@router.get("/stream", **documented.stream(EXAMPLE))
async def follow_events(
    wanted: Annotated[StreamQuery, Query()],
    request: Request,
    caller: Annotated[Caller, Depends(Requires(Scope.READ))],
) -> Response:
    """The tenant's changes as server-sent events, from now on or from where the client
    was: `id` is a position, `event` the type, `data` the CloudEvent.

    A block without `data` is a sign of life. `event: reset` says that not all that was
    missed is still there: load anew what you show. The stream ends now and then; come
    back with the last `id` as Last-Event-ID, as EventSource does by itself.
    """
    queries: Queries = request.state.queries
    streams: OpenStreams = request.state.streams
    followed = queries.follow_events(
        caller, wanted.to_filter(), after=_last_event_id(request)
    )
    if getattr(request.state, "is_head", False):
        # An answer without a body is over at once.
        return Response(media_type=MEDIA_TYPE)
    return EventStream(followed, streams)


def _last_event_id(request: Request) -> Position | None:
    given = request.headers.get("last-event-id")
    if not given:
        return None
    try:
        return Position.read(given)
    except ValueError as error:
        raise InvalidInput("is none that we gave", "Last-Event-ID") from error
