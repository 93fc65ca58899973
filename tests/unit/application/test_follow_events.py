from uuid import UUID, uuid4

import pytest

from scheduling.application.ports.event_feed import EventFilter
from scheduling.application.ports.identity import Caller, StaffOnly
from scheduling.application.ports.unavailable import DatabaseUnavailable
from scheduling.application.queries.follow_events import FollowEvents
from scheduling.domain.identifiers import PatientId, TenantId
from tests.builders import EIGHT, a_caller
from tests.fakes.audit import MemoryAudit
from tests.fakes.event_feed import MemoryFeed
from tests.fakes.transaction import Tables


class World:
    def __init__(self) -> None:
        self.feed = MemoryFeed()
        self.tenants: dict[TenantId, Tables] = {}
        self.audit = MemoryAudit(self.tenants, lambda: EIGHT)
        self.follow_events = FollowEvents(self.feed, self.audit)

    def recorded(self, caller: Caller) -> list[tuple[str, str, UUID]]:
        return [
            (row.action, row.entity_type, row.entity_id)
            for row in self.tenants.get(caller.tenant_id, Tables()).audit
        ]


async def test_staff_follow_the_events_of_their_tenant() -> None:
    world, caller = World(), a_caller()
    async with world.follow_events(caller, EventFilter(), after=None) as following:
        await world.feed.publish(uuid4(), "e", b"theirs")
        await world.feed.publish(caller.tenant_id, "e", b"ours")
        assert [one.body for one in await following.more(10)] == [b"ours"]


async def test_following_is_taken_down_as_a_read_of_the_narrowest_that_was_named() -> (
    None
):
    world, caller = World(), a_caller()
    one, another = uuid4(), uuid4()
    for wanted in (
        EventFilter(),
        EventFilter(frozenset({one})),
        EventFilter(frozenset({one}), frozenset({another})),
        EventFilter(frozenset({one, another})),
    ):
        async with world.follow_events(caller, wanted, after=None):
            pass
    assert world.recorded(caller) == [
        ("events.follow", "tenant", caller.tenant_id),
        ("events.follow", "location", one),
        ("events.follow", "practitioner", another),
        ("events.follow", "tenant", caller.tenant_id),
    ]


async def test_what_cannot_be_taken_down_is_not_followed() -> None:
    world = World()
    world.audit.away = True
    with pytest.raises(DatabaseUnavailable):
        async with world.follow_events(a_caller(), EventFilter(), after=None):
            raise AssertionError("nobody knows of this")
    assert world.feed.followers == 0


async def test_a_patients_own_token_follows_nothing() -> None:
    world = World()
    patient = a_caller(patient_id=PatientId(uuid4()))
    with pytest.raises(StaffOnly):
        world.follow_events(patient, EventFilter(), after=None)
    assert world.feed.followers == 0
