from datetime import date, time, timedelta

import pytest

from scheduling.application.queries.preview_availability_pattern import (
    LONGEST_PREVIEW_DAYS,
    PreviewAvailabilityPattern,
)
from scheduling.domain.errors import InvalidInput
from scheduling.domain.pattern import Pattern
from scheduling.domain.schedule import Day, WeeklyRule

FIRST = date(2030, 1, 1)
preview = PreviewAvailabilityPattern()


def round_the_clock(times: int = 1, *, minutes: int = 5) -> Pattern:
    rule = WeeklyRule(
        days=tuple(Day), start=time(), end=time(), slot_minutes=minutes, capacity=1
    )
    return Pattern(rules=(rule,) * times, timezone="UTC")


async def test_both_days_are_in_it() -> None:
    slots = await preview(round_the_clock(minutes=720), first=FIRST, last=FIRST)
    assert len(slots) == 2


async def test_it_spans_92_days_at_the_most() -> None:
    last = FIRST + timedelta(days=LONGEST_PREVIEW_DAYS - 1)
    slots = await preview(round_the_clock(), first=FIRST, last=last)
    assert len(slots) == LONGEST_PREVIEW_DAYS * 288
    with pytest.raises(InvalidInput) as refused:
        await preview(round_the_clock(), first=FIRST, last=last + timedelta(days=1))
    assert refused.value.field == "to"


async def test_it_does_not_end_before_it_begins() -> None:
    with pytest.raises(InvalidInput) as refused:
        await preview(round_the_clock(), first=FIRST, last=FIRST - timedelta(days=1))
    assert refused.value.field == "to"


async def test_what_would_take_long_is_refused_at_once() -> None:
    last = FIRST + timedelta(days=LONGEST_PREVIEW_DAYS - 1)
    with pytest.raises(InvalidInput) as refused:
        await preview(round_the_clock(2), first=FIRST, last=last)
    assert refused.value.field == "availability"
