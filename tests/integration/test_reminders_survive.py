"""Three sweepers that are killed, and cancels meanwhile: each reminder once, and none
after its cancel.
"""

import asyncio
import os
import random
import sys
from collections import Counter
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Mapping,
    Sequence,
)
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import orjson
import pytest

from scheduling.adapters.embedded.program import Program, Running, start
from scheduling.adapters.reminders.smtp import MailServer, RemindersBySmtp
from scheduling.application.commands.cancel_appointment import CancelAppointment
from scheduling.application.ports.unit_of_work import BeginWork, DecisionOutdated
from scheduling.domain.appointment import CancelReason, Initiator
from scheduling.domain.directory import Channel, ContactPreferences
from scheduling.domain.due_reminder import DueReminder, Notice
from scheduling.domain.identifiers import AppointmentId
from scheduling.domain.version import ExpectedVersion
from scheduling.entrypoints.attempts import settled
from tests.builders import Clinic, a_patient, open_clinic
from tests.contracts.put_there import a_visit, put_there
from tests.contracts.reminding import TWO_HOURS, a_reminder, starting
from tests.contracts.storages import PostgresStorage, postgres_storage
from tests.mailing import MailSite

MAILS = int(os.environ.get("MAILS", "300"))
"""`MAILS=2000 .venv/bin/pytest -n 0 tests/integration/test_reminders_survive.py` sends
as many: each is a session with a mail server, which two cores have for some hundred a
second.
"""
PATIENCE = 90.0 + MAILS / 10
Kill = Callable[[int], Awaitable[None]]
SWEEPERS = 3


@dataclass
class Ledger:
    """What was seen from outside: when each reminder went out, when each cancel was
    answered (by one clock), and how the rows ended.
    """

    sent: dict[UUID, list[float]] = field(default_factory=dict)
    cancelled: dict[UUID, float] = field(default_factory=dict)
    ended: Mapping[UUID, tuple[str, str | None]] = field(default_factory=dict)

    def complaints(self) -> list[str]:
        return sorted(self._complaints())

    def _complaints(self) -> Iterable[str]:
        for id, (status, reason) in self.ended.items():
            times = self.sent.get(id, [])
            if len(times) > 1:
                yield f"{id} went out {len(times)} times"
            if id in self.cancelled and any(t > self.cancelled[id] for t in times):
                yield f"{id} went out after its cancel"
            if status == "SENT" and not times:
                yield f"{id} is SENT and did not go out"
            if status == "SCHEDULED" or reason == "TOO_LATE":
                yield f"{id} was forgotten: {status}"
        for id in self.sent.keys() - self.ended.keys():
            yield f"{id} went out and there is no such reminder"


def test_the_judge_sees_what_is_wrong() -> None:
    one, two, three, four, five = (uuid4() for _ in range(5))
    ended = {one: ("SENT", None), two: ("CANCELLED", "cancelled")}
    assert Ledger({one: [1.0]}, {two: 2.0}, ended).complaints() == []
    assert Ledger({one: [1.0]}, {one: 2.0}, ended).complaints() == []
    wrong = Ledger(
        {one: [1.0, 1.5], two: [3.0], five: [1.0]},
        {two: 2.0},
        {**ended, three: ("SENT", None), four: ("SCHEDULED", None)},
    )
    assert set(wrong.complaints()) == {
        f"{one} went out 2 times",
        f"{two} went out after its cancel",
        f"{three} is SENT and did not go out",
        f"{four} was forgotten: SCHEDULED",
        f"{five} went out and there is no such reminder",
    }


@pytest.fixture
async def storage(database_url: str) -> AsyncIterator[PostgresStorage]:
    async with postgres_storage(database_url, size=4) as storage:
        yield storage


