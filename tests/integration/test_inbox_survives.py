"""Processes, sessions and servers die; each message takes effect exactly once."""

import asyncio
import random
import signal
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import orjson
import pytest

from scheduling.adapters.embedded.folders import free_port
from scheduling.adapters.embedded.nats import EmbeddedNats
from scheduling.adapters.embedded.postgres import EmbeddedPostgres
from scheduling.adapters.embedded.program import Running, start
from scheduling.adapters.postgres.migrating import migrate
from tests.following import (
    PATIENCE,
    STRUCTURED,
    Sender,
    an_event,
    following,
    inbox_process,
    rows,
    sending,
    settings_of,
    until_answered,
    until_rows,
)

INBOX = ("SCHEDULING_INBOX", "scheduling-inbox")
TENANTS = [UUID(int=number) for number in range(1, 11)]

# Counted from what was announced, whatever the inbox remembers.
EFFECTS = """
    SELECT tenant_id, convert_from(body, 'UTF8')::jsonb #>> '{data,sourceEventId}' AS id
    FROM outbox WHERE subject LIKE '%.notification.requested'
"""
DEAD = "SELECT tenant_id, reason, body FROM dead_letters"


@dataclass
class Traffic:
    """What was sent: valid events by tenant and id, and poison by its exact bytes."""

    valid: set[tuple[UUID, str]] = field(default_factory=set)
    poison: dict[bytes, str] = field(default_factory=dict)
    messages: list[tuple[str, bytes]] = field(default_factory=list)

    @classmethod
    def drawn(cls, chance: random.Random, count: int) -> "Traffic":
        """A fifth of the messages are duplicates, a hundredth is poison; shuffled."""
        traffic = cls()
        for number in range(count // 100):
            traffic.add_poison(chance, number)
        while len(traffic.messages) < count * 4 // 5:
            traffic.add_valid(chance)
        repeated = [m for m in traffic.messages if m[1] not in traffic.poison]
        traffic.messages += chance.choices(repeated, k=count - len(traffic.messages))
        chance.shuffle(traffic.messages)
        return traffic

    def add_valid(self, chance: random.Random) -> None:
        tenant = chance.choice(TENANTS)
        event = low_stock(subject=f"store-{chance.randrange(40)}")
        self.valid.add((tenant, event["id"]))
        self._add(tenant, event)

    def add_poison(self, chance: random.Random, number: int) -> None:
        event = low_stock()
        kind, reason = POISON[number % len(POISON)]
        self.poison[self._add(chance.choice(TENANTS), {**event, **kind})] = reason

    def _add(self, tenant: UUID, event: Mapping[str, Any]) -> bytes:
        body = orjson.dumps({n: v for n, v in event.items() if v is not None})
        self.messages.append((f"inbox.{tenant}.equipment.low-stock", body))
        return body


POISON: list[tuple[dict[str, object], str]] = [
    ({"id": None}, "NOT_A_CLOUD_EVENT"),
    ({"specversion": "9"}, "NOT_A_CLOUD_EVENT"),
    ({"data": {"equipmentId": "none"}}, "VALIDATION_FAILED"),
    ({"tenantid": str(uuid4())}, "TENANT_MISMATCH"),
    ({"type": "equipment.stolen"}, "BAD_SUBJECT"),
]


def low_stock(**attributes: object) -> dict[str, Any]:
    data = {"equipmentId": str(uuid4()), "locationId": str(uuid4())}
    return an_event("equipment.low-stock", data, **attributes)


async def complaints(database_url: str, traffic: Traffic) -> list[str]:
    """Judge by SQL alone: what is lost, doubled or invented, what poison is not put
    aside for its reason.
    """
    effects = Counter(
        (row["tenant_id"], row["id"]) for row in await rows(database_url, EFFECTS)
    )
    letters = Counter(
        (row["body"], row["reason"]) for row in await rows(database_url, DEAD)
    )
    found = [f"lost {one}" for one in traffic.valid - effects.keys()]
    found += [f"invented {one}" for one in effects.keys() - traffic.valid]
    found += [f"{count} times {one}" for one, count in effects.items() if count > 1]
    expected = Counter(traffic.poison.items())
    found += [f"not put aside: {one}" for one in expected - letters]
    found += [f"put aside: {one}" for one in letters - expected]
    return found


async def send_all(nats_url: str, traffic: Traffic) -> None:
    async with sending(nats_url) as sender:
        await send(sender, traffic)


async def send(sender: Sender, traffic: Traffic) -> None:
    for subject, body in traffic.messages:
        await sender.send_bytes(subject, body, STRUCTURED)


async def test_processes_killed_again_and_again_follow_each_message_once(
    database_url: str, nats_url: str, tmp_path: Path
) -> None:
    """P7 and P8 in short: 2,000 messages."""
    seed = random.randrange(2**32)  # noqa: S311  # told when it fails
    chance = random.Random(seed)  # noqa: S311  # no secret
    traffic = Traffic.drawn(chance, 2000)
    log = tmp_path / "inbox.log"

    async def another() -> Running:
        return await inbox_process(
            database_url,
            nats_url,
            log,
            SCHEDULING_INBOX_ACK_WAIT="1",
            SCHEDULING_LOG_LEVEL="error",
        )

    processes = [await another() for _ in range(2)]
    stopped: list[Running] = []
    working = asyncio.create_task(send_all(nats_url, traffic))
    try:
        for turn in range(5):
            await until_rows(database_url, 60 + 250 * turn, EFFECTS)
            victim = processes[turn % 2]
            if turn == 2:
                # As good as dead for the broker, and back when all is done elsewhere.
                victim.process.send_signal(signal.SIGSTOP)
                stopped.append(victim)
            else:
                victim.kill()
                await victim.wait()
            processes[turn % 2] = await another()
        await working
        for one in stopped:
            one.process.send_signal(signal.SIGCONT)
        await until_answered(nats_url, *INBOX)
    finally:
        working.cancel()
        for one in stopped:
            one.process.send_signal(signal.SIGCONT)
        await asyncio.gather(*(one.stop() for one in (*processes, *stopped)))
    assert await complaints(database_url, traffic) == [], f"seed {seed}"


async def test_without_the_inbox_s_memory_the_same_traffic_is_doubled(
    database_url: str, nats_url: str
) -> None:
    """The judge sees what it is there to see."""
    traffic = Traffic.drawn(random.Random(7), 200)  # noqa: S311  # no secret
    await rows(
        database_url,
        "CREATE FUNCTION forget() RETURNS trigger LANGUAGE plpgsql "
        "AS 'BEGIN RETURN NULL; END'",
    )
    await rows(
        database_url,
        "CREATE TRIGGER forget BEFORE INSERT ON inbox "
        "FOR EACH ROW EXECUTE FUNCTION forget()",
    )
    async with following(settings_of(database_url, nats_url)):
        await send_all(nats_url, traffic)
        await until_answered(nats_url, *INBOX)
    found = await complaints(database_url, traffic)
    assert any(" times " in one for one in found)
    assert not any("lost" in one for one in found)

    lost = Traffic(valid={*traffic.valid, (TENANTS[0], "never")})
    lost.poison = {**traffic.poison, b"never": "NOT_A_CLOUD_EVENT"}
    found = await complaints(database_url, lost)
    assert any(one.startswith("lost") for one in found)
    assert any(one.startswith("not put aside") for one in found)


async def terminate(database_url: str) -> int:
    """End the sessions of all that connected as an inbox does."""
    ended = await rows(
        database_url,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid() "
        "AND backend_type = 'client backend'",
    )
    return len(ended)


async def test_lost_database_sessions_lose_and_double_nothing(
    database_url: str, nats_url: str
) -> None:
    traffic = Traffic.drawn(random.Random(8), 600)  # noqa: S311  # no secret
    settings = settings_of(database_url, nats_url, inbox_ack_wait=2)
    async with following(settings, first_pause=0.05):
        working = asyncio.create_task(send_all(nats_url, traffic))
        ended = 0
        for turn in range(4):
            await until_effects(database_url, 20 + 100 * turn)
            ended += await terminate(database_url)
        await working
        await until_answered(nats_url, *INBOX)
    assert ended > 0
    assert await complaints(database_url, traffic) == []


async def until_effects(database_url: str, count: int) -> None:
    """Ask anew each time: sessions are ended."""
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                if len(await rows(database_url, EFFECTS)) >= count:
                    return
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                pass
            await asyncio.sleep(0.02)  # another process: it cannot be awaited


async def up(server: EmbeddedNats | EmbeddedPostgres) -> Running:
    running = await start(server.program())
    await running.ready()
    return running


async def test_a_killed_and_restarted_broker_loses_and_doubles_nothing(
    database_url: str, tmp_path: Path
) -> None:
    server = EmbeddedNats.on_free_port(tmp_path)
    broker = await up(server)
    traffic = Traffic.drawn(random.Random(9), 400)  # noqa: S311  # no secret
    try:
        settings = settings_of(database_url, server.url, inbox_ack_wait=1)
        async with following(settings, first_pause=0.05):
            await send_all(server.url, traffic)
            for turn in range(2):
                await until_effects(database_url, 20 + 100 * turn)
                broker.kill()
                await broker.wait()
                broker = await up(server)
            await until_answered(server.url, *INBOX)
        assert await complaints(database_url, traffic) == []
    finally:
        await broker.stop()


@pytest.fixture
def postgres_of_ours(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    """A durable one: what it acknowledged must outlive its being killed."""
    server = EmbeddedPostgres(data_dir=tmp_path / "data", port=free_port())
    yield server
    server.remove()


async def test_while_the_database_is_away_nothing_is_taken_and_all_is_followed_after(
    postgres_of_ours: EmbeddedPostgres, nats_url: str
) -> None:
    database = await up(postgres_of_ours)
    url = postgres_of_ours.database_url
    traffic = Traffic.drawn(random.Random(10), 400)  # noqa: S311  # no secret
    try:
        await migrate(url)
        settings = settings_of(
            url, nats_url, inbox_ack_wait=1, inbox_max_deliver=4, database_pool_size=3
        )
        async with following(settings, first_pause=0.05) as figures:
            await send_all(nats_url, Traffic(messages=traffic.messages[:200]))
            await until_effects(url, 20)
            database.kill()
            await database.wait()
            await send_all(nats_url, Traffic(messages=traffic.messages[200:]))
            # Longer than four deliveries would take.
            await asyncio.sleep(1)
            database = await up(postgres_of_ours)
            await until_answered(nats_url, *INBOX)
        assert await complaints(url, traffic) == []
        assert figures.registry.get_sample_value("scheduling_inbox_faults_total") == 0
    finally:
        await database.stop()
