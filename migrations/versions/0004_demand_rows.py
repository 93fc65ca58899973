"""The function by which a writing statement fails that came too late."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# A statement that touched fewer rows than it was given fails as a whole.
DEMAND_ROWS = """
CREATE FUNCTION demand_rows(touched bigint, given integer, what text) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
  IF touched < given THEN
    RAISE EXCEPTION USING ERRCODE = 'SC001', MESSAGE = what;
  END IF;
  RETURN true;
END $$
"""


def upgrade() -> None:
    op.execute("SET LOCAL ROLE scheduling_owner")
    op.execute(DEMAND_ROWS)
    op.execute("RESET ROLE")


def downgrade() -> None:
    op.execute("SET LOCAL ROLE scheduling_owner")
    op.execute("DROP FUNCTION demand_rows")
    op.execute("RESET ROLE")
