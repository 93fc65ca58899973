"""What each job of the table does, under the roles that `scheduling cron` works in."""

from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import orjson
import pytest

from scheduling.application.commands.put_practitioner_role import PutPractitionerRole
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unavailable import DatabaseUnavailable
from scheduling.domain.booking_request import Hold
from scheduling.domain.identifiers import TenantId
from scheduling.domain.period import Period
from scheduling.domain.settings import Settings
from scheduling.domain.status import Status
from scheduling.domain.waitlist_offer import WAITLIST
from scheduling.entrypoints.cron.jobs import JOBS
from scheduling.entrypoints.cron.running import SomeFailed
from scheduling.entrypoints.cron.works import in_each_tenant, works_over
from scheduling.entrypoints.wiring.cron import open_cron_storage
from tests.builders import Clinic, a_role, open_clinic
from tests.contracts.put_there import a_visit, put_there
from tests.contracts.storages import PostgresStorage, postgres_storage
from tests.contracts.visits import book
from tests.cronning import settings_of
from tests.patterns import a_rule
from tests.waiting import an_entry, save

HOUR = timedelta(hours=1)


@pytest.fixture
async def storage(database_url: str) -> AsyncIterator[PostgresStorage]:
    async with postgres_storage(database_url, size=2) as storage:
        yield storage


def now() -> datetime:
    return datetime.now(UTC)


def from_now(hours: float) -> Period:
    return Period.of(now() + hours * HOUR, HOUR / 2)


async def do(url: str, job: str) -> int:
    """Return how many things the job says it did."""
    settings = settings_of(url)
    async with open_cron_storage(settings) as stand:
        return sum([done async for done in works_over(stand, settings)[job]()])


async def told(storage: PostgresStorage, clinic: Clinic) -> Counter[str]:
    events = await storage.outbox(clinic.caller)
    return Counter(orjson.loads(one.body)["type"] for one in events)


async def test_every_job_of_the_table_has_its_work_and_can_be_done(
    database_url: str, storage: PostgresStorage
) -> None:
    await open_clinic(storage.begin)
    settings = settings_of(database_url)
    async with open_cron_storage(settings) as stand:
        works = works_over(stand, settings)
        assert works.keys() == {job.name for job in JOBS}
        first = {name: [n async for n in work()] for name, work in works.items()}
        again = {name: [n async for n in work()] for name, work in works.items()}
    assert {name for name, done in first.items() if any(done)} == {"roll-horizon"}
    assert not any(map(any, again.values()))


async def test_no_shows_are_marked_for_every_organisation(
    database_url: str, storage: PostgresStorage
) -> None:
    clinics = [await open_clinic(storage.begin) for _ in range(2)]
    for clinic in clinics:
        await put_there(
            storage, clinic, a_visit(clinic, from_now(-2)), a_visit(clinic, from_now(1))
        )
    assert await do(database_url, "no-show-sweep") == 2
    assert await do(database_url, "no-show-sweep") == 0
    for clinic in clinics:
        assert (await told(storage, clinic))["appointment.no-show"] == 1
        (record,) = [
            row
            for row in await storage.audit(clinic.caller)
            if row.action == "appointment.no-show"
        ]
        assert record.actor == "cron:no-show-sweep"


async def test_practitioners_are_told_of_their_day_where_it_is_morning(
    database_url: str, storage: PostgresStorage
) -> None:
    """Somewhere it is between nine and ten; elsewhere it is afternoon."""
    ahead = (9 - now().hour) % 24
    ahead = ahead - 24 if ahead > 14 else ahead
    morning = await open_clinic(storage.begin, timezone=f"Etc/GMT{-ahead:+d}")
    later = ahead + 6 if ahead <= 8 else ahead - 18
    afternoon = await open_clinic(storage.begin, timezone=f"Etc/GMT{-later:+d}")
    for clinic in (morning, afternoon):
        await put_there(storage, clinic, a_visit(clinic, from_now(0)))
    assert await do(database_url, "daily-schedule") == 1
    assert await do(database_url, "daily-schedule") == 0
    assert (await told(storage, morning))["notification.requested"] == 1
    assert (await told(storage, afternoon))["notification.requested"] == 0


async def test_calendars_are_rolled_forward_once_a_day(
    database_url: str, storage: PostgresStorage
) -> None:
    clinic = await open_clinic(storage.begin)
    role = a_role(
        clinic.practitioner.id,
        clinic.location.id,
        availability=(a_rule("09:00", "10:00"),),
    )
    await PutPractitionerRole(storage.begin, now)(clinic.caller, role)
    assert await do(database_url, "roll-horizon") == 2
    assert await do(database_url, "roll-horizon") == 0
    slots = [s for s in await storage.slots(clinic.caller) if s.period.start > now()]
    assert len(slots) >= 2 * 89


