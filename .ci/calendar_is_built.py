"""A wheel without the staff calendar is not built: nobody would notice until they look.

Hatchling calls this. Where the project is installed to be worked on (`editable`), the
calendar is built after it.
"""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

INDEX = "src/scheduling/entrypoints/calendar/dist/index.html"


class CalendarIsBuilt(BuildHookInterface):  # type: ignore[type-arg]  # of no use here
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002  # its shape
        if version == "standard" and not Path(self.root, INDEX).is_file():
            raise SystemExit(f"The calendar is not built ({INDEX}): run .ci/set-up.")
