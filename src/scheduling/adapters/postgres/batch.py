"""The kinds of writes of a unit of work; `sending` makes one statement of them.

Each kind of write is a data-modifying CTE fed by one JSON parameter with all its rows.
All are listed in the one order in which they run.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Delete,
    Insert,
    LargeBinary,
    Table,
    Text,
    Update,
    Uuid,
    and_,
    bindparam,
    case,
    delete,
    func,
    insert,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql

from scheduling.adapters.postgres import tables as t
from scheduling.adapters.postgres.patient_word_writes import WORD, keep_words
from scheduling.adapters.postgres.reminder_writes import (
    SETTLED,
    call_reminders_off,
    settle_reminders,
)
from scheduling.adapters.postgres.seats import is_open
from scheduling.adapters.postgres.sub_file_writes import FILED, file_visits

Row = Mapping[str, Any]
Rows = Any
"""A FROM clause over one JSON parameter; SQLAlchemy gives its columns no types."""

TENANT = bindparam("tenant_id", type_=Uuid())


class _JsonText(JSON):
    """JSON that is text already: no second dumping on the way in."""


JSON_TEXT = _JsonText()


@dataclass(frozen=True, slots=True)
class Write:
    """One kind of write: the columns of its rows and the DML that they feed.

    `after`: writes that are done before this one begins. One that is counted must have
    touched all its rows, so that a lost race stops at the seat and takes no claim. What
    one gives back can be taken in the same statement: constraints look at rows as they
    are, not as they were when it began. `counted`: it may touch fewer rows than it was
    given, which is a lost race; a plain INSERT does all, or raises.
    """

    name: str
    columns: tuple[Column[Any], ...]
    dml: Callable[[Rows], Insert | Update | Delete]
    after: tuple[str, ...] = ()
    counted: bool = False


def _insert(table: Table, *without: str, upsert: bool = False) -> Write:
    columns = tuple(
        c
        for c in table.c
        if c.name not in {"tenant_id", *without} and c.identity is None
    )

    def dml(rows: Rows) -> Insert:
        new = insert(table).from_select(
            ["tenant_id", *(c.name for c in columns)],
            select(TENANT, *(_value(rows, c) for c in columns)),
        )
        if not upsert:
            return new
        given = postgresql.insert(table).from_select(
            ["tenant_id", *(c.name for c in columns)],
            select(TENANT, *(_value(rows, c) for c in columns)),
        )
        return given.on_conflict_do_update(
            index_elements=list(table.primary_key),
            set_={
                c.name: given.excluded[c.name]
                for c in columns
                if c.name not in {"id", "created_at"}
            },
            where=table.c.version == given.excluded.version - 1,
        )

    name = f"{table.name}_{'put' if upsert else 'new'}"
    return Write(name, columns, dml, counted=upsert)


def _value(rows: Rows, target: Column[Any]) -> Any:  # noqa: ANN401
    if isinstance(target.type, LargeBinary):
        return func.convert_to(rows.c[target.name], "UTF8")
    return rows.c[target.name]


def _book(rows: Rows) -> Insert:
    """Only for patients who are active. Whoever deletes or deactivates one at this
    moment waits for us; where it is done, there is no row.
    """
    patients, columns = t.patients, NEW_APPOINTMENTS.columns
    theirs = and_(patients.c.tenant_id == TENANT, patients.c.id == rows.c.patient_id)
    booked = (
        select(TENANT, *(rows.c[c.name] for c in columns))
        .join_from(rows, patients, theirs)
        .where(patients.c.active)
        .with_for_update(read=True, of=patients)
    )
    return insert(t.appointments).from_select(
        ["tenant_id", *(c.name for c in columns)], booked
    )


def _tenant_is_known(rows: Rows) -> Insert:
    return (
        postgresql.insert(t.tenants)
        .from_select(["tenant_id", "created_at"], select(TENANT, rows.c.created_at))
        .on_conflict_do_nothing()
    )


def _take_seats(rows: Rows) -> Update:
    slots = t.slots
    return (
        update(slots)
        .where(
            slots.c.tenant_id == TENANT,
            slots.c.id == rows.c.id,
            is_open(slots),
            or_(rows.c.overbooked, slots.c.booked < slots.c.capacity),
        )
        .values(
            booked=slots.c.booked + literal_column("1"),
            status=case(
                (
                    slots.c.booked + literal_column("1") >= slots.c.capacity,
                    literal_column("'busy'"),
                ),
                else_=literal_column("'free'"),
            ),
            version=slots.c.version + literal_column("1"),
        )
    )


def _give_seats_back(rows: Rows) -> Update:
    """Relative, for several appointments may leave one slot; each slot is locked by
    whoever decided that they leave it.
    """
    slots = t.slots
    left = (
        select(rows.c.id, func.count().label("seats"))
        .group_by(rows.c.id)
        .subquery("seats_left")
    )
    booked = func.greatest(slots.c.booked - left.c.seats, literal_column("0"))
    return (
        update(slots)
        .where(slots.c.tenant_id == TENANT, slots.c.id == left.c.id)
        .values(
            booked=booked,
            status=case(
                (
                    and_(
                        slots.c.status == literal_column("'busy'"),
                        booked < slots.c.capacity,
                    ),
                    literal_column("'free'"),
                ),
                else_=slots.c.status,
            ),
            version=slots.c.version + literal_column("1"),
        )
    )


def _take_time(rows: Rows) -> Insert:
    names = [c.name for c in t.claims.c if c.name not in {"tenant_id", "taken"}]
    return (
        postgresql.insert(t.claims)
        .from_select(
            ["tenant_id", *names, "taken"],
            select(
                TENANT,
                *(rows.c[name] for name in names),
                func.tstzrange(rows.c.starts_at, rows.c.until),
            ),
        )
        .on_conflict_do_nothing()
    )


def _give_time_back(rows: Rows) -> Delete:
    """By actor and time, as their key begins: there is no index by appointment."""
    claims = t.claims
    return delete(claims).where(
        claims.c.tenant_id == TENANT,
        claims.c.actor_id == rows.c.actor_id,
        claims.c.actor_kind == rows.c.actor_kind,
        claims.c.starts_at >= rows.c.starts_at,
        claims.c.starts_at < rows.c.ends_at,
        claims.c.appointment_id == rows.c.appointment_id,
    )


def _next_version(table: Table, *changed: str) -> Write:
    columns = tuple(table.c[name] for name in ("id", *changed, "version"))

    def dml(rows: Rows) -> Update:
        return (
            update(table)
            .where(
                table.c.tenant_id == TENANT,
                table.c.id == rows.c.id,
                table.c.version == rows.c.version - literal_column("1"),
            )
            .values({c.name: rows.c[c.name] for c in columns if c.name != "id"})
        )

    return Write(f"{table.name}_next", columns, dml, counted=True)


def _retire(rows: Rows) -> Delete:
    """Only what nobody has booked, and nobody has changed since it was read."""
    slots = t.slots
    return delete(slots).where(
        slots.c.tenant_id == TENANT,
        slots.c.id == rows.c.id,
        slots.c.version == rows.c.version - literal_column("1"),
        slots.c.booked == literal_column("0"),
    )


def _drop_exception(rows: Rows) -> Delete:
    exceptions = t.schedule_exceptions
    return delete(exceptions).where(
        exceptions.c.tenant_id == TENANT, exceptions.c.id == rows.c.id
    )


def _put_aside(rows: Rows) -> Insert:
    """A message is kept once, as it first came; its body is any bytes, as base64."""
    letters = t.dead_letters
    names = [c.name for c in LETTER if c.name != "body"]
    return (
        postgresql.insert(letters)
        .from_select(
            ["tenant_id", *names, "body"],
            select(
                TENANT,
                *(rows.c[name] for name in names),
                func.decode(rows.c.body, literal_column("'base64'")),
            ),
        )
        .on_conflict_do_nothing()
    )


def _come_so_far(rows: Rows) -> Insert:
    """How far an aggregate's news were followed never goes back."""
    positions = t.inbox_positions
    given = postgresql.insert(positions).from_select(
        [c.name for c in positions.c],
        select(TENANT, *(rows.c[c.name] for c in POSITION)),
    )
    return given.on_conflict_do_update(
        index_elements=list(positions.primary_key),
        set_={
            "version": func.greatest(given.excluded.version, positions.c.version),
            "stored_at": func.greatest(given.excluded.stored_at, positions.c.stored_at),
        },
    )


