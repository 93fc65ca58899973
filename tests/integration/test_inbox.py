"""The inbox between real servers: what becomes of each message."""

from uuid import uuid4

from tests.following import an_event, following, rows, sending, settings_of, until_rows

DEAD = "SELECT * FROM dead_letters ORDER BY stream_sequence"
FOLLOWED = "SELECT * FROM inbox"


def news() -> dict[str, object]:
    return an_event("schedule.changed", {"scheduleId": str(uuid4())})


async def test_the_same_event_twice_is_followed_once(
    database_url: str, nats_url: str
) -> None:
    tenant, event, last = uuid4(), news(), news()
    async with (
        following(settings_of(database_url, nats_url)),
        sending(nats_url) as sender,
    ):
        for _ in range(3):
            await sender.send(tenant, event)
        await sender.send(tenant, last)
        await until_rows(database_url, 2, FOLLOWED)
    assert len(await rows(database_url, FOLLOWED)) == 2
    assert await rows(database_url, DEAD) == []


async def test_poison_becomes_a_dead_letter_and_the_next_goes_on(
    database_url: str, nats_url: str
) -> None:
    tenant, event = uuid4(), news()
    async with (
        following(settings_of(database_url, nats_url)),
        sending(nats_url) as sender,
    ):
        sequence = await sender.send(tenant, {**event, "specversion": "0.3"})
        await sender.send(tenant, event)
        await until_rows(database_url, 1, FOLLOWED)
        (letter,) = await until_rows(database_url, 1, DEAD)
    assert letter["tenant_id"] == tenant
    assert letter["stream_sequence"] == sequence
    assert letter["reason"] == "NOT_A_CLOUD_EVENT"
    assert letter["detail"] == "specversion is not 1.0"
