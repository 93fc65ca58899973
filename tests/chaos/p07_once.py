"""P7: an inbound message takes effect exactly once, and old news never after newer."""

import asyncio
from random import Random

from tests.chaos.announcing import as_superuser, at_work
from tests.chaos.checks.followed import not_followed
from tests.chaos.faults import every
from tests.chaos.news import News, send, until_followed
from tests.chaos.outcome import Experiment, Outcome, Setting
from tests.chaos.stage import Stage, a_stage
from tests.chaos.trouble import Trouble, in_trouble

ANYWHERE = [
    Trouble.a_killed_process,
    Trouble.a_stopped_process,
    Trouble.one_that_wakes_too_late,
    Trouble.a_hung_process,
    Trouble.ended_sessions_of_all,
    Trouble.lost_answers_of_the_broker,
    Trouble.lost_acknowledgements,
    Trouble.lost_answers_of_the_database,
]
OF_OUR_SERVERS = [Trouble.a_killed_broker, Trouble.a_killed_database]
SECONDS = 180.0


async def run(setting: Setting) -> Outcome:
    count, broken = (20_000, 2000) if setting.full else (600, 200)
    chance = Random(setting.seed)  # noqa: S311  # told
    news, doubled = (News.drawn(chance, n) for n in (count, broken))
    async with (
        a_stage(setting.folder, servers=setting.servers, apis=0, relays=0) as stage,
        in_trouble(
            stage,
            "inbox",
            3 if setting.full else 2,
            # Others take over soon, and what trouble holds up is not given up.
            SCHEDULING_INBOX_ACK_WAIT="2",
            SCHEDULING_INBOX_MAX_DELIVER="1000",
        ) as trouble,
    ):
        url = stage.servers.superuser_url
        async with at_work(stage, "inbox"):
            await _in_trouble(setting, trouble, news, chance)
            await until_followed(stage.servers.nats_url)
        failures = await not_followed(url, news.sent)
        faults = +stage.faults.counts
        await _forget(stage)
        async with at_work(stage, "inbox"):
            await send(stage.servers.nats_url, doubled.messages)
            await until_followed(stage.servers.nats_url)
        found = await not_followed(url, doubled.sent)
    seen = [one for one in found if one.startswith("doubled:")]
    return Outcome(
        trials=len(news.messages),
        failures=failures,
        counts={
            "messages": len(news.messages),
            "with an effect of their own": len(news.sent.once),
            "patients": len(news.sent.newest),
        },
        faults=faults,
        control=Outcome(trials=len(doubled.messages), failures=seen),
    )


async def _in_trouble(
    setting: Setting, trouble: Trouble, news: News, chance: Random
) -> None:
    kinds = ANYWHERE + ([] if setting.servers else OF_OUR_SERVERS)
    url = trouble.stage.servers.nats_url
    if setting.full:

        async def one(chance: Random) -> None:
            await chance.choice(kinds)(trouble, chance)

        async with every(4, one, setting.seed):
            await send(url, news.messages, seconds=SECONDS)
        return
    async with asyncio.TaskGroup() as tasks:
        sending = tasks.create_task(send(url, news.messages, seconds=8))
        for kind in chance.sample(kinds, len(kinds)):
            await asyncio.wait({sending}, timeout=0.5)
            await kind(trouble, chance)


async def _forget(stage: Stage) -> None:
    """Have the inbox write down nothing of what it follows."""
    await as_superuser(
        stage,
        "CREATE FUNCTION forget() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN RETURN NULL; END'",
    )
    await as_superuser(
        stage,
        "CREATE TRIGGER forget BEFORE INSERT ON inbox"
        " FOR EACH ROW EXECUTE FUNCTION forget()",
    )


EXPERIMENT = Experiment(
    id="P7",
    promise="an inbound message takes effect exactly once",
    broken="the inbox forgets what it has followed",
    run=run,
    short="tests/integration/test_inbox_survives.py",
)