async def test_holds_that_ran_out_are_told_of(
    database_url: str, storage: PostgresStorage
) -> None:
    clinic = await open_clinic(storage.begin)
    hold = Hold(until=now() - HOUR, by="reception")
    held = await book(storage, clinic, clinic.request(hold=hold))
    assert await do(database_url, "expired-holds") == 1
    assert (await told(storage, clinic))["hold.expired"] == 1
    async with storage.begin(clinic.caller) as work:
        assert (await work.appointments.get(held.id)).status is Status.CANCELLED


async def test_offers_that_nobody_answered_go_to_the_next(
    database_url: str, storage: PostgresStorage
) -> None:
    offering = Settings(waitlist_offers=True, horizon_days=10_000)
    clinic = await open_clinic(storage.begin, patients=3, settings=offering)
    hold = Hold(until=now() - HOUR, by=WAITLIST)
    held = await book(storage, clinic, clinic.request(0, hold=hold))
    entries = [an_entry(patient.id, now=now()) for patient in clinic.patients[:2]]
    await save(storage, clinic, *entries)
    asked = entries[0].offered(
        held, source_event_id="news", candidates=(entries[1].id,), now=now()
    )
    async with storage.begin(clinic.caller) as work:
        await work.waitlist.get(asked.id)
        work.waitlist.save(asked)
    assert await do(database_url, "expired-holds") == 0
    assert await do(database_url, "waitlist-offers") == 1
    assert await do(database_url, "waitlist-offers") == 0
    events = await told(storage, clinic)
    assert events["waitlist.offer-expired"] == events["hold.expired"] == 1
    async with storage.begin(clinic.caller) as work:
        offers = [(await work.waitlist.get(one.id)).offer for one in entries]
    assert offers[0] is None
    assert offers[1] is not None
    assert offers[1].time.slot_ids == held.slot_ids


async def test_what_is_old_is_removed_for_every_organisation(
    database_url: str, storage: PostgresStorage
) -> None:
    clinics = [await open_clinic(storage.begin) for _ in range(2)]
    connection = await asyncpg.connect(
        database_url, server_settings={"role": "scheduling_relay"}
    )
    await connection.execute("UPDATE outbox SET published_at = now() - interval '31d'")
    await connection.close()
    events = sum([len(await storage.outbox(clinic.caller)) for clinic in clinics])
    assert events > 0
    # Records of the audit are of 2030, as the clinics are.
    assert await do(database_url, "retention") == events
    for clinic in clinics:
        assert await storage.outbox(clinic.caller) == []
        assert await storage.audit(clinic.caller) != []


@pytest.mark.parametrize(
    "fault",
    [
        KeyError("Marker Patient"),
        DatabaseUnavailable(),  # so are locks and statements told that took too long
    ],
    ids=lambda fault: type(fault).__name__,
)
async def test_an_organisation_that_fails_keeps_no_other_from_its_turn(
    database_url: str, storage: PostgresStorage, fault: Exception
) -> None:
    clinics = [await open_clinic(storage.begin) for _ in range(3)]
    seen: list[TenantId] = []
    done: list[int] = []

    async def work(caller: Caller) -> AsyncGenerator[int, None]:
        seen.append(caller.tenant_id)
        if len(seen) == 2:
            raise fault
        yield 1

    async with open_cron_storage(settings_of(database_url)) as stand:
        in_all = in_each_tenant("job", stand.tenants, now, work)
        with pytest.raises(SomeFailed, match=f"^1 of 3: {type(fault).__name__}$"):
            async for one in in_all():
                done.append(one)  # noqa: PERF401  # all that came before it failed
    assert done == [1, 1]
    assert set(seen) == {clinic.caller.tenant_id for clinic in clinics}


async def test_where_the_database_is_away_nobody_else_is_asked_after(
    database_url: str, storage: PostgresStorage
) -> None:
    for _ in range(2):
        await open_clinic(storage.begin)
    seen: list[TenantId] = []

    async with open_cron_storage(settings_of(database_url)) as stand:

        async def work(caller: Caller) -> AsyncGenerator[int, None]:
            seen.append(caller.tenant_id)
            stand.sweeping.terminate()
            yield 1
            raise DatabaseUnavailable

        in_all = in_each_tenant("job", stand.tenants, now, work)
        with pytest.raises(DatabaseUnavailable):
            async for _ in in_all():
                pass
    assert len(seen) == 1