@dataclass
class Patients:
    """A clinic whose visits begin in two hours, so that all are to be reminded now."""

    storage: PostgresStorage
    clinic: Clinic
    reminder_of: dict[AppointmentId, UUID]
    loop: asyncio.AbstractEventLoop

    @classmethod
    async def of(cls, storage: PostgresStorage, visits: int) -> "Patients":
        preferences = ContactPreferences(email=True)
        people = tuple(
            a_patient(preferences=preferences, email=f"p{n}@example.org")
            for n in range(20)
        )
        clinic = await open_clinic(storage.begin, patients=people)
        period = starting(timedelta(minutes=TWO_HOURS - 1))
        made = [
            replace(
                a_visit(clinic, period, n % len(people)),
                reminders=(a_reminder(period.start, TWO_HOURS, Channel.EMAIL),),
            )
            for n in range(visits)
        ]
        await put_there(storage, clinic, *made)
        ids = {one.appointment.id: one.reminders[0].id for one in made}
        return cls(storage, clinic, ids, asyncio.get_running_loop())

    async def cancel(self, ledger: Ledger, which: Iterable[AppointmentId]) -> None:
        cancel = CancelAppointment(self.storage.begin, lambda: datetime.now(UTC))

        async def one(id: AppointmentId) -> None:
            await settled(
                lambda: cancel(
                    self.clinic.caller,
                    id,
                    expected=ExpectedVersion(1),
                    reason_code=CancelReason.PATIENT,
                    initiated_by=Initiator.PATIENT,
                    comment=None,
                )
            )
            ledger.cancelled[self.reminder_of[id]] = self.loop.time()

        for id in which:
            await one(id)

    async def ended(self) -> dict[UUID, tuple[str, str | None]]:
        rows = await self.storage.reminders(self.clinic.caller)
        return {row.id: (row.status, row.reason) for row in rows}

    async def waiting(self) -> int:
        counting = "SELECT count(*) FROM reminders WHERE status = 'SCHEDULED'"
        [row] = await self.storage.rows(self.clinic.caller, counting)
        count: int = row[0]
        return count

    async def until(self, settled_ones: int) -> None:
        """Return when so many are not to be sent any more."""
        async with asyncio.timeout(PATIENCE):
            while True:
                if len(self.reminder_of) - await self.waiting() >= settled_ones:
                    return
                await asyncio.sleep(0.05)  # rows of other processes cannot be awaited


@asynccontextmanager
async def sweepers(url: str, log: Path, **environment: str) -> AsyncIterator[Kill]:
    """Run them; yield how to kill one and have another in its place."""
    program = Program(
        name="sweeper",
        command=(sys.executable, "-m", "tests.sweeper"),
        environment={
            **os.environ,
            "SCHEDULING_DATABASE_URL": url,
            "PYTHONPATH": str(Path(__file__).parents[2]),
            **environment,
        },
        log=log,
    )
    running: list[Running] = [await start(program) for _ in range(SWEEPERS)]

    async def kill(which: int) -> None:
        running[which].kill()
        await running[which].wait()
        running[which] = await start(program)

    try:
        yield kill
    finally:
        for one in running:
            one.kill()
            await one.wait()


