from uuid import uuid4

import pytest

from scheduling.application.ports.event_feed import EventFilter
from scheduling.application.ports.identity import StaffOnly
from scheduling.application.queries.follow_events import FollowEvents
from scheduling.domain.identifiers import PatientId
from tests.builders import a_caller
from tests.fakes.event_feed import MemoryFeed


async def test_staff_follow_the_events_of_their_tenant() -> None:
    feed, caller = MemoryFeed(), a_caller()
    follow_events = FollowEvents(feed)
    async with follow_events(caller, EventFilter(), after=None) as following:
        await feed.publish(uuid4(), "e", b"theirs")
        await feed.publish(caller.tenant_id, "e", b"ours")
        assert [one.body for one in await following.more(10)] == [b"ours"]


async def test_a_patients_own_token_follows_nothing() -> None:
    feed = MemoryFeed()
    patient = a_caller(patient_id=PatientId(uuid4()))
    with pytest.raises(StaffOnly):
        FollowEvents(feed)(patient, EventFilter(), after=None)
