"""What an operator does with dead letters: look, mend, send again."""

import asyncio
import json
import os
import subprocess
import sys
from typing import Any
from uuid import UUID, uuid4

import pytest
from typer.testing import CliRunner

from scheduling.adapters.nats.connection import open_connection
from scheduling.adapters.nats.resending import STORED_AT, JetStreamResender
from scheduling.adapters.postgres.dead_letter_desk import open_letter_desk
from scheduling.application.commands.put_location import PutLocation
from scheduling.application.commands.put_practitioner import PutPractitioner
from scheduling.application.ports.dead_letters import DeadLetter
from scheduling.entrypoints.cli.inbox import app
from tests.builders import EIGHT, a_caller, a_location, a_practitioner
from tests.contracts.storages import postgres_storage
from tests.following import (
    Sender,
    an_event,
    following,
    rows,
    sending,
    settings_of,
    until_answered,
    until_rows,
)

DEAD = "SELECT * FROM dead_letters ORDER BY died_at, id"
FOLLOWED = "SELECT * FROM inbox WHERE tenant_id = $1 AND source = '/somebody'"
INBOX = ("SCHEDULING_INBOX", "scheduling-inbox")


async def command(database_url: str, nats_url: str, *words: str) -> tuple[int, str]:
    """Run `scheduling inbox …`; return how it ended and what it said."""
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "scheduling", "inbox", *words],
        check=False,
        capture_output=True,
        text=True,
        env={
            **os.environ,
            "SCHEDULING_DATABASE_URL": database_url,
            "SCHEDULING_NATS_URL": nats_url,
        },
    )
    return done.returncode, done.stdout + done.stderr


def a_role_of(practitioner: UUID, location: UUID) -> dict[str, Any]:
    return an_event(
        "practitioner-role.created",
        {
            "practitionerRoleId": str(uuid4()),
            "practitionerId": str(practitioner),
            "locationId": str(location),
            "active": True,
            "specialties": [],
            "serviceTypes": [],
            "availability": [],
            "notAvailable": [],
        },
    )


async def test_what_was_mended_is_followed_when_it_is_replayed(
    database_url: str, nats_url: str
) -> None:
    caller, doctor, place = a_caller(), a_practitioner(), a_location()
    tenant = caller.tenant_id
    news = a_role_of(doctor.id, place.id)
    async with (
        following(settings_of(database_url, nats_url)),
        sending(nats_url) as sender,
        postgres_storage(database_url, size=1) as storage,
    ):
        await sender.send(tenant, news)
        (letter,) = await until_rows(database_url, 1, DEAD)
        assert letter["reason"] == "PRACTITIONER_NOT_FOUND"
        ended, told = await command(database_url, nats_url, "dead-letters")
        assert ended == 0
        for word in ("PRACTITIONER_NOT_FOUND", str(letter["id"]), str(tenant)):
            assert word in told

        await PutPractitioner(storage.begin, lambda: EIGHT)(caller, doctor)
        await PutLocation(storage.begin, lambda: EIGHT)(caller, place)
        ended, told = await command(database_url, nats_url, "replay", str(letter["id"]))
        assert (ended, told.splitlines()[-1]) == (0, "replayed 1 dead letter")
        await until_rows(
            database_url, 1, "SELECT * FROM inbox WHERE tenant_id = $1", tenant
        )
        roles = await storage.rows(caller, "SELECT id FROM practitioner_roles")
    assert [str(role["id"]) for role in roles] == [news["data"]["practitionerRoleId"]]
    (letter,) = await rows(database_url, DEAD)
    assert letter["replayed_at"] is not None


async def test_what_newer_news_overtook_is_not_followed_when_it_is_replayed(
    database_url: str, nats_url: str
) -> None:
    caller, doctor, place = a_caller(), a_practitioner(), a_location()
    tenant = caller.tenant_id
    older = a_role_of(doctor.id, place.id)
    newer = {**older, "id": "newer", "data": {**older["data"], "active": False}}
    async with (
        following(settings_of(database_url, nats_url)),
        sending(nats_url) as sender,
        postgres_storage(database_url, size=1) as storage,
    ):
        await sender.send(tenant, older)
        await until_rows(database_url, 1, DEAD)
        await PutPractitioner(storage.begin, lambda: EIGHT)(caller, doctor)
        await PutLocation(storage.begin, lambda: EIGHT)(caller, place)
        await sender.send(tenant, newer)
        await until_rows(database_url, 1, FOLLOWED, tenant)
        await command(database_url, nats_url, "replay", "--all")
        outcomes = await until_rows(database_url, 2, FOLLOWED, tenant)
        (role,) = await storage.rows(caller, "SELECT active FROM practitioner_roles")
    assert {one["event_id"]: one["outcome"] for one in outcomes} == {
        "newer": "applied",
        older["id"]: "stale",
    }
    assert role["active"] is False


async def test_what_still_cannot_be_followed_becomes_a_letter_of_its_own(
    database_url: str, nats_url: str
) -> None:
    async with (
        following(settings_of(database_url, nats_url)),
        sending(nats_url) as sender,
    ):
        await some_letters(sender, database_url)
        ended, told = await command(
            database_url, nats_url, "replay", "--reason", "UNKNOWN_TYPE"
        )
        assert (ended, told.splitlines()[-1]) == (0, "replayed 2 dead letters")
        again = await until_rows(database_url, 5, DEAD)
        ended, told = await command(database_url, nats_url, "replay", "--all")
        assert (ended, told.splitlines()[-1]) == (0, "replayed 3 dead letters")
        await until_rows(database_url, 8, DEAD)
        await until_answered(nats_url, *INBOX)
    first, second, third, *_ = again
    assert [one["replayed_at"] is not None for one in again] == [
        True,
        True,
        False,
        False,
        False,
    ]
    for once, then in zip((first, second), again[3:], strict=True):
        assert (then["body"], then["event_id"]) == (once["body"], once["event_id"])
    assert third["reason"] == "NOT_A_CLOUD_EVENT"


