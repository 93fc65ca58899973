import pytest
from fastapi import Request

from scheduling.domain.errors import (
    OptimisticLockConflict,
    PreconditionFailed,
    PreconditionRequired,
)
from scheduling.domain.version import check_version, demand_version
from scheduling.entrypoints.http.commanding import expected_version
from scheduling.entrypoints.http.found import found


def asking(**headers: str) -> Request:
    named = [
        (name.replace("_", "-").encode(), value.encode())
        for name, value in headers.items()
    ]
    return Request({"type": "http", "headers": named})


def test_a_tag_names_the_version_it_was_given_for() -> None:
    demand_version(expected_version(asking(if_match='"3"')), 3)
    demand_version(expected_version(asking(if_match=' "3" ')), 3)
    demand_version(expected_version(asking(), in_body=3), 3)


@pytest.mark.parametrize(
    "tag", ['"2"', 'W/"3"', "3", '""', '"x"', '"3', '"-1"', '"99999999999"', "'3'"]
)
def test_any_other_tag_never_matches(tag: str) -> None:
    with pytest.raises(PreconditionFailed):
        demand_version(expected_version(asking(if_match=tag)), 3)


def test_a_stale_version_in_the_body_is_a_conflict() -> None:
    with pytest.raises(OptimisticLockConflict):
        demand_version(expected_version(asking(), in_body=2), 3)


def test_the_header_has_the_first_word() -> None:
    with pytest.raises(PreconditionFailed):
        demand_version(expected_version(asking(if_match='"2"'), in_body=3), 3)


@pytest.mark.parametrize("request_", [asking(), asking(if_match="*")])
def test_a_change_must_name_a_version(request_: Request) -> None:
    with pytest.raises(PreconditionRequired):
        demand_version(expected_version(request_), 3)


def test_a_star_matches_what_is_there_and_only_that() -> None:
    star = expected_version(asking(if_match="*"))
    check_version(star, 3)
    with pytest.raises(PreconditionFailed):
        check_version(star, 0)


@pytest.mark.parametrize(
    ("known", "status"),
    [
        ('"3"', 304),
        ('W/"3"', 304),
        ('"1", "3"', 304),
        ("*", 304),
        ('"2"', 200),
        ("3", 200),
        ("", 200),
    ],
)
def test_what_the_client_has_is_not_sent_again(known: str, status: int) -> None:
    answer = found(asking(if_none_match=known), {"id": 1}, 3)
    assert answer.status_code == status
    assert answer.headers["etag"] == '"3"'
    assert (answer.body == b"") is (status == 304)
