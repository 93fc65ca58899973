"""News from outside, as the inbox follows them: under its own role on PostgreSQL."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import orjson

from scheduling.adapters.cloud_events.messages import (
    INBOUND,
    MessageData,
    message_of,
)
from scheduling.adapters.cloud_events.own_messages import OWN
from scheduling.application.commands.receive_event import ReceiveEvent
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.inbox import Outcome, ReceivedEvent
from scheduling.application.ports.sub_files import Alarms
from scheduling.domain.appointment import Appointment
from scheduling.domain.directory import Patient
from scheduling.domain.identifiers import PatientId
from scheduling.domain.sub_file import SubFile
from scheduling.entrypoints.attempts import settled
from scheduling.entrypoints.inbox.reactions import reactions_over
from tests.builders import EIGHT, Clinic
from tests.contracts.reception import Reception
from tests.contracts.storages import PostgresStorage, Storage, postgres_storage
from tests.fakes.almanac import MemoryAlmanac


@dataclass
class Inbound(Alarms):
    """`desk` is the API of a clinic; the inbox works beside it."""

    desk: Reception
    inbox: Storage
    stored_at: datetime = EIGHT
    almanac: MemoryAlmanac = field(default_factory=MemoryAlmanac)
    without_main_file: list[UUID] = field(default_factory=list)

    @property
    def clinic(self) -> Clinic:
        return self.desk.clinic

    async def hears(
        self,
        type: str,
        data: dict[str, Any],
        *,
        id: str | None = None,
        version: int | None = None,
        known: Mapping[str, type[MessageData]] = INBOUND,
        time: datetime | None = None,
    ) -> Outcome:
        """Follow an event that the broker stored after those before it."""
        self.stored_at += timedelta(seconds=1)
        event = ReceivedEvent(
            tenant_id=self.clinic.caller.tenant_id,
            source="/elsewhere",
            id=id or str(uuid4()),
            type=type,
            stored_at=self.stored_at,
            version=version,
            traceparent=None,
            message=message_of(type, data, version=version, known=known),
            time=time,
        )
        receive = ReceiveEvent(
            self.inbox.begin,
            self.desk.clock,
            lambda begin: reactions_over(begin, self.desk.clock, self, self.almanac),
        )
        caller = replace(self.clinic.caller, subject="inbox", scopes=frozenset())
        return await settled(lambda: receive(caller, event))

    def main_file_missing(self, caller: Caller, sub_file: SubFile, /) -> None:
        assert caller.tenant_id == self.clinic.caller.tenant_id
        self.without_main_file.append(sub_file.id)

    async def told(self, *types: str) -> Sequence[dict[str, Any]]:
        """Return the events of these types in their order."""
        outbox = await self.desk.storage.outbox(self.clinic.caller)
        events = [orjson.loads(one.body) for one in outbox]
        return [one for one in events if one["type"] in types]

    async def hears_itself(self) -> None:
        """Follow what was told of calendars, as it comes back from our own stream."""
        for news in await self.told(*OWN):
            await self.hears_again(news)

    async def hears_again(self, news: dict[str, Any]) -> Outcome:
        """Follow an event of our own, as it comes back."""
        return await self.hears(
            news["type"],
            news["data"],
            id=news["id"],
            version=news["aggregateversion"],
            known=OWN,
            time=datetime.fromisoformat(news["time"]),
        )

    async def patient(self, id: UUID) -> Patient | None:
        async with self.desk.storage.begin(self.clinic.caller) as work:
            return await work.patients.find(PatientId(id))

    async def deletes(self, number: int = 0) -> PatientId:
        """Hear that the clinic's nth patient is deleted."""
        id = self.clinic.patients[number].id
        told = await self.hears("patient.deleted", {"patientId": str(id)})
        assert told is Outcome.APPLIED
        return id

    async def visit(self, id: UUID) -> Appointment:
        async with self.desk.storage.begin(self.clinic.caller) as work:
            return await work.appointments.get(id)  # type: ignore[arg-type]


@asynccontextmanager
async def inbox_beside(desk: Reception, url: str) -> AsyncIterator[Inbound]:
    """On PostgreSQL with a pool of the inbox's role; in memory all roles are one."""
    if not isinstance(desk.storage, PostgresStorage):
        yield Inbound(desk, desk.storage)
        return
    async with postgres_storage(url, size=3, role="scheduling_inbox") as inbox:
        yield Inbound(desk, inbox)


Hearing = Callable[..., AbstractAsyncContextManager[Inbound]]
"""Open a clinic, as `reception` does, with an inbox beside its API."""
