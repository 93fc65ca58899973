"""The judges of events and news: each kind of fault is seen, and nothing else."""

import json
from uuid import uuid4

from tests.chaos.checks.announced import Told, doubled, out_of_order, successors
from tests.chaos.ledger import Entry
from tests.chaos.p12_database_restarts import Outage, wrong_answers


def told(id: str, version: int, *, of: str = "a", inside: str | None = None) -> Told:
    content = {"id": inside or id, "subject": of, "aggregateversion": version}
    return Told(0, id, json.dumps(content).encode(), content)


def refused(asked_at: float, ended_at: float, status: int | None, **told: str) -> Entry:
    headers = {"retry_after": "1", **told}
    return Entry(1, "book", {}, asked_at, ended_at, status, headers)


def test_what_is_whole_is_not_blamed() -> None:
    # A check-in has the version of the arrival before it.
    stream = [told("1", 1), told("2", 1, of="b"), told("3", 2), told("4", 2)]
    assert out_of_order(stream) == doubled(stream) == []
    assert successors(stream) == 2


def test_an_earlier_version_after_a_later_one_is_seen() -> None:
    stream = [told("2", 2), told("1", 1), told("3", 3)]
    assert out_of_order(stream) == ["late: a 1 after 2"]


def test_the_same_id_twice_is_doubled_and_not_late() -> None:
    stream = [told("1", 1), told("2", 2), told("1", 1)]
    assert doubled(stream) == ["doubled: 1 is there 2 times"]
    assert out_of_order(stream) == []


def test_one_event_under_two_headers_is_doubled() -> None:
    stream = [told("1", 1), told(str(uuid4()), 1, inside="1")]
    assert doubled(stream) == ["doubled: 1 is there 2 times"]


def test_refusals_while_the_database_is_away_are_borne() -> None:
    outage = Outage("killed", 10.0, 12.0)
    borne = [refused(9.9, 10.1, 503), refused(11, 11.5, 503), refused(16, 16.9, 503)]
    assert wrong_answers(borne, [outage]) == []


def test_refusals_long_after_or_without_an_outage_are_not() -> None:
    outage = Outage("killed", 10.0, 12.0)
    for at in (5.0, 17.5):
        (found,) = wrong_answers([refused(at, at + 0.1, 503)], [outage])
        assert found.startswith("late:")
    (found,) = wrong_answers([refused(11, 17.5, 201)], [outage])
    assert found == "late: book hung for 6500 ms"


def test_other_words_than_503_with_retry_after_are_not_borne() -> None:
    outage = Outage("killed", 10.0, 12.0)
    wrong = [
        refused(11, 11.1, 500),
        refused(11, 11.1, 503, retry_after=""),
        refused(11, 11.1, None),
    ]
    found = wrong_answers(wrong, [outage])
    assert len(found) == 3
    assert all(one.startswith("answer:") for one in found)
