"""The types of the calendar's API client, generated from our OpenAPI document.

`python -m tests.browser.page_types` writes them; a test holds them to the document.
"""

import json
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from scheduling.entrypoints.calendar import PAGES
from scheduling.entrypoints.http.app import create_app
from tests.openapi.conftest import unwired

ROOT = Path(__file__).parents[2]
SOURCES = PAGES.parent
TYPES = SOURCES / "src" / "api" / "schema.d.ts"


def generated() -> str:
    """Return what openapi-typescript makes of the document as it is now."""
    with TemporaryDirectory() as folder:
        document, types = Path(folder) / "openapi.json", Path(folder) / "schema.d.ts"
        described = json.loads(json.dumps(create_app(unwired).openapi()))
        document.write_text(json.dumps(_slim(described)))
        subprocess.run(  # noqa: S603  # our own words
            [
                str(ROOT / ".ci" / "npm"),
                str(SOURCES.relative_to(ROOT)),
                "exec",
                "--",
                "openapi-typescript",
                str(document),
                "--output",
                str(types),
            ],
            check=True,
            capture_output=True,
        )
        return types.read_text()


def _slim(document: dict[str, Any]) -> dict[str, Any]:
    """Leave out what the client has no use for: four fifths of the types."""
    slim: dict[str, Any] = _without(document, {"example", "examples", "links"})
    for operations in slim["paths"].values():
        for operation in operations.values():
            operation["responses"] = {
                status: _without(response, {"headers"})
                for status, response in operation["responses"].items()
                # What is refused is thrown, and read as a problem.
                if status.startswith("2")
            }
    return slim


def _without(node: Any, names: set[str]) -> Any:  # noqa: ANN401
    if isinstance(node, dict):
        return {k: _without(v, names) for k, v in node.items() if k not in names}
    if isinstance(node, list):
        return [_without(one, names) for one in node]
    return node


if __name__ == "__main__":
    TYPES.write_text(generated())
