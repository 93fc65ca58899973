"""Two functions: by the first a writing statement fails that came too late; by the
second the answer to a command is looked for after its lock was tried, and not before.
"""

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


# Volatile: each statement within it sees what is committed when it begins.
RECALL_ANSWER = """
CREATE FUNCTION recall_answer(
    lock bigint, of_tenant uuid, of_caller text, of_key text,
    OUT alone boolean, OUT fingerprint text, OUT status smallint, OUT headers jsonb,
    OUT body bytea
) LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  alone := pg_try_advisory_xact_lock(lock);
  SELECT k.fingerprint, k.status, k.headers, k.body
    INTO fingerprint, status, headers, body
    FROM idempotency_keys k
    WHERE k.tenant_id = of_tenant AND k.caller = of_caller AND k.key = of_key;
END $$
"""


def upgrade() -> None:
    op.execute("SET LOCAL ROLE scheduling_owner")
    op.execute(RECALL_ANSWER)
    op.execute(DEMAND_ROWS)
    op.execute("RESET ROLE")


def downgrade() -> None:
    op.execute("SET LOCAL ROLE scheduling_owner")
    op.execute("DROP FUNCTION demand_rows")
    op.execute("DROP FUNCTION recall_answer")
    op.execute("RESET ROLE")
