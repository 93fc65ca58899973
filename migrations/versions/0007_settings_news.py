"""Whoever keeps an organisation's settings in memory is told, with the commit, that
they have changed; whatever changed them.
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# Settings change seldom: the lock that all NOTIFYs queue for does not matter here.
TELL = """
CREATE FUNCTION tell_settings_changed() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify(
    'scheduling_settings', coalesce(NEW.tenant_id, OLD.tenant_id)::text
  );
  RETURN NULL;
END $$
"""


def upgrade() -> None:
    op.execute("SET LOCAL ROLE scheduling_owner")
    op.execute(TELL)
    op.execute(
        "CREATE TRIGGER settings_changed AFTER INSERT OR UPDATE OR DELETE ON settings"
        " FOR EACH ROW EXECUTE FUNCTION tell_settings_changed()"
    )
    op.execute("RESET ROLE")


def downgrade() -> None:
    op.execute("SET LOCAL ROLE scheduling_owner")
    op.execute("DROP TRIGGER settings_changed ON settings")
    op.execute("DROP FUNCTION tell_settings_changed")
    op.execute("RESET ROLE")
