"""Whom and where we book: practitioners, locations, patients, as far as we need them.

Registries own them; we keep what booking asks for. Each is put whole: a put that
changes nothing returns the stored one, so that repeating it leaves no trace.
`is_new` is told of the first version as it is put, never of one read back.
"""

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from itertools import product
from typing import Self, TypeVar

from scheduling.domain.identifiers import LocationId, PatientId, PractitionerId
from scheduling.domain.version import ExpectedVersion, check_version


@dataclass(frozen=True, slots=True, kw_only=True)
class Practitioner:
    id: PractitionerId
    name: str
    active: bool = True
    specialties: tuple[str, ...] = ()
    version: int = 0
    created_at: datetime | None = None
    updated_at: datetime | None = None
    is_new: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """`code` is short, for sub-file numbers; `timezone` an IANA name; `country` is ISO
    3166-1, `subdivision` ISO 3166-2 without the country. `closed_days` are its own,
    besides the public holidays that it may observe.
    """

    id: LocationId
    name: str
    code: str
    timezone: str
    country: str | None = None
    subdivision: str | None = None
    observes_public_holidays: bool = False
    closed_days: tuple[date, ...] = ()
    active: bool = True
    version: int = 0
    created_at: datetime | None = None
    updated_at: datetime | None = None
    is_new: bool = field(default=False, compare=False)


class Channel(StrEnum):
    """Ways to a patient, the first before the next."""

    WHATSAPP = "whatsapp"
    SMS = "sms"
    EMAIL = "email"


_WAYS = {
    agreed: tuple(channel for channel, yes in zip(Channel, agreed, strict=True) if yes)
    for agreed in product((False, True), repeat=len(Channel))
}


@dataclass(frozen=True, slots=True)
class ContactPreferences:
    whatsapp: bool = False
    sms: bool = False
    email: bool = False

    def channels(self) -> tuple[Channel, ...]:
        """The ways agreed to: WhatsApp before SMS before e-mail."""
        return _WAYS[self.whatsapp, self.sms, self.email]

    def channel(self) -> Channel | None:
        return next(iter(self.channels()), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    id: PatientId
    name: str
    active: bool = True
    file_number: str | None = None
    phone: str | None = None
    email: str | None = None
    preferences: ContactPreferences = ContactPreferences()
    language: str | None = None
    version: int = 0
    created_at: datetime | None = None
    updated_at: datetime | None = None
    deleted_at: datetime | None = None
    is_new: bool = field(default=False, compare=False)

    def __repr__(self) -> str:
        """Names and contacts stay out of logs, also by accident."""
        return f"Patient(id={self.id!r}, version={self.version})"

    @property
    def is_deleted(self) -> bool:
        return self.deleted_at is not None

    def forgotten(self, now: datetime) -> Self:
        """Keep the id, which visits point at, and nothing else of the person."""
        return replace(
            self,
            name="",
            active=False,
            file_number=None,
            phone=None,
            email=None,
            preferences=ContactPreferences(),
            language=None,
            version=self.version + 1,
            updated_at=now,
            deleted_at=now,
        )


Entry = TypeVar("Entry", Practitioner, Location, Patient)


def put(
    stored: Entry | None,
    wanted: Entry,
    *,
    expected: ExpectedVersion | None,
    now: datetime,
) -> Entry:
    """Return the next version of an entry; the stored one where nothing changes. A
    patient who was deleted is made anew, and the version goes on.
    """
    gone = isinstance(stored, Patient) and stored.is_deleted
    check_version(expected, 0 if stored is None or gone else stored.version)
    if stored is None:
        return replace(wanted, version=1, created_at=now, updated_at=now, is_new=True)
    same = replace(
        wanted,
        version=stored.version,
        created_at=stored.created_at,
        updated_at=stored.updated_at,
        is_new=gone,
    )
    if same == stored:
        return stored
    return replace(same, version=stored.version + 1, updated_at=now)
