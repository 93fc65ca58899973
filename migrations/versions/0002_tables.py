"""The tables of the first slice: directory, schedules, bookings, messaging, audit."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TABLES = (
    "tenants",
    "settings",
    "practitioners",
    "locations",
    "patients",
    "practitioner_roles",
    "schedules",
    "schedule_exceptions",
    "slots",
    "appointments",
    "claims",
    "reminders",
    "outbox",
    "inbox",
    "idempotency_keys",
    "audit",
)

DDL = """
CREATE TABLE tenants (
    tenant_id UUID NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT pk_tenants PRIMARY KEY (tenant_id)
);

CREATE TABLE settings (
    tenant_id UUID NOT NULL,
    buffer_minutes INTEGER NOT NULL,
    minimum_notice_minutes INTEGER NOT NULL,
    horizon_days INTEGER NOT NULL,
    hold_minutes INTEGER NOT NULL,
    reminder_offsets_minutes INTEGER[] NOT NULL,
    no_show_grace_minutes INTEGER NOT NULL,
    limit_per_practitioner_day INTEGER,
    limit_per_practitioner_week INTEGER,
    timezone TEXT NOT NULL,
    version INTEGER NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT pk_settings PRIMARY KEY (tenant_id),
    CONSTRAINT fk_settings_tenants FOREIGN KEY (tenant_id) REFERENCES tenants
        (tenant_id)
);

CREATE TABLE practitioners (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    name TEXT NOT NULL,
    active BOOLEAN NOT NULL,
    specialties TEXT[] NOT NULL,
    version INTEGER NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT pk_practitioners PRIMARY KEY (tenant_id, id),
    CONSTRAINT fk_practitioners_tenants FOREIGN KEY (tenant_id) REFERENCES tenants
        (tenant_id)
);

CREATE TABLE locations (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    name TEXT NOT NULL,
    code TEXT NOT NULL,
    timezone TEXT NOT NULL,
    country TEXT,
    subdivision TEXT,
    active BOOLEAN NOT NULL,
    version INTEGER NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT pk_locations PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_locations_code UNIQUE (tenant_id, code),
    CONSTRAINT fk_locations_tenants FOREIGN KEY (tenant_id) REFERENCES tenants
        (tenant_id)
);

CREATE TABLE patients (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    name TEXT NOT NULL,
    active BOOLEAN NOT NULL,
    file_number TEXT,
    phone TEXT,
    email TEXT,
    prefers_whatsapp BOOLEAN NOT NULL,
    prefers_sms BOOLEAN NOT NULL,
    prefers_email BOOLEAN NOT NULL,
    version INTEGER NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT pk_patients PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_patients_file_number UNIQUE (tenant_id, file_number),
    CONSTRAINT fk_patients_tenants FOREIGN KEY (tenant_id) REFERENCES tenants
        (tenant_id)
);

CREATE TABLE practitioner_roles (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    practitioner_id UUID NOT NULL,
    location_id UUID NOT NULL,
    active BOOLEAN NOT NULL,
    specialties TEXT[] NOT NULL,
    service_types TEXT[] NOT NULL,
    timezone TEXT,
    period_start DATE,
    period_end DATE,
    availability JSONB NOT NULL,
    not_available JSONB NOT NULL,
    version INTEGER NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT pk_practitioner_roles PRIMARY KEY (tenant_id, id),
    CONSTRAINT fk_practitioner_roles_practitioners FOREIGN KEY (tenant_id,
        practitioner_id) REFERENCES practitioners (tenant_id, id),
    CONSTRAINT fk_practitioner_roles_locations FOREIGN KEY (tenant_id, location_id)
        REFERENCES locations (tenant_id, id)
);

CREATE INDEX ix_practitioner_roles_practitioner ON practitioner_roles (tenant_id,
    practitioner_id, location_id);

CREATE TABLE schedules (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    practitioner_id UUID NOT NULL,
    location_id UUID NOT NULL,
    practitioner_role_id UUID,
    timezone TEXT NOT NULL,
    availability JSONB NOT NULL,
    horizon_days INTEGER,
    version INTEGER NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT pk_schedules PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_schedules_role UNIQUE (tenant_id, practitioner_role_id),
    CONSTRAINT fk_schedules_practitioners FOREIGN KEY (tenant_id, practitioner_id)
        REFERENCES practitioners (tenant_id, id),
    CONSTRAINT fk_schedules_locations FOREIGN KEY (tenant_id, location_id) REFERENCES
        locations (tenant_id, id),
    CONSTRAINT fk_schedules_practitioner_roles FOREIGN KEY (tenant_id,
        practitioner_role_id) REFERENCES practitioner_roles (tenant_id, id)
);

CREATE INDEX ix_schedules_practitioner ON schedules (tenant_id, practitioner_id,
    location_id);

