"""Numbers of record folders: each once and without gaps, whoever comes together, and
anew with each year.
"""

import asyncio
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from scheduling.adapters.cloud_events.messages import message_of
from scheduling.adapters.cloud_events.own_messages import OWN
from scheduling.application.ports.inbox import ReceivedEvent
from scheduling.application.reactions.open_sub_file import OpenSubFile
from scheduling.domain.settings import Settings
from scheduling.entrypoints.attempts import settled
from tests.builders import EIGHT, a_location, a_patient, open_clinic, slots_from
from tests.contracts.inbound import Hearing, Inbound
from tests.contracts.reception import Reception
from tests.contracts.storages import PostgresStorage, postgres_storage

MADE = "appointment.created"
YANGON = ZoneInfo("Asia/Yangon")


def drawn(numbers: Iterable[str]) -> list[int]:
    """Return the counted parts in their order, for all numbers there are."""
    return sorted(int(one.split("-")[2]) for one in numbers)


def said_of(news: dict[str, Any], patient: object) -> ReceivedEvent[Any]:
    """The same news of another patient's visit."""
    data = {
        **news["data"],
        "patientId": str(patient),
        "appointmentId": str(uuid4()),
    }
    return ReceivedEvent(
        tenant_id=news["tenantid"],
        source=news["source"],
        id=str(uuid4()),
        type=MADE,
        stored_at=EIGHT,
        version=1,
        traceparent=None,
        message=message_of(MADE, data, version=1, known=OWN),
        time=EIGHT,
    )


async def numbers_in(inbound: Inbound) -> list[str]:
    assert isinstance(inbound.inbox, PostgresStorage)
    rows = await inbound.inbox.rows(
        inbound.clinic.caller, "SELECT number FROM sub_files"
    )
    return [row["number"] for row in rows]


async def test_ten_thousand_who_come_together_have_numbers_of_their_own_without_gaps(
    on_postgres: PostgresStorage, shared_database_url: str
) -> None:
    """By the reaction of the inbox, under its role; some news come twice."""
    many, at_once = 10_000, 10
    patients = tuple(a_patient() for _ in range(many))
    clinic = await open_clinic(on_postgres.begin, patients=patients)
    desk = Reception(on_postgres, clinic)
    await desk.book(clinic.request())
    url = shared_database_url
    async with postgres_storage(url, size=at_once, role="scheduling_inbox") as inbox:
        inbound = Inbound(desk, inbox)
        [news] = await inbound.told(MADE)
        opening = OpenSubFile(inbox.begin, desk.clock, inbound)
        waiting = [said_of(news, one.id) for one in patients]
        waiting += waiting[::50]

        async def one_after_the_other() -> None:
            while waiting:
                follow = partial(opening, clinic.caller, waiting.pop())
                await settled(follow)

        await asyncio.gather(*(one_after_the_other() for _ in range(at_once)))
        numbers = await numbers_in(inbound)
    assert drawn(numbers) == list(range(1, many + 1))
    assert {one.split("-")[1] for one in numbers} == {"2030"}


async def test_those_who_are_booked_together_have_folders_of_their_own(
    on_postgres: PostgresStorage, shared_database_url: str
) -> None:
    """All the way: from their bookings to the folders that their visits name."""
    many = 200
    patients = tuple(a_patient() for _ in range(many))
    slots = slots_from("09:00", minutes=2, count=many)
    clinic = await open_clinic(on_postgres.begin, *slots, patients=patients)
    desk = Reception(on_postgres, clinic)
    url = shared_database_url
    async with postgres_storage(url, size=12, role="scheduling_inbox") as inbox:
        inbound = Inbound(desk, inbox)
        await asyncio.gather(*(desk.book(clinic.request(n, n)) for n in range(many)))
        news = await inbound.told(MADE)
        await asyncio.gather(*(inbound.hears_again(one) for one in news))
        assert drawn(await numbers_in(inbound)) == list(range(1, many + 1))
    visits = await on_postgres.appointments(clinic.caller)
    assert len({visit.sub_file_id for visit in visits} - {None}) == many


async def test_with_the_clinics_new_year_they_begin_anew(hearing: Hearing) -> None:
    far = Settings(horizon_days=2000)
    here = a_location(code="YGN", timezone="Asia/Yangon")
    async with hearing(
        location=here, timezone="Asia/Yangon", settings=far, patients=4
    ) as inbound:
        midnight = datetime(2027, 1, 1, tzinfo=YANGON)
        for n, minutes in enumerate((-2, -1, 1, 2)):
            inbound.desk.now = midnight + timedelta(minutes=minutes)
            await inbound.desk.book(inbound.clinic.request(n, n))
        # The old year's are followed last, long after midnight.
        for news in reversed(await inbound.told(MADE)):
            await inbound.hears_again(news)
        opened = await inbound.told("subfile.created")
        numbers = {one["data"]["patientId"]: one["data"]["number"] for one in opened}
        assert [numbers[str(one.id)] for one in inbound.clinic.patients] == [
            "FILE-2026-000002-YGN-01",
            "FILE-2026-000001-YGN-01",
            "FILE-2027-000002-YGN-01",
            "FILE-2027-000001-YGN-01",
        ]
