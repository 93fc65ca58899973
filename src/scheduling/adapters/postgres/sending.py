"""The writes of one unit of work, gathered and sent as one statement.

Each kind of write (see `batch`) counts the rows it touched. So a booking (appointment,
seats, claims, reminders, events, audit) is one round trip, and the text of the
statement depends only on which kinds are in it: PostgreSQL plans each combination once
per connection.

A count below the number of rows means that what was read has changed since. The
statement itself then fails (`demand_rows`): it is all or nothing, with or without a
transaction around it, and the caller learns the refusal registered with the rows.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from uuid import UUID

import asyncpg
import orjson
from sqlalchemy import (
    CTE,
    Column,
    ColumnElement,
    LargeBinary,
    Select,
    Text,
    bindparam,
    column,
    func,
    literal_column,
    select,
)

from scheduling.adapters.postgres.batch import JSON_TEXT, WRITES, Row, Rows, Write
from scheduling.adapters.postgres.statements import Connection, Statement, compiled
from scheduling.application.ports.unit_of_work import DecisionOutdated
from scheduling.domain.errors import DomainError

ROWS_MISSING = "SC001"
"""The SQLSTATE of `demand_rows`; its message is the name of the write."""

_BY_NAME = {write.name: write for write in WRITES}
_WAITED_FOR = frozenset(name for write in WRITES for name in write.after)


@lru_cache(maxsize=256)
def writing(names: tuple[str, ...]) -> Statement:
    """Return the one statement that does these writes, with a count for each."""
    done: dict[str, CTE] = {}
    for name in names:
        write = _BY_NAME[name]
        dml: Any = write.dml(_rows_of(write, done))
        if write.counted or name in _WAITED_FOR:
            dml = dml.returning(literal_column("1").label("one"))
        done[name] = dml.cte(name)
    counted = {name: cte for name, cte in done.items() if _BY_NAME[name].counted}
    demands: Select[Any] = select(
        *(
            func.demand_rows(
                select(func.count()).select_from(cte).scalar_subquery(),
                func.json_array_length(bindparam(name, type_=JSON_TEXT)),
                literal_column(f"'{name}'"),
            )
            for name, cte in counted.items()
        ),
        literal_column("true"),
    )
    others = [cte for name, cte in done.items() if name not in counted]
    return compiled(demands.add_cte(*others))


def _rows_of(write: Write, before: Mapping[str, CTE]) -> Rows:
    rows: Rows = (
        func.json_to_recordset(bindparam(write.name, type_=JSON_TEXT))
        .table_valued(*(column(c.name, _read_as(c)) for c in write.columns))
        .render_derived(name=f"{write.name}_rows", with_types=True)
    )
    first = [name for name in write.after if name in before]
    done = [_is_done(_BY_NAME[name], before[name]) for name in first]
    return select(rows).where(*done).subquery() if done else rows


def _is_done(write: Write, cte: CTE) -> ColumnElement[bool]:
    """Look at how many rows it touched: PostgreSQL then does it first."""
    touched = select(func.count()).select_from(cte).scalar_subquery()
    if not write.counted:
        return touched >= literal_column("0")
    return touched == func.json_array_length(bindparam(write.name, type_=JSON_TEXT))


def _read_as(target: Column[Any]) -> Any:  # noqa: ANN401
    """JSON carries bytes as text; the outbox turns it back into the same bytes."""
    return Text() if isinstance(target.type, LargeBinary) else target.type


@dataclass(slots=True)
class Batch:
    """What one unit of work has to write, and what to say where it cannot."""

    rows: dict[str, list[Row]] = field(default_factory=dict)
    refusals: dict[str, DomainError] = field(default_factory=dict)

    def add(
        self, write: Write, *rows: Row, otherwise: DomainError | None = None
    ) -> None:
        if rows:
            self.rows.setdefault(write.name, []).extend(rows)
            if otherwise is not None:
                self.refusals[write.name] = otherwise

    def __bool__(self) -> bool:
        return bool(self.rows)

    async def send(self, connection: Connection, tenant_id: UUID) -> None:
        """Write all of it. Raise DecisionOutdated where a row could not be touched."""
        names = tuple(write.name for write in WRITES if write.name in self.rows)
        statement = writing(names)
        documents = {
            name: orjson.dumps(self.rows[name], default=str).decode() for name in names
        }
        try:
            await connection.fetchrow(
                statement.sql, *statement.arguments(tenant_id=tenant_id, **documents)
            )
        except asyncpg.PostgresError as error:
            if error.sqlstate != ROWS_MISSING:
                raise
            raise DecisionOutdated(self.refusals[str(error)]) from error
