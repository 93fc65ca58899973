"""What slot generation and the inbox keep: runs, closed days of locations, roles and
patients that have gone, how far each outside aggregate was followed, and dead letters.
"""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TENANT_OF_THE_SESSION = (
    "tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid"
)

NEW_TABLES = ("generation_runs", "inbox_positions", "dead_letters")

UP = (
    """
    ALTER TABLE locations
        ADD COLUMN observes_public_holidays BOOLEAN NOT NULL DEFAULT false,
        ADD COLUMN closed_days DATE[] NOT NULL DEFAULT '{}'
    """,
    # Soft: schedules, slots and visits go on pointing at them.
    "ALTER TABLE practitioner_roles ADD COLUMN deleted_at TIMESTAMPTZ",
    "ALTER TABLE patients ADD COLUMN deleted_at TIMESTAMPTZ",
    "ALTER TABLE slots ADD COLUMN obsolete_since TIMESTAMPTZ",
    """
    CREATE TABLE generation_runs (
        tenant_id UUID NOT NULL,
        id UUID NOT NULL,
        schedule_id UUID NOT NULL,
        practitioner_role_id UUID,
        role_version INTEGER,
        trigger TEXT NOT NULL,
        source_event_id TEXT NOT NULL,
        first_day DATE NOT NULL,
        last_day DATE NOT NULL,
        tzdata_version TEXT NOT NULL,
        digest TEXT NOT NULL,
        created INTEGER NOT NULL,
        updated INTEGER NOT NULL,
        retired INTEGER NOT NULL,
        retained INTEGER NOT NULL,
        conflicts INTEGER NOT NULL,
        unchanged INTEGER NOT NULL,
        diagnostics JSONB NOT NULL,
        started_at TIMESTAMPTZ NOT NULL,
        duration_ms INTEGER NOT NULL,
        CONSTRAINT pk_generation_runs PRIMARY KEY (tenant_id, id),
        CONSTRAINT uq_generation_runs_source
            UNIQUE (tenant_id, schedule_id, source_event_id),
        CONSTRAINT ck_generation_runs_trigger
            CHECK (trigger IN ('event', 'manual', 'roll-forward')),
        CONSTRAINT fk_generation_runs_schedules FOREIGN KEY (tenant_id, schedule_id)
            REFERENCES schedules (tenant_id, id)
    )
    """,
    """
    CREATE INDEX ix_generation_runs_schedule ON generation_runs
        (tenant_id, schedule_id, started_at)
    """,
    """
    ALTER TABLE inbox ADD COLUMN outcome TEXT NOT NULL DEFAULT 'applied',
        ADD CONSTRAINT ck_inbox_outcome CHECK (outcome IN ('applied', 'stale'))
    """,
    """
    CREATE TABLE inbox_positions (
        tenant_id UUID NOT NULL,
        kind TEXT NOT NULL,
        aggregate_id UUID NOT NULL,
        version BIGINT,
        stored_at TIMESTAMPTZ NOT NULL,
        CONSTRAINT pk_inbox_positions PRIMARY KEY (tenant_id, kind, aggregate_id)
    )
    """,
    """
    CREATE TABLE dead_letters (
        tenant_id UUID NOT NULL,
        id UUID NOT NULL,
        stream TEXT NOT NULL,
        stream_sequence BIGINT NOT NULL,
        stored_at TIMESTAMPTZ NOT NULL,
        subject TEXT NOT NULL,
        headers JSONB NOT NULL,
        body BYTEA NOT NULL,
        event_id TEXT,
        event_type TEXT,
        reason TEXT NOT NULL,
        detail TEXT NOT NULL,
        deliveries INTEGER NOT NULL,
        died_at TIMESTAMPTZ NOT NULL,
        replayed_at TIMESTAMPTZ,
        CONSTRAINT pk_dead_letters PRIMARY KEY (tenant_id, id),
        CONSTRAINT uq_dead_letters_message
            UNIQUE (tenant_id, stream, stream_sequence, stored_at)
    )
    """,
    "CREATE INDEX ix_dead_letters_died ON dead_letters (died_at, id)",
    *(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY" for table in NEW_TABLES),
    *(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY" for table in NEW_TABLES),
    *(
        f"CREATE POLICY tenant ON {table} USING ({TENANT_OF_THE_SESSION}) "
        f"WITH CHECK ({TENANT_OF_THE_SESSION})"
        for table in NEW_TABLES
    ),
    # A letter whose subject names no tenant belongs to none: it is kept under the nil
    # UUID, and listed by the role that sweeps those of all tenants.
    """
    CREATE POLICY swept_by_scheduling_cron ON dead_letters TO scheduling_cron
        USING (true) WITH CHECK (true)
    """,
    "GRANT SELECT, INSERT ON generation_runs TO scheduling_api, scheduling_inbox",
    "GRANT SELECT, INSERT, UPDATE ON inbox_positions TO scheduling_inbox",
    "GRANT SELECT, INSERT, UPDATE ON dead_letters TO scheduling_inbox",
    "GRANT DELETE ON schedule_exceptions TO scheduling_inbox",
    # Who is forgotten is not quoted by answers that were given before.
    "GRANT SELECT, UPDATE (body) ON idempotency_keys TO scheduling_inbox",
    "GRANT SELECT, DELETE ON dead_letters, generation_runs TO scheduling_cron",
)

DOWN = (
    "REVOKE SELECT, UPDATE (body) ON idempotency_keys FROM scheduling_inbox",
    "REVOKE DELETE ON schedule_exceptions FROM scheduling_inbox",
    "DROP TABLE dead_letters",
    "DROP TABLE inbox_positions",
    "ALTER TABLE inbox DROP CONSTRAINT ck_inbox_outcome, DROP COLUMN outcome",
    "DROP TABLE generation_runs",
    "ALTER TABLE slots DROP COLUMN obsolete_since",
    "ALTER TABLE patients DROP COLUMN deleted_at",
    "ALTER TABLE practitioner_roles DROP COLUMN deleted_at",
    """
    ALTER TABLE locations DROP COLUMN observes_public_holidays,
        DROP COLUMN closed_days
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
