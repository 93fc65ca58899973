"""Who asks, what they may ask for, and how a token becomes somebody.

AccessRefused
├── Unauthenticated        nobody we know: no token, or one we do not believe
└── Forbidden              somebody we know, without the scope that this takes
    └── StaffOnly          the scope is there, on a patient's own token

IdentityUnavailable stands apart: it says nothing of the caller, only that the keys to
judge tokens by have never been read.
"""

from collections.abc import Awaitable
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Protocol
from uuid import UUID

from scheduling.application.ports.unavailable import Unavailable
from scheduling.domain.identifiers import PatientId, TenantId


class Scope(StrEnum):
    """What a token may allow. None contains another: a token lists each it needs."""

    READ = "scheduling:read"
    BOOK = "scheduling:book"
    MANAGE = "scheduling:manage"
    OVERRIDE = "scheduling:override"
    ADMIN = "scheduling:admin"
    IMPORT = "scheduling:import"


class Reason(StrEnum):
    """Why a token was refused, in words that help an honest client and no forger.

    Everything about keys, algorithms and signatures is one word: a forger learns
    nothing from which of them gave him away.
    """

    MISSING = "missing"
    MALFORMED = "malformed"
    NOT_TRUSTED = "not-trusted"
    EXPIRED = "expired"
    NOT_YET_VALID = "not-yet-valid"
    WRONG_ISSUER = "wrong-issuer"
    WRONG_AUDIENCE = "wrong-audience"
    BAD_CLAIM = "bad-claim"


class AccessRefused(Exception):
    """The request was read no further than its token."""

    code: ClassVar[str]


class Unauthenticated(AccessRefused):
    code = "UNAUTHENTICATED"

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


class Forbidden(AccessRefused):
    code = "FORBIDDEN"

    def __init__(self, scope: Scope) -> None:
        super().__init__(scope.value)
        self.scope = scope


class StaffOnly(Forbidden):
    """What is asked for is of all patients; a patient's own token is for its own."""


class IdentityUnavailable(Unavailable):
    """No token can be judged at the moment: the keys have never been read."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What a verified token says of its bearer. The tenant comes from here only."""

    tenant_id: TenantId
    subject: str
    scopes: frozenset[str]
    patient_id: PatientId | None = None


@dataclass(frozen=True, slots=True)
class Caller:
    """An identity on one errand.

    `patient_id` is set on a patient's own token, which sees and changes its own
    appointments only. `request_id` and `traceparent` (W3C, as it came in) follow the
    errand into audit rows and events.
    """

    tenant_id: TenantId
    subject: str
    scopes: frozenset[str]
    patient_id: PatientId | None
    request_id: str
    traceparent: str | None

    def may(self, scope: Scope) -> bool:
        return scope in self.scopes

    def sees(self, patient_id: UUID) -> bool:
        """Staff see every patient of their tenant, a patient only themselves."""
        return self.patient_id is None or self.patient_id == patient_id


class Authenticate(Protocol):
    """Tell whose token this is.

    Raise Unauthenticated where it is not to be believed, IdentityUnavailable where
    that cannot be judged yet.
    """

    def __call__(self, token: str, /) -> Awaitable[Identity]: ...
