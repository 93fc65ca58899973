"""Lists of practitioners and locations, and the search for patients.

Under row level security only leakproof operators use an index; LIKE, and those of
trigrams and arrays, are not. So a beginning is a range of words, by plain comparisons
of the primary key. The beginning that the fewest words have leads, in the order of the
index, and the others are looked up for each patient it finds: the walk ends with the
page.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    Boolean,
    ColumnElement,
    Exists,
    FromClause,
    Integer,
    ScalarSelect,
    Select,
    Table,
    Text,
    Uuid,
    and_,
    column,
    exists,
    func,
    literal_column,
    or_,
    select,
    tuple_,
)
from sqlalchemy.sql.selectable import NamedFromClause

from scheduling.adapters.postgres import tables as t
from scheduling.adapters.postgres.batch import TENANT
from scheduling.adapters.postgres.directory_rows import (
    location_from,
    patient_from,
    practitioner_from,
)
from scheduling.adapters.postgres.statements import Statement, compiled, given
from scheduling.adapters.postgres.transaction import Transaction
from scheduling.application.ports.directory_lists import (
    DirectoryLists,
    LocationFilter,
    PractitionerFilter,
)
from scheduling.domain.directory import Location, Patient, Practitioner
from scheduling.domain.patient_search import BEHIND_ALL

COUNTED = 1000
"""Words of one beginning: all that have more are common, and any of them may lead."""


@cache
def _listing(table: Table, filters: frozenset[str]) -> Statement:
    name = table.c.name.collate("C")
    conditions: dict[str, ColumnElement[bool]] = {
        "active": table.c.active == given("active", Boolean),
        "location_id": _works_at(table),
        "after_id": tuple_(name, table.c.id)
        > tuple_(given("after_name", Text), given("after_id", Uuid)),
    }
    return compiled(
        select(table)
        .where(
            table.c.tenant_id == TENANT,
            *(condition for name, condition in conditions.items() if name in filters),
        )
        .order_by(name, table.c.id)
        .limit(given("limit", Integer))
    )


def _works_at(practitioners: Table) -> ColumnElement[bool]:
    def of(there: Table, *conditions: ColumnElement[bool]) -> Exists:
        return exists().where(
            there.c.tenant_id == TENANT,
            there.c.practitioner_id == practitioners.c.id,
            there.c.location_id == given("location_id", Uuid),
            *conditions,
        )

    roles, calendars = t.practitioner_roles, t.schedules
    return or_(
        of(roles, roles.c.active, roles.c.deleted_at.is_(None)),
        of(calendars, calendars.c.practitioner_role_id.is_(None)),
    )


@cache
def searching_patients() -> Statement:
    """Ask for a page of patients who have a word for each of the `begins`."""
    patients, words, theirs = t.patients, t.patient_words, _words("theirs")
    asked = _asked().cte("asked").prefix_with("MATERIALIZED")
    rarest = (
        select(asked)
        .order_by(asked.c.many, asked.c.number)
        .limit(literal_column("1"))
        .cte("rarest")
    )
    of_all = (
        select(words.c.word, words.c.patient_id)
        .where(
            words.c.tenant_id == TENANT,
            words.c.word >= _of_the(rarest.c.begins),
            words.c.word < _of_the(rarest.c.ends),
            ~_there_is(
                asked,
                asked.c.number != _of_the(rarest.c.number),
                ~_has(words.c.patient_id, asked),
            ),
        )
        .order_by(words.c.word, words.c.patient_id)
        # Kept apart, so that words are asked for twice of few.
        .offset(literal_column("0"))
        .subquery("of_all")
    )
    # Who has several words that begin so is found by the first of them.
    first = (
        select(func.min(theirs.c.word))
        .where(
            theirs.c.tenant_id == TENANT,
            theirs.c.patient_id == of_all.c.patient_id,
            theirs.c.word >= _of_the(rarest.c.begins),
        )
        .correlate(of_all)
        .scalar_subquery()
    )
    found = (
        select(of_all)
        .where(of_all.c.word == first)
        .order_by(of_all.c.word, of_all.c.patient_id)
        .limit(given("limit", Integer))
        .cte("found")
    )
    return compiled(
        select(patients)
        .join_from(
            found,
            patients,
            and_(patients.c.tenant_id == TENANT, patients.c.id == found.c.patient_id),
        )
        .order_by(found.c.word, found.c.patient_id)
    )


def _asked() -> Select[Any]:
    """Each range of words, with how many there are in it, as far as they matter."""
    asked = (
        func.unnest(given("begins", ARRAY(Text)), given("ends", ARRAY(Text)))
        .table_valued(
            column("begins", Text), column("ends", Text), with_ordinality="number"
        )
        .render_derived(name="ranges")
    )
    words = _words("counted")
    few = (
        select(literal_column("1"))
        .where(words.c.tenant_id == TENANT, *_begins(words, asked))
        .limit(literal_column(str(COUNTED)))
        .correlate(asked)
        .subquery("few")
    )
    many = select(func.count()).select_from(few).scalar_subquery()
    return select(asked.c.begins, asked.c.ends, asked.c.number, many.label("many"))


def _has(patient_id: ColumnElement[Any], asked: FromClause) -> Exists:
    words = _words("another")
    return _there_is(
        words,
        words.c.tenant_id == TENANT,
        words.c.patient_id == patient_id,
        *_begins(words, asked),
    )


def _of_the(one: ColumnElement[Any]) -> ScalarSelect[Any]:
    """As a value, which leaves the order of an index as it is: a join would not."""
    return select(one).scalar_subquery()


def _there_is(one: FromClause, *conditions: ColumnElement[bool]) -> Exists:
    """Of `one`; whatever else the conditions name is what it is asked beside."""
    return (
        select(literal_column("1"))
        .select_from(one)
        .where(*conditions)
        .correlate_except(one)
        .exists()
    )


def _words(name: str) -> NamedFromClause:
    return t.patient_words.alias(name)


def _begins(
    words: FromClause, asked: FromClause
) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return words.c.word >= asked.c.begins, words.c.word < asked.c.ends


@dataclass(frozen=True, slots=True)
class PostgresDirectoryLists(DirectoryLists):
    transaction: Transaction

    async def locations(self, wanted: LocationFilter) -> Sequence[Location]:
        rows = await self._listed(t.locations, wanted)
        return [location_from(row) for row in rows]

    async def practitioners(self, wanted: PractitionerFilter) -> Sequence[Practitioner]:
        rows = await self._listed(
            t.practitioners, wanted, location_id=wanted.location_id
        )
        return [practitioner_from(row) for row in rows]

    async def _listed(
        self,
        table: Table,
        wanted: LocationFilter | PractitionerFilter,
        **more: Any,  # noqa: ANN401
    ) -> Sequence[Any]:
        after_name, after_id = wanted.after or (None, None)
        told = {
            "active": wanted.active,
            "after_name": after_name,
            "after_id": after_id,
            **more,
        }
        asked = {name: value for name, value in told.items() if value is not None}
        return await self.transaction.rows(
            _listing(table, frozenset(asked)), **asked, limit=wanted.limit
        )

    async def patients(self, words: Sequence[str], limit: int) -> Sequence[Patient]:
        if not words:
            return []
        rows = await self.transaction.rows(
            searching_patients(),
            begins=list(words),
            ends=[word + BEHIND_ALL for word in words],
            limit=limit,
        )
        return [patient_from(row) for row in rows]
