"""A query that shows a patient's data leaves a trace, or gives no answer."""

import ast
from pathlib import Path

import pytest

from tests.architecture.source import files, name, tree

OF_PATIENTS = {
    "Appointment",
    "AppointmentFilter",
    "AppointmentRecords",
    "AuditRecord",
    "CalendarDay",
    "CalendarFilter",
    "KeptReminder",
    "NamedEntry",
    "Notification",
    "Patient",
    "SubFile",
    "WaitlistEntry",
}
"""What a query names where its answer says something of a patient."""

TELLS_NUMBERS_ONLY = {"get_statistics.py"}

QUERIES = files("src/scheduling/application/queries")


def names_in(file: Path) -> set[str]:
    return {node.id for node in ast.walk(tree(file)) if isinstance(node, ast.Name)}


def records_in(node: ast.AST) -> list[ast.AST]:
    return [
        one
        for one in ast.walk(node)
        if isinstance(one, ast.Await) and "self.audit.record(" in ast.unparse(one)
    ]


SENSITIVE = [
    file
    for file in QUERIES
    if OF_PATIENTS & names_in(file) and file.name not in TELLS_NUMBERS_ONLY
]


def test_the_sensitive_ones_are_found() -> None:
    found = {file.stem for file in SENSITIVE}
    assert {"get_appointment_by_id", "get_patient", "get_appointment_history"} <= found
    assert len(found) < len(QUERIES)


@pytest.mark.parametrize("file", SENSITIVE, ids=name)
def test_a_sensitive_read_is_recorded_when_its_connection_is_given_back(
    file: Path,
) -> None:
    """Inside the block the record would wait for a second connection of the pool while
    it holds the first.
    """
    assert len(records_in(tree(file))) == 1
    for block in ast.walk(tree(file)):
        if isinstance(block, ast.AsyncWith):
            assert not records_in(block)
