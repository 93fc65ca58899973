"""`/openapi.json`, and `/docs`: the same for people, without a script from anywhere."""

from collections.abc import Iterator, Mapping
from functools import cache
from html import escape
from typing import Any

import orjson
from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import Response
from fastapi.routing import APIRoute
from pydantic.alias_generators import to_camel

from scheduling.entrypoints.http.documented import PROBLEM_SCHEMA
from scheduling.entrypoints.http.examples import add_examples
from scheduling.entrypoints.http.links import add_links
from scheduling.entrypoints.http.parameters import describe_parameters

TITLE = "Scheduling"
VERSION = "1"
_ABOUT = """Healthcare appointment scheduling.

Instants are RFC 3339 with an offset; periods are half-open. Send an Idempotency-Key
with every command, and repeat the command as it was until it is answered. A change to
an existing thing names the version it was decided on. Refusals are problem details
(RFC 9457) with a stable `code`."""

_TAGS = {
    "availability": "What can be booked at this moment.",
    "appointments": "Book, read, cancel.",
    "calendar": "The staff's view: who is with whom, and what is free.",
    "statistics": "What became of a period's appointments, in figures.",
    "slots": "Stretches of time that can be booked.",
    "schedules": "Bookable calendars.",
    "waitlist": "Patients who wait for time that is not to be had yet.",
    "directory": "Practitioners, locations, patients, who works where; settings.",
    "events": "The tenant's changes as they happen.",
    "operations": "For those who run it.",
}

router = APIRouter(include_in_schema=False)


def operation_id(route: APIRoute) -> str:
    """Generated clients name their methods after these: they never change."""
    return to_camel(route.name)


def describe(app: FastAPI) -> None:
    """Have the application describe itself by our document, made once."""

    @cache
    def document() -> dict[str, Any]:
        made = get_openapi(
            title=TITLE,
            version=VERSION,
            openapi_version="3.1.0",
            description=_ABOUT,
            license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
            tags=[{"name": n, "description": d} for n, d in _TAGS.items()],
            servers=[{"url": "/"}],
            routes=app.routes,
        )
        schemas = made["components"]["schemas"]
        schemas["Problem"] = PROBLEM_SCHEMA
        _drop_titles_of_fields(schemas)
        _call_limits_as_json_schema_does(made)
        describe_parameters(made)
        add_examples(made)
        add_links(made)
        return made

    app.openapi = document  # type: ignore[method-assign]  # FastAPI's way to say so


def _drop_titles_of_fields(schemas: dict[str, Any]) -> None:
    """`Allowdoublebooking` says nothing that `allowDoubleBooking` does not."""
    for schema in schemas.values():
        for field in schema.get("properties", {}).values():
            field.pop("title", None)


def _call_limits_as_json_schema_does(node: Any) -> None:  # noqa: ANN401
    """Pydantic writes `ge` for `minimum` where a validator stands before the limits."""
    if isinstance(node, dict):
        for ours, theirs in (("ge", "minimum"), ("le", "maximum")):
            if node.get("type") == "integer" and ours in node:
                node[theirs] = node.pop(ours)
        for one in node.values():
            _call_limits_as_json_schema_does(one)
    elif isinstance(node, list):
        for one in node:
            _call_limits_as_json_schema_does(one)


@router.get("/openapi.json")
async def openapi_document(request: Request) -> Response:
    app: FastAPI = request.app
    return Response(orjson.dumps(app.openapi()), media_type="application/json")


@router.get("/docs")
async def docs(request: Request) -> Response:
    """The document as one page of HTML: nothing is loaded, nothing is run."""
    return Response(
        _page(request.app.openapi()),
        media_type="text/html",
        headers={
            "Content-Security-Policy": "default-src 'none'; "
            "style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
            "frame-ancestors 'none'"
        },
    )


Node = Mapping[str, Any]

_STYLE = """
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto;
  padding: 0 1rem }
summary { cursor: pointer; padding: .4rem 0 }
summary code { font-weight: 600 }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .2rem .8rem .2rem 0;
  border-bottom: 1px solid #8884 }
pre { overflow: auto; padding: .8rem; background: #8882 }
section > div { margin-left: 1rem }
"""


