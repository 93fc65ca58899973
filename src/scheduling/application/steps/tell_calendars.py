"""Tell that calendars are to be made anew, since something changed that they follow."""

from datetime import datetime

from scheduling.application.ports.unit_of_work import UnitOfWork
from scheduling.domain.calendar_news import (
    EXCEPTIONS,
    followed_of_location,
    followed_of_settings,
    news_of,
)
from scheduling.domain.directory import Location
from scheduling.domain.schedule import Schedule
from scheduling.domain.settings import Settings


async def tell_of_exceptions(
    work: UnitOfWork, schedule: Schedule, *, now: datetime
) -> None:
    """Of a schedule that is held: whoever makes its slots comes before or after."""
    calendar = await work.calendar_news.of(schedule)
    work.calendar_news.announce([calendar.news(EXCEPTIONS, now=now)])


async def tell_of_location(
    work: UnitOfWork, old: Location | None, new: Location, *, now: datetime
) -> None:
    """Tell all calendars there to which what changed matters, in one reading."""
    changed = followed_of_location(old, new)
    if changed:
        calendars = await work.calendar_news.at_location(new.id)
        work.calendar_news.announce(news_of(calendars, changed, now=now))


async def tell_of_settings(
    work: UnitOfWork, old: Settings, new: Settings, *, now: datetime
) -> None:
    """Tell all calendars without a horizon of their own, where it changed."""
    changed = followed_of_settings(old, new)
    if changed:
        calendars = await work.calendar_news.with_the_organisations_horizon()
        work.calendar_news.announce(news_of(calendars, changed, now=now))
