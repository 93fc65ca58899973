"""A message, what could be read of it, and the envelope for one that is put aside."""

from dataclasses import dataclass
from datetime import datetime

from scheduling.adapters.cloud_events.incoming import Incoming, read, tenant_of
from scheduling.adapters.cloud_events.messages import INBOUND, message_of
from scheduling.adapters.cloud_events.own_messages import OWN
from scheduling.adapters.cloud_events.rejections import (
    BadSubject,
    Rejected,
    Unreadable,
)
from scheduling.adapters.nats.resending import STORED_AT
from scheduling.adapters.nats.subscription import StoredMessage
from scheduling.application.ports.dead_letters import NO_TENANT, DeadLetter
from scheduling.application.ports.identity import Caller, Scope
from scheduling.application.ports.inbox import ReceivedEvent
from scheduling.application.ports.messages import Message
from scheduling.domain.identifiers import TenantId, new_id

KNOWN = {**INBOUND, **OWN}
UNKNOWN = "unknown"
DETAIL_AT_MOST = 1000


@dataclass(frozen=True, slots=True)
class Received:
    """`event` where it is one that we know, else why it is `rejected`."""

    stored: StoredMessage
    incoming: Incoming | None
    event: ReceivedEvent[Message] | None
    rejected: Rejected | None = None

    @classmethod
    def of(cls, stored: StoredMessage) -> "Received":
        incoming = None
        try:
            incoming = read(stored.subject, stored.headers, stored.body)
            return cls(stored, incoming, _event(incoming, _first_stored(stored)))
        except Rejected as rejected:
            return cls(stored, incoming, None, rejected)
        except Exception as defect:  # noqa: BLE001  # read again, it would break us again
            broken = Unreadable(f"reading it failed: {type(defect).__name__}")
            return cls(stored, incoming, None, broken)

    @property
    def line(self) -> tuple[TenantId, str] | None:
        """Whose news it is: of one, each waits for those before it. None: nobody's."""
        told = self.incoming
        return (told.tenant_id, told.subject or told.source) if told else None

    @property
    def is_ours(self) -> bool:
        return self.incoming is not None and self.incoming.is_ours

    @property
    def type(self) -> str:
        """A label that nobody from outside can make up."""
        told = self.incoming.type if self.incoming else UNKNOWN
        return told if told in KNOWN else UNKNOWN


def caller_of(event: ReceivedEvent[Message]) -> Caller:
    """Who does it, for the audit: news of a type, and which."""
    return Caller(
        tenant_id=event.tenant_id,
        subject=f"event:{event.type}",
        scopes=frozenset({Scope.READ, Scope.BOOK, Scope.MANAGE}),
        patient_id=None,
        request_id=event.id,
        traceparent=event.traceparent,
    )


def keeper_of(letter: DeadLetter) -> Caller:
    return Caller(
        tenant_id=TenantId(letter.tenant_id),
        subject="inbox",
        scopes=frozenset(),
        patient_id=None,
        request_id=str(letter.id),
        traceparent=None,
    )


def dead_letter(
    received: Received, *, reason: str, detail: str, now: datetime
) -> DeadLetter:
    """Put a message into an envelope that the database can keep, whatever it is."""
    stored, told = received.stored, received.incoming
    try:
        tenant_id: TenantId = tenant_of(stored.subject)
    except BadSubject:
        tenant_id = TenantId(NO_TENANT)
    return DeadLetter(
        id=new_id(now),
        tenant_id=tenant_id,
        stream=stored.stream,
        sequence=stored.sequence,
        stored_at=stored.stored_at,
        subject=_storable(stored.subject),
        headers={_storable(n): _storable(v) for n, v in stored.headers.items()},
        body=stored.body,
        event_id=told.id if told else None,
        event_type=told.type if told else None,
        reason=reason,
        detail=_storable(detail)[:DETAIL_AT_MOST],
        deliveries=stored.count,
        died_at=now,
    )


def _event(told: Incoming, stored_at: datetime) -> ReceivedEvent[Message]:
    known = OWN if told.is_ours else INBOUND
    return ReceivedEvent(
        tenant_id=told.tenant_id,
        source=told.source,
        id=told.id,
        type=told.type,
        stored_at=stored_at,
        version=told.version,
        traceparent=told.traceparent,
        message=message_of(told.type, told.data, version=told.version, known=known),
        time=told.time,
    )


def _first_stored(stored: StoredMessage) -> datetime:
    """Return when the broker had it first, where it is sent again: what was overtaken
    meanwhile stays so. Whoever writes that header himself makes his own news older.
    """
    try:
        told = datetime.fromisoformat(stored.headers[STORED_AT])
        return min(told, stored.stored_at)
    except (KeyError, ValueError, TypeError):
        return stored.stored_at


def _storable(text: str) -> str:
    """PostgreSQL's text has no NUL, and JSON no halves of characters."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()
