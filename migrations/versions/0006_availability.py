"""Indexes for the search over all of a tenant's slots, and for the few claims that lie
upon others.
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL ROLE scheduling_owner")
    op.execute("CREATE INDEX ix_slots_start ON slots (tenant_id, starts_at)")
    op.execute(
        "CREATE INDEX ix_claims_overbooked ON claims (tenant_id, actor_id, starts_at)"
        " WHERE overbooked"
    )
    op.execute("RESET ROLE")


def downgrade() -> None:
    op.execute("SET LOCAL ROLE scheduling_owner")
    op.execute("DROP INDEX ix_claims_overbooked")
    op.execute("DROP INDEX ix_slots_start")
    op.execute("RESET ROLE")
