"""A patient who is deleted: nothing personal stays anywhere in the database, and it
costs as many statements for many visits as for one.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from uuid import UUID, uuid4

import asyncpg
import pytest

from scheduling.adapters.postgres.tables import metadata
from scheduling.application.commands.add_to_waitlist import AddToWaitlist
from scheduling.application.commands.answer_once import AnswerOnce
from scheduling.application.commands.book_appointment import BookAppointment
from scheduling.application.commands.cancel_appointment import CancelAppointment
from scheduling.application.commands.put_patient import PutPatient
from scheduling.application.ports.dead_letters import DeadLetter
from scheduling.application.ports.repositories import IdempotencyKey, StoredAnswer
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.domain.appointment import CancelReason, Initiator
from scheduling.domain.booking_request import Override
from scheduling.domain.directory import ContactPreferences
from scheduling.domain.version import ExpectedVersion
from tests.builders import EIGHT, Clinic, a_patient, open_clinic, slots_from
from tests.contracts.inbound import Inbound
from tests.contracts.reception import Reception
from tests.contracts.storages import postgres_storage
from tests.contracts.test_portal_requests import REQUESTED, a_wish
from tests.integration.ear import BEGIN, COMMIT, READ, WRITE, Ear
from tests.waiting import a_wish as a_waitlist_wish

MARK = "xMARKERx"
TEXTS = {"reason": f"reason {MARK}", "notes": f"notes {MARK}"}


@pytest.fixture
async def inbound(database_url: str) -> AsyncIterator[Inbound]:
    async with AsyncExitStack() as held:
        api = await held.enter_async_context(postgres_storage(database_url, size=2))
        inbox = await held.enter_async_context(
            postgres_storage(database_url, size=1, role="scheduling_inbox")
        )
        clinic = await open_clinic(
            api.begin,
            *slots_from("09:00", count=6),
            patients=(
                a_patient(
                    name=f"Name {MARK}",
                    file_number=f"file-{MARK}",
                    phone=f"+49 {MARK}",
                    email=f"{MARK}@example.org",
                    preferences=ContactPreferences(sms=True),
                ),
                a_patient(),
            ),
        )
        yield Inbound(Reception(api, clinic), inbox)


async def everything_that_is_kept_of_a_patient(inbound: Inbound) -> None:
    begin, clinic = inbound.desk.storage.begin, inbound.clinic
    caller, patient = clinic.caller, clinic.patients[0]
    once = AnswerOnce(begin)

    async def put(joined: BeginWork) -> StoredAnswer:
        named = replace(patient, name=f"Other {MARK}")
        kept = await PutPatient(joined, lambda: EIGHT)(caller, named)
        return StoredAnswer(200, {}, f'{{"id":"{kept.id}","name":"{MARK}"}}'.encode())

    await once(caller, IdempotencyKey("put", "1"), put)
    book = BookAppointment(begin, lambda: EIGHT)
    await book(caller, clinic.request(0, 0, **TEXTS))
    await book(caller, clinic.request(1, 1))
    insisting = Override(reason=f"because {MARK}", allowed=True)
    await book(caller, clinic.request(0, 1, override=insisting, **TEXTS))
    gone = await book(caller, clinic.request(0, 2, **TEXTS))
    await CancelAppointment(begin, lambda: EIGHT)(
        caller,
        gone.id,
        expected=ExpectedVersion(1),
        reason_code=CancelReason.OTHER,
        initiated_by=Initiator.PATIENT,
        comment=f"comment {MARK}",
    )
    await AddToWaitlist(begin, lambda: EIGHT)(caller, a_waitlist_wish(patient.id))
    await inbound.hears(REQUESTED, a_wish(inbound, 0, 4, **TEXTS))
    async with inbound.inbox.begin(caller) as work:
        work.dead_letters.keep(a_letter(clinic))


def a_letter(clinic: Clinic) -> DeadLetter:
    body = f'{{"data":{{"patientId":"{clinic.patients[0].id}","fax":"{MARK}"}}}}'
    return DeadLetter(
        id=uuid4(),
        tenant_id=clinic.caller.tenant_id,
        stream="SCHEDULING_INBOX",
        sequence=1,
        stored_at=EIGHT,
        subject="inbox",
        headers={},
        body=body.encode(),
        event_id="1",
        event_type="patient.updated",
        reason="VALIDATION_FAILED",
        detail="(unknown): extra_forbidden",
        deliveries=1,
        died_at=EIGHT,
    )


async def tables_with_the_mark(database_url: str, tenant: UUID) -> set[str]:
    """Return the tables that have a row with it, as text or as bytes; in any case."""
    words = [MARK, MARK.encode().hex()]
    found = set()
    connection = await asyncpg.connect(
        database_url, server_settings={"app.tenant_id": str(tenant)}
    )
    try:
        for table in metadata.sorted_tables:
            rows = await connection.fetchval(
                f"SELECT count(*) FROM {table.name} AS one "  # noqa: S608  # our own name
                "WHERE EXISTS (SELECT FROM unnest($1::text[]) AS word "
                "WHERE strpos(lower(one::text), lower(word)) > 0)",
                words,
            )
            if rows:
                found.add(table.name)
    finally:
        await connection.close()
    return found


async def test_nothing_personal_of_a_deleted_patient_stays_anywhere(
    inbound: Inbound, database_url: str
) -> None:
    await everything_that_is_kept_of_a_patient(inbound)
    tenant = inbound.clinic.caller.tenant_id
    before = await tables_with_the_mark(database_url, tenant)
    # A control: this is where it is, and that it would be seen.
    assert before == {
        "patients",
        "patient_words",
        "appointments",
        "idempotency_keys",
        "dead_letters",
    }
    await inbound.deletes()
    assert await tables_with_the_mark(database_url, tenant) == set()


STATEMENTS = [
    BEGIN,
    *[READ] * 2,  # whether it was followed, under its lock
    *[READ] * 2,  # how far the patient's news were, under its lock
    *[READ] * 4,  # the patient, held, then read; the visits; who waits
    READ,  # who waits for their time
    WRITE,  # texts, answers and dead letters
    WRITE,  # all else
    COMMIT,
]


@pytest.mark.parametrize("visits", [1, 200])
async def test_many_visits_cost_as_many_statements_as_one(
    database_url: str, visits: int
) -> None:
    async with postgres_storage(
        database_url, size=1, role="scheduling_inbox"
    ) as storage:
        await forget_with(storage_of := Ear(storage), 1)  # asyncpg asks about types
        async with storage.pool.acquire() as connection:
            connection.add_query_logger(storage_of.hear)
        assert await forget_with(storage_of, visits) == STATEMENTS


async def forget_with(ear: Ear, visits: int) -> Sequence[str]:
    slots = slots_from("09:00", minutes=5, count=visits)
    clinic = await open_clinic(ear.storage.begin, *slots, patients=2)
    inbound = Inbound(Reception(ear.storage, clinic), ear.storage)
    for number in range(visits):
        await inbound.desk.book(clinic.request(0, number, **TEXTS))
    wish = a_waitlist_wish(clinic.patients[0].id)
    await AddToWaitlist(ear.storage.begin, lambda: EIGHT)(clinic.caller, wish)
    heard = await ear.during(inbound.deletes())
    told = await inbound.told("appointment.cancelled")
    assert len(told) == visits
    return heard
