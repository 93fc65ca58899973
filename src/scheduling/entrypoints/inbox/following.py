"""One message, from its delivery to its answer."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog

from scheduling.adapters.cloud_events.incoming import Incoming, read, tenant_of
from scheduling.adapters.cloud_events.messages import INBOUND, OWN, message_of
from scheduling.adapters.cloud_events.rejections import BadSubject, Rejected
from scheduling.adapters.nats.subscription import Delivery
from scheduling.application.commands.keep_dead_letter import KeepDeadLetter
from scheduling.application.commands.receive_event import ReceiveEvent
from scheduling.application.ports.clock import Clock
from scheduling.application.ports.dead_letters import NO_TENANT, DeadLetter
from scheduling.application.ports.identity import Caller, Scope
from scheduling.application.ports.inbox import ReceivedEvent
from scheduling.application.ports.messages import Message
from scheduling.application.ports.messaging import BrokerUnavailable
from scheduling.application.ports.unavailable import DatabaseUnavailable, Unavailable
from scheduling.application.ports.unit_of_work import DecisionOutdated
from scheduling.domain.errors import DomainError
from scheduling.domain.identifiers import TenantId, new_id
from scheduling.entrypoints.attempts import settled
from scheduling.entrypoints.inbox.figures import UNKNOWN, InboxFigures

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 300.0

# What was ours and is sent again by hand comes over the stream of others.
KNOWN = {**INBOUND, **OWN}

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Received:
    """A delivery, and what could be read of it: an event, or why it is none."""

    delivery: Delivery
    incoming: Incoming | None = None
    rejected: Rejected | None = None

    @classmethod
    def of(cls, delivery: Delivery) -> "Received":
        try:
            return cls(
                delivery, read(delivery.subject, delivery.headers, delivery.body)
            )
        except Rejected as rejected:
            return cls(delivery, rejected=rejected)

    @property
    def in_line(self) -> tuple[TenantId, str] | None:
        """Whose news it is: of one, each waits for those before it. None: of nobody."""
        if self.incoming is None:
            return None
        told = self.incoming
        return told.tenant_id, told.subject or told.source

    @property
    def type(self) -> str:
        """A label that nobody from outside can make up."""
        told = self.incoming.type if self.incoming else UNKNOWN
        return told if told in KNOWN else UNKNOWN


@dataclass(frozen=True)
class Follower:
    """Follows what it is given, and answers for it to the broker.

    `away` is called when the database does not answer: nothing more should be taken.
    """

    receive: ReceiveEvent
    keep: KeepDeadLetter
    now: Clock
    figures: InboxFigures
    away: Callable[[], None]
    first_pause: float = FIRST_PAUSE

    async def __call__(self, received: Received) -> None:
        """Return once it is answered for. Raise BrokerUnavailable."""
        delivery = received.delivery
        try:
            await self._follow(received)
        except DatabaseUnavailable:
            self.away()
            await self._again(received, "the database is away")
        except Unavailable as unavailable:
            await self._again(received, type(unavailable).__name__)
        except BrokerUnavailable:
            raise
        except Exception:
            log.exception(
                "message failed; it is delivered again",
                stream=delivery.stream,
                sequence=delivery.sequence,
                deliveries=delivery.count,
            )
            await self._again(received, "failed")

    async def _follow(self, received: Received) -> None:
        if received.incoming is None:
            await self._bury(received, received.rejected)
            return
        told = received.incoming
        try:
            message = message_of(
                told.type, told.data, version=told.version, known=KNOWN
            )
            event = _event(told, message, received.delivery.stored_at)
            outcome = await settled(lambda: self.receive(_caller(told), event))
        except DomainError as refusal:
            if isinstance(refusal.__cause__, DecisionOutdated):
                # Others were faster three times: that says nothing of the message.
                await self._again(received, "lost races")
                return
            await self._bury(received, refusal)
        except Rejected as rejected:
            await self._bury(received, rejected)
        else:
            await received.delivery.done()
            self.figures.received(received.type, outcome, received.delivery.stored_at)

    async def _bury(
        self, received: Received, why: Rejected | DomainError | None
    ) -> None:
        delivery = received.delivery
        letter = dead_letter(
            delivery,
            received.incoming,
            reason=why.code if why else UNKNOWN,
            detail=str(why),
            now=self.now(),
        )
        await settled(lambda: self.keep(_of(letter), letter))
        await delivery.give_up()
        self.figures.dead(letter, received.type)

    async def _again(self, received: Received, why: str) -> None:
        delivery = received.delivery
        pause = min(self.first_pause * 2 ** (delivery.count - 1), LONGEST_PAUSE)
        await delivery.again(pause)
        self.figures.put_off(received.type)
        log.info(
            "message is put off",
            stream=delivery.stream,
            sequence=delivery.sequence,
            deliveries=delivery.count,
            why=why,
            pause=pause,
        )


def dead_letter(
    delivery: Delivery,
    incoming: Incoming | None,
    *,
    reason: str,
    detail: str,
    now: datetime,
) -> DeadLetter:
    """Put a message into an envelope that the database can keep, whatever it is."""
    try:
        tenant_id: TenantId = tenant_of(delivery.subject)
    except BadSubject:
        tenant_id = TenantId(NO_TENANT)
    return DeadLetter(
        id=new_id(now),
        tenant_id=tenant_id,
        stream=delivery.stream,
        sequence=delivery.sequence,
        stored_at=delivery.stored_at,
        subject=_storable(delivery.subject),
        headers={
            _storable(name): _storable(value)
            for name, value in delivery.headers.items()
        },
        body=delivery.body,
        event_id=incoming.id if incoming else None,
        event_type=incoming.type if incoming else None,
        reason=reason,
        detail=detail[:DETAIL_AT_MOST],
        deliveries=delivery.count,
        died_at=now,
    )


DETAIL_AT_MOST = 1000


def _storable(text: str) -> str:
    """PostgreSQL's text has no NUL, and JSON no halves of characters."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def _event(
    told: Incoming, message: Message, stored_at: datetime
) -> ReceivedEvent[Message]:
    return ReceivedEvent(
        tenant_id=told.tenant_id,
        source=told.source,
        id=told.id,
        type=told.type,
        stored_at=stored_at,
        version=told.version,
        traceparent=told.traceparent,
        message=message,
    )


def _caller(told: Incoming) -> Caller:
    """Who did it, for the audit: by which type of event, and which."""
    return Caller(
        tenant_id=told.tenant_id,
        subject=f"event:{told.type}",
        scopes=frozenset({Scope.READ, Scope.BOOK, Scope.MANAGE}),
        patient_id=None,
        request_id=told.id,
        traceparent=told.traceparent,
    )


def _of(letter: DeadLetter) -> Caller:
    return Caller(
        tenant_id=TenantId(letter.tenant_id),
        subject="inbox",
        scopes=frozenset(),
        patient_id=None,
        request_id=str(letter.id),
        traceparent=None,
    )
