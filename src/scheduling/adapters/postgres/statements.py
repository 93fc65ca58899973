"""Statements are written in SQLAlchemy Core, compiled once, and run on asyncpg.

Through SQLAlchemy's own execution the hot path was three times slower (see
docs/decisions). What is lost is its typing of results: rows are read by name.
"""

from dataclasses import dataclass
from typing import Any, TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy
from sqlalchemy import ColumnElement, Executable, bindparam
from sqlalchemy.dialects.postgresql import asyncpg as asyncpg_dialect
from sqlalchemy.sql.elements import ClauseElement

Connection: TypeAlias = asyncpg.Connection | PoolConnectionProxy

_DIALECT = asyncpg_dialect.dialect()  # type: ignore[no-untyped-call]


def given(name: str, type_: Any) -> ColumnElement[Any]:  # noqa: ANN401
    """A parameter that has a value with every call."""
    return bindparam(name, type_=type_)


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL with `$n` parameters, and the names of the parameters in their order.

    What it `locks` must stay locked until all is written: it takes a transaction.
    """

    sql: str
    names: tuple[str, ...]
    constants: dict[str, Any]
    locks: bool = False

    def arguments(self, **values: Any) -> list[Any]:  # noqa: ANN401
        """Return the values in the order that the statement wants them.

        Raise KeyError for a parameter that has no value.
        """
        constants = self.constants
        return [
            values[name] if name in values else constants[name] for name in self.names
        ]


def compiled(statement: Executable, *, locks: bool = False) -> Statement:
    if not isinstance(statement, ClauseElement):
        raise TypeError("only what SQLAlchemy Core builds can be compiled")
    result = statement.compile(dialect=_DIALECT)
    names = tuple(getattr(result, "positiontup", None) or ())
    values = result.params
    return Statement(
        sql=str(result),
        names=names,
        constants={name: values[name] for name in names if values[name] is not None},
        locks=locks,
    )