async def some_letters(sender: Sender, database_url: str) -> UUID:
    """Have two of one tenant, and one of another; return that other tenant."""
    tenant, other = uuid4(), uuid4()
    await sender.send(tenant, an_event("nobody.listens", {}))
    await until_rows(database_url, 1, DEAD)
    await sender.send(other, an_event("nobody.listens", {}))
    await until_rows(database_url, 2, DEAD)
    await sender.send(tenant, an_event("nobody.listens", {}, id=None))
    await until_rows(database_url, 3, DEAD)
    return other


async def in_here(database_url: str, nats_url: str, *words: str) -> tuple[int, str]:
    """The same without a process of its own, where nobody else writes meanwhile."""
    servers = {
        "SCHEDULING_DATABASE_URL": database_url,
        "SCHEDULING_NATS_URL": nats_url,
    }
    told = await asyncio.to_thread(CliRunner().invoke, app, [*words], env=servers)
    return told.exit_code, told.output


async def test_letters_are_listed_by_tenant_and_reason(
    database_url: str, nats_url: str
) -> None:
    async with (
        following(settings_of(database_url, nats_url)),
        sending(nats_url) as sender,
    ):
        other = await some_letters(sender, database_url)
    _, told = await in_here(
        database_url, nats_url, "dead-letters", "--json", "--tenant", str(other)
    )
    (document,) = map(json.loads, told.splitlines())
    assert document["tenantId"] == str(other)
    assert document["reason"] == "UNKNOWN_TYPE"
    assert document["replayedAt"] is None
    assert "body" not in document
    _, told = await in_here(
        database_url, nats_url, "dead-letters", "--reason", "NOT_A_CLOUD_EVENT"
    )
    assert "missing: id" in told
    assert told.splitlines()[-1] == "1 dead letter"
    _, told = await in_here(
        database_url, nats_url, "dead-letters", "--json", "--bodies"
    )
    assert all("body" in json.loads(line) for line in told.splitlines())


async def test_a_replay_of_what_is_not_there_says_so(
    database_url: str, nats_url: str
) -> None:
    ended, told = await in_here(database_url, nats_url, "replay", str(uuid4()))
    assert (ended, told.splitlines()[-1]) == (1, "the others are not there")


@pytest.mark.parametrize("words", [(), ("--all", "--reason", "X")])
def test_a_replay_takes_one_way_to_say_which(words: tuple[str, ...]) -> None:
    told = CliRunner().invoke(app, ["replay", *words])
    assert told.exit_code == 2
    assert "--reason" in told.output


def a_letter(**told: Any) -> DeadLetter:  # noqa: ANN401
    given = {
        "id": uuid4(),
        "tenant_id": uuid4(),
        "stream": "SCHEDULING",
        "sequence": 4,
        "stored_at": EIGHT,
        "subject": f"scheduling.{uuid4()}.schedule.changed",
        "headers": {
            "Nats-Msg-Id": "first",
            "nats-expected-last-sequence": "7",
            "Content-Type": "application/cloudevents+json",
        },
        "body": b"{}",
        "event_id": None,
        "event_type": None,
        "reason": "SCHEDULE_NOT_FOUND",
        "detail": "",
        "deliveries": 1,
        "died_at": EIGHT,
        **told,
    }
    return DeadLetter(**given)


async def test_what_was_ours_is_replayed_to_the_inbox_and_to_nobody_else(
    database_url: str, nats_url: str
) -> None:
    letter = a_letter()
    async with (
        following(settings_of(database_url, nats_url)),
        open_connection(nats_url, name="test") as broker,
        sending(nats_url) as sender,
    ):
        await sender.send(uuid4(), an_event("nobody.listens", {}))
        await until_rows(database_url, 1, DEAD)
        resender = JetStreamResender(broker)
        await resender.send(letter)
        await resender.send(letter)  # who died before the mark does it again
        await until_rows(database_url, 2, DEAD)
        await resender.send(a_letter(id=letter.id, replayed_at=EIGHT))
        await until_rows(database_url, 3, DEAD)
        ours = await sender.client.jsm().stream_info("SCHEDULING")
        theirs = await sender.client.jsm().get_msg("SCHEDULING_INBOX", 2)
    assert ours.state.messages == 0
    assert theirs.subject == letter.subject.replace("scheduling", "inbox.replay")
    assert theirs.headers is not None
    assert set(theirs.headers) == {"Nats-Msg-Id", "Content-Type", STORED_AT}
    assert theirs.headers[STORED_AT] == letter.stored_at.isoformat()


async def test_the_desk_finds_and_marks_letters_of_all_tenants(
    database_url: str, nats_url: str
) -> None:
    async with (
        following(settings_of(database_url, nats_url)),
        sending(nats_url) as sender,
    ):
        await some_letters(sender, database_url)
        await sender.send_bytes("inbox.nobody", b"", {})
        await until_rows(database_url, 4, DEAD)
    async with open_letter_desk(database_url) as desk:
        found = [letter async for letter in desk.find()]
        assert [letter.died_at for letter in found] == sorted(
            letter.died_at for letter in found
        )
        for letter in found[1:]:
            await desk.mark_replayed(letter, EIGHT)
        assert [letter async for letter in desk.find(waiting=True)] == found[:1]
        ids = [found[2].id, uuid4()]
        (one,) = [letter async for letter in desk.find(ids=ids)]
    assert (one.id, one.replayed_at) == (found[2].id, EIGHT)