LETTER = tuple(
    c for c in t.dead_letters.c if c.name not in {"tenant_id", "replayed_at"}
)
POSITION = tuple(c for c in t.inbox_positions.c if c.name != "tenant_id")
_ID = Column("id", Uuid)
_OVERBOOKED = Column("overbooked", Boolean)

TENANTS = Write("tenants_known", (t.tenants.c.created_at,), _tenant_is_known)
SETTINGS = _insert(t.settings, upsert=True)
PRACTITIONERS = _insert(t.practitioners, upsert=True)
LOCATIONS = _insert(t.locations, upsert=True)
PATIENTS = _insert(t.patients, upsert=True)
PATIENT_WORDS = Write("patient_words_put", WORD, keep_words, after=(PATIENTS.name,))
ROLES = _insert(t.practitioner_roles, upsert=True)
SCHEDULES = _insert(t.schedules, upsert=True)
WAITLIST = _insert(t.waitlist_entries, upsert=True)
OFFERS = _insert(t.waitlist_offers, upsert=True)
EXCEPTIONS = _insert(t.schedule_exceptions)
EXCEPTIONS_GONE = Write("exceptions_gone", (_ID,), _drop_exception, counted=True)
NEW_SLOTS = _insert(t.slots)
SLOTS = _next_version(t.slots, "status", "blocked_by", "blocked_reason")
SLOTS_GONE = Write("slots_gone", (_ID, t.slots.c.version), _retire, counted=True)
SEATS_TAKEN = Write("seats_taken", (_ID, _OVERBOOKED), _take_seats, counted=True)
SEATS_GIVEN_BACK = Write("seats_given_back", (_ID,), _give_seats_back)
NEW_APPOINTMENTS = Write(
    "appointments_new",
    tuple(c for c in t.appointments.c if c.name != "tenant_id"),
    _book,
    counted=True,
)
APPOINTMENTS = _next_version(
    t.appointments,
    *(
        c.name
        for c in t.appointments.c
        if c.name
        not in {"tenant_id", "id", "patient_id", "created_at", "version", "sub_file_id"}
    ),
)
TIME_GIVEN_BACK = Write(
    "time_given_back",
    tuple(
        t.claims.c[name]
        for name in ("appointment_id", "actor_kind", "actor_id", "starts_at", "ends_at")
    ),
    _give_time_back,
)
CLAIMS = Write(
    "claims_taken",
    tuple(c for c in t.claims.c if c.name not in {"tenant_id", "taken"}),
    _take_time,
    after=(SEATS_TAKEN.name, TIME_GIVEN_BACK.name),
    counted=True,
)
REMINDERS = _insert(t.reminders)
REMINDERS_CALLED_OFF = Write(
    "reminders_called_off", (_ID, Column("reason", Text)), call_reminders_off
)
GENERATION_RUNS = _insert(t.generation_runs)
REMINDERS_SETTLED = Write("reminders_settled", SETTLED, settle_reminders, counted=True)
SUB_FILES = _insert(t.sub_files)
VISITS_FILED = Write("visits_filed", FILED, file_visits)
NOTIFICATIONS = _insert(t.notifications)
ANSWERS = _insert(t.idempotency_keys)
INBOX = _insert(t.inbox)
POSITIONS = Write("inbox_positions_put", POSITION, _come_so_far)
DEAD_LETTERS = Write("dead_letters_new", LETTER, _put_aside)
OUTBOX = _insert(t.outbox, "published_at", "blocked_at", "blocked_reason")
AUDIT = _insert(t.audit)

# Those that are counted run in this order, then the others in theirs: seats before
# claims, always.
WRITES = (
    TENANTS,
    SETTINGS,
    PRACTITIONERS,
    LOCATIONS,
    PATIENTS,
    PATIENT_WORDS,
    ROLES,
    SCHEDULES,
    WAITLIST,
    OFFERS,
    EXCEPTIONS,
    EXCEPTIONS_GONE,
    NEW_SLOTS,
    SLOTS,
    SLOTS_GONE,
    SEATS_TAKEN,
    SEATS_GIVEN_BACK,
    NEW_APPOINTMENTS,
    APPOINTMENTS,
    TIME_GIVEN_BACK,
    CLAIMS,
    REMINDERS,
    REMINDERS_CALLED_OFF,
    REMINDERS_SETTLED,
    GENERATION_RUNS,
    SUB_FILES,
    VISITS_FILED,
    NOTIFICATIONS,
    ANSWERS,
    INBOX,
    POSITIONS,
    DEAD_LETTERS,
    OUTBOX,
    AUDIT,
)