def _page(document: Node) -> str:
    about = "".join(
        f"<p>{escape(part)}</p>"
        for part in document["info"]["description"].split("\n\n")
    )
    body = "".join(
        _section(tag, document)
        for tag in document["tags"]
        if tag["name"] in _used(document)
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(TITLE)}</title><style>{_STYLE}</style></head><body>"
        f"<h1>{escape(TITLE)}</h1>{about}"
        '<p>The same for programs: <a href="/openapi.json">/openapi.json</a>.</p>'
        f"<main>{body}<h2>Shapes</h2>{_shapes(document)}</main></body></html>"
    )


def _operations(document: Node) -> Iterator[tuple[str, str, Node]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method.upper(), operation


def _used(document: Node) -> set[str]:
    return {o["tags"][0] for _, _, o in _operations(document)}


def _section(tag: Node, document: Node) -> str:
    operations = "".join(
        _operation(path, method, operation)
        for path, method, operation in _operations(document)
        if operation["tags"][0] == tag["name"]
    )
    return (
        f"<section><h2>{escape(tag['name'].capitalize())}</h2>"
        f"<p>{escape(tag['description'])}</p>{operations}</section>"
    )


def _operation(path: str, method: str, operation: Node) -> str:
    told = [f"<p>{escape(operation.get('description', ''))}</p>"]
    parameters = operation.get("parameters", [])
    if parameters:
        told.append(
            _table(
                ("Parameter", "In", "What"),
                (
                    (
                        _code(p["name"]) + (" (required)" if p.get("required") else ""),
                        escape(p["in"]),
                        _type(p["schema"]) + " " + escape(p.get("description", "")),
                    )
                    for p in parameters
                ),
            )
        )
    if "requestBody" in operation:
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        told.append(f"<p>Body: {_type(schema)}</p>")
    told.append(
        _table(
            ("Status", "What", "Answer"),
            (
                (_code(status), escape(response["description"]), _content(response))
                for status, response in sorted(operation["responses"].items())
            ),
        )
    )
    return (
        f'<details id="{escape(operation["operationId"])}"><summary>'
        f"<code>{method} {escape(path)}</code> {escape(operation['summary'])}</summary>"
        f"<div>{''.join(told)}</div></details>"
    )


def _content(response: Node) -> str:
    told = []
    for content in response.get("content", {}).values():
        codes = content.get("examples")
        told.append(
            ", ".join(map(_code, codes)) if codes else _type(content.get("schema", {}))
        )
    return ", ".join(told)


def _shapes(document: Node) -> str:
    return "".join(
        f'<details id="{escape(name)}"><summary><code>{escape(name)}</code></summary>'
        f"<div><p>{escape(schema.get('description', ''))}</p>{_fields(schema)}"
        f"{_examples(schema)}</div></details>"
        for name, schema in sorted(document["components"]["schemas"].items())
    )


def _fields(schema: Node) -> str:
    required = schema.get("required", [])
    return _table(
        ("Field", "What"),
        (
            (
                _code(name) + (" (required)" if name in required else ""),
                _type(field) + " " + escape(field.get("description", "")),
            )
            for name, field in schema.get("properties", {}).items()
        ),
    )


def _examples(schema: Node) -> str:
    return "".join(
        f"<pre>{escape(orjson.dumps(e, option=orjson.OPT_INDENT_2).decode())}</pre>"
        for e in schema.get("examples", [])
    )


def _type(schema: Node) -> str:
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(_type(one) for one in schema["anyOf"])
    if "enum" in schema:
        return " or ".join(_code(str(one)) for one in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    told = str(schema.get("format") or schema.get("const") or schema.get("type", ""))
    limits = [
        f"{words} {schema[key]}"
        for key, words in (
            ("minimum", "from"),
            ("maximum", "to"),
            ("maxLength", "length to"),
        )
        if key in schema
    ]
    return escape(" ".join([told, *limits]))


def _code(text: str) -> str:
    return f"<code>{escape(text)}</code>"


def _table(head: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    cells = "".join(
        f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows
    )
    titles = "".join(f"<th>{title}</th>" for title in head)
    return f"<table><tr>{titles}</tr>{cells}</table>" if cells else ""
