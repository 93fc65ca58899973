"""Let a command take part in a transaction that is already open."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unit_of_work import BeginWork, UnitOfWork


def joining(work: UnitOfWork) -> BeginWork:
    """Return a BeginWork whose block neither commits nor undoes."""

    @asynccontextmanager
    async def join(_caller: Caller) -> AsyncIterator[UnitOfWork]:
        yield work

    return join
