"""What can be done next with what was answered, as OpenAPI links: readers, generated
clients and tests learn from them which id goes where.
"""

from collections.abc import Iterator
from typing import Any

from scheduling.entrypoints.http.examples import Node, operations

_BODY = "$response.body#/"


def add_links(document: Node) -> None:
    """Link every answer with a thing to the operations that take its id, or one of
    those it names; those that take a version are given it.
    """
    homes = dict(_homes(document))
    named = {_id_field(path): path for path in homes.values()}
    for _, operation in operations(document):
        for status, response in operation["responses"].items():
            view = _view(response)
            if not status.startswith("2") or view is None:
                continue
            links: Node = {}
            fields = document["components"]["schemas"][view].get("properties", {})
            # What was done to a thing is told with the thing itself.
            home = homes.get(view) or homes.get(view.replace("Effect", ""))
            if home and "id" in fields:
                links = _links(document, home, "id", versioned=True)
                links.pop(operation["operationId"], None)
            for field in fields:
                if field in named and named[field] != home:
                    links |= _links(document, named[field], field, versioned=False)
            if links:
                response["links"] = links


def _homes(document: Node) -> Iterator[tuple[str, str]]:
    """Yield each kind of view with the path below which such a thing is found."""
    for path, methods in document["paths"].items():
        if path.endswith("/{id}") and "get" in methods:
            view = _view(methods["get"]["responses"]["200"])
            if view is not None:
                yield view, path


def _view(response: Node) -> str | None:
    content = response.get("content", {}).get("application/json", {})
    name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
    return name or None


def _id_field(path: str) -> str:
    """`/v1/practitioner-roles/{id}` is where a `practitionerRoleId` leads."""
    segment = path.removesuffix("/{id}").rpartition("/")[2]
    first, *others = segment.removesuffix("s").split("-")
    return first + "".join(word.title() for word in others) + "Id"


def _links(document: Node, home: str, field: str, *, versioned: bool) -> Node:
    """`versioned`: what was answered carries the version of the thing itself."""
    links = {}
    for path, methods in document["paths"].items():
        below = path == home or (
            path.startswith(home + "/") and "{" not in path[len(home) :]
        )
        for method, operation in methods.items() if below else ():
            if not versioned and method != "get":
                continue
            parameters: dict[str, Any] = {"path.id": _BODY + field}
            if versioned and any(
                p["name"] == "If-Match" for p in operation.get("parameters", [])
            ):
                parameters["header.If-Match"] = "$response.header.ETag"
            links[operation["operationId"]] = {
                "operationId": operation["operationId"],
                "parameters": parameters,
                "description": operation["summary"],
            }
    return links
