"""The roles that the processes work under, and the extension that claims need.

Roles belong to the whole server, not to one database: going down takes their rights in
this database and leaves the roles, which other databases may use.
"""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ROLES = (
    "scheduling_owner",
    "scheduling_api",
    "scheduling_relay",
    "scheduling_inbox",
    "scheduling_cron",
)

# Roles are the server's: another of its databases may be migrated at this moment, and
# no lock reaches from one database to another.
CREATE_ROLE = """
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN
    CREATE ROLE {role} NOLOGIN;
  END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
  NULL;
END $$
"""

JOIN_ROLE = """
DO $$
BEGIN
  IF NOT pg_has_role(current_user, '{role}', 'SET') THEN
    GRANT {role} TO CURRENT_USER;
  END IF;
EXCEPTION WHEN unique_violation THEN
  NULL;
END $$
"""


def upgrade() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    for role in ROLES:
        op.execute(CREATE_ROLE.format(role=role))
        op.execute(JOIN_ROLE.format(role=role))
        op.execute(f"GRANT USAGE ON SCHEMA public TO {role}")
    op.execute("GRANT CREATE ON SCHEMA public TO scheduling_owner")


def downgrade() -> None:
    for role in ROLES:
        op.execute(f"REVOKE ALL ON SCHEMA public FROM {role}")
    op.execute("DROP EXTENSION IF EXISTS btree_gist")
