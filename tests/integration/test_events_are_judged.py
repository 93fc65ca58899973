"""No test ends well that committed an event which the AsyncAPI document does not know.

The judges sit where every event passes: in the fakes, and where a test's database is
dropped. That they see something is seen here.
"""

from contextlib import AsyncExitStack
from dataclasses import replace
from uuid import uuid4

import orjson
import pytest

from scheduling.adapters.cloud_events.outgoing import to_envelope
from scheduling.application.ports.messaging import WaitingEvent
from scheduling.domain.events import AppointmentCancelled, Event
from scheduling.domain.identifiers import TenantId
from tests.architecture.wire import EVENTS
from tests.builders import a_caller
from tests.fakes.outbox import an_event
from tests.fakes.transaction import Tables, Transaction
from tests.outbox_rows import commit
from tests.servers import Background, Databases

Servers = tuple[Databases, str]

CANCELLED = next(one for _, one in EVENTS if isinstance(one, AppointmentCancelled))


def committed(event: Event, **otherwise: object) -> WaitingEvent:
    """As a writer commits it; `otherwise` is what its data says instead."""
    tenant = TenantId(uuid4())
    told = orjson.loads(to_envelope(event, tenant, None).body)
    told["data"] |= otherwise
    return an_event(tenant_id=tenant, body=orjson.dumps(told))


def test_events_as_they_should_be_are_let_pass(
    postgres: Servers, background: Background
) -> None:
    databases, template = postgres
    with databases.fresh(template) as url:
        background.run(commit(url, [committed(event) for _, event in EVENTS]))


def test_a_test_fails_that_commits_an_event_that_does_not_fit(
    postgres: Servers, background: Background
) -> None:
    databases, template = postgres
    events = [committed(CANCELLED), committed(CANCELLED, patientName="Marker")]
    with (
        pytest.raises(AssertionError, match=r"^appointment\.cancelled ") as failed,
        databases.fresh(template) as url,
    ):
        background.run(commit(url, events))
    assert "Marker" not in str(failed.value)


def test_bodies_that_are_no_events_are_none_of_its_business(
    postgres: Servers, background: Background
) -> None:
    databases, template = postgres
    with databases.fresh(template) as url:
        background.run(commit(url, [an_event(body=b"{}"), an_event(body=b"\x00")]))


async def test_the_fakes_take_no_event_that_does_not_fit() -> None:
    async with AsyncExitStack() as held:
        transaction = Transaction(a_caller(), Tables, {}, held)
        transaction.announce([CANCELLED])
        with pytest.raises(AssertionError, match=r"appointment\.cancelled"):
            transaction.announce([replace(CANCELLED, initiated_by="nobody")])
