"""A message is read, or said to be unreadable; it never breaks who reads it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import NoReturn
from uuid import uuid4

import orjson
import pytest

from scheduling.adapters.cloud_events.rejections import Unreadable
from scheduling.adapters.nats.resending import STORED_AT
from scheduling.adapters.nats.subscription import StoredMessage
from scheduling.entrypoints.inbox.received import Received
from tests.following import an_event

EIGHT = datetime(2030, 1, 7, 8, tzinfo=UTC)


def stored(
    event: dict[str, object], headers: Mapping[str, str] | None = None
) -> StoredMessage:
    return StoredMessage(
        subject=f"inbox.{uuid4()}.{event['type']}",
        headers={"Content-Type": "application/cloudevents+json", **(headers or {})},
        body=orjson.dumps(event),
        stream="SCHEDULING_INBOX",
        sequence=1,
        stored_at=EIGHT,
        count=1,
    )


def low_stock(**attributes: object) -> dict[str, object]:
    data = {"equipmentId": str(uuid4()), "locationId": str(uuid4())}
    return an_event("equipment.low-stock", data) | attributes


def test_a_time_before_all_time_stops_nobody() -> None:
    told = Received.of(stored(low_stock(time="0001-01-01T00:00:00+14:00")))
    assert told.event is not None
    assert told.event.happened_at == EIGHT


class Breaking(dict[str, str]):
    """Headers that nobody can read."""

    def items(self) -> NoReturn:
        raise OverflowError("Žofie")


def test_what_breaks_its_reader_is_said_to_be_unreadable() -> None:
    told = Received.of(replace(stored(low_stock()), headers=Breaking()))
    assert told.event is None
    assert isinstance(told.rejected, Unreadable)
    assert str(told.rejected) == "reading it failed: OverflowError"


@pytest.mark.parametrize(
    ("said", "taken"),
    [
        ("2030-01-07T07:00:00+00:00", datetime(2030, 1, 7, 7, tzinfo=UTC)),
        ("2030-01-07T09:00:00+00:00", EIGHT),
        ("2030-01-07T07:00:00", EIGHT),
        ("early", EIGHT),
    ],
)
def test_what_is_sent_again_is_as_old_as_it_was_and_never_newer(
    said: str, taken: datetime
) -> None:
    told = Received.of(stored(low_stock(), {STORED_AT: said}))
    assert told.event is not None
    assert told.event.stored_at == taken
