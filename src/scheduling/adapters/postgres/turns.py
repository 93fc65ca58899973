"""Whose turn it is: locks on names, taken before any row is, kept until the end.

Who moves a practitioner's appointments, changes their calendar or books where limits
are set waits for who is at it: each locks several rows, in an order of their own.
"""

from functools import cache

from sqlalchemy import ColumnElement, Text, cast, func, literal_column, select

from scheduling.adapters.postgres.batch import TENANT
from scheduling.adapters.postgres.statements import Statement, compiled, given

_OF_PRACTITIONERS: ColumnElement[int] = literal_column("42")
_OF_PATIENTS: ColumnElement[int] = literal_column("43")
_OF_CALENDARS: ColumnElement[int] = literal_column("44")


def turn_with(practitioner_id: ColumnElement[object]) -> ColumnElement[object]:
    """Wait for it, within a statement."""
    name = func.concat(TENANT, literal_column("'/'"), practitioner_id)
    return func.pg_advisory_xact_lock(func.hashtextextended(name, _OF_PRACTITIONERS))


@cache
def locking_practitioner() -> Statement:
    """Where limits are set, a practitioner's bookings are decided one by one."""
    name = func.hashtextextended(given("practitioner", Text), _OF_PRACTITIONERS)
    return compiled(select(func.pg_advisory_xact_lock(name)), locks=True)


@cache
def locking_patient() -> Statement:
    """Holds of one patient are placed one by one, since they are counted."""
    name = func.hashtextextended(given("patient", Text), _OF_PATIENTS)
    return compiled(select(func.pg_advisory_xact_lock(name)), locks=True)


def turn_with_calendars() -> ColumnElement[object]:
    """Wait, within a statement, for who changes what all calendars follow, and keep
    others from it. Many may make calendars at a time.
    """
    return func.pg_advisory_xact_lock_shared(_calendars())


@cache
def making_calendars() -> Statement:
    return compiled(select(turn_with_calendars()), locks=True)


@cache
def locking_calendars() -> Statement:
    """Nobody makes or changes a role or a schedule while their news are gathered."""
    return compiled(select(func.pg_advisory_xact_lock(_calendars())), locks=True)


def _calendars() -> ColumnElement[int]:
    return func.hashtextextended(cast(TENANT, Text), _OF_CALENDARS)
