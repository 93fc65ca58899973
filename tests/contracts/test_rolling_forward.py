"""Each calendar is given the day that has come into its horizon, once a day."""

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any, NoReturn

import pytest

from scheduling.application.commands.roll_horizon_forward import RollHorizonForward
from scheduling.domain.generation import Trigger
from tests.builders import at, open_clinic
from tests.contracts.storages import Storage
from tests.generating import KnownHolidays, Post, a_post

Open = Callable[..., Awaitable[Post]]


@pytest.fixture
def post(everywhere: Storage) -> Open:
    async def opened(*rules: Any, **told: Any) -> Post:  # noqa: ANN401
        return await a_post(everywhere, *rules, **told)

    return opened


async def test_a_day_that_has_come_is_laid_once(post: Open) -> None:
    here = await post()
    await here.generate()
    roll = RollHorizonForward(here.storage.begin, here.clock, here.almanac)
    here.now = at("00:30", day=1)
    first = [one async for one in roll(here.clinic.caller)]
    assert [(one.number, one.total) for one in first] == [(1, 2), (2, 2)]
    ids = {one.schedule_id for one in first}
    assert ids == {(await here.calendar()).id, here.clinic.schedule.id}
    runs = [one.run for one in first if one.run is not None]
    (rolled,) = (run for run in runs if run.practitioner_role_id)
    assert (rolled.created, rolled.unchanged, rolled.desired) == (4, 8, 12)
    assert rolled.trigger is Trigger.ROLL_FORWARD
    again = [one.run async for one in roll(here.clinic.caller) if one.run is not None]
    assert {run.id for run in again} == {run.id for run in runs}
    assert all(run.repeated for run in again)
    here.now = at("00:30", day=2)
    later = [one.run async for one in roll(here.clinic.caller) if one.run is not None]
    assert not any(run.repeated for run in later)


class Unwilling(KnownHolidays):
    def public_holidays(
        self, country: str, _subdivision: str | None, _first: date, _last: date
    ) -> NoReturn:
        raise LookupError(country)


async def test_a_calendar_that_fails_keeps_no_other_from_its_day(post: Open) -> None:
    here = await post()
    here.almanac = Unwilling()
    await here.place(country="DE", observes_public_holidays=True)
    elsewhere = await open_clinic(here.storage.begin, caller=here.clinic.caller)
    roll = RollHorizonForward(here.storage.begin, here.clock, here.almanac)
    rolled = {one.schedule_id: one async for one in roll(here.clinic.caller)}
    failed = rolled[here.clinic.schedule.id]
    assert failed.run is None
    assert isinstance(failed.failure, LookupError)
    assert rolled[elsewhere.schedule.id].run is not None