async def killed_and_cancelled(
    patients: Patients, ledger: Ledger, kill: Kill, *, kills: int
) -> None:
    """Kill one after the other while a fifth of the visits is called off."""
    visits = list(patients.reminder_of)
    chosen = random.Random(15).sample(visits, len(visits) // 5)  # noqa: S311  # no secret
    async with asyncio.TaskGroup() as desks:
        for n in range(3):
            desks.create_task(patients.cancel(ledger, chosen[n::3]))
        for turn in range(kills):
            await patients.until(len(visits) * (turn + 1) // (kills + 2))
            await kill(turn % SWEEPERS)


async def test_as_events_each_is_told_once_and_none_that_was_called_off(
    storage: PostgresStorage, database_url: str, tmp_path: Path
) -> None:
    patients, ledger = await Patients.of(storage, 2000), Ledger()
    async with sweepers(database_url, tmp_path / "log") as kill:
        await killed_and_cancelled(patients, ledger, kill, kills=3)
        await patients.until(2000)
    ledger.ended = await patients.ended()
    for envelope in await storage.outbox(patients.clinic.caller):
        event = orjson.loads(envelope.body)
        if event["type"] == "notification.requested":
            id = UUID(event["data"]["notificationId"])
            # When it was locked; who waited for the lock cancelled later.
            ledger.sent.setdefault(id, []).append(0.0)
    assert ledger.complaints() == []
    statuses = Counter(status for status, _ in ledger.ended.values())
    assert statuses.keys() == {"SENT", "CANCELLED"}
    off = {id for id, (status, _) in ledger.ended.items() if status == "CANCELLED"}
    assert not off & ledger.sent.keys()
    assert off <= ledger.cancelled.keys()
    assert statuses["SENT"] == len(ledger.sent)


async def test_as_mail_each_arrives_once_at_the_most_and_none_after_its_cancel(
    storage: PostgresStorage, database_url: str, tmp_path: Path
) -> None:
    patients, ledger = await Patients.of(storage, MAILS), Ledger()
    async with MailSite().open() as site:
        told = {
            "SCHEDULING_REMINDERS": "smtp",
            "SCHEDULING_SMTP_URL": f"smtp://127.0.0.1:{site.port}",
            "SCHEDULING_SMTP_SENDER": "clinic@example.org",
        }
        async with sweepers(database_url, tmp_path / "log", **told) as kill:
            await killed_and_cancelled(patients, ledger, kill, kills=3)
            # What a dead one was at is left alone for a while; not for this test.
            async with asyncio.timeout(PATIENCE):
                while await patients.waiting():
                    await _leases_are_over(database_url)
                    await asyncio.sleep(0.1)
    ledger.ended = await patients.ended()
    for id, arrived in zip(site.reminders, site.arrivals, strict=True):
        ledger.sent.setdefault(id, []).append(arrived)
    assert ledger.complaints() == []
    unknown = [id for id, (status, _) in ledger.ended.items() if status == "FAILED"]
    assert {ledger.ended[id][1] for id in unknown} <= {"OUTCOME_UNKNOWN"}
    # Three processes with three lanes each were killed at the most.
    assert len(unknown) <= 9
    assert len(ledger.sent) > MAILS / 2


async def careless(
    sweeping: BeginWork, clinic: Clinic, found: Sequence[DueReminder], site: MailSite
) -> None:
    """Send what was found and let go of, and then say so."""
    server = MailServer.at(f"smtp://127.0.0.1:{site.port}")
    smtp = RemindersBySmtp(server, "clinic@example.org")
    for one in found:
        notice = one.judged(smtp.reach)
        assert isinstance(notice, Notice)
        with suppress(DecisionOutdated):
            async with sweeping(clinic.caller) as work:
                await smtp.dispatch(notice, work.notices)
                work.reminders.settle(notice.sent())


async def test_sweepers_that_let_go_before_they_send_are_found_out(
    storage: PostgresStorage, database_url: str
) -> None:
    """The counterpart: what the judge has to find is there where nobody locks."""
    patients, ledger = await Patients.of(storage, 12), Ledger()
    async with (
        MailSite().open() as site,
        postgres_storage(database_url, size=3, role="scheduling_inbox") as inbox,
    ):
        site.gate.clear()
        clinic, found = patients.clinic, list[Sequence[DueReminder]]()
        for _ in range(SWEEPERS):
            async with inbox.begin(clinic.caller) as work:
                found.append(await work.reminders.claim(12))
        async with asyncio.TaskGroup() as all_of_them:
            for each in found:
                all_of_them.create_task(careless(inbox.begin, clinic, each, site))
            await site.taking.wait()
            await patients.cancel(ledger, list(patients.reminder_of)[-2:])
            site.gate.set()
    ledger.ended = await patients.ended()
    for id, arrived in zip(site.reminders, site.arrivals, strict=True):
        ledger.sent.setdefault(id, []).append(arrived)
    told = {complaint.partition(" ")[2] for complaint in ledger.complaints()}
    assert {"went out after its cancel", "went out 3 times"} <= told


async def _leases_are_over(url: str) -> None:
    connection = await asyncpg.connect(url, server_settings={"role": "scheduling_cron"})
    try:
        await connection.execute(
            "UPDATE reminders SET attempt_at = now() WHERE status = 'SCHEDULED' "
            "AND sending_since < now() - interval '8 seconds'"
        )
    finally:
        await connection.close()
