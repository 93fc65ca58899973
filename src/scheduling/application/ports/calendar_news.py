"""What is asked of calendars when that changes which they follow."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol

from scheduling.application.ports.schedule_exceptions import Affected
from scheduling.domain.calendar_news import Calendar
from scheduling.domain.events import CalendarChanged
from scheduling.domain.identifiers import LocationId
from scheduling.domain.schedule import Schedule


class CalendarNewsRepository(Protocol):
    """Calendars of roles that were deleted are left out: nothing changes them."""

    async def let_nobody_change_location_or_settings(self) -> None:
        """Wait for who does, and keep others from it until the transaction is left, so
        that no calendar is made unseen by them. Others may make calendars meanwhile.
        """

    async def of(self, schedule: Schedule) -> Calendar:
        """Return a schedule that is held, with its role as it stands."""

    async def at_location(self, id: LocationId) -> Sequence[Calendar]:
        """Return those at a location, in one reading, and keep others from making or
        changing any until the transaction is left.
        """

    async def with_the_organisations_horizon(self) -> Sequence[Calendar]:
        """As `at_location`, those that have no horizon of their own."""

    async def visits_ahead(
        self, schedule: Schedule, now: datetime
    ) -> Sequence[Affected]:
        """Return the appointments that take time of a calendar after `now`, by start
        and id; a hold that has run out takes none.
        """

    def announce(self, news: Iterable[CalendarChanged]) -> None:
        """Tell it; the calendars themselves stay as they are."""
