"""What follows from a visit takes few statements, and no more for the next than for
the first.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from scheduling.adapters.cloud_events.own_messages import OWN
from tests.builders import a_location, a_patient, open_clinic, slots_from
from tests.contracts.inbound import Inbound
from tests.contracts.reception import Reception
from tests.contracts.storages import PostgresStorage, postgres_storage
from tests.integration.ear import BEGIN, COMMIT, READ, WRITE, Ear

FOLLOWED = [BEGIN, READ, READ]
"""The event's lock, and whether it was followed."""


@pytest.fixture
async def heard(database_url: str) -> AsyncIterator[tuple[Inbound, Ear]]:
    async with AsyncExitStack() as held:
        api = await held.enter_async_context(postgres_storage(database_url, size=2))
        inbox: PostgresStorage = await held.enter_async_context(
            postgres_storage(database_url, size=1, role="scheduling_inbox")
        )
        clinic = await open_clinic(
            api.begin,
            *slots_from("09:00", count=4),
            location=a_location(code="C"),
            patients=(
                a_patient(file_number="FILE-2026-000001"),
                a_patient(),
                a_patient(file_number="FILE-2026-000002"),
            ),
        )
        ear = Ear(inbox)
        async with inbox.pool.acquire() as connection:
            connection.add_query_logger(ear.hear)
        yield Inbound(Reception(api, clinic), inbox), ear


async def followed(heard: tuple[Inbound, Ear], patient: int, slot: int) -> list[str]:
    inbound, ear = heard
    await inbound.desk.book(inbound.clinic.request(patient, slot))
    news = (await inbound.told(*OWN))[-1]
    return await ear.during(inbound.hears_again(news))


async def test_a_booking_is_followed_in_few_statements(
    heard: tuple[Inbound, Ear],
) -> None:
    visit_and_patient = [READ, READ]
    # Is there one? Hold the patient; is there one now? The patient, the clinic, how
    # many there are, whether the number is taken.
    with_a_main_file = [READ] * 7
    await followed(heard, 2, 3)  # the driver asks the server what its types are
    first = await followed(heard, 0, 0)
    assert first == [*FOLLOWED, *with_a_main_file, *visit_and_patient, WRITE, COMMIT]
    again = await followed(heard, 0, 1)
    assert again == [*FOLLOWED, READ, *visit_and_patient, WRITE, COMMIT]
    drawn = await followed(heard, 1, 2)
    assert len(drawn) == len(first) + 1
