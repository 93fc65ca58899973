"""Indexes for the waitlist: who waits by rank, and pages by status and by patient."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL ROLE scheduling_owner")
    # The window is in it so that who wants another time is passed over unread.
    op.execute(
        "CREATE INDEX ix_waitlist_entries_rank ON waitlist_entries"
        " (tenant_id, priority DESC, created_at, id, latest, earliest)"
        " WHERE status = 'waiting'"
    )
    op.execute(
        "CREATE INDEX ix_waitlist_entries_status ON waitlist_entries"
        " (tenant_id, status, created_at, id)"
    )
    op.execute(
        "CREATE INDEX ix_waitlist_entries_patient ON waitlist_entries"
        " (tenant_id, patient_id, created_at, id)"
    )
    op.execute("RESET ROLE")


def downgrade() -> None:
    op.execute("SET LOCAL ROLE scheduling_owner")
    op.execute("DROP INDEX ix_waitlist_entries_patient")
    op.execute("DROP INDEX ix_waitlist_entries_status")
    op.execute("DROP INDEX ix_waitlist_entries_rank")
    op.execute("RESET ROLE")
