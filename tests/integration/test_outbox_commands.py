"""`scheduling outbox …` and `scheduling events tail`, as a person types them."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
import typer

from scheduling.adapters.postgres.outbox import open_outbox
from scheduling.application.ports.messaging import WaitingEvent
from scheduling.entrypoints.cli.times import since
from tests.fakes.outbox import an_event, in_partition
from tests.outbox_rows import commit
from tests.relaying import everything, relaying, until_arrived


async def start(*words: str, **environment: str) -> asyncio.subprocess.Process:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("SCHEDULING_")}
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "scheduling",
        *words,
        env={**kept, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        preexec_fn=_hear_ctrl_c,
    )


def _hear_ctrl_c() -> None:
    """Who tests in the background ignores it, and with them all that they start."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


async def typed(*words: str, **environment: str) -> tuple[int, str, str]:
    process = await start(*words, **environment)
    out, err = await asyncio.wait_for(process.communicate(), 30)
    return process.returncode or 0, out.decode(), err.decode()


@pytest.fixture
async def blocked(database_url: str) -> AsyncIterator[WaitingEvent]:
    events = [an_event(in_partition(3), 1), an_event(in_partition(4), 1)]
    await commit(database_url, events[:1])
    async with open_outbox(database_url) as outbox:
        async with outbox.claim(10) as found:
            await outbox.block(found[0], "too large")
        await commit(database_url, events[1:])
        yield events[0]


async def test_status_tells_lag_holders_and_blocked_aggregates_with_their_reasons(
    database_url: str, blocked: WaitingEvent
) -> None:
    code, out, err = await typed(
        "outbox", "status", SCHEDULING_DATABASE_URL=database_url
    )
    assert (code, err) == (0, "")
    assert "pending  2" in out
    assert "64 partitions (0-63), 2 pending" in out
    assert str(blocked.aggregate_id) in out
    assert "too large" in out


async def test_status_as_json_finds_the_server_in_the_dev_json_of_a_folder(
    database_url: str, blocked: WaitingEvent, tmp_path: Path
) -> None:
    (tmp_path / "dev.json").write_text(json.dumps({"databaseUrl": database_url}))
    code, out, _ = await typed(
        "outbox", "status", "--json", "--data-dir", str(tmp_path)
    )
    told = json.loads(out)
    assert code == 0
    assert told["pending"] == 2
    assert told["lagSeconds"] >= 0
    (one,) = told["blocked"]
    assert one["eventId"] == str(blocked.event_id)
    assert (one["reason"], one["waiting"]) == ("too large", 1)
    assert len(told["partitions"]) == 64


async def test_without_a_server_to_find_the_command_says_what_to_set(
    tmp_path: Path,
) -> None:
    code, _, err = await typed("outbox", "status", "--data-dir", str(tmp_path))
    assert code == 2
    assert "SCHEDULING_DATABASE_URL" in err


async def test_replay_of_the_blocked_says_what_it_did(
    database_url: str, blocked: WaitingEvent
) -> None:
    code, out, err = await typed(
        "outbox",
        "replay",
        "--aggregate",
        str(blocked.aggregate_id),
        SCHEDULING_DATABASE_URL=database_url,
    )
    assert (code, err) == (0, "")
    assert "unblocked 1 aggregate:" in out


async def test_replay_of_a_range_says_what_it_did(
    database_url: str, nats_url: str
) -> None:
    events = [an_event(in_partition(3), version) for version in (1, 2, 3)]
    await commit(database_url, events)
    async with open_outbox(database_url) as outbox, outbox.claim(10) as found:
        await outbox.mark_published(found)
    code, out, err = await typed(
        "outbox",
        "replay",
        "--from",
        str(events[1].event_id),
        SCHEDULING_DATABASE_URL=database_url,
    )
    assert (code, err) == (0, "")
    assert "2 events will be published again" in out
    async with relaying(database_url, nats_url):
        await everything(nats_url, events[1:])


@pytest.mark.parametrize(
    "words", [[], ["--blocked", "--since", "1h"], ["--from", str(uuid4())]]
)
async def test_replay_that_makes_no_sense_is_refused_before_anything_is_done(
    words: list[str], database_url: str
) -> None:
    code, _, _ = await typed(
        "outbox", "replay", *words, SCHEDULING_DATABASE_URL=database_url
    )
    assert code == 2


async def test_tail_prints_the_events_of_a_tenant_as_json_lines(
    database_url: str, nats_url: str
) -> None:
    tenant = uuid4()
    events = [
        an_event(body=b'{"id": "other"}'),
        an_event(tenant_id=tenant, body=b'{"id":\n "one"}'),
        an_event(tenant_id=tenant, body=b"not json"),
    ]
    async with relaying(database_url, nats_url):
        await commit(database_url, events)
        await until_arrived(nats_url, 3)
        code, out, err = await typed(
            *("events", "tail", "--json", "--since", "1h", "--count", "2"),
            *("--tenant", str(tenant)),
            SCHEDULING_NATS_URL=nats_url,
        )
    assert (code, err) == (0, "")
    assert sorted(map(str, map(json.loads, out.splitlines()))) == [
        "{'id': 'one'}",
        "{'unreadable': True}",
    ]


async def test_tail_prints_lines_to_read_and_ends_with_ctrl_c(
    database_url: str, nats_url: str
) -> None:
    aggregate = uuid4()
    body = json.dumps({"subject": str(aggregate), "aggregateversion": 7}).encode()
    async with relaying(database_url, nats_url):
        tail = await start(
            "events", "tail", "--since", "1h", SCHEDULING_NATS_URL=nats_url
        )
        await commit(database_url, [an_event(body=body)])
        assert tail.stdout is not None
        line = (await asyncio.wait_for(tail.stdout.readline(), 30)).decode()
        assert "appointment.created" in line
        assert f"{aggregate}  v7" in line
        tail.send_signal(signal.SIGINT)
        _, err = await asyncio.wait_for(tail.communicate(), 30)
    assert tail.returncode == 0
    assert err == b""


NOW = datetime(2026, 5, 4, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("90s", NOW - timedelta(seconds=90)),
        ("15m", NOW - timedelta(minutes=15)),
        ("2h", NOW - timedelta(hours=2)),
        ("3d", NOW - timedelta(days=3)),
        ("2026-05-04T09:00:00Z", NOW),
        ("2026-05-04T11:00:00+02:00", NOW),
    ],
)
def test_a_time_is_an_age_or_an_instant(text: str, instant: datetime) -> None:
    assert since(text, now=NOW) == instant


@pytest.mark.parametrize("text", ["", "15", "yesterday", "2026-05-04T09:00:00", "-1h"])
def test_a_time_without_a_meaning_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        since(text, now=NOW)
