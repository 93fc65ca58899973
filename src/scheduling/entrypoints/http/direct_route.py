"""Routes that read what our handlers take, and nothing else.

FastAPI's own handler opens three exit stacks, walks a tree of dependencies, parses the
content type as if it were an e-mail's, and the body first as JSON and then as a model:
about a third of the processor time of a booking. All our handlers take is a path id, a
body or one model of query parameters, the request and its caller. `DirectRoute`
overrides the hook that FastAPI has for such a case; the document, the status codes and
the problems stay FastAPI's.

Who asks is settled before what is asked: a body is not looked at without a good token.
A parameter that is given twice is refused unless it may be: nobody knows which of the
two is meant. A handler that takes anything else gets FastAPI's own way.
"""

import inspect
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, get_args, get_origin
from uuid import UUID

from fastapi import APIRouter, Request, params
from fastapi.exceptions import RequestValidationError
from fastapi.params import Depends
from fastapi.responses import Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from scheduling.domain.errors import InvalidInput
from scheduling.entrypoints.http.caller import Requires
from scheduling.entrypoints.http.openapi import operation_id

_A_UUID: TypeAdapter[UUID] = TypeAdapter(UUID)
_MISSING = {"type": "missing", "loc": ("body",), "msg": "Field required"}
_NOT_JSON = {"type": "json_invalid", "loc": ("body",), "msg": "The body is not JSON."}


def room(path: str, tag: str) -> APIRouter:
    """Return the router of a resource below `/v1`."""
    return APIRouter(
        prefix=f"/v1{path}",
        tags=[tag],
        route_class=DirectRoute,
        generate_unique_id_function=operation_id,
    )


class DirectRoute(APIRoute):
    def __init__(self, path: str, endpoint: Callable[..., Any], **more: Any) -> None:  # noqa: ANN401
        super().__init__(path, endpoint, **more)
        takes = _takes(endpoint)
        self.is_direct = takes is not None
        if takes is not None:
            self.app = _direct(endpoint, takes)


def keep_fixed_words(routes: Sequence[BaseRoute]) -> None:
    """Have `/{id}` leave alone what another route calls by its name.

    Else a GET of `/schedules/preview`, which takes POST only, would be asked for the
    schedule `preview`, and be told that this is no id.
    """
    paths = [route for route in routes if isinstance(route, Route)]
    fixed = [route.path for route in paths if "{" not in route.path]
    for route in paths:
        words = [word for word in fixed if route.path_regex.fullmatch(word)]
        if words and "{" in route.path:
            others = "|".join(map(re.escape, words))
            pattern = route.path_regex.pattern.removeprefix("^")
            route.path_regex = re.compile(f"^(?!(?:{others})$){pattern}")


@dataclass(frozen=True, slots=True)
class _Takes:
    """The names of a handler's parameters, by what they are."""

    ids: tuple[str, ...]
    request: str | None
    caller: tuple[str, Requires] | None
    body: tuple[str, type[BaseModel]] | None
    query: tuple[str, type[BaseModel]] | None


def _takes(endpoint: Callable[..., Any]) -> _Takes | None:
    ids: list[str] = []
    request = caller = body = query = None
    for name, parameter in inspect.signature(endpoint).parameters.items():
        kind: Any = parameter.annotation
        if kind is Request:
            request = name
        elif kind is UUID:
            ids.append(name)
        elif (needed := _requires(kind)) is not None:
            caller = (name, needed)
        elif (asked := _query_model(kind)) is not None:
            query = (name, asked)
        elif isinstance(kind, type) and issubclass(kind, BaseModel):
            body = (name, kind)
        else:
            return None
    return _Takes(tuple(ids), request, caller, body, query)


def _requires(kind: Any) -> Requires | None:  # noqa: ANN401
    if get_origin(kind) is not Annotated:
        return None
    marks = get_args(kind)[1:]
    found = (m.dependency for m in marks if isinstance(m, Depends))
    return next((d for d in found if isinstance(d, Requires)), None)


def _query_model(kind: Any) -> type[BaseModel] | None:  # noqa: ANN401
    """Return the model of `Annotated[Model, Query()]`."""
    if get_origin(kind) is not Annotated:
        return None
    model, *marks = get_args(kind)
    if any(isinstance(mark, params.Query) for mark in marks) and isinstance(
        model, type
    ):
        return model if issubclass(model, BaseModel) else None
    return None


def _direct(endpoint: Callable[..., Awaitable[Response]], takes: _Takes) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        values: dict[str, Any] = {}
        if takes.caller is not None:
            name, requires = takes.caller
            values[name] = await requires(request)
        for name in takes.ids:
            values[name] = _path_id(name, request.path_params)
        if takes.request is not None:
            values[takes.request] = request
        if takes.body is not None:
            name, model = takes.body
            values[name] = request.state.body = await _body(request, model)
        if takes.query is not None:
            name, model = takes.query
            values[name] = _query(request, model)
        response = await endpoint(**values)
        await response(scope, receive, send)

    return app


def _path_id(name: str, given: Mapping[str, Any]) -> UUID:
    try:
        return _A_UUID.validate_python(given[name])
    except ValidationError as invalid:
        raise _told(invalid, "path", name) from invalid


async def _body(request: Request, model: type[BaseModel]) -> BaseModel:
    given = await request.body()
    if not given:
        raise RequestValidationError([_MISSING])
    content_type = request.headers.get("content-type", "")
    if content_type != "application/json" and not _is_json(content_type):
        raise RequestValidationError([_NOT_JSON])
    try:
        return model.model_validate_json(given)
    except ValidationError as invalid:
        raise _told(invalid, "body") from invalid


def _query(request: Request, model: type[BaseModel]) -> BaseModel:
    known, repeatable = _known(model), _repeatable(model)
    given: dict[str, Any] = {}
    for name, value in request.query_params.multi_items():
        if name in repeatable:
            given.setdefault(name, []).append(value)
        elif name in given and name in known:
            raise InvalidInput("must be given once", name)
        else:
            given[name] = value
    try:
        return model.model_validate(given)
    except ValidationError as invalid:
        raise _told(invalid, "query") from invalid


@cache
def _known(model: type[BaseModel]) -> Mapping[str, FieldInfo]:
    """The parameters by their names on the wire."""
    fields = model.model_fields.items()
    return {field.alias or name: field for name, field in fields}


@cache
def _repeatable(model: type[BaseModel]) -> frozenset[str]:
    return frozenset(
        name
        for name, field in _known(model).items()
        if get_origin(field.annotation) in {tuple, list}
    )


def _is_json(content_type: str) -> bool:
    """RFC 8259 and RFC 6839: `application/json`, or a type that ends in `+json`."""
    sort = content_type.partition(";")[0].strip().lower()
    return sort == "application/json" or (
        sort.startswith("application/") and sort.endswith("+json")
    )


def _told(invalid: ValidationError, *where: str) -> RequestValidationError:
    found = invalid.errors(include_url=False, include_input=False)
    return RequestValidationError(
        [{**error, "loc": (*where, *error["loc"])} for error in found]
    )
