from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from scheduling.application.commands.book_series import BookSeries
from scheduling.application.ports.audit import Outcome
from scheduling.application.ports.identity import Caller
from scheduling.application.queries.get_appointment_series import GetAppointmentSeries
from scheduling.domain.appointment import Appointment
from scheduling.domain.errors import PatientNotFound, SeriesNotFound, SlotNotFound
from scheduling.domain.identifiers import SeriesId
from scheduling.domain.period import Period
from scheduling.domain.series import HowMuch
from tests.builders import EIGHT, a_caller, a_request, at, open_clinic
from tests.fakes.storage import MemoryStorage
from tests.weekly import FAR, Weekly, a_weekly_clinic

BERLIN = ZoneInfo("Europe/Berlin")


async def test_weekly_0900_stays_0900_on_the_wall_over_dst(
    storage: MemoryStorage,
) -> None:
    """The slots are laid by the wall; a series of elapsed weeks would miss them."""
    first = at("08:00", day=70).astimezone(BERLIN)
    walls = [first.replace(tzinfo=None) + timedelta(days=7 * n) for n in range(4)]
    periods = [
        Period.of(wall.replace(tzinfo=BERLIN), timedelta(minutes=30)).in_utc()
        for wall in walls
    ]
    assert {period.start.hour for period in periods} == {7, 8}, "clocks change"
    clinic = await open_clinic(
        storage.begin, *periods, timezone="Europe/Berlin", settings=FAR
    )
    book = BookSeries(storage.begin, lambda: EIGHT)
    by_slot = await book(clinic.caller, clinic.request(0), 4)
    assert [one.period for one in by_slot] == periods
    await Weekly(storage, clinic).cancel(by_slot[0], HowMuch.ALL)
    by_start = await book(clinic.caller, clinic.by_start(periods[0], patient=1), 4)
    assert [one.period for one in by_start] == periods


async def test_a_patients_own_token_books_for_that_patient_only(
    storage: MemoryStorage,
) -> None:
    weekly = await a_weekly_clinic(storage)
    for occurrences in (2, 5):
        with pytest.raises(PatientNotFound):
            await weekly.series(occurrences, caller=weekly.clinic.own_token(1))
    assert len(await weekly.series(5, caller=weekly.clinic.own_token(0))) == 5


async def test_what_is_not_there_is_named_in_the_order_of_the_rules(
    storage: MemoryStorage,
) -> None:
    weekly = await a_weekly_clinic(storage)
    nobody = a_request()
    with pytest.raises(PatientNotFound):
        await weekly.series(2, patient_id=nobody.patient_id, when=nobody.when)
    with pytest.raises(SlotNotFound):
        await weekly.series(2, when=nobody.when)
    stranger = await a_weekly_clinic(storage)
    with pytest.raises(SlotNotFound):
        await weekly.series(2, when=stranger.clinic.request().when)


async def read(
    storage: MemoryStorage, series: Sequence[Appointment], caller: Caller
) -> Sequence[Appointment]:
    id = series[0].series_id
    assert id is not None
    return await GetAppointmentSeries(storage.begin, storage.recorder)(caller, id)


async def test_a_series_is_read_whole_whatever_has_become_of_it(
    storage: MemoryStorage,
) -> None:
    weekly = await a_weekly_clinic(storage)
    clinic = weekly.clinic
    booked = await weekly.series(3)
    gone = await weekly.cancel(booked[1])
    found = await read(storage, booked, clinic.own_token(0))
    assert list(found) == [
        replace(one, events=(), before=None) for one in (booked[0], gone, booked[2])
    ]
    [row] = [r for r in await storage.audit(clinic.caller) if r.action.endswith("read")]
    assert (row.action, row.entity_id, row.outcome) == (
        "appointment-series.read",
        booked[0].series_id,
        Outcome.DONE,
    )


async def test_a_series_of_others_is_as_if_it_were_not(storage: MemoryStorage) -> None:
    weekly = await a_weekly_clinic(storage)
    booked = await weekly.series(2)
    for stranger in (weekly.clinic.own_token(1), a_caller()):
        with pytest.raises(SeriesNotFound):
            await read(storage, booked, stranger)
    get = GetAppointmentSeries(storage.begin, storage.recorder)
    with pytest.raises(SeriesNotFound):
        await get(weekly.clinic.caller, SeriesId(uuid4()))
