"""Who knows patients whom nobody has told us of yet."""

from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import ClassVar, Protocol, TypeAlias

from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unavailable import Unavailable
from scheduling.domain.directory import Patient
from scheduling.domain.identifiers import PatientId, TenantId


class RegistryUnavailable(Unavailable):
    """The registry does not answer, or not with what makes sense, or is not asked
    because it did not answer just now.
    """

    retry_after: ClassVar[int] = 5


class PatientRegistry(Protocol):
    async def fetch(self, tenant_id: TenantId, patient_id: PatientId) -> Patient | None:
        """Return what the registry says of a patient; None where it knows none.

        Raise RegistryUnavailable. No transaction may be open: this may take seconds.
        """


PatientCachePort: TypeAlias = Callable[[Caller, PatientId], Awaitable[bool]]
"""The local read-through cache of patients (source 002): see to it that a patient is
known here who may not be yet, and tell whether they are. Raise RegistryUnavailable.
"""


class RegistryOutcome(StrEnum):
    FOUND = "found"
    UNKNOWN = "unknown"
    UNAVAILABLE = "unavailable"
    INVALID = "invalid"
    """It answered with what is no patient, or another one."""
    NOT_ASKED = "not-asked"
    """The circuit is open."""


class RegistryJournal(Protocol):
    """Where figures and alarms of the registry go."""

    def asked(self, outcome: RegistryOutcome, seconds: float) -> None: ...

    def failed(self, why: str) -> None:
        """Tell why there was no answer; `why` is a status or the kind of a fault."""

    def invalid(self, tenant_id: TenantId, patient_id: PatientId, detail: str) -> None:
        """`detail` names fields and kinds of errors, no values."""

    def circuit(self, *, is_open: bool) -> None:
        """Tell that the circuit has opened or closed."""
