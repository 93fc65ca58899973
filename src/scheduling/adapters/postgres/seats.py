"""Whether a slot gives seats, as the domain says it (`Slot.is_open`)."""

from typing import Any

from sqlalchemy import ColumnElement, and_, case, literal_column


def gives_seats(slots: Any) -> ColumnElement[bool]:  # noqa: ANN401  # a table or a part
    """Whether nobody and nothing blocks it; one that no rule wants does so, too."""
    return slots.c.status.in_(  # type: ignore[no-any-return]
        [literal_column("'free'"), literal_column("'busy'")]
    )


def is_open(slots: Any) -> ColumnElement[bool]:  # noqa: ANN401
    return and_(gives_seats(slots), slots.c.obsolete_since.is_(None))


def as_shown(
    slots: Any,  # noqa: ANN401
    left: ColumnElement[int],
) -> ColumnElement[str]:
    """Return `Slot.shown_status` where so many seats are left, swept or not."""
    some = left > literal_column("0")
    free = case(
        (slots.c.obsolete_since.is_(None), literal_column("'free'")),
        else_=literal_column("'busy-unavailable'"),
    )
    return case(
        (and_(gives_seats(slots), some), free),
        (gives_seats(slots), literal_column("'busy'")),
        else_=slots.c.status,
    )
