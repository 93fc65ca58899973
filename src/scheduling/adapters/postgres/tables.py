"""The tables, as the migrations leave them (a test compares the two catalogues).
All in one long file: a schema is read as a whole.

Every key, unique or exclusion constraint begins with `tenant_id`, so that the schema
can be distributed on it as it is. Constraint names are read by `violations.py`.
"""

from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, TSTZRANGE, ExcludeConstraint

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

NO_OVERLAP = "ex_claims_no_overlap"

OUTBOX_PARTITIONS = 64
"""Relays share these by advisory lock; an aggregate's events stay in one of them."""


def _id(name: str, *, nullable: bool = False) -> Column[Any]:
    return Column(name, Uuid, nullable=nullable)


def _instant(name: str, *, nullable: bool = False) -> Column[Any]:
    return Column(name, DateTime(timezone=True), nullable=nullable)


def _words(name: str) -> Column[Any]:
    return Column(name, ARRAY(Text), nullable=False)


def _version() -> Column[Any]:
    return Column("version", Integer, nullable=False)


def _key(*columns: str) -> PrimaryKeyConstraint:
    return PrimaryKeyConstraint("tenant_id", *columns)


def _belongs_to(table: str, column: str) -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["tenant_id", column], [f"{table}.tenant_id", f"{table}.id"]
    )


def _of_a_tenant() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["tenant_id"], ["tenants.tenant_id"])


def _one_of(column: str, *values: str) -> CheckConstraint:
    allowed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({allowed})", name=column)


tenants = Table("tenants", metadata, _id("tenant_id"), _instant("created_at"), _key())

settings = Table(
    "settings",
    metadata,
    _id("tenant_id"),
    Column("buffer_minutes", Integer, nullable=False),
    Column("minimum_notice_minutes", Integer, nullable=False),
    Column("horizon_days", Integer, nullable=False),
    Column("hold_minutes", Integer, nullable=False),
    Column("reminder_offsets_minutes", ARRAY(Integer), nullable=False),
    Column("no_show_grace_minutes", Integer, nullable=False),
    Column("limit_per_practitioner_day", Integer),
    Column("limit_per_practitioner_week", Integer),
    Column("timezone", Text, nullable=False),
    Column("waitlist_offers", Boolean, nullable=False, server_default=text("false")),
    _version(),
    _instant("updated_at"),
    _key(),
    _of_a_tenant(),
)

practitioners = Table(
    "practitioners",
    metadata,
    _id("tenant_id"),
    _id("id"),
    Column("name", Text, nullable=False),
    Column("active", Boolean, nullable=False),
    _words("specialties"),
    _version(),
    _instant("created_at"),
    _instant("updated_at"),
    _key("id"),
    _of_a_tenant(),
)

