"""What PostgreSQL refuses, told in our words: the one place that reads its errors."""

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from scheduling.application.ports.unavailable import DatabaseUnavailable
from scheduling.application.ports.unit_of_work import TransactionAborted
from scheduling.domain.errors import InvalidInput

_TAKEN = {
    "uq_locations_code": ("code", "another location has this code"),
    "uq_patients_file_number": ("fileNumber", "another patient has this file number"),
    "uq_slots_period": ("start", "the schedule has a slot of exactly this time"),
}

_AGAIN = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)

_AWAY = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a session ended just before its next statement
    asyncpg.OperatorInterventionError,  # shutdowns, and statements that took too long
    asyncpg.InsufficientResourcesError,  # connections, memory, disk
    asyncpg.PostgresSystemError,  # what the machine below it does not give or take
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.LockNotAvailableError,
    asyncpg.ReadOnlySQLTransactionError,  # a standby, until somebody is promoted
    OSError,
    TimeoutError,
)


@contextmanager
def in_our_words() -> Iterator[None]:
    """Raise InvalidInput for a broken unique key that a caller can mend,
    TransactionAborted for what may be tried again, DatabaseUnavailable for a server
    that is away; anything else is a defect and stays what it is.
    """
    try:
        yield
    except asyncpg.UniqueViolationError as error:
        if error.constraint_name not in _TAKEN:
            raise TransactionAborted from error
        field, message = _TAKEN[error.constraint_name]
        raise InvalidInput(message, field) from error
    except _AGAIN as error:
        raise TransactionAborted from error
    except _AWAY as error:
        if isinstance(error, ValueError):
            raise  # asyncpg's own DataError: we gave what its column cannot hold
        raise DatabaseUnavailable from error
