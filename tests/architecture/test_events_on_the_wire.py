"""The bytes are CloudEvents, and tell nobody's name."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
import pytest
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from scheduling.adapters.cloud_events.outgoing import to_envelope
from scheduling.application.commands.book_appointment import BookAppointment
from scheduling.application.commands.cancel_appointment import CancelAppointment
from scheduling.domain.appointment import CancelReason, Initiator
from scheduling.domain.booking_request import (
    Override,
)
from scheduling.domain.directory import ContactPreferences
from scheduling.domain.events import Event
from scheduling.domain.identifiers import TenantId
from scheduling.domain.version import ExpectedVersion
from tests.architecture.wire import EVENTS
from tests.builders import (
    EIGHT,
    a_location,
    a_patient,
    a_practitioner,
    an_id,
    open_clinic,
)
from tests.fakes.storage import MemoryStorage

TENANT = TenantId(an_id())
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
REQUIRED = {"specversion", "id", "source", "type"}


@pytest.mark.parametrize(("type_", "event"), EVENTS, ids=[name for name, _ in EVENTS])
def test_another_library_reads_what_we_write(type_: str, event: Event) -> None:
    envelope = to_envelope(event, TENANT, TRACE)
    # The library invents what is missing: ask first whether it is there.
    assert orjson.loads(envelope.body).keys() >= REQUIRED

    read = JSONFormat().read(CloudEvent, envelope.body)

    assert read.get_type() == type_
    assert read.get_source() == "/scheduling"
    assert UUID(read.get_id()) == envelope.event_id
    assert UUID(read.get_id()).version == 7
    assert read.get_subject() == str(event.aggregate_id)
    assert read.get_time() == EIGHT
    assert read.get_datacontenttype() == "application/json"
    assert read.get_dataschema() == f"urn:scheduling:schema:{type_}:1"
    assert read.get_extension("tenantid") == str(TENANT)
    assert read.get_extension("aggregateversion") == event.version
    assert read.get_extension("partitionkey") == str(event.aggregate_id)
    assert read.get_extension("traceparent") == TRACE
    data = read.get_data()
    assert isinstance(data, dict)
    for value in data.values():
        assert value is None or isinstance(value, (str, int, bool, list, dict))
    for key in data.keys() & {"start", "end"}:
        assert data[key].endswith("Z")
        assert datetime.fromisoformat(data[key]).utcoffset() is not None


def test_nothing_is_told_of_a_trace_that_there_is_not() -> None:
    envelope = to_envelope(EVENTS[0][1], TENANT, None)
    assert b"traceparent" not in envelope.body


def test_an_event_that_is_dressed_again_is_another_one() -> None:
    first, second = (to_envelope(EVENTS[0][1], TENANT, None) for _ in range(2))
    assert first.event_id != second.event_id


def test_a_status_event_tells_what_was_and_what_is() -> None:
    told = {
        type_: orjson.loads(to_envelope(event, TENANT, None).body)["data"]
        for type_, event in EVENTS
    }
    assert told["appointment.cancelled"]["initiatedBy"] == "staff"
    for type_, data in told.items():
        if type_.startswith("appointment.") and "newStatus" in data:
            assert data["oldStatus"] == "booked"
            assert type_ == f"appointment.{data['newStatus']}"
            assert "reasonCode" in data


async def test_no_event_and_no_audit_record_tells_anything_personal() -> None:
    storage = MemoryStorage()
    patient = a_patient(
        name="Marker-Name",
        phone="+49-marker-phone",
        email="marker@example.org",
        file_number="marker-file",
        preferences=ContactPreferences(sms=True),
    )
    clinic = await open_clinic(
        storage.begin,
        patients=(patient, replace(patient, id=an_id(), file_number=None)),  # type: ignore[arg-type]
        practitioner=a_practitioner(name="Marker-Doctor"),
        location=a_location(name="Marker-Clinic"),
    )
    book = BookAppointment(storage.begin, lambda: EIGHT)
    texts: dict[str, Any] = {"reason": "marker-reason", "notes": "marker-notes"}
    booked = await book(clinic.caller, clinic.request(0, **texts))
    insisting = Override(reason="marker-override", allowed=True)
    await book(clinic.caller, clinic.request(1, override=insisting, **texts))
    await CancelAppointment(storage.begin, lambda: EIGHT)(
        clinic.caller,
        booked.id,
        expected=ExpectedVersion(1),
        reason_code=CancelReason.OTHER,
        initiated_by=Initiator.PATIENT,
        comment="marker-comment",
    )
    events = b"".join(event.body for event in await storage.outbox(clinic.caller))
    assert b"appointment.cancelled" in events
    assert b"marker" not in events.lower()
    assert "marker" not in str(await storage.audit(clinic.caller)).lower()
