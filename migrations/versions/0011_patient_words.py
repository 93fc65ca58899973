"""Words by whose beginning patients are found, and those of the patients there are."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from alembic import op

from scheduling.domain.directory import Patient
from scheduling.domain.identifiers import PatientId

# As it is today, not as it was when this was written: words that are kept and words
# that are asked for must be folded alike.
from scheduling.domain.patient_search import words_of

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

TENANT_OF_THE_SESSION = (
    "tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid"
)

AT_A_TIME = 1000
"""Patients."""

UP = (
    """
    CREATE TABLE patient_words (
        tenant_id UUID NOT NULL,
        patient_id UUID NOT NULL,
        word TEXT COLLATE "C" NOT NULL,
        version INTEGER NOT NULL,
        CONSTRAINT pk_patient_words PRIMARY KEY (tenant_id, word, patient_id),
        CONSTRAINT fk_patient_words_patients FOREIGN KEY (tenant_id, patient_id)
            REFERENCES patients (tenant_id, id)
    )
    """,
    """
    CREATE INDEX ix_patient_words_patient ON patient_words
        (tenant_id, patient_id, word)
    """,
    # Whoever changes a patient writes words of the new version beside it. What is left
    # of another one goes, also where a version that knows of no words changes or
    # forgets the patient: it is then not found, rather than by what it was called.
    """
    CREATE FUNCTION drop_words_of_other_versions() RETURNS trigger
    LANGUAGE plpgsql AS $$
    BEGIN
      DELETE FROM patient_words
        WHERE tenant_id = NEW.tenant_id AND patient_id = NEW.id
          AND version <> NEW.version;
      RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER patient_changed AFTER UPDATE ON patients
        FOR EACH ROW EXECUTE FUNCTION drop_words_of_other_versions()
    """,
    "ALTER TABLE patient_words ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE patient_words FORCE ROW LEVEL SECURITY",
    f"""
    CREATE POLICY tenant ON patient_words USING ({TENANT_OF_THE_SESSION})
        WITH CHECK ({TENANT_OF_THE_SESSION})
    """,
    """
    GRANT SELECT, INSERT, UPDATE, DELETE ON patient_words
        TO scheduling_api, scheduling_inbox
    """,
)

DOWN = (
    "DROP TRIGGER patient_changed ON patients",
    "DROP FUNCTION drop_words_of_other_versions",
    "DROP TABLE patient_words",
)

KEEP = sa.text("""
    INSERT INTO patient_words (tenant_id, patient_id, word, version)
    SELECT CAST(:tenant_id AS uuid), patient_id, word, version
    FROM json_to_recordset(CAST(:words AS json))
        AS given (patient_id uuid, word text, version integer)
""")


def upgrade() -> None:
    op.execute("SET LOCAL ROLE scheduling_owner")
    for statement in UP:
        op.execute(statement)
    for tenant_id in _tenants():
        for patients in _patients(tenant_id):
            _keep(tenant_id, patients)
    op.execute("SELECT set_config('app.tenant_id', '', true)")
    op.execute("RESET ROLE")


def downgrade() -> None:
    op.execute("SET LOCAL ROLE scheduling_owner")
    for statement in DOWN:
        op.execute(statement)
    op.execute("RESET ROLE")


def _tenants() -> list[UUID]:
    """All of them, as who sweeps over all of them sees them: row security is forced on
    the owner too, and a policy made for it would lock their table until the end.
    """
    op.execute("SET LOCAL ROLE scheduling_cron")
    found = op.get_bind().execute(sa.text("SELECT tenant_id FROM tenants")).scalars()
    tenants = list(found)
    op.execute("SET LOCAL ROLE scheduling_owner")
    return tenants


def _patients(tenant_id: UUID) -> Iterator[list[Any]]:
    """As the tenant, which `app.tenant_id` says from here on; nobody changes them
    meanwhile, since the trigger has locked their table against that.
    """
    connection = op.get_bind()
    connection.execute(
        sa.text("SELECT set_config('app.tenant_id', :tenant, true)"),
        {"tenant": str(tenant_id)},
    )
    question = sa.text("""
        SELECT id, name, file_number, phone, email, version FROM patients
        WHERE tenant_id = :tenant AND id > :after AND deleted_at IS NULL
        ORDER BY id LIMIT :at_a_time
    """)
    after = UUID(int=0)
    while found := list(
        connection.execute(
            question, {"tenant": tenant_id, "after": after, "at_a_time": AT_A_TIME}
        )
    ):
        yield found
        after = found[-1].id


def _keep(tenant_id: UUID, patients: list[Any]) -> None:
    words = [
        {"patient_id": str(one.id), "word": word, "version": one.version}
        for one in patients
        for word in words_of(
            Patient(
                id=PatientId(one.id),
                name=one.name,
                file_number=one.file_number,
                phone=one.phone,
                email=one.email,
            )
        )
    ]
    op.get_bind().execute(KEEP, {"tenant_id": tenant_id, "words": json.dumps(words)})
