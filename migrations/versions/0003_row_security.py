"""Row level security as the second lock, and what each role may do.

`app.tenant_id` is set before a connection is handed to whoever works for a tenant. A
role that works for one tenant at a time sees that tenant only, even where a query
forgets its filter. The relay and the crons sweep all tenants, and only what they sweep.
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TENANT_TABLES = (
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

PROCESSES = (
    "scheduling_api",
    "scheduling_relay",
    "scheduling_inbox",
    "scheduling_cron",
)

WRITTEN_IN_PLACE = (
    "settings",
    "practitioners",
    "locations",
    "patients",
    "practitioner_roles",
    "schedules",
    "schedule_exceptions",
    "slots",
    "appointments",
    "reminders",
)

# (role, table, rights): the least that each process needs.
GRANTS = (
    *(
        (role, table, "SELECT, INSERT, UPDATE")
        for role in ("scheduling_api", "scheduling_inbox")
        for table in WRITTEN_IN_PLACE
    ),
    *(
        (role, table, "SELECT, INSERT, DELETE")
        for role in ("scheduling_api", "scheduling_inbox", "scheduling_cron")
        for table in ("claims",)
    ),
    *(
        (role, table, rights)
        for role in ("scheduling_api", "scheduling_inbox")
        for table, rights in (
            ("tenants", "SELECT, INSERT"),
            ("outbox", "SELECT, INSERT"),
            ("audit", "SELECT, INSERT"),
        )
    ),
    ("scheduling_api", "schedule_exceptions", "DELETE"),
    ("scheduling_api", "idempotency_keys", "SELECT, INSERT"),
    ("scheduling_inbox", "inbox", "SELECT, INSERT"),
    ("scheduling_relay", "outbox", "SELECT"),
    ("scheduling_relay", "outbox", "UPDATE (published_at, blocked_at, blocked_reason)"),
    ("scheduling_cron", "tenants", "SELECT"),
    ("scheduling_cron", "settings", "SELECT"),
    ("scheduling_cron", "locations", "SELECT"),
    ("scheduling_cron", "patients", "SELECT"),
    ("scheduling_cron", "appointments", "SELECT, UPDATE"),
    ("scheduling_cron", "slots", "SELECT, UPDATE"),
    ("scheduling_cron", "reminders", "SELECT, UPDATE"),
    ("scheduling_cron", "outbox", "SELECT, INSERT, DELETE"),
    ("scheduling_cron", "inbox", "SELECT, DELETE"),
    ("scheduling_cron", "idempotency_keys", "SELECT, DELETE"),
    ("scheduling_cron", "audit", "SELECT, INSERT, DELETE"),
)

# What is swept over all tenants, by whom.
SWEEPS = (
    ("scheduling_relay", ("outbox",)),
    (
        "scheduling_cron",
        ("tenants", "settings", "reminders", "outbox", "inbox", "idempotency_keys"),
    ),
)

TENANT_OF_THE_SESSION = (
    "tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid"
)


def upgrade() -> None:
    op.execute("SET LOCAL ROLE scheduling_owner")
    for table in TENANT_TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY tenant ON {table} USING ({TENANT_OF_THE_SESSION}) "
            f"WITH CHECK ({TENANT_OF_THE_SESSION})"
        )
    for role, tables in SWEEPS:
        for table in tables:
            op.execute(
                f"CREATE POLICY swept_by_{role} ON {table} TO {role} "
                "USING (true) WITH CHECK (true)"
            )
    for role, table, rights in GRANTS:
        op.execute(f"GRANT {rights} ON {table} TO {role}")
    op.execute("RESET ROLE")
    # Alembic's own table belongs to the login; every process asks it where it stands.
    op.execute(f"GRANT SELECT ON alembic_version TO {', '.join(PROCESSES)}")


def downgrade() -> None:
    op.execute(f"REVOKE ALL ON alembic_version FROM {', '.join(PROCESSES)}")
    op.execute("SET LOCAL ROLE scheduling_owner")
    for role, table, _ in reversed(GRANTS):
        op.execute(f"REVOKE ALL ON {table} FROM {role}")
    for role, tables in reversed(SWEEPS):
        for table in tables:
            op.execute(f"DROP POLICY swept_by_{role} ON {table}")
    for table in reversed(TENANT_TABLES):
        op.execute(f"DROP POLICY tenant ON {table}")
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
    op.execute("RESET ROLE")
