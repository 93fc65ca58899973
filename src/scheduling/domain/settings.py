"""What an organisation decides about its own booking."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Self

LONGEST_BUFFER_MINUTES = 4 * 60


@dataclass(frozen=True, slots=True)
class Limits:
    """How many appointments a practitioner takes; None where it does not matter."""

    per_practitioner_day: int | None = None
    per_practitioner_week: int | None = None

    @property
    def any(self) -> bool:
        return (
            self.per_practitioner_day is not None
            or self.per_practitioner_week is not None
        )


@dataclass(frozen=True, slots=True)
class CalendarLimits:
    """How many appointments one schedule takes; None where it does not matter."""

    per_day: int | None = None
    per_week: int | None = None

    @property
    def any(self) -> bool:
        return self.per_day is not None or self.per_week is not None


@dataclass(frozen=True, slots=True)
class CalendarRules:
    """What one schedule decides otherwise than its organisation; None: not at all."""

    horizon_days: int | None = None
    minimum_notice_minutes: int | None = None
    limits: CalendarLimits = CalendarLimits()


NO_RULES_OF_ITS_OWN = CalendarRules()


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Minutes and days as the front desk says them. Version 0: nothing was set yet."""

    buffer_minutes: int = 0
    minimum_notice_minutes: int = 0
    horizon_days: int = 90
    hold_minutes: int = 10
    reminder_offsets_minutes: tuple[int, ...] = (24 * 60, 2 * 60)
    no_show_grace_minutes: int = 30
    limits: Limits = field(default_factory=Limits)
    timezone: str = "UTC"
    waitlist_offers: bool = False
    version: int = 0
    updated_at: datetime | None = None

    @property
    def buffer(self) -> timedelta:
        return timedelta(minutes=self.buffer_minutes)

    @property
    def hold(self) -> timedelta:
        return timedelta(minutes=self.hold_minutes)

    @property
    def minimum_notice(self) -> timedelta:
        return timedelta(minutes=self.minimum_notice_minutes)

    @property
    def no_show_grace(self) -> timedelta:
        return timedelta(minutes=self.no_show_grace_minutes)

    def replaced_by(self, wanted: Self, *, now: datetime) -> Self:
        """Return the next version; the same one where nothing would change."""
        same = replace(wanted, version=self.version, updated_at=self.updated_at)
        if same == self and self.version > 0:
            return self
        return replace(wanted, version=self.version + 1, updated_at=now)
