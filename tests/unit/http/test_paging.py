from datetime import UTC, datetime
from uuid import UUID

import pytest

from scheduling.domain.errors import InvalidInput
from scheduling.entrypoints.http.paging import cursor_at, position_of

AT = datetime(2030, 1, 7, 9, 0, 0, 123456, tzinfo=UTC)
ID = UUID("019a9d3e-0000-7000-8000-000000000501")
CURSOR = cursor_at(AT, ID)


def test_a_cursor_says_where_its_page_ended() -> None:
    assert position_of(CURSOR) == (AT, ID)


@pytest.mark.parametrize(
    "altered",
    [
        "!" + CURSOR,
        CURSOR[:10] + "\n" + CURSOR[10:],
        CURSOR + "====",
        CURSOR + "A",
        CURSOR[:-1],
        "",
        "é" * 32,
    ],
)
def test_what_is_no_cursor_of_ours_is_refused_and_not_read_around(altered: str) -> None:
    with pytest.raises(InvalidInput):
        position_of(altered)
