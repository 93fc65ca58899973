"""The words by which patients are found, as `batch` writes them beside the patients."""

from typing import Any

from sqlalchemy import Insert, Uuid, select
from sqlalchemy.dialects import postgresql

from scheduling.adapters.postgres import tables as t
from scheduling.adapters.postgres.statements import given

WORD = tuple(c for c in t.patient_words.c if c.name != "tenant_id")


def keep_words(rows: Any) -> Insert:  # noqa: ANN401
    """Those that the patient had before are of the new version from now on; a trigger
    takes the others away when the statement ends.
    """
    words = t.patient_words
    put = postgresql.insert(words).from_select(
        ["tenant_id", *(c.name for c in WORD)],
        select(given("tenant_id", Uuid), *(rows.c[c.name] for c in WORD)),
    )
    return put.on_conflict_do_update(
        index_elements=list(words.primary_key),
        set_={"version": put.excluded.version},
    )