CREATE TABLE schedule_exceptions (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    schedule_id UUID NOT NULL,
    kind TEXT NOT NULL,
    on_date DATE,
    starts_at TIMESTAMPTZ,
    ends_at TIMESTAMPTZ,
    windows JSONB NOT NULL,
    reason TEXT,
    created_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT pk_schedule_exceptions PRIMARY KEY (tenant_id, id),
    CONSTRAINT ck_schedule_exceptions_kind CHECK (kind IN ('closed', 'replace',
        'extra')),
    CONSTRAINT ck_schedule_exceptions_date_or_period CHECK ((on_date IS NOT NULL) <>
        (starts_at IS NOT NULL AND ends_at IS NOT NULL)),
    CONSTRAINT fk_schedule_exceptions_schedules FOREIGN KEY (tenant_id, schedule_id)
        REFERENCES schedules (tenant_id, id)
);

CREATE INDEX ix_schedule_exceptions_schedule ON schedule_exceptions (tenant_id,
    schedule_id);

CREATE TABLE slots (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    schedule_id UUID NOT NULL,
    practitioner_id UUID NOT NULL,
    location_id UUID NOT NULL,
    starts_at TIMESTAMPTZ NOT NULL,
    ends_at TIMESTAMPTZ NOT NULL,
    timezone TEXT NOT NULL,
    status TEXT NOT NULL,
    capacity INTEGER NOT NULL,
    booked INTEGER NOT NULL,
    service_types TEXT[] NOT NULL,
    version INTEGER NOT NULL,
    generation_run_id UUID,
    source_event_id TEXT,
    CONSTRAINT pk_slots PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_slots_period UNIQUE (tenant_id, schedule_id, starts_at, ends_at),
    CONSTRAINT ck_slots_status CHECK (status IN ('free', 'busy', 'busy-tentative',
        'busy-unavailable', 'entered-in-error')),
    CONSTRAINT ck_slots_positive_length CHECK (ends_at > starts_at),
    CONSTRAINT ck_slots_capacity CHECK (capacity >= 1),
    CONSTRAINT ck_slots_booked CHECK (booked >= 0),
    CONSTRAINT fk_slots_schedules FOREIGN KEY (tenant_id, schedule_id) REFERENCES
        schedules (tenant_id, id),
    CONSTRAINT fk_slots_practitioners FOREIGN KEY (tenant_id, practitioner_id)
        REFERENCES practitioners (tenant_id, id),
    CONSTRAINT fk_slots_locations FOREIGN KEY (tenant_id, location_id) REFERENCES
        locations (tenant_id, id)
)
 WITH (fillfactor = 85);

CREATE INDEX ix_slots_location_start ON slots (tenant_id, location_id, starts_at);

CREATE INDEX ix_slots_practitioner_start ON slots (tenant_id, practitioner_id,
    starts_at);

CREATE TABLE appointments (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    patient_id UUID NOT NULL,
    practitioner_id UUID NOT NULL,
    location_id UUID NOT NULL,
    schedule_id UUID NOT NULL,
    slot_ids UUID[] NOT NULL,
    starts_at TIMESTAMPTZ NOT NULL,
    ends_at TIMESTAMPTZ NOT NULL,
    timezone TEXT NOT NULL,
    appointment_type TEXT NOT NULL,
    status TEXT NOT NULL,
    reason TEXT,
    notes TEXT,
    resources JSONB NOT NULL,
    overbooked BOOLEAN NOT NULL,
    override_reason TEXT,
    hold_expires_at TIMESTAMPTZ,
    status_reason_code TEXT,
    status_comment TEXT,
    cancelled_by TEXT,
    sub_file_id UUID,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    version INTEGER NOT NULL,
    CONSTRAINT pk_appointments PRIMARY KEY (tenant_id, id),
    CONSTRAINT ck_appointments_status CHECK (status IN ('proposed', 'pending',
        'booked', 'confirmed', 'arrived', 'in-progress', 'completed', 'cancelled',
        'no-show', 'entered-in-error')),
    CONSTRAINT ck_appointments_positive_length CHECK (ends_at > starts_at),
    CONSTRAINT fk_appointments_patients FOREIGN KEY (tenant_id, patient_id) REFERENCES
        patients (tenant_id, id),
    CONSTRAINT fk_appointments_practitioners FOREIGN KEY (tenant_id, practitioner_id)
        REFERENCES practitioners (tenant_id, id),
    CONSTRAINT fk_appointments_locations FOREIGN KEY (tenant_id, location_id)
        REFERENCES locations (tenant_id, id)
);

CREATE INDEX ix_appointments_location_start ON appointments (tenant_id, location_id,
    starts_at);

CREATE INDEX ix_appointments_patient_start ON appointments (tenant_id, patient_id,
    starts_at);

CREATE INDEX ix_appointments_practitioner_start ON appointments (tenant_id,
    practitioner_id, starts_at);

