"""News of a calendar makes its slots, once, and by what is stored."""

from uuid import uuid4

import pytest

from scheduling.application.ports.inbox import ReceivedEvent
from scheduling.application.ports.messages import CalendarNews
from scheduling.application.reactions.generate_slots_for_role import (
    GenerateSlotsForRole,
)
from scheduling.domain.errors import ScheduleNotFound
from scheduling.domain.generation import Generation, Trigger
from scheduling.domain.identifiers import ScheduleId
from scheduling.domain.schedule import Schedule
from tests.builders import EIGHT
from tests.fakes.storage import MemoryStorage
from tests.generating import MORNING, Post, a_post


@pytest.fixture
async def post(storage: MemoryStorage) -> Post:
    return await a_post(storage)


async def tell(
    post: Post,
    schedule_id: ScheduleId,
    *,
    id: str = "e1",
    version: int | None = None,
    of_role: bool = True,
) -> None:
    react = GenerateSlotsForRole(post.begin, post.clock, post.almanac)
    event = ReceivedEvent(
        tenant_id=post.clinic.caller.tenant_id,
        source="/scheduling",
        id=id,
        type="practitioner-role.changed" if of_role else "schedule.published",
        stored_at=EIGHT,
        version=version,
        traceparent=None,
        message=CalendarNews(
            schedule_id=schedule_id,
            practitioner_role_id=post.role.id if of_role else None,
            role_version=version if of_role else None,
        ),
    )
    await react(post.clinic.caller, event)


async def runs(post: Post, schedule: Schedule) -> list[Generation]:
    async with post.begin(post.clinic.caller) as work:
        return [*await work.generation.runs(schedule.id, None, 10)]


async def test_news_of_a_role_makes_its_slots_and_is_the_source_of_the_run(
    post: Post,
) -> None:
    role = await post.put(MORNING)
    calendar = await post.calendar()
    await tell(post, calendar.id, version=role.version)
    (run,) = await runs(post, calendar)
    assert run.created > 0
    assert (run.trigger, run.source_event_id) == (Trigger.EVENT, "e1")


async def test_the_same_news_again_and_older_news_make_no_run(post: Post) -> None:
    await post.put(MORNING)
    newest = await post.put(MORNING, service_types=("x",))
    calendar = await post.calendar()
    await tell(post, calendar.id, id="e2", version=newest.version)
    await tell(post, calendar.id, id="e2", version=newest.version)
    await tell(post, calendar.id, id="e1", version=newest.version - 1)
    assert len(await runs(post, calendar)) == 1


async def test_that_a_role_s_calendar_was_published_is_told_by_the_role_itself(
    post: Post,
) -> None:
    await post.put(MORNING)
    calendar = await post.calendar()
    await tell(post, calendar.id, of_role=False)
    assert await runs(post, calendar) == []


async def test_news_of_a_calendar_that_is_not_there_is_refused(post: Post) -> None:
    with pytest.raises(ScheduleNotFound):
        await tell(post, ScheduleId(uuid4()))
