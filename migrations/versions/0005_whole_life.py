"""What the whole life of an appointment needs: holds that end by themselves, series, a
waitlist, exceptions that block and open slots, rules of a single calendar, and indexes
for the questions that are asked of many appointments.
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TENANT_OF_THE_SESSION = (
    "tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid"
)

UP = (
    """
    ALTER TABLE schedules ADD COLUMN minimum_notice_minutes INTEGER,
        ADD COLUMN limit_per_day INTEGER, ADD COLUMN limit_per_week INTEGER
    """,
    "CREATE INDEX ix_schedules_location ON schedules (tenant_id, location_id)",
    """
    CREATE INDEX ix_practitioner_roles_location ON practitioner_roles
        (tenant_id, location_id)
    """,
    # Nothing has written an exception yet: the table is empty.
    """
    ALTER TABLE schedule_exceptions
        DROP CONSTRAINT ck_schedule_exceptions_date_or_period,
        ALTER COLUMN starts_at SET NOT NULL, ALTER COLUMN ends_at SET NOT NULL,
        ADD COLUMN service_types TEXT[] NOT NULL,
        ADD CONSTRAINT ck_schedule_exceptions_positive_length
            CHECK (ends_at > starts_at)
    """,
    "DROP INDEX ix_schedule_exceptions_schedule",
    """
    CREATE INDEX ix_schedule_exceptions_schedule ON schedule_exceptions
        (tenant_id, schedule_id, starts_at)
    """,
    """
    ALTER TABLE slots ADD COLUMN blocked_by UUID, ADD COLUMN blocked_reason TEXT,
        ADD COLUMN opened_by UUID
    """,
    """
    ALTER TABLE appointments ADD COLUMN held_by TEXT, ADD COLUMN series_id UUID,
        ADD COLUMN series_index INTEGER
    """,
    """
    CREATE INDEX ix_appointments_series ON appointments (tenant_id, series_id)
        WHERE series_id IS NOT NULL
    """,
    "CREATE INDEX ix_appointments_start ON appointments (tenant_id, starts_at)",
    "ALTER TABLE claims ADD COLUMN expires_at TIMESTAMPTZ",
    """
    CREATE INDEX ix_claims_expiring ON claims (tenant_id, starts_at)
        WHERE expires_at IS NOT NULL
    """,
    """
    CREATE TABLE waitlist_entries (
        tenant_id UUID NOT NULL,
        id UUID NOT NULL,
        patient_id UUID NOT NULL,
        practitioner_ids UUID[] NOT NULL,
        location_ids UUID[] NOT NULL,
        service_type TEXT,
        earliest TIMESTAMPTZ NOT NULL,
        latest TIMESTAMPTZ NOT NULL,
        priority INTEGER NOT NULL,
        status TEXT NOT NULL,
        appointment_id UUID,
        created_at TIMESTAMPTZ NOT NULL,
        updated_at TIMESTAMPTZ NOT NULL,
        version INTEGER NOT NULL,
        CONSTRAINT pk_waitlist_entries PRIMARY KEY (tenant_id, id),
        CONSTRAINT ck_waitlist_entries_status
            CHECK (status IN ('waiting', 'fulfilled', 'removed')),
        CONSTRAINT ck_waitlist_entries_positive_length CHECK (latest > earliest),
        CONSTRAINT fk_waitlist_entries_patients FOREIGN KEY (tenant_id, patient_id)
            REFERENCES patients (tenant_id, id)
    )
    """,
    """
    CREATE INDEX ix_waitlist_entries_waiting ON waitlist_entries (tenant_id, latest)
        WHERE status = 'waiting'
    """,
    """
    CREATE INDEX ix_waitlist_entries_created ON waitlist_entries
        (tenant_id, created_at, id)
    """,
    "ALTER TABLE waitlist_entries ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE waitlist_entries FORCE ROW LEVEL SECURITY",
    f"""
    CREATE POLICY tenant ON waitlist_entries USING ({TENANT_OF_THE_SESSION})
        WITH CHECK ({TENANT_OF_THE_SESSION})
    """,
    """
    GRANT SELECT, INSERT, UPDATE ON waitlist_entries
        TO scheduling_api, scheduling_inbox
    """,
    "GRANT SELECT, UPDATE ON waitlist_entries TO scheduling_cron",
    # What an exception opened goes with it where nobody has booked.
    "GRANT DELETE ON slots TO scheduling_api, scheduling_inbox",
)

DOWN = (
    "REVOKE DELETE ON slots FROM scheduling_api, scheduling_inbox",
    "DROP TABLE waitlist_entries",
    "DROP INDEX ix_claims_expiring",
    "ALTER TABLE claims DROP COLUMN expires_at",
    "DROP INDEX ix_appointments_start",
    "DROP INDEX ix_appointments_series",
    """
    ALTER TABLE appointments DROP COLUMN held_by, DROP COLUMN series_id,
        DROP COLUMN series_index
    """,
    """
    ALTER TABLE slots DROP COLUMN blocked_by, DROP COLUMN blocked_reason,
        DROP COLUMN opened_by
    """,
    "DROP INDEX ix_schedule_exceptions_schedule",
    """
    CREATE INDEX ix_schedule_exceptions_schedule ON schedule_exceptions
        (tenant_id, schedule_id)
    """,
    """
    ALTER TABLE schedule_exceptions
        DROP CONSTRAINT ck_schedule_exceptions_positive_length,
        DROP COLUMN service_types,
        ALTER COLUMN starts_at DROP NOT NULL, ALTER COLUMN ends_at DROP NOT NULL
    """,
    # An older build said a date without its period.
    """
    UPDATE schedule_exceptions SET starts_at = NULL, ends_at = NULL
        WHERE on_date IS NOT NULL
    """,
    """
    ALTER TABLE schedule_exceptions
        ADD CONSTRAINT ck_schedule_exceptions_date_or_period CHECK
        ((on_date IS NOT NULL) <> (starts_at IS NOT NULL AND ends_at IS NOT NULL))
    """,
    "DROP INDEX ix_practitioner_roles_location",
    "DROP INDEX ix_schedules_location",
    """
    ALTER TABLE schedules DROP COLUMN minimum_notice_minutes,
        DROP COLUMN limit_per_day, DROP COLUMN limit_per_week
    """,
)


def upgrade() -> None:
    op.execute("SET LOCAL ROLE scheduling_owner")
    for statement in UP:
        op.execute(statement)
    op.execute("RESET ROLE")


def downgrade() -> None:
    op.execute("SET LOCAL ROLE scheduling_owner")
    for statement in DOWN:
        op.execute(statement)
    op.execute("RESET ROLE")
