"""The document is AsyncAPI, and says what is so."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest

from scheduling.adapters.cloud_events.asyncapi_examples import MISSING
from scheduling.adapters.cloud_events.messages import INBOUND, message_of
from scheduling.adapters.cloud_events.outgoing import to_envelope
from scheduling.adapters.nats.streams import SCHEDULING
from scheduling.domain.events import Event
from scheduling.domain.identifiers import TenantId
from tests.architecture.wire import EVENTS
from tests.asyncapi.document import Document, complaints, misfits, read

TENANT = TenantId(uuid4())
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def document() -> Document:
    return read()


def on_the_wire(event: Event, trace: str | None = TRACE) -> Document:
    told: Document = json.loads(to_envelope(event, TENANT, trace).body)
    return told


def parts(node: object) -> Iterator[Any]:
    yield node
    if isinstance(node, dict | list):
        for one in node.values() if isinstance(node, dict) else node:
            yield from parts(one)


def test_asyncapi_has_nothing_against_the_document(document: Document) -> None:
    assert complaints(document) == []


def _with_another_word_for_receiving(document: Document) -> None:
    document["operations"]["receivePatientCreated"]["action"] = "subscribe"


def _without_a_channel(document: Document) -> None:
    del document["operations"]["sendSlotOpened"]["channel"]


def _with_a_word_of_ours(document: Document) -> None:
    document["channels"]["slot.opened"]["stream"] = "SCHEDULING"


def _with_a_payload_that_is_no_schema(document: Document) -> None:
    document["components"]["messages"]["slot.opened"]["payload"] = {"type": "instant"}


def _of_another_version(document: Document) -> None:
    document["asyncapi"] = "2.6.0"


@pytest.mark.parametrize(
    "spoil",
    [
        _with_another_word_for_receiving,
        _without_a_channel,
        _with_a_word_of_ours,
        _with_a_payload_that_is_no_schema,
        _of_another_version,
    ],
)
def test_asyncapi_finds_what_is_wrong(
    document: Document, spoil: Callable[[Document], None]
) -> None:
    spoil(document)
    assert complaints(document)


def test_whatever_is_referred_to_is_there(document: Document) -> None:
    references = {
        one["$ref"]
        for one in parts(document)
        if isinstance(one, dict) and "$ref" in one
    }
    assert len(references) > 50
    for reference in references:
        found = document
        for name in reference.removeprefix("#/").split("/"):
            found = found[name]


def test_nothing_stands_beside_a_reference(document: Document) -> None:
    """A reader of draft 7 would overlook it."""
    for one in parts(document):
        if isinstance(one, dict) and "$ref" in one:
            assert set(one) == {"$ref"}


def channels(document: Document, prefix: str) -> dict[str, str]:
    return {
        type: channel["x-jetstream"]["stream"]
        for type, channel in document["channels"].items()
        if channel["address"] == f"{prefix}.{{tenantId}}.{type}"
    }


def test_each_type_that_we_tell_is_sent_on_its_subject_and_no_other(
    document: Document,
) -> None:
    told = channels(document, "scheduling")
    assert set(told) == {type for type, _ in EVENTS}
    assert set(told.values()) == {SCHEDULING}
    for type, event in EVENTS:
        address = document["channels"][type]["address"]
        subject = to_envelope(event, TENANT, None).subject
        assert address.replace("{tenantId}", str(TENANT)) == subject


def test_each_type_that_we_listen_to_is_received_on_its_subject_and_no_other(
    document: Document,
) -> None:
    heard = channels(document, "inbox")
    assert set(heard) == set(INBOUND)
    assert set(heard.values()) == {"SCHEDULING_INBOX"}
    assert len(document["channels"]) == len(heard) + len(EVENTS)


def test_every_channel_has_one_operation_in_its_direction(document: Document) -> None:
    told = {
        one["channel"]["$ref"].removeprefix("#/channels/"): one["action"]
        for one in document["operations"].values()
    }
    assert len(told) == len(document["operations"])
    assert told == {
        **dict.fromkeys(channels(document, "scheduling"), "send"),
        **dict.fromkeys(channels(document, "inbox"), "receive"),
    }
    for name in document["operations"]:
        assert re.fullmatch(r"(send|receive)([A-Z][a-z]+)+", name)


def examples() -> list[tuple[str, Document]]:
    return [
        (type, message["examples"][0]["payload"])
        for type, message in read()["components"]["messages"].items()
    ]


@pytest.mark.parametrize(("type", "example"), examples(), ids=lambda one: str(one)[:40])
def test_every_example_is_one(type: str, example: Document) -> None:
    assert misfits(example) == []
    assert example["type"] == type
    assert MISSING not in list(parts(example))


@pytest.mark.parametrize("type", INBOUND)
def test_what_is_shown_of_what_we_listen_to_is_understood(type: str) -> None:
    [example] = [example for name, example in examples() if name == type]
    message_of(type, example["data"])


def test_an_example_of_ours_is_of_the_aggregate_that_its_data_names() -> None:
    shown = dict(examples())
    for type, event in EVENTS:
        [name] = [
            name
            for name, value in on_the_wire(event)["data"].items()
            if value == str(event.aggregate_id)
        ]
        assert shown[type]["subject"] == shown[type]["data"][name]
        assert shown[type]["partitionkey"] == shown[type]["subject"]


@pytest.mark.parametrize(("type", "event"), EVENTS, ids=[type for type, _ in EVENTS])
def test_what_we_write_is_what_the_document_says(type: str, event: Event) -> None:
    for trace in (TRACE, None):
        told = on_the_wire(event, trace)
        assert told["type"] == type
        assert misfits(told) == []


@pytest.mark.parametrize(("type", "event"), EVENTS, ids=[type for type, _ in EVENTS])
def test_what_differs_from_the_document_is_found(type: str, event: Event) -> None:
    told = on_the_wire(event)
    for name in told.keys() - {"traceparent"}:
        rest = {key: value for key, value in told.items() if key != name}
        assert misfits(rest), f"without {name}"
    data = told["data"]
    for name, value in data.items():
        rest = {key: value for key, value in data.items() if key != name}
        assert misfits({**told, "data": rest}), f"{type} without {name}"
        other = {**data, name: [value] if value is None else {"not": "so"}}
        if name not in {"keptByReason", "references"}:
            assert misfits({**told, "data": other}), f"{type} with another {name}"
    assert misfits({**told, "data": {**data, "patientName": "Marker"}})
    assert misfits({**told, "TenantName": "x"})
    assert misfits({**told, "type": "appointment.unheard-of"})


def test_what_is_found_is_told_without_what_was_in_it() -> None:
    told = on_the_wire(EVENTS[0][1])
    told["data"]["appointmentType"] = {"name": "Marker"}
    [found] = misfits(told)
    assert "/data/appointmentType" in found
    assert "Marker" not in found


def test_a_status_of_its_own_type_is_the_only_one() -> None:
    for type, event in EVENTS:
        told = on_the_wire(event)
        if "newStatus" in told["data"]:
            other = "booked" if told["data"]["newStatus"] != "booked" else "pending"
            assert misfits({**told, "data": {**told["data"], "newStatus": other}}), type
