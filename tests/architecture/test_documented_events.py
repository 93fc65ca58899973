"""docs/events.md tells every type of event that there is, and no other; of those that
we listen to, too.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from scheduling.adapters.cloud_events.messages import INBOUND
from tests.architecture.wire import EVENTS

PAGE = Path(__file__).parents[2] / "docs" / "events.md"
OURS, THEIRS = PAGE.read_text().split("\n### Inbound types\n")
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
    rows = [line.split("|") for line in OURS.splitlines()]
    told = [type_ for row in rows if len(row) > 2 for type_ in types_in(row[1])]
    assert len(set(told)) == len(told)
    assert set(told) == {type_ for type_, _ in EVENTS}


def test_the_page_tells_each_inbound_type_with_all_its_fields() -> None:
    rows = [line.split("|") for line in THEIRS.splitlines() if line.startswith("| `")]
    told = {type: row[2] for row in rows for type in re.findall(r"`([^`]+)`", row[1])}
    assert told.keys() == INBOUND.keys()
    for type, model in INBOUND.items():
        if "fields of `PUT" in told[type]:
            continue
        for field in model.model_fields.values():
            assert re.search(rf"`{field.alias}[^`]*`", told[type]), (type, field.alias)
