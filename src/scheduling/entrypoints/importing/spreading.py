"""Give visits an hour where the data has only a day.

The n-th visit of a clinic's day takes the n-th stretch of it, and the first again after
the last. What is decided depends on the rows before, in their order, and on nothing
else: reading the same file again decides the same.
"""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from scheduling.domain.period import Period

REMEMBERED = 200_000
"""Clinic days and patient days that are remembered; files tend to be in time order."""


class Day(NamedTuple):
    clinic: tuple[str, ...]
    date: date


@dataclass(frozen=True, slots=True, kw_only=True)
class ClinicDay:
    """`count` stretches of `minutes` from `first` on the clinic's wall."""

    first: time
    minutes: int
    count: int
    capacity: int
    zone: str

    def stretches(self, day: date) -> Iterator[Period]:
        start = datetime.combine(day, self.first, ZoneInfo(self.zone)).astimezone(UTC)
        length = timedelta(minutes=self.minutes)
        for index in range(self.count):
            yield Period.of(start + index * length, length)


@dataclass(slots=True)
class Spread:
    """Remembers what the rows so far have taken."""

    hours: ClinicDay
    clinics: OrderedDict[Day, list[int]] = field(default_factory=OrderedDict)
    patients: OrderedDict[tuple[str, ...], list[Period]] = field(
        default_factory=OrderedDict
    )

    def is_new(self, day: Day) -> bool:
        """Whether no visit of that clinic's day was seen before."""
        return day not in self.clinics

    def place(self, day: Day, patient: tuple[str, ...]) -> Period:
        """Return when the next visit is: where a seat is left and the patient is not
        somewhere else. Where there is no such time it is booked over, and refused.
        """
        hours = self.hours
        taken = _remembered(self.clinics, day, [0] * hours.count)
        own = _remembered(self.patients, (*patient, day.date.isoformat()), [])
        periods = tuple(hours.stretches(day.date))
        turn = sum(taken)
        order = [(turn + step) % hours.count for step in range(hours.count)]
        chosen = next(
            (
                index
                for index in order
                if taken[index] < hours.capacity
                and not any(periods[index].overlaps(other) for other in own)
            ),
            order[0],
        )
        taken[chosen] += 1
        own.append(periods[chosen])
        return periods[chosen]


K = TypeVar("K")
V = TypeVar("V")


def _remembered(memory: OrderedDict[K, V], key: K, otherwise: V) -> V:
    if key in memory:
        return memory[key]
    memory[key] = otherwise
    if len(memory) > REMEMBERED:
        memory.popitem(last=False)
    return otherwise