CREATE TABLE claims (
    tenant_id UUID NOT NULL,
    appointment_id UUID NOT NULL,
    actor_kind SMALLINT NOT NULL,
    actor_id UUID NOT NULL,
    share_id UUID NOT NULL,
    starts_at TIMESTAMPTZ NOT NULL,
    ends_at TIMESTAMPTZ NOT NULL,
    until TIMESTAMPTZ NOT NULL,
    taken TSTZRANGE NOT NULL,
    overbooked BOOLEAN NOT NULL,
    CONSTRAINT pk_claims PRIMARY KEY (tenant_id, actor_id, actor_kind, starts_at, until,
        appointment_id),
    CONSTRAINT ck_claims_positive_length CHECK (until >= ends_at AND
        ends_at > starts_at),
    CONSTRAINT ck_claims_length CHECK (until <= starts_at + interval '28 hours'),
    CONSTRAINT ck_claims_actor_kind CHECK (actor_kind BETWEEN 1 AND 4),
    CONSTRAINT ex_claims_no_overlap EXCLUDE USING gist (tenant_id WITH =, actor_id
        WITH =, actor_kind WITH =, taken WITH &&, share_id WITH <>) WHERE (NOT
        overbooked),
    CONSTRAINT fk_claims_appointments FOREIGN KEY (tenant_id, appointment_id)
        REFERENCES appointments (tenant_id, id)
);

CREATE TABLE reminders (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    appointment_id UUID NOT NULL,
    appointment_version INTEGER NOT NULL,
    offset_minutes INTEGER NOT NULL,
    channel TEXT NOT NULL,
    due_at TIMESTAMPTZ NOT NULL,
    status TEXT NOT NULL,
    reason TEXT,
    attempts INTEGER NOT NULL,
    sent_at TIMESTAMPTZ,
    CONSTRAINT pk_reminders PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_reminders_once UNIQUE (tenant_id, appointment_id,
        appointment_version, offset_minutes, channel),
    CONSTRAINT ck_reminders_status CHECK (status IN ('SCHEDULED', 'SENT', 'FAILED',
        'CANCELLED', 'SKIPPED')),
    CONSTRAINT fk_reminders_appointments FOREIGN KEY (tenant_id, appointment_id)
        REFERENCES appointments (tenant_id, id)
);

CREATE INDEX ix_reminders_due ON reminders (due_at) WHERE status = 'SCHEDULED';

CREATE TABLE outbox (
    tenant_id UUID NOT NULL,
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    event_id UUID NOT NULL,
    partition SMALLINT NOT NULL,
    aggregate_id UUID NOT NULL,
    aggregate_version INTEGER NOT NULL,
    subject TEXT NOT NULL,
    body BYTEA NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    published_at TIMESTAMPTZ,
    blocked_at TIMESTAMPTZ,
    blocked_reason TEXT,
    CONSTRAINT pk_outbox PRIMARY KEY (tenant_id, id),
    CONSTRAINT ck_outbox_partition CHECK (partition BETWEEN 0 AND 63)
)
 WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000,
     autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold =
     100000, autovacuum_vacuum_cost_delay = 0);

CREATE INDEX ix_outbox_blocked ON outbox (partition, aggregate_id) WHERE blocked_at IS
    NOT NULL AND published_at IS NULL;

CREATE INDEX ix_outbox_pending ON outbox (partition, id) WHERE published_at IS NULL;

CREATE TABLE inbox (
    tenant_id UUID NOT NULL,
    source TEXT NOT NULL,
    event_id TEXT NOT NULL,
    type TEXT NOT NULL,
    received_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT pk_inbox PRIMARY KEY (tenant_id, source, event_id)
);

CREATE TABLE idempotency_keys (
    tenant_id UUID NOT NULL,
    caller TEXT NOT NULL,
    key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    status SMALLINT NOT NULL,
    headers JSONB NOT NULL,
    body BYTEA NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT pk_idempotency_keys PRIMARY KEY (tenant_id, caller, key)
);

CREATE INDEX ix_idempotency_keys_created_at ON idempotency_keys (created_at);

CREATE TABLE audit (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    at TIMESTAMPTZ NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    outcome TEXT NOT NULL,
    entity_type TEXT NOT NULL,
    entity_id UUID NOT NULL,
    entity_version INTEGER,
    changes JSONB NOT NULL,
    request_id TEXT,
    CONSTRAINT pk_audit PRIMARY KEY (tenant_id, id)
);

CREATE INDEX ix_audit_entity ON audit (tenant_id, entity_id, at);
"""


def upgrade() -> None:
    op.execute("SET LOCAL ROLE scheduling_owner")
    for statement in filter(str.strip, DDL.split(";")):
        op.execute(statement)
    op.execute("RESET ROLE")


def downgrade() -> None:
    op.execute("SET LOCAL ROLE scheduling_owner")
    for table in reversed(TABLES):
        op.execute(f"DROP TABLE {table}")
    op.execute("RESET ROLE")
