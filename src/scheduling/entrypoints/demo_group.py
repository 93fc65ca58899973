"""The people and hours of the demo clinic group: all invented."""

from dataclasses import dataclass
from datetime import date, time
from random import Random
from uuid import UUID, uuid5

from scheduling.domain.directory import (
    ContactPreferences,
    Location,
    Patient,
    Practitioner,
)
from scheduling.domain.identifiers import (
    LocationId,
    PatientId,
    PractitionerId,
    PractitionerRoleId,
)
from scheduling.domain.pattern import Pattern, PatternSlot
from scheduling.domain.schedule import Day, PractitionerRole, WeeklyRule

DEMO_TENANT = UUID("019a9d3e-0000-7000-8000-00000000d390")
"""The same everywhere, so that documents can show commands that work as they stand."""

PATIENTS = 300
_SEED = 390

_WEEKDAYS = (Day.MON, Day.TUE, Day.WED, Day.THU, Day.FRI)
_DAYS = tuple(Day)


def demo_id(*words: object) -> UUID:
    """Return the same id for the same words, in every demo."""
    return uuid5(DEMO_TENANT, "/".join(str(word) for word in words))


BERLIN = Location(
    id=LocationId(demo_id("location", "berlin")),
    name="Linden Clinic Berlin",
    code="BER",
    timezone="Europe/Berlin",
    country="DE",
    subdivision="BE",
)
NEW_YORK = Location(
    id=LocationId(demo_id("location", "new-york")),
    name="Linden Clinic New York",
    code="NYC",
    timezone="America/New_York",
    country="US",
    subdivision="NY",
)
LOCATIONS = (BERLIN, NEW_YORK)


@dataclass(frozen=True, slots=True)
class Post:
    """Who works where, and when; `visit` is what patients come for."""

    practitioner: Practitioner
    role: PractitionerRole
    location: Location
    visit: str

    def slots(self, first: date, last: date) -> list[PatternSlot]:
        """Return the slots that its rules want on these local days."""
        pattern = Pattern(rules=self.role.availability, timezone=self.location.timezone)
        return pattern.slots(first, last)


def _post(
    location: Location,
    name: str,
    specialty: str,
    visit: str,
    *rules: WeeklyRule,
) -> Post:
    practitioner_id = PractitionerId(demo_id("practitioner", name))
    return Post(
        practitioner=Practitioner(
            id=practitioner_id, name=name, specialties=(specialty,)
        ),
        role=PractitionerRole(
            id=PractitionerRoleId(demo_id("role", name)),
            practitioner_id=practitioner_id,
            location_id=location.id,
            specialties=(specialty,),
            service_types=tuple(
                dict.fromkeys(
                    service for rule in rules for service in rule.service_types
                )
            ),
            availability=rules,
        ),
        location=location,
        visit=visit,
    )


def _hours(
    start: int,
    end: int,
    *,
    minutes: int = 30,
    days: tuple[Day, ...] = _WEEKDAYS,
    service: str,
    capacity: int = 1,
) -> WeeklyRule:
    return WeeklyRule(
        days=days,
        start=time(start),
        end=time(end),
        slot_minutes=minutes,
        capacity=capacity,
        service_types=(service,),
    )


POSTS = (
    _post(
        BERLIN,
        "Dr. Jana Albrecht",
        "general-practice",
        "consultation",
        _hours(8, 12, service="consultation"),
        _hours(13, 17, service="consultation"),
    ),
    _post(
        BERLIN,
        "Dr. Emre Aydin",
        "urgent-care",
        "urgent",
        _hours(8, 20, days=_DAYS, service="urgent"),
    ),
    _post(
        BERLIN,
        "Dr. Katharina Vogt",
        "dermatology",
        "skin-check",
        _hours(9, 15, service="skin-check"),
    ),
    _post(
        BERLIN,
        "Miriam Sander",
        "physiotherapy",
        "physiotherapy",
        _hours(9, 12, service="physiotherapy"),
        _hours(
            16,
            17,
            minutes=60,
            service="back-school",
            capacity=10,
        ),
    ),
    _post(
        NEW_YORK,
        "Dr. Grace Whitfield",
        "general-practice",
        "consultation",
        _hours(9, 13, service="consultation"),
        _hours(14, 18, service="consultation"),
    ),
    _post(
        NEW_YORK,
        "Dr. Samuel Ortega",
        "urgent-care",
        "urgent",
        _hours(8, 20, days=_DAYS, service="urgent"),
    ),
    _post(
        NEW_YORK,
        "Dr. Priya Raman",
        "pediatrics",
        "well-child",
        _hours(8, 14, service="well-child"),
    ),
    _post(
        NEW_YORK,
        "Dr. Noah Feldman",
        "cardiology",
        "ecg",
        _hours(10, 16, minutes=60, service="ecg"),
    ),
)

_GIVEN = (
    "Ada Amir Anna Ben Carla Chen Clara David Dilek Elena Elias Emma Fatima Felix "
    "Grace Hanna Hugo Ida Igor Jonas Julia Kai Lara Leo Lin Lucia Malik Maria Mateo "
    "Mina Nadia Nils Nora Olga Omar Paul Rosa Ruth Sami Sofia Tariq Tess Tom Vera Yuki"
)
_FAMILY = (
    "Adler Baker Becker Brandt Castro Cohen Cruz Diaz Engel Farouk Fischer Frank Gomez "
    "Haddad Hansen Ivanov Jansen Kaya Keller Khan Kim Klein Kowalski Lang Lee Lopez "
    "Mayer Meyer Nguyen Novak Okafor Park Patel Peters Rivera Rossi Sato Schulz Silva "
    "Singh Tanaka Torres Wagner Walker Weber Winter Wolf Wong Young Zimmermann"
)


def patients() -> tuple[Patient, ...]:
    """Return the patients of both clinics in turn; numbers and addresses that nobody
    has (555-01xx, and example.org of RFC 2606).
    """
    random = Random(_SEED)  # noqa: S311  # the same people in every demo
    return tuple(_patient(number, random) for number in range(PATIENTS))


def _patient(number: int, random: Random) -> Patient:
    given, family = random.choice(_GIVEN.split()), random.choice(_FAMILY.split())
    phone = f"+1-212-555-{100 + number % 100:04}"
    channel = random.choices(("whatsapp", "sms", "email", None), (3, 3, 3, 1))[0]
    return Patient(
        id=PatientId(demo_id("patient", number)),
        name=f"{given} {family}",
        file_number=f"D-{number + 1:05}",
        phone=phone if channel != "email" else None,
        email=f"{given}.{family}.{number + 1}@example.org".lower(),
        preferences=ContactPreferences(
            whatsapp=channel == "whatsapp",
            sms=channel == "sms",
            email=channel == "email",
        ),
    )
