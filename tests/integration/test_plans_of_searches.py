"""Patients are found by an index alone, also under row level security."""

import re
from uuid import uuid4

import asyncpg

from scheduling.adapters.postgres.directory_lists import searching_patients
from scheduling.adapters.postgres.sessions import SESSION


async def test_every_beginning_is_a_range_of_an_index(database_url: str) -> None:
    """LIKE would read all words of the tenant, and so would a text of another
    collation: of both PostgreSQL knows not that they do not leak.
    """
    connection = await asyncpg.connect(
        database_url,
        server_settings={
            "role": "scheduling_api",
            "app.tenant_id": str(uuid4()),
            **SESSION,
            "enable_bitmapscan": "off",
        },
    )
    try:
        statement = searching_patients()
        await connection.execute(f"PREPARE asked AS {statement.sql}")
        values = ", ".join(["NULL"] * len(statement.names))
        told = await connection.fetch(f"EXPLAIN EXECUTE asked({values})")
    finally:
        await connection.close()
    plan = "\n".join(row[0] for row in told)
    assert "Seq Scan" not in plan, plan
    # The walk ends with the page: nobody waits until all that begin so are sorted.
    assert "Sort Key: patient_words.word" not in plan, plan
    scans = re.findall(
        r"Index Only Scan using (\w+) on patient_words.*\n\s+Index Cond: (.*)", plan
    )
    # Counted and walked; asked for another word, and for the first.
    assert [index for index, _ in scans].count("pk_patient_words") == 2, plan
    assert [index for index, _ in scans].count("ix_patient_words_patient") == 2, plan
    for _, condition in scans:
        assert "tenant_id = " in condition, plan
        assert "word >= " in condition, plan
    assert sum("word < " in condition for _, condition in scans) == 3, plan
