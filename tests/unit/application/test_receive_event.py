"""News is followed once, whole, and never after newer news."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from scheduling.application.commands.keep_dead_letter import KeepDeadLetter
from scheduling.application.commands.receive_event import Reactions, ReceiveEvent
from scheduling.application.ports.dead_letters import DeadLetter
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.inbox import Outcome, Reaction, ReceivedEvent
from scheduling.application.ports.messages import Aggregate, Message
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.domain.directory import Patient
from scheduling.domain.errors import PatientNotFound
from scheduling.domain.identifiers import PatientId
from tests.builders import EIGHT, a_caller
from tests.fakes.storage import MemoryStorage

PATIENT = PatientId(UUID(int=7))


@dataclass(frozen=True, slots=True, kw_only=True)
class News(Message):
    whose: Aggregate | None = None

    @property
    def aggregate(self) -> Aggregate | None:
        return self.whose


@dataclass
class Admit(Reaction[News]):
    """Keeps a patient, or refuses after having done so."""

    begin: BeginWork
    refuse: bool = False
    seen: list[str] = field(default_factory=list)

    async def __call__(self, caller: Caller, event: ReceivedEvent[News]) -> None:
        self.seen.append(event.id)
        patient = Patient(
            id=PATIENT, name=event.id, version=1, created_at=EIGHT, updated_at=EIGHT
        )
        async with self.begin(caller) as work:
            work.patients.save(patient)
        if self.refuse:
            raise PatientNotFound(PATIENT)


def news(caller: Caller, id: str = "e1", **told: object) -> ReceivedEvent[Message]:
    given = {
        "tenant_id": caller.tenant_id,
        "source": "/registry",
        "id": id,
        "type": "patient.updated",
        "stored_at": EIGHT,
        "version": None,
        "traceparent": None,
        "message": News(),
        **told,
    }
    return ReceivedEvent(**given)  # type: ignore[arg-type]  # as many types as fields


def receiving(
    storage: MemoryStorage, react: Callable[[BeginWork], Reaction[News]]
) -> ReceiveEvent:
    def reactions(begin: BeginWork) -> Reactions:
        return {News: react(begin)}

    return ReceiveEvent(storage.begin, lambda: EIGHT, reactions)


async def test_effect_and_memory_are_one_transaction(storage: MemoryStorage) -> None:
    caller = a_caller()
    event = news(caller)
    receive = receiving(storage, Admit)
    assert await receive(caller, event) is Outcome.APPLIED
    assert PATIENT in storage.of(caller.tenant_id).patients
    assert await receive(caller, event) is Outcome.DUPLICATE


async def test_a_refusal_undoes_what_was_done_and_remembers_nothing(
    storage: MemoryStorage,
) -> None:
    caller = a_caller()
    event = news(caller)
    refusing = receiving(storage, lambda begin: Admit(begin, refuse=True))
    with pytest.raises(PatientNotFound):
        await refusing(caller, event)
    tables = storage.of(caller.tenant_id)
    assert (tables.patients, tables.inbox, tables.positions) == ({}, {}, {})
    assert await receiving(storage, Admit)(caller, event) is Outcome.APPLIED


async def test_stale_news_is_remembered_and_does_nothing(
    storage: MemoryStorage,
) -> None:
    caller = a_caller()
    about = News(whose=Aggregate("patient", PATIENT))
    seen: list[str] = []
    receive = receiving(storage, lambda begin: Admit(begin, seen=seen))
    newer = news(caller, "e2", message=about, version=2)
    older = news(
        caller,
        "e1",
        message=about,
        version=1,
        stored_at=EIGHT + timedelta(minutes=1),
    )
    assert await receive(caller, newer) is Outcome.APPLIED
    assert await receive(caller, older) is Outcome.STALE
    assert await receive(caller, older) is Outcome.DUPLICATE
    assert seen == ["e2"]


def a_letter(caller: Caller) -> DeadLetter:
    return DeadLetter(
        id=uuid4(),
        tenant_id=caller.tenant_id,
        stream="SCHEDULING_INBOX",
        sequence=1,
        stored_at=EIGHT,
        subject="inbox.x.y",
        headers={},
        body=b"",
        event_id="e1",
        event_type="patient.updated",
        reason="MAX_DELIVERIES",
        detail="",
        deliveries=20,
        died_at=EIGHT,
    )


async def test_what_was_given_up_is_put_aside_unless_it_was_followed_after_all(
    storage: MemoryStorage,
) -> None:
    caller = a_caller()
    event, keep = news(caller), KeepDeadLetter(storage.begin)
    await receiving(storage, Admit)(caller, event)
    assert not await keep(caller, a_letter(caller), event)
    assert storage.of(caller.tenant_id).dead_letters == {}
    assert await keep(caller, a_letter(caller), news(caller, "e2"))
    assert len(storage.of(caller.tenant_id).dead_letters) == 1
