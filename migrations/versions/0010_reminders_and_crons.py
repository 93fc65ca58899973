"""What reminders, automations and the crons keep: attempts at sending, sub-files,
notifications in the app, offers of freed time, and how each job last went.
"""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

TENANT_OF_THE_SESSION = (
    "tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid"
)

TENANT_TABLES = (
    "sub_files",
    "sub_file_counters",
    "notifications",
    "waitlist_offers",
    "cron_runs",
)

UP = (
    """
    ALTER TABLE settings ADD COLUMN waitlist_offers BOOLEAN NOT NULL DEFAULT false
    """,
    "ALTER TABLE patients ADD COLUMN language TEXT",
    # When it is next looked at: when it is due, later after a failed attempt. Set
    # before something is sent that cannot be taken back.
    """
    ALTER TABLE reminders ADD COLUMN attempt_at TIMESTAMPTZ,
        ADD COLUMN sending_since TIMESTAMPTZ
    """,
    "DROP INDEX ix_reminders_due",
    """
    CREATE INDEX ix_reminders_due ON reminders
        (tenant_id, (COALESCE(attempt_at, due_at)), id) WHERE status = 'SCHEDULED'
    """,
    """
    CREATE TABLE sub_files (
        tenant_id UUID NOT NULL,
        id UUID NOT NULL,
        number TEXT NOT NULL,
        patient_id UUID NOT NULL,
        location_id UUID NOT NULL,
        practitioner_id UUID NOT NULL,
        status TEXT NOT NULL,
        opened_at TIMESTAMPTZ NOT NULL,
        version INTEGER NOT NULL,
        CONSTRAINT pk_sub_files PRIMARY KEY (tenant_id, id),
        CONSTRAINT uq_sub_files_number UNIQUE (tenant_id, number),
        CONSTRAINT uq_sub_files_once UNIQUE (tenant_id, patient_id, location_id),
        CONSTRAINT ck_sub_files_status CHECK (status IN ('open', 'closed')),
        CONSTRAINT fk_sub_files_patients FOREIGN KEY (tenant_id, patient_id)
            REFERENCES patients (tenant_id, id),
        CONSTRAINT fk_sub_files_locations FOREIGN KEY (tenant_id, location_id)
            REFERENCES locations (tenant_id, id),
        CONSTRAINT fk_sub_files_practitioners FOREIGN KEY (tenant_id, practitioner_id)
            REFERENCES practitioners (tenant_id, id)
    )
    """,
    """
    CREATE TABLE sub_file_counters (
        tenant_id UUID NOT NULL,
        year INTEGER NOT NULL,
        last INTEGER NOT NULL,
        CONSTRAINT pk_sub_file_counters PRIMARY KEY (tenant_id, year)
    )
    """,
    """
    CREATE TABLE notifications (
        tenant_id UUID NOT NULL,
        id UUID NOT NULL,
        practitioner_id UUID NOT NULL,
        template TEXT NOT NULL,
        patient_id UUID,
        appointment_id UUID,
        starts_at TIMESTAMPTZ,
        timezone TEXT,
        service_type TEXT,
        source_event_id TEXT NOT NULL,
        created_at TIMESTAMPTZ NOT NULL,
        read_at TIMESTAMPTZ,
        CONSTRAINT pk_notifications PRIMARY KEY (tenant_id, id),
        CONSTRAINT uq_notifications_once
            UNIQUE (tenant_id, practitioner_id, template, source_event_id),
        CONSTRAINT fk_notifications_practitioners
            FOREIGN KEY (tenant_id, practitioner_id)
            REFERENCES practitioners (tenant_id, id)
    )
    """,
    """
    CREATE INDEX ix_notifications_practitioner ON notifications
        (tenant_id, practitioner_id, created_at, id)
    """,
    """
    CREATE TABLE waitlist_offers (
        tenant_id UUID NOT NULL,
        id UUID NOT NULL,
        waitlist_entry_id UUID NOT NULL,
        appointment_id UUID NOT NULL,
        source_event_id TEXT NOT NULL,
        status TEXT NOT NULL,
        candidates JSONB NOT NULL,
        expires_at TIMESTAMPTZ NOT NULL,
        created_at TIMESTAMPTZ NOT NULL,
        updated_at TIMESTAMPTZ NOT NULL,
        version INTEGER NOT NULL,
        CONSTRAINT pk_waitlist_offers PRIMARY KEY (tenant_id, id),
        CONSTRAINT uq_waitlist_offers_once
            UNIQUE (tenant_id, source_event_id, waitlist_entry_id),
        CONSTRAINT ck_waitlist_offers_status CHECK
            (status IN ('offered', 'accepted', 'declined', 'expired')),
        CONSTRAINT fk_waitlist_offers_waitlist_entries
            FOREIGN KEY (tenant_id, waitlist_entry_id)
            REFERENCES waitlist_entries (tenant_id, id),
        CONSTRAINT fk_waitlist_offers_appointments
            FOREIGN KEY (tenant_id, appointment_id)
            REFERENCES appointments (tenant_id, id)
    )
    """,
    """
    CREATE INDEX ix_waitlist_offers_open ON waitlist_offers
        (tenant_id, expires_at, id) WHERE status = 'offered'
    """,
    """
    CREATE INDEX ix_waitlist_offers_entry ON waitlist_offers
        (tenant_id, waitlist_entry_id, created_at)
    """,
    # One at the most, and always found with its entry.
    """
    CREATE INDEX ix_waitlist_offers_live ON waitlist_offers
        (tenant_id, waitlist_entry_id) WHERE status = 'offered'
    """,
    # Jobs belong to no tenant: theirs is the nil UUID.
    """
    CREATE TABLE cron_runs (
        tenant_id UUID NOT NULL,
        job TEXT NOT NULL,
        started_at TIMESTAMPTZ NOT NULL,
        duration_ms INTEGER,
        outcome TEXT NOT NULL,
        done INTEGER NOT NULL,
        failure TEXT,
        succeeded_at TIMESTAMPTZ,
        CONSTRAINT pk_cron_runs PRIMARY KEY (tenant_id, job),
        CONSTRAINT ck_cron_runs_outcome CHECK
            (outcome IN ('running', 'done', 'failed'))
    )
    """,
    # By age, to be removed.
    "CREATE INDEX ix_inbox_received_at ON inbox (received_at)",
    *(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY" for table in TENANT_TABLES),
    *(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY" for table in TENANT_TABLES),
    *(
        f"CREATE POLICY tenant ON {table} USING ({TENANT_OF_THE_SESSION}) "
        f"WITH CHECK ({TENANT_OF_THE_SESSION})"
        for table in TENANT_TABLES
    ),
    *(
        f"CREATE POLICY swept_by_scheduling_cron ON {table} TO scheduling_cron "
        "USING (true) WITH CHECK (true)"
        for table in ("waitlist_offers", "cron_runs")
    ),
    """
    GRANT SELECT, INSERT, UPDATE ON sub_files, sub_file_counters, notifications,
        waitlist_offers TO scheduling_inbox, scheduling_api
    """,
    """
    GRANT SELECT, INSERT, UPDATE ON waitlist_offers, cron_runs TO scheduling_cron
    """,
    "GRANT DELETE ON notifications TO scheduling_cron",
    "GRANT SELECT ON notifications TO scheduling_cron",
)

DOWN = (
    "DROP INDEX ix_inbox_received_at",
    "DROP TABLE cron_runs",
    "DROP TABLE waitlist_offers",
    "DROP TABLE notifications",
    "DROP TABLE sub_file_counters",
    "DROP TABLE sub_files",
    "DROP INDEX ix_reminders_due",
    """
    CREATE INDEX ix_reminders_due ON reminders (due_at) WHERE status = 'SCHEDULED'
    """,
    "ALTER TABLE reminders DROP COLUMN attempt_at, DROP COLUMN sending_since",
    "ALTER TABLE patients DROP COLUMN language",
    "ALTER TABLE settings DROP COLUMN waitlist_offers",
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
