"""CloudEvents are read strictly: what is missing or wrong is said, never repaired."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest

from scheduling.adapters.cloud_events.incoming import Incoming, read
from scheduling.adapters.cloud_events.rejections import (
    BadSubject,
    NotACloudEvent,
    Rejected,
    TenantMismatch,
)

TENANT = UUID("0196a5a5-0000-7000-8000-000000000001")
SUBJECT = f"inbox.{TENANT}.patient.updated"
STRUCTURED = {"Content-Type": "application/cloudevents+json"}
EVENT = {
    "specversion": "1.0",
    "id": "7f6b",
    "source": "/registry",
    "type": "patient.updated",
    "subject": "patient-7",
    "data": {"name": "Žofie"},
}
HEADERS = {
    "ce-specversion": "1.0",
    "ce-id": "7f6b",
    "ce-source": "/registry",
    "ce-type": "patient.updated",
    "ce-subject": "patient-7",
    "Content-Type": "application/json",
}
BODY = orjson.dumps(EVENT["data"])
WHOLE = Incoming(
    tenant_id=TENANT,  # type: ignore[arg-type]  # as a literal
    source="/registry",
    id="7f6b",
    type="patient.updated",
    subject="patient-7",
    version=None,
    traceparent=None,
    data={"name": "Žofie"},
)


def structured(**changed: Any) -> Incoming:  # noqa: ANN401
    """Read the event with these attributes; `...` takes one away."""
    event = {n: v for n, v in {**EVENT, **changed}.items() if v is not ...}
    return read(SUBJECT, STRUCTURED, orjson.dumps(event))


def binary(body: bytes = BODY, **changed: str) -> Incoming:
    """Read the headers with these changed (`ce_id` for `ce-id`)."""
    renamed = {name.replace("_", "-"): value for name, value in changed.items()}
    return read(SUBJECT, {**HEADERS, **renamed}, body)


def test_structured_and_binary_mode_say_the_same() -> None:
    assert structured() == WHOLE
    assert binary() == WHOLE


@pytest.mark.parametrize(
    "content",
    [
        "application/cloudevents+json",
        "application/cloudevents+json; charset=UTF-8",
        "Application/CloudEvents+JSON",
    ],
)
@pytest.mark.parametrize("name", ["Content-Type", "content-type"])
def test_the_content_type_tells_structured_mode(name: str, content: str) -> None:
    assert read(SUBJECT, {name: content}, orjson.dumps(EVENT)) == WHOLE


@pytest.mark.parametrize("name", ["specversion", "id", "source", "type"])
def test_each_attribute_that_must_be_there_is_missed(name: str) -> None:
    with pytest.raises(NotACloudEvent, match=f"missing: {name}"):
        structured(**{name: ...})
    with pytest.raises(NotACloudEvent, match=f"missing: {name}"):
        structured(**{name: None})
    with pytest.raises(NotACloudEvent, match=f"missing: {name}"):
        headers = {n: v for n, v in HEADERS.items() if n != f"ce-{name}"}
        read(SUBJECT, headers, BODY)


@pytest.mark.parametrize("name", ["specversion", "id", "source", "type"])
@pytest.mark.parametrize("value", ["", 7, True, ["7"], {"a": 1}, "a\x00b", "a\nb"])
def test_an_attribute_that_is_no_string_is_refused(name: str, value: object) -> None:
    with pytest.raises(NotACloudEvent):
        structured(**{name: value})


@pytest.mark.parametrize("version", ["0.3", "1.1", "1"])
def test_another_version_of_the_specification_is_refused(version: str) -> None:
    with pytest.raises(NotACloudEvent, match="specversion"):
        structured(specversion=version)
    with pytest.raises(NotACloudEvent, match="specversion"):
        binary(ce_specversion=version)


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({}, orjson.dumps(EVENT)),
        ({"Content-Type": "application/json"}, orjson.dumps(EVENT)),
        ({"Content-Type": "text/plain"}, orjson.dumps(EVENT)),
        ({"Content-Type": "application/cloudevents"}, orjson.dumps(EVENT)),
        ({"Content-Type": "application/cloudevents+avro"}, orjson.dumps(EVENT)),
        (
            {"Content-Type": "application/cloudevents-batch+json"},
            orjson.dumps([EVENT]),
        ),
        (STRUCTURED, orjson.dumps([EVENT])),
        (STRUCTURED, b"\xff\xfe"),
        (STRUCTURED, b""),
        (STRUCTURED, b"[" * 100_000),
        ({**HEADERS, "Content-Type": "text/plain"}, BODY),
        ({**HEADERS, "ce-datacontenttype": "application/xml"}, BODY),
        ({**HEADERS, "CE-ID": "other"}, BODY),
        ({**HEADERS, "ce-id": "%ff"}, BODY),
        ({**HEADERS, "ce-data": "x"}, BODY),
        (HEADERS, b"not json"),
    ],
)
def test_a_message_of_another_kind_is_refused(
    headers: dict[str, str], body: bytes
) -> None:
    with pytest.raises(NotACloudEvent):
        read(SUBJECT, headers, body)


@pytest.mark.parametrize(
    "changed",
    [
        {"data_base64": "e30="},
        {"datacontenttype": "text/xml"},
        {"datacontenttype": 7},
        {"Upper": "x"},
        {"with-dash": "x"},
        {"nested": {"a": 1}},
        {"subject": ""},
        {"tenantid": 7},
        {"traceparent": 7},
        {"id": "x" * 1001},
        {"source": "ž" * 501},
        {"aggregateversion": "one"},
        {"aggregateversion": -1},
        {"aggregateversion": 2**63},
        {"aggregateversion": True},
        {"aggregateversion": 1.5},
        {"aggregateversion": "٣"},
    ],
)
def test_what_else_is_wrong_is_refused_too(changed: dict[str, object]) -> None:
    with pytest.raises(NotACloudEvent):
        structured(**changed)


@pytest.mark.parametrize(
    "subject",
    [
        f"inbox.{TENANT}",
        f"inbox.{TENANT}.",
        "inbox.patient.updated",
        f"inbox.{str(TENANT)[:-1]}g.patient.updated",
        f"inbox.{TENANT.hex}.patient.updated",
        f"inbox.{str(TENANT).upper()}.patient.updated",
        f"elsewhere.{TENANT}.patient.updated",
        f"inbox.{TENANT}.patient.deleted",
        f"inbox.{TENANT}.patient.updated.more",
    ],
)
def test_a_subject_that_names_no_tenant_or_another_type_is_refused(
    subject: str,
) -> None:
    with pytest.raises(BadSubject):
        read(subject, STRUCTURED, orjson.dumps(EVENT))


@pytest.mark.parametrize(
    ("way", "is_ours"),
    [("inbox", False), ("scheduling", True), ("inbox.replay", True)],
)
def test_what_is_ours_came_by_a_way_of_ours(way: str, *, is_ours: bool) -> None:
    subject = f"{way}.{TENANT}.patient.updated"
    found = read(subject, STRUCTURED, orjson.dumps(EVENT))
    assert found == replace(WHOLE, is_ours=is_ours)


def test_the_tenant_is_the_subject_s_whatever_the_body_says() -> None:
    assert structured(tenantid=str(TENANT)).tenant_id == TENANT
    with pytest.raises(TenantMismatch):
        structured(tenantid=str(uuid4()))
    with pytest.raises(TenantMismatch):
        binary(ce_tenantid=str(uuid4()))


def test_a_version_is_a_number_in_json_and_digits_in_a_header() -> None:
    assert structured(aggregateversion=12).version == 12
    assert binary(ce_aggregateversion="12").version == 12


def test_headers_are_percent_encoded() -> None:
    assert binary(ce_source="/registr%C4%9B%20a").source == "/registrě a"


def test_a_trace_is_passed_on_and_one_that_is_none_is_left_out() -> None:
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    assert structured(traceparent=trace).traceparent == trace
    assert structured(traceparent="nonsense").traceparent is None


def test_data_may_be_left_out() -> None:
    assert structured(data=...).data is None
    assert binary(b"").data is None


def test_what_is_told_quotes_nothing_that_was_given() -> None:
    for changed in (
        {"id": "Žofie\n"},
        {"source": ["Žofie"]},
        {"tenantid": "Žofie"},
        {"Žofie": "x"},
        {"aggregateversion": "Žofie"},
    ):
        with pytest.raises(Rejected) as refused:
            structured(**changed)
        assert "Žofie" not in str(refused.value)


@pytest.mark.parametrize(
    "time",
    [
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-12:00",
        "2030-01-07T08:00:00",
        "yesterday",
    ],
)
def test_a_time_that_no_clock_shows_is_as_good_as_none(time: str) -> None:
    assert structured(time=time) == WHOLE
    assert binary(ce_time=time) == WHOLE


def test_a_time_is_read_as_an_instant() -> None:
    told = datetime(2030, 1, 7, 8, tzinfo=UTC)
    assert structured(time="2030-01-07T05:00:00-03:00") == replace(WHOLE, time=told)
