"""docs/events.md tells every type of event that there is, and no other."""

import re
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.wire import EVENTS

PAGE = Path(__file__).parents[2] / "docs" / "events.md"
KINDS = {type_.partition(".")[0] for type_, _ in EVENTS}


def types_in(cell: str) -> Iterator[str]:
    """Yield what a cell names; `.arrived` goes on as the one before it began."""
    kind = ""
    for name in re.findall(r"`([a-z.-]+)`", cell):
        whole = f"{kind}{name}" if name.startswith(".") else name
        kind = whole.partition(".")[0]
        if kind in KINDS and kind != whole:
            yield whole


def test_the_page_tells_each_type_of_event_and_no_other() -> None:
    rows = [line.split("|") for line in PAGE.read_text().splitlines()]
    told = [type_ for row in rows if len(row) > 2 for type_ in types_in(row[1])]
    assert len(set(told)) == len(told)
    assert set(told) == {type_ for type_, _ in EVENTS}
