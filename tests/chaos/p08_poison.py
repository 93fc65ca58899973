"""P8: a poison message or outbox row stops nobody else and is not lost."""

import asyncio
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from uuid import UUID

import asyncpg

from tests.chaos.announcing import as_superuser, at_work
from tests.chaos.checks.announced import Told, out_of_order, waiting, whole_stream
from tests.chaos.checks.followed import not_followed
from tests.chaos.news import News, send, until_followed
from tests.chaos.outcome import Experiment, Outcome, Setting
from tests.chaos.stage import Stage, a_stage

ONE_IN = 100
VERSIONS = 4
"""Events of each aggregate; the second of a sick one is poison."""
PARTITIONS = 64
TOO_LARGE = b"x" * 1_100_000
"""Bytes; the broker takes a million and a little."""

STILL = 15.0
"""Seconds without a row sent, after which no other will be."""

Row = tuple[UUID, UUID, int, UUID, int, str, bytes, datetime]


@dataclass(slots=True)
class Rows:
    """An outbox of one tenant, of which some can never be sent."""

    tenant: UUID
    rows: list[Row] = field(default_factory=list)
    poison: set[str] = field(default_factory=set)
    behind: set[str] = field(default_factory=set)
    """Later events of the same aggregates, which wait."""

    @property
    def well(self) -> set[str]:
        return {str(row[1]) for row in self.rows} - self.poison - self.behind

    @classmethod
    def drawn(cls, chance: Random, count: int) -> "Rows":
        made = cls(_id(chance))
        aggregates = [_id(chance) for _ in range(count // VERSIONS)]
        # As many poison rows in a hundred, of aggregates that have four each.
        sick = set(chance.sample(aggregates, count // ONE_IN))
        for version in range(1, VERSIONS + 1):
            chance.shuffle(aggregates)
            for aggregate in aggregates:
                made._add(chance, aggregate, version, sick=aggregate in sick)
        return made

    def _add(
        self, chance: Random, aggregate: UUID, version: int, *, sick: bool
    ) -> None:
        id = _id(chance)
        subject = f"scheduling.{self.tenant}.appointment.updated"
        body = json.dumps(
            {
                "id": str(id),
                "type": "appointment.updated",
                "subject": str(aggregate),
                "aggregateversion": version,
            }
        ).encode()
        if sick and version == VERSIONS // 2:
            self.poison.add(str(id))
            if len(self.poison) % 2:
                body = TOO_LARGE
            else:
                subject = f"scheduling.{self.tenant}.cannot be"
        elif sick and version > VERSIONS // 2:
            self.behind.add(str(id))
        self.rows.append(
            (
                *(self.tenant, id, aggregate.int % PARTITIONS, aggregate, version),
                *(subject, body, datetime.now(UTC)),
            )
        )


async def run(setting: Setting) -> Outcome:
    count, broken = (10_000, 1000) if setting.full else (600, 400)
    async with a_stage(
        setting.folder, servers=setting.servers, apis=0, relays=0
    ) as stage:
        stage.add("relay", 1)
        for number in (1, 2):
            stage.add("inbox", number)
        whole = await _tried(setting, stage, count)
        control = await _tried(setting, stage, broken, breaks=True)
    wanted = ("stopped:", "gone:", "not put aside:")
    missed = [
        kind
        for kind in wanted
        if not any(one.startswith(kind) for one in control.failures)
    ]
    return Outcome(
        trials=whole.trials,
        failures=whole.failures,
        counts=whole.counts,
        control=Outcome(
            trials=control.trials, failures=[] if missed else control.failures
        ),
        remark=f"The control did not find: {missed}." if missed else "",
    )


async def _tried(
    setting: Setting, stage: Stage, count: int, *, breaks: bool = False
) -> Outcome:
    chance = Random(setting.seed + breaks)  # noqa: S311  # told
    news = News.drawn(chance, count, poison=count // ONE_IN)
    rows = Rows.drawn(chance, count)
    servers = stage.servers
    await _commit(servers.superuser_url, rows)
    if breaks:
        await _hold_up(stage, rows)
    async with at_work(stage, "relay", "inbox"):
        await send(servers.nats_url, news.messages)
        await until_followed(servers.nats_url)
        await _until_still(stage, rows)
    if breaks:
        await _throw_away(stage, rows, news)
    stream = await whole_stream(servers.nats_url, rows.tenant)
    failures = await not_followed(servers.superuser_url, news.sent)
    failures += await _not_sent(servers.superuser_url, rows, stream)
    return Outcome(
        trials=2 * count,
        failures=failures,
        counts={
            "messages": len(news.messages),
            "poison among them": len(news.sent.poison),
            "outbox rows": len(rows.rows),
            "poison among these": len(rows.poison),
            "behind it, of the same aggregates": len(rows.behind),
            "in the stream": len(stream),
        },
    )


async def _commit(superuser_url: str, rows: Rows) -> None:
    connection = await asyncpg.connect(superuser_url)
    try:
        await connection.copy_records_to_table(
            "outbox",
            records=rows.rows,
            columns=(
                *("tenant_id", "event_id", "partition", "aggregate_id"),
                *("aggregate_version", "subject", "body", "created_at"),
            ),
        )
    finally:
        await connection.close()


async def _until_still(stage: Stage, rows: Rows) -> None:
    """Return when all others are sent, or when nothing more has been for a while."""
    best, since = len(rows.rows), asyncio.get_running_loop().time()
    while True:
        left = await waiting(stage.servers.superuser_url, rows.tenant)
        now = asyncio.get_running_loop().time()
        if left < best:
            best, since = left, now
        if left <= len(rows.poison) + len(rows.behind) or now > since + STILL:
            return
        await asyncio.sleep(0.2)  # another process: it cannot be awaited


async def _not_sent(
    superuser_url: str, rows: Rows, stream: Sequence[Told]
) -> list[str]:
    """Return who was stopped by somebody else's poison, what went past its own, and
    what of the poison is gone or nobody was told of.
    """
    times: dict[str, int] = defaultdict(int)
    for one in stream:
        times[one.id] += 1
    found = [f"stopped: {id}" for id in rows.well if not times[id]]
    found += [f"doubled: {id}, {n} times" for id, n in times.items() if n > 1]
    found += [f"past its turn: {id}" for id in times.keys() - rows.well]
    found += out_of_order(stream)
    connection = await asyncpg.connect(superuser_url)
    try:
        kept = {row["id"]: row for row in await connection.fetch(KEPT, rows.tenant)}
    finally:
        await connection.close()
    found += [f"gone: {id}" for id in (rows.poison | rows.behind) - kept.keys()]
    found += [
        f"without a word: {id}"
        for id in rows.poison & kept.keys()
        if not kept[id]["blocked_reason"]
    ]
    return found


KEPT = """
SELECT event_id::text AS id, blocked_reason FROM outbox
WHERE tenant_id = $1 AND published_at IS NULL
"""


async def _hold_up(stage: Stage, rows: Rows) -> None:
    """Poison stops others: some that are well are taken for it."""
    await as_superuser(
        stage,
        "UPDATE outbox SET blocked_at = now(), blocked_reason = 'a neighbour'"
        " WHERE tenant_id = $1 AND event_id = ANY ($2)",
        rows.tenant,
        sorted(UUID(id) for id in rows.well)[:5],
    )


async def _throw_away(stage: Stage, rows: Rows, news: News) -> None:
    await as_superuser(
        stage, "DELETE FROM dead_letters WHERE tenant_id = ANY ($1)", news.sent.tenants
    )
    await as_superuser(
        stage,
        "DELETE FROM outbox WHERE tenant_id = $1 AND event_id = ANY ($2)",
        rows.tenant,
        [UUID(id) for id in rows.poison],
    )


def _id(chance: Random) -> UUID:
    return UUID(int=chance.getrandbits(128), version=4)


EXPERIMENT = Experiment(
    id="P8",
    promise="a poison message or outbox row stops nobody else and is not lost",
    broken="some well rows blocked, poison rows and dead letters deleted",
    run=run,
    short="tests/integration/test_inbox_survives.py, test_relay.py",
)
