"""What is old is removed, and nothing else."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest

from scheduling.adapters.postgres.archive import PostgresArchive
from scheduling.adapters.postgres.sessions import open_pool
from scheduling.application.ports.archive import OF_ALL_AT_ONCE, Archive, Kept
from scheduling.domain.identifiers import TenantId, new_id
from tests.builders import EIGHT, open_clinic
from tests.contracts.storages import postgres_storage
from tests.fakes.archive import Line, MemoryArchive
from tests.servers import Databases

OLD, YOUNG = EIGHT - timedelta(days=2), EIGHT
BEFORE = EIGHT - timedelta(days=1)

PUTTING = {
    Kept.OUTBOX: (
        "INSERT INTO outbox (tenant_id, event_id, partition, aggregate_id, "
        "aggregate_version, subject, body, created_at, published_at) "
        "VALUES ($1, $2, 0, $4, 1, 'subject', '', now(), $3)"
    ),
    Kept.INBOX: (
        "INSERT INTO inbox (tenant_id, source, event_id, type, received_at) "
        "VALUES ($1, $4::uuid::text, $2::uuid::text, 'type', $3)"
    ),
    Kept.IDEMPOTENCY_KEYS: (
        "INSERT INTO idempotency_keys (tenant_id, caller, key, fingerprint, status, "
        "headers, body, created_at) "
        "VALUES ($1, $4::uuid::text, $2::uuid::text, 'print', 201, '{}', '', $3)"
    ),
    Kept.AUDIT: (
        "INSERT INTO audit (tenant_id, id, at, actor, action, outcome, entity_type, "
        "entity_id, changes) "
        "VALUES ($1, $2, $3, 'actor', 'action', 'done', 'entity', $4, '{}')"
    ),
    Kept.DEAD_LETTERS: (
        "INSERT INTO dead_letters (tenant_id, id, stream, stream_sequence, stored_at, "
        "subject, headers, body, reason, detail, deliveries, died_at, replayed_at) "
        "VALUES ($1, $2, $4::uuid::text, 1, now(), 'subject', '{}', '', 'REASON', '', "
        "1, now(), $3)"
    ),
    Kept.NOTIFICATIONS: (
        "INSERT INTO notifications (tenant_id, id, practitioner_id, template, "
        "source_event_id, created_at) VALUES ($1, $2, $4, 't', $2::uuid::text, $3)"
    ),
}
A_RUN = (
    "INSERT INTO generation_runs (tenant_id, id, schedule_id, trigger, "
    "source_event_id, first_day, last_day, tzdata_version, digest, created, "
    "updated, retired, retained, conflicts, unchanged, diagnostics, started_at, "
    "duration_ms, role_version) VALUES ($1, $2, $4, 'event', $2::uuid::text, now(), "
    "now(), '2026a', '', 0, 0, 0, 0, 0, 0, '{}', $3, 1, $5)"
)
WRITTEN_BY_THE_API = {Kept.IDEMPOTENCY_KEYS}
FINDING = {
    Kept.OUTBOX: "SELECT event_id FROM outbox",
    Kept.INBOX: "SELECT event_id::uuid FROM inbox",
    Kept.IDEMPOTENCY_KEYS: "SELECT key::uuid FROM idempotency_keys",
    Kept.AUDIT: "SELECT id FROM audit WHERE action = 'action'",
    Kept.DEAD_LETTERS: "SELECT id FROM dead_letters",
    Kept.GENERATION_RUNS: "SELECT id FROM generation_runs",
    Kept.NOTIFICATIONS: "SELECT id FROM notifications",
}


@dataclass(frozen=True)
class Store:
    """`put` keeps a thing of that age (None: it has none) for a tenant, and returns its
    id; `left` tells which are there.
    """

    archive: Archive
    put: Callable[[Kept, TenantId, datetime | None], Awaitable[UUID]]
    left: Callable[[Kept, TenantId], Awaitable[set[UUID]]]

    async def remove(self, what: Kept, of: TenantId, *, limit: int = 100) -> int:
        whose = None if what in OF_ALL_AT_ONCE else of
        return await self.archive.remove(what, BEFORE, of=whose, limit=limit)


@pytest.fixture(scope="module")
def archive_url(postgres: tuple[Databases, str]) -> Iterator[str]:
    """A database of these tests alone: some of it is removed whosever it is."""
    databases, template = postgres
    with databases.fresh(template) as url:
        yield url


@pytest.fixture(params=["memory", "postgres"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    if request.param == "memory":
        yield in_memory()
        return
    async with on_postgres(request.getfixturevalue("archive_url")) as found:
        yield found


def in_memory() -> Store:
    archive = MemoryArchive()

    async def put(what: Kept, of: TenantId, at: datetime | None) -> UUID:
        id = new_id(at or OLD)
        archive.lines[id] = Line(what=what, of=of, at=at)
        return id

    async def left(what: Kept, of: TenantId) -> set[UUID]:
        lines = archive.lines.items()
        return {id for id, line in lines if (line.what, line.of) == (what, of)}

    return Store(archive, put, left)


@asynccontextmanager
async def on_postgres(url: str) -> AsyncIterator[Store]:
    pool = await open_pool(url, role="scheduling_cron", size=1)
    desk = await asyncpg.connect(url)

    async def serve(of: TenantId, what: Kept) -> None:
        writer = "api" if what in WRITTEN_BY_THE_API else "inbox"
        await desk.execute(f"SET ROLE scheduling_{writer}")
        await desk.execute("SELECT set_config('app.tenant_id', $1, false)", str(of))

    async def put(what: Kept, of: TenantId, at: datetime | None) -> UUID:
        await serve(of, what)
        id = new_id(at or OLD)
        whose = await _whose(desk, what, of)
        await desk.execute(PUTTING[what], of, id, at, whose)
        return id

    async def left(what: Kept, of: TenantId) -> set[UUID]:
        await serve(of, what)
        return {row[0] for row in await desk.fetch(FINDING[what])}

    try:
        yield Store(PostgresArchive(pool), put, left)
    finally:
        await desk.close()
        await pool.close()


async def _whose(
    desk: "asyncpg.Connection[asyncpg.Record]", what: Kept, of: TenantId
) -> UUID:
    """Return what it points at, made where it must be there."""
    id = uuid4()
    await desk.execute(
        "INSERT INTO tenants VALUES ($1, now()) ON CONFLICT DO NOTHING", of
    )
    if what is Kept.NOTIFICATIONS:
        await desk.execute(
            "INSERT INTO practitioners VALUES "
            "($1, $2, 'name', true, '{}', 1, now(), now())",
            of,
            id,
        )
    return id


@pytest.fixture
def tenant() -> TenantId:
    return TenantId(uuid4())


AGING = [kind for kind in Kept if kind is not Kept.GENERATION_RUNS]


@pytest.mark.parametrize("what", AGING)
async def test_the_old_is_removed_and_the_young_stays(
    store: Store, tenant: TenantId, what: Kept
) -> None:
    await store.put(what, tenant, OLD)
    kept = [await store.put(what, tenant, at) for at in (BEFORE, YOUNG)]
    assert await store.remove(what, tenant) == 1
    assert await store.left(what, tenant) == set(kept)
    assert await store.remove(what, tenant) == 0


@pytest.mark.parametrize("what", [Kept.OUTBOX, Kept.DEAD_LETTERS])
async def test_what_was_never_sent_stays_however_old_it_is(
    store: Store, tenant: TenantId, what: Kept
) -> None:
    waiting = await store.put(what, tenant, None)
    await store.put(what, tenant, OLD)
    assert await store.remove(what, tenant) == 1
    assert await store.left(what, tenant) == {waiting}


async def test_what_is_to_be_sent_again_at_that_moment_stays(
    archive_url: str, tenant: TenantId
) -> None:
    async with on_postgres(archive_url) as store:
        id = await store.put(Kept.OUTBOX, tenant, OLD)
        desk = await asyncpg.connect(
            archive_url, server_settings={"role": "scheduling_relay"}
        )
        async with desk.transaction():
            await desk.execute(
                "UPDATE outbox SET published_at = NULL WHERE event_id = $1", id
            )
            removing = asyncio.create_task(store.remove(Kept.OUTBOX, tenant))
            while not await desk.fetchval(  # noqa: ASYNC110  # no event tells it
                "SELECT count(*) FROM pg_locks WHERE NOT granted AND "
                "transactionid = pg_current_xact_id()::xid"
            ):
                await asyncio.sleep(0.01)
        await desk.close()
        assert await removing == 0
        assert await store.left(Kept.OUTBOX, tenant) == {id}


@pytest.mark.parametrize("what", AGING)
async def test_it_goes_in_pieces_the_oldest_first(
    store: Store, tenant: TenantId, what: Kept
) -> None:
    ages = [OLD - timedelta(hours=hours) for hours in (3, 2, 1)]
    ids = [await store.put(what, tenant, at) for at in ages]
    assert await store.remove(what, tenant, limit=2) == 2
    assert await store.left(what, tenant) == {ids[2]}
    assert await store.remove(what, tenant, limit=2) == 1


@pytest.mark.parametrize("what", AGING)
async def test_who_is_asked_about_is_whose_things_go(
    store: Store, tenant: TenantId, what: Kept
) -> None:
    other = TenantId(uuid4())
    await store.put(what, tenant, OLD)
    theirs = await store.put(what, other, OLD)
    await store.remove(what, tenant)
    assert await store.left(what, tenant) == set()
    assert await store.left(what, other) == (
        set() if what in OF_ALL_AT_ONCE else {theirs}
    )


async def test_of_a_calendar_the_newest_run_and_the_newest_version_seen_stay(
    archive_url: str,
) -> None:
    async with postgres_storage(archive_url, role="scheduling_inbox") as storage:
        clinic = await open_clinic(storage.begin)
    tenant = clinic.caller.tenant_id
    runs = {
        "seen first": (OLD, 1),
        "seen again": (OLD + timedelta(minutes=1), 1),
        "of the highest version": (OLD + timedelta(minutes=2), 3),
        "of the next version": (OLD + timedelta(minutes=3), 2),
        "of the same version, later": (OLD + timedelta(minutes=4), 2),
        "without a role, last": (OLD + timedelta(minutes=5), None),
    }
    async with on_postgres(archive_url) as store:
        desk = await asyncpg.connect(
            archive_url,
            server_settings={
                "role": "scheduling_inbox",
                "app.tenant_id": str(tenant),
            },
        )
        ids = {}
        for name, (at, version) in runs.items():
            ids[name] = new_id(at)
            await desk.execute(
                A_RUN, tenant, ids[name], at, clinic.schedule.id, version
            )
        await desk.close()
        removed = await store.remove(Kept.GENERATION_RUNS, tenant)
        left = await store.left(Kept.GENERATION_RUNS, tenant)
    assert removed == 3
    assert {name for name, id in ids.items() if id in left} == {
        "of the highest version",
        "of the same version, later",
        "without a role, last",
    }