locations = Table(
    "locations",
    metadata,
    _id("tenant_id"),
    _id("id"),
    Column("name", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("timezone", Text, nullable=False),
    Column("country", Text),
    Column("subdivision", Text),
    Column("active", Boolean, nullable=False),
    Column(
        "observes_public_holidays",
        Boolean,
        nullable=False,
        server_default=text("false"),
    ),
    # Its own, besides the public ones.
    Column("closed_days", ARRAY(Date), nullable=False, server_default=text("'{}'")),
    _version(),
    _instant("created_at"),
    _instant("updated_at"),
    _key("id"),
    UniqueConstraint("tenant_id", "code", name="uq_locations_code"),
    _of_a_tenant(),
)

patients = Table(
    "patients",
    metadata,
    _id("tenant_id"),
    _id("id"),
    Column("name", Text, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("file_number", Text),
    Column("phone", Text),
    Column("email", Text),
    Column("prefers_whatsapp", Boolean, nullable=False),
    Column("prefers_sms", Boolean, nullable=False),
    Column("prefers_email", Boolean, nullable=False),
    # BCP 47; null: the organisation's.
    Column("language", Text),
    _version(),
    _instant("created_at"),
    _instant("updated_at"),
    # What was personal of them has gone; visits go on pointing here.
    _instant("deleted_at", nullable=True),
    _key("id"),
    UniqueConstraint("tenant_id", "file_number", name="uq_patients_file_number"),
    _of_a_tenant(),
)

# The beginnings of these words are what patients are searched by. Words of a version
# that is not the patient's are taken away by a trigger, whoever writes the patient.
patient_words = Table(
    "patient_words",
    metadata,
    _id("tenant_id"),
    _id("patient_id"),
    Column("word", Text(collation="C"), nullable=False),
    _version(),
    _key("word", "patient_id"),
    _belongs_to("patients", "patient_id"),
    Index("ix_patient_words_patient", "tenant_id", "patient_id", "word"),
)

practitioner_roles = Table(
    "practitioner_roles",
    metadata,
    _id("tenant_id"),
    _id("id"),
    _id("practitioner_id"),
    _id("location_id"),
    Column("active", Boolean, nullable=False),
    _words("specialties"),
    _words("service_types"),
    Column("timezone", Text),
    Column("period_start", Date),
    Column("period_end", Date),
    Column("availability", JSONB, nullable=False),
    Column("not_available", JSONB, nullable=False),
    _version(),
    _instant("created_at"),
    _instant("updated_at"),
    _instant("deleted_at", nullable=True),
    _key("id"),
    _belongs_to("practitioners", "practitioner_id"),
    _belongs_to("locations", "location_id"),
    Index(
        "ix_practitioner_roles_practitioner",
        "tenant_id",
        "practitioner_id",
        "location_id",
    ),
    Index("ix_practitioner_roles_location", "tenant_id", "location_id"),
)

schedules = Table(
    "schedules",
    metadata,
    _id("tenant_id"),
    _id("id"),
    _id("practitioner_id"),
    _id("location_id"),
    _id("practitioner_role_id", nullable=True),
    Column("timezone", Text, nullable=False),
    Column("availability", JSONB, nullable=False),
    # What this calendar decides otherwise than its organisation.
    Column("horizon_days", Integer),
    Column("minimum_notice_minutes", Integer),
    Column("limit_per_day", Integer),
    Column("limit_per_week", Integer),
    _version(),
    _instant("created_at"),
    _instant("updated_at"),
    _key("id"),
    UniqueConstraint("tenant_id", "practitioner_role_id", name="uq_schedules_role"),
    _belongs_to("practitioners", "practitioner_id"),
    _belongs_to("locations", "location_id"),
    _belongs_to("practitioner_roles", "practitioner_role_id"),
    Index("ix_schedules_practitioner", "tenant_id", "practitioner_id", "location_id"),
    Index("ix_schedules_location", "tenant_id", "location_id"),
)

schedule_exceptions = Table(
    "schedule_exceptions",
    metadata,
    _id("tenant_id"),
    _id("id"),
    _id("schedule_id"),
    Column("kind", Text, nullable=False),
    # Where a whole date is meant; `starts_at` and `ends_at` are then that day in the
    # schedule's zone.
    Column("on_date", Date),
    _instant("starts_at"),
    _instant("ends_at"),
    Column("windows", JSONB, nullable=False),
    _words("service_types"),
    Column("reason", Text),
    _instant("created_at"),
    _key("id"),
    _one_of("kind", "closed", "replace", "extra"),
    CheckConstraint("ends_at > starts_at", name="positive_length"),
    _belongs_to("schedules", "schedule_id"),
    Index("ix_schedule_exceptions_schedule", "tenant_id", "schedule_id", "starts_at"),
)

slots = Table(
    "slots",
    metadata,
    _id("tenant_id"),
    _id("id"),
    _id("schedule_id"),
    _id("practitioner_id"),
    _id("location_id"),
    _instant("starts_at"),
    _instant("ends_at"),
    Column("timezone", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("capacity", Integer, nullable=False),
    Column("booked", Integer, nullable=False),
    _words("service_types"),
    _version(),
    _id("generation_run_id", nullable=True),
    Column("source_event_id", Text),
    # The exception that closes it; null where it is open, or blocked by hand.
    _id("blocked_by", nullable=True),
    Column("blocked_reason", Text),
    # The exception that opened it, outside the weekly rules.
    _id("opened_by", nullable=True),
    # No rule wants it any more: it stays for who is in it and gives no more seats.
    _instant("obsolete_since", nullable=True),
    _key("id"),
    UniqueConstraint(
        "tenant_id", "schedule_id", "starts_at", "ends_at", name="uq_slots_period"
    ),
    _one_of(
        "status",
        "free",
        "busy",
        "busy-tentative",
        "busy-unavailable",
        "entered-in-error",
    ),
    CheckConstraint("ends_at > starts_at", name="positive_length"),
    CheckConstraint("capacity >= 1", name="capacity"),
    CheckConstraint("booked >= 0", name="booked"),
    _belongs_to("schedules", "schedule_id"),
    _belongs_to("practitioners", "practitioner_id"),
    _belongs_to("locations", "location_id"),
    Index("ix_slots_practitioner_start", "tenant_id", "practitioner_id", "starts_at"),
    Index("ix_slots_location_start", "tenant_id", "location_id", "starts_at"),
    Index("ix_slots_start", "tenant_id", "starts_at"),
    # A booking changes no indexed column: with room on the page it is a HOT update.
    postgresql_with={"fillfactor": 85},
)

generation_runs = Table(
    "generation_runs",
    metadata,
    _id("tenant_id"),
    _id("id"),
    _id("schedule_id"),
    _id("practitioner_role_id", nullable=True),
    # The role's version whose rules were applied.
    Column("role_version", Integer),
    Column("trigger", Text, nullable=False),
    Column("source_event_id", Text, nullable=False),
    # Local days of the schedule's zone, both inclusive.
    Column("first_day", Date, nullable=False),
    Column("last_day", Date, nullable=False),
    Column("tzdata_version", Text, nullable=False),
    # Of the computed slots: two runs with the same wanted the same.
    Column("digest", Text, nullable=False),
    *(
        Column(name, Integer, nullable=False)
        for name in (
            "created",
            "updated",
            "retired",
            "retained",
            "conflicts",
            "unchanged",
        )
    ),
    Column("diagnostics", JSONB, nullable=False),
    _instant("started_at"),
    Column("duration_ms", Integer, nullable=False),
    _key("id"),
    UniqueConstraint(
        "tenant_id",
        "schedule_id",
        "source_event_id",
        name="uq_generation_runs_source",
    ),
    _one_of("trigger", "event", "manual", "roll-forward"),
    _belongs_to("schedules", "schedule_id"),
    Index("ix_generation_runs_schedule", "tenant_id", "schedule_id", "started_at"),
)

appointments = Table(
    "appointments",
    metadata,
    _id("tenant_id"),
    _id("id"),
    _id("patient_id"),
    _id("practitioner_id"),
    _id("location_id"),
    _id("schedule_id"),
    Column("slot_ids", ARRAY(Uuid), nullable=False),
    _instant("starts_at"),
    _instant("ends_at"),
    Column("timezone", Text, nullable=False),
    Column("appointment_type", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("reason", Text),
    Column("notes", Text),
    Column("resources", JSONB, nullable=False),
    Column("overbooked", Boolean, nullable=False),
    Column("override_reason", Text),
    _instant("hold_expires_at", nullable=True),
    # The token's subject that holds it; only a `pending` one with an expiry is a hold.
    Column("held_by", Text),
    _id("series_id", nullable=True),
    Column("series_index", Integer),
    Column("status_reason_code", Text),
    Column("status_comment", Text),
    Column("cancelled_by", Text),
    _id("sub_file_id", nullable=True),
    _instant("created_at"),
    _instant("updated_at"),
    _version(),
    _key("id"),
    _one_of(
        "status",
        "proposed",
        "pending",
        "booked",
        "confirmed",
        "arrived",
        "in-progress",
        "completed",
        "cancelled",
        "no-show",
        "entered-in-error",
    ),
    CheckConstraint("ends_at > starts_at", name="positive_length"),
    _belongs_to("patients", "patient_id"),
    _belongs_to("practitioners", "practitioner_id"),
    _belongs_to("locations", "location_id"),
    Index(
        "ix_appointments_practitioner_start",
        "tenant_id",
        "practitioner_id",
        "starts_at",
    ),
    Index("ix_appointments_patient_start", "tenant_id", "patient_id", "starts_at"),
    Index("ix_appointments_location_start", "tenant_id", "location_id", "starts_at"),
    Index("ix_appointments_start", "tenant_id", "starts_at"),
    Index(
        "ix_appointments_series",
        "tenant_id",
        "series_id",
        postgresql_where=text("series_id IS NOT NULL"),
    ),
)

claims = Table(
    "claims",
    metadata,
    _id("tenant_id"),
    _id("appointment_id"),
    Column("actor_kind", SmallInteger, nullable=False),
    _id("actor_id"),
    _id("share_id"),
    _instant("starts_at"),
    _instant("ends_at"),
    _instant("until"),
    Column("taken", TSTZRANGE, nullable=False),
    Column("overbooked", Boolean, nullable=False),
    # A hold's: from that instant on it stands in nobody's way, swept or not.
    _instant("expires_at", nullable=True),
    # Also the index that readers use: row level security bars them from the one of the
    # exclusion constraint, since PostgreSQL's range operators are not leakproof.
    _key("actor_id", "actor_kind", "starts_at", "until", "appointment_id"),
    CheckConstraint("until >= ends_at AND ends_at > starts_at", name="positive_length"),
    CheckConstraint("until <= starts_at + interval '28 hours'", name="length"),
    CheckConstraint("actor_kind BETWEEN 1 AND 4", name="actor_kind"),
    # Claims of one group slot carry its id as share_id and may lie on each other.
    ExcludeConstraint(
        ("tenant_id", "="),
        ("actor_id", "="),
        ("actor_kind", "="),
        ("taken", "&&"),
        ("share_id", "<>"),
        where=text("NOT overbooked"),
        using="gist",
        name=NO_OVERLAP,
    ),
    _belongs_to("appointments", "appointment_id"),
    Index(
        "ix_claims_expiring",
        "tenant_id",
        "starts_at",
        postgresql_where=text("expires_at IS NOT NULL"),
    ),
    # Only these can reach over a claim that began later.
    Index(
        "ix_claims_overbooked",
        "tenant_id",
        "actor_id",
        "starts_at",
        postgresql_where=text("overbooked"),
    ),
)

reminders = Table(
    "reminders",
    metadata,
    _id("tenant_id"),
    _id("id"),
    _id("appointment_id"),
    Column("appointment_version", Integer, nullable=False),
    Column("offset_minutes", Integer, nullable=False),
    Column("channel", Text, nullable=False),
    _instant("due_at"),
    Column("status", Text, nullable=False),
    Column("reason", Text),
    Column("attempts", Integer, nullable=False),
    _instant("sent_at", nullable=True),
    # When it is next looked at: when it is due, later after a failed attempt.
    _instant("attempt_at", nullable=True),
    # Set, and committed, before something is sent that cannot be taken back.
    _instant("sending_since", nullable=True),
    _key("id"),
    UniqueConstraint(
        "tenant_id",
        "appointment_id",
        "appointment_version",
        "offset_minutes",
        "channel",
        name="uq_reminders_once",
    ),
    _one_of("status", "SCHEDULED", "SENT", "FAILED", "CANCELLED", "SKIPPED"),
    _belongs_to("appointments", "appointment_id"),
    Index(
        "ix_reminders_due",
        "tenant_id",
        text("COALESCE(attempt_at, due_at)"),
        "id",
        postgresql_where=text("status = 'SCHEDULED'"),
    ),
)

waitlist_entries = Table(
    "waitlist_entries",
    metadata,
    _id("tenant_id"),
    _id("id"),
    _id("patient_id"),
    # Empty: any.
    Column("practitioner_ids", ARRAY(Uuid), nullable=False),
    Column("location_ids", ARRAY(Uuid), nullable=False),
    Column("service_type", Text),
    _instant("earliest"),
    _instant("latest"),
    Column("priority", Integer, nullable=False),
    Column("status", Text, nullable=False),
    _id("appointment_id", nullable=True),
    _instant("created_at"),
    _instant("updated_at"),
    _version(),
    _key("id"),
    _one_of("status", "waiting", "fulfilled", "removed"),
    CheckConstraint("latest > earliest", name="positive_length"),
    _belongs_to("patients", "patient_id"),
    Index(
        "ix_waitlist_entries_waiting",
        "tenant_id",
        "latest",
        postgresql_where=text("status = 'waiting'"),
    ),
    Index("ix_waitlist_entries_created", "tenant_id", "created_at", "id"),
    # Who waits, best first; with the window, so that others are passed over unread.
    Index(
        "ix_waitlist_entries_rank",
        "tenant_id",
        text("priority DESC"),
        "created_at",
        "id",
        "latest",
        "earliest",
        postgresql_where=text("status = 'waiting'"),
    ),
    Index("ix_waitlist_entries_status", "tenant_id", "status", "created_at", "id"),
    Index("ix_waitlist_entries_patient", "tenant_id", "patient_id", "created_at", "id"),
)

sub_files = Table(
    "sub_files",
    metadata,
    _id("tenant_id"),
    _id("id"),
    Column("number", Text, nullable=False),
    _id("patient_id"),
    _id("location_id"),
    _id("practitioner_id"),
    Column("status", Text, nullable=False),
    _instant("opened_at"),
    _version(),
    _key("id"),
    UniqueConstraint("tenant_id", "number", name="uq_sub_files_number"),
    UniqueConstraint(
        "tenant_id", "patient_id", "location_id", name="uq_sub_files_once"
    ),
    _one_of("status", "open", "closed"),
    _belongs_to("patients", "patient_id"),
    _belongs_to("locations", "location_id"),
    _belongs_to("practitioners", "practitioner_id"),
)

sub_file_counters = Table(
    "sub_file_counters",
    metadata,
    _id("tenant_id"),
    Column("year", Integer, nullable=False),
    Column("last", Integer, nullable=False),
    _key("year"),
)

# In the app, to practitioners. The text is made from the template when it is read.
notifications = Table(
    "notifications",
    metadata,
    _id("tenant_id"),
    _id("id"),
    _id("practitioner_id"),
    Column("template", Text, nullable=False),
    _id("patient_id", nullable=True),
    _id("appointment_id", nullable=True),
    _instant("starts_at", nullable=True),
    Column("timezone", Text),
    Column("service_type", Text),
    Column("source_event_id", Text, nullable=False),
    _instant("created_at"),
    _instant("read_at", nullable=True),
    _key("id"),
    UniqueConstraint(
        "tenant_id",
        "practitioner_id",
        "template",
        "source_event_id",
        name="uq_notifications_once",
    ),
    _belongs_to("practitioners", "practitioner_id"),
    Index(
        "ix_notifications_practitioner",
        "tenant_id",
        "practitioner_id",
        "created_at",
        "id",
    ),
)

waitlist_offers = Table(
    "waitlist_offers",
    metadata,
    _id("tenant_id"),
    _id("id"),
    _id("waitlist_entry_id"),
    # The hold.
    _id("appointment_id"),
    # The news of the freed time that it began with, and who comes next.
    Column("source_event_id", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("candidates", JSONB, nullable=False),
    _instant("expires_at"),
    _instant("created_at"),
    _instant("updated_at"),
    _version(),
    _key("id"),
    UniqueConstraint(
        "tenant_id",
        "source_event_id",
        "waitlist_entry_id",
        name="uq_waitlist_offers_once",
    ),
    _one_of("status", "offered", "accepted", "declined", "expired"),
    _belongs_to("waitlist_entries", "waitlist_entry_id"),
    _belongs_to("appointments", "appointment_id"),
    Index(
        "ix_waitlist_offers_open",
        "tenant_id",
        "expires_at",
        "id",
        postgresql_where=text("status = 'offered'"),
    ),
    Index("ix_waitlist_offers_entry", "tenant_id", "waitlist_entry_id", "created_at"),
    Index(
        "ix_waitlist_offers_live",
        "tenant_id",
        "waitlist_entry_id",
        postgresql_where=text("status = 'offered'"),
    ),
)

cron_runs = Table(
    "cron_runs",
    metadata,
    # The nil UUID: jobs belong to no tenant.
    _id("tenant_id"),
    Column("job", Text, nullable=False),
    _instant("started_at"),
    Column("duration_ms", Integer),
    Column("outcome", Text, nullable=False),
    Column("done", Integer, nullable=False),
    Column("failure", Text),
    _instant("succeeded_at", nullable=True),
    _key("job"),
    _one_of("outcome", "running", "done", "failed"),
)

outbox = Table(
    "outbox",
    metadata,
    _id("tenant_id"),
    Column("id", BigInteger, Identity(always=True), nullable=False),
    _id("event_id"),
    Column("partition", SmallInteger, nullable=False),
    _id("aggregate_id"),
    Column("aggregate_version", Integer, nullable=False),
    Column("subject", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    _instant("created_at"),
    _instant("published_at", nullable=True),
    _instant("blocked_at", nullable=True),
    Column("blocked_reason", Text),
    _key("id"),
    CheckConstraint(
        f"partition BETWEEN 0 AND {OUTBOX_PARTITIONS - 1}", name="partition"
    ),
    Index(
        "ix_outbox_pending",
        "partition",
        "id",
        postgresql_where=text("published_at IS NULL"),
    ),
    Index(
        "ix_outbox_blocked",
        "partition",
        "aggregate_id",
        postgresql_where=text("blocked_at IS NOT NULL AND published_at IS NULL"),
    ),
    # Every row is written once and marked once: vacuum by count, not by share.
    postgresql_with={
        "autovacuum_vacuum_scale_factor": 0,
        "autovacuum_vacuum_threshold": 20000,
        "autovacuum_vacuum_insert_scale_factor": 0,
        "autovacuum_vacuum_insert_threshold": 100000,
        "autovacuum_vacuum_cost_delay": 0,
    },
)

inbox = Table(
    "inbox",
    metadata,
    _id("tenant_id"),
    Column("source", Text, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("type", Text, nullable=False),
    _instant("received_at"),
    Column("outcome", Text, nullable=False, server_default=text("'applied'")),
    _key("source", "event_id"),
    _one_of("outcome", "applied", "stale"),
    Index("ix_inbox_received_at", "received_at"),
)

# How far the news of each outside aggregate were followed: older ones are stale.
inbox_positions = Table(
    "inbox_positions",
    metadata,
    _id("tenant_id"),
    Column("kind", Text, nullable=False),
    _id("aggregate_id"),
    Column("version", BigInteger),
    # When the broker stored the event, which orders those without a version.
    _instant("stored_at"),
    _key("kind", "aggregate_id"),
)

dead_letters = Table(
    "dead_letters",
    metadata,
    # The nil UUID where the subject names no tenant.
    _id("tenant_id"),
    _id("id"),
    Column("stream", Text, nullable=False),
    Column("stream_sequence", BigInteger, nullable=False),
    _instant("stored_at"),
    Column("subject", Text, nullable=False),
    Column("headers", JSONB, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("event_id", Text),
    Column("event_type", Text),
    Column("reason", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("deliveries", Integer, nullable=False),
    _instant("died_at"),
    _instant("replayed_at", nullable=True),
    _key("id"),
    UniqueConstraint(
        "tenant_id",
        "stream",
        "stream_sequence",
        "stored_at",
        name="uq_dead_letters_message",
    ),
    Index("ix_dead_letters_died", "died_at", "id"),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    _id("tenant_id"),
    Column("caller", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("headers", JSONB, nullable=False),
    Column("body", LargeBinary, nullable=False),
    _instant("created_at"),
    _key("caller", "key"),
    Index("ix_idempotency_keys_created_at", "created_at"),
)

audit = Table(
    "audit",
    metadata,
    _id("tenant_id"),
    _id("id"),
    _instant("at"),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("entity_type", Text, nullable=False),
    _id("entity_id"),
    Column("entity_version", Integer),
    Column("changes", JSONB, nullable=False),
    Column("request_id", Text),
    _key("id"),
    Index("ix_audit_entity", "tenant_id", "entity_id", "at"),
)
