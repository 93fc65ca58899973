"""Run an import: window by window, so that memory is bounded and a kill costs little.

A window of rows is kept before the next one is read. Within it records run side by
side, but those that share a patient, a slot or an id follow each other as in the file:
who comes first in the file gets the seat.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from tenacity import (
    AsyncRetrying,
    retry_if_exception_type,
    stop_after_attempt,
    wait_random_exponential,
)

from scheduling.application.ports.unavailable import DatabaseUnavailable
from scheduling.domain.errors import DomainError, InvalidInput
from scheduling.entrypoints.attempts import settled
from scheduling.entrypoints.importing.keeping import Keep, Outcome
from scheduling.entrypoints.importing.mapping import Mapped
from scheduling.entrypoints.importing.reading import Numbered, Row
from scheduling.entrypoints.importing.records import Kind, Record
from scheduling.entrypoints.importing.report import (
    Refusal,
    Report,
    Standing,
    Tallies,
    Tally,
)
from scheduling.entrypoints.importing.rules import FieldRefused
from scheduling.entrypoints.importing.spreading import Spread

WINDOW = 500
"""Rows between two checkpoints: what a killed import does again at the most."""

REMEMBERED = 200_000
"""Ids of which it is known that an earlier row has told of them."""

PATIENCE = 8
"""Attempts while the database is away, over about half a minute."""

End = Outcome | Refusal


class Entry(NamedTuple):
    """A record of a row, or why there is none."""

    row: int
    record: Record | None
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True)
class Checkpoint:
    path: Path
    fingerprint: str


@dataclass(slots=True)
class Reader:
    """The entries of one kind, in the file's order."""

    mapped: Mapped
    kind: Kind
    tally: Tally
    spread: Spread | None
    seen: OrderedDict[UUID, None] = field(default_factory=OrderedDict)

    def entries(self, numbered: Numbered) -> list[Entry]:
        if numbered.problem is not None:
            return [self._refused(numbered.number, "", numbered.problem)]
        try:
            rows = self.mapped.rows_of(self.kind, numbered.row, self.spread)
        except FieldRefused as refused:
            return [self._refused(numbered.number, refused.field, refused.problem)]
        return list(self._records(numbered.number, rows))

    def _records(self, number: int, rows: Sequence[Row]) -> Iterator[Entry]:
        if not rows:
            self.tally.repeated += 1
        for row in rows:
            try:
                record = self.mapped.record(self.kind, row)
            except FieldRefused as refused:
                yield self._refused(number, refused.field, refused.problem)
                continue
            # Of appointments an id may not be told twice unheard: both are looked at.
            if self.kind is not Kind.APPOINTMENTS and self._is_repeated(record.id):
                self.tally.repeated += 1
            else:
                yield Entry(number, record)

    def _is_repeated(self, id: UUID) -> bool:
        if id in self.seen:
            return True
        self.seen[id] = None
        if len(self.seen) > REMEMBERED:
            self.seen.popitem(last=False)
        return False

    def _refused(self, number: int, field: str, problem: str) -> Entry:
        refusal = Refusal(
            number, self.kind, None, InvalidInput.code, field, detail=problem
        )
        return Entry(number, None, refusal)


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """All that one run needs. `moved` hears of bytes read and rows done."""

    mapped: Mapped
    kinds: Sequence[Kind]
    keep: Keep
    concurrency: int
    report: Report
    checkpoint: Checkpoint | None = None
    resume: bool = True
    window: int = WINDOW
    moved: Callable[[Kind, int, Tally], None] = lambda _kind, _bytes, _tally: None

    async def __call__(self) -> Tallies:
        """Return what became of the records of each kind.

        Raise DatabaseUnavailable where it stayed away, FileUnreadable for a file that
        breaks off: what was done until then is done, and a second run goes on there.
        """
        standing = self._standing()
        if not self.report.open(standing.report_size if standing else None):
            standing = None
        tallies = dict(standing.tallies) if standing else {}
        try:
            for kind in self.kinds:
                done = 0
                if standing is not None:
                    if self.kinds.index(kind) < self.kinds.index(standing.kind):
                        continue
                    done = standing.row if kind is standing.kind else 0
                await self._pass(kind, done, tallies)
        finally:
            self.report.close()
        if self.checkpoint is not None:
            self.checkpoint.path.unlink(missing_ok=True)
        return tallies

    def _standing(self) -> Standing | None:
        if self.checkpoint is None or not self.resume:
            return None
        standing = Standing.read(self.checkpoint.path, self.checkpoint.fingerprint)
        return standing if standing and standing.kind in self.kinds else None

    async def _pass(self, kind: Kind, done: int, tallies: Tallies) -> None:
        """Rows up to `done` are read again, because later ones depend on what the
        spread and the memory of ids learn from them, and are not kept again.
        """
        tally = tallies.setdefault(kind, Tally())
        reader = Reader(self.mapped, kind, Tally(), self.mapped.spread())
        with self.mapped.source.rows() as (rows, position):
            for numbered in rows:
                if numbered.number > done:
                    reader.tally = tally
                    await self._windows(
                        reader, chain((numbered,), rows), position, tallies
                    )
                    break
                reader.entries(numbered)
        self.moved(kind, self.mapped.source.size, tally)

    async def _windows(
        self,
        reader: Reader,
        rows: Iterator[Numbered],
        position: Callable[[], int],
        tallies: Tallies,
    ) -> None:
        window: list[Entry] = []
        number = 0
        for numbered in rows:
            number = numbered.number
            reader.tally.rows += 1
            window.extend(reader.entries(numbered))
            if len(window) >= self.window:
                await self._keep_window(reader, window, number, tallies)
                window = []
                self.moved(reader.kind, position(), reader.tally)
        await self._keep_window(reader, window, number, tallies)

    async def _keep_window(
        self, reader: Reader, window: list[Entry], row: int, tallies: Tallies
    ) -> None:
        ends = await self._kept(window)
        for end in ends:
            reader.tally.add(end)
        size = self.report.write(end for end in ends if isinstance(end, Refusal))
        if self.checkpoint is not None:
            Standing(
                self.checkpoint.fingerprint, reader.kind, row, tallies, size
            ).write(self.checkpoint.path)

    async def _kept(self, window: list[Entry]) -> list[End]:
        lanes = asyncio.Semaphore(self.concurrency)
        latest: dict[object, asyncio.Task[End]] = {}
        tasks: list[asyncio.Task[End]] = []
        try:
            async with asyncio.TaskGroup() as group:
                for entry in window:
                    keys = entry.record.keys() if entry.record else ()
                    before = {latest[key] for key in keys if key in latest}
                    task = group.create_task(self._end_of(entry, before, lanes))
                    latest.update(dict.fromkeys(keys, task))
                    tasks.append(task)
        except* DatabaseUnavailable as group_of_errors:
            raise group_of_errors.exceptions[0] from None
        return [task.result() for task in tasks]

    async def _end_of(
        self, entry: Entry, before: set[asyncio.Task[End]], lanes: asyncio.Semaphore
    ) -> End:
        if entry.refusal is not None:
            return entry.refusal
        if entry.record is None:
            raise ValueError("an entry is a record or a refusal")
        if before:
            await asyncio.wait(before)
        record = entry.record

        async def attempt() -> Outcome:
            return await settled(lambda: self.keep(record))

        patient = AsyncRetrying(
            retry=retry_if_exception_type(DatabaseUnavailable),
            stop=stop_after_attempt(PATIENCE),
            wait=wait_random_exponential(multiplier=0.25, max=8),
            reraise=True,
        )
        try:
            async with lanes:
                return await patient(attempt)
        except DomainError as refused:
            return Refusal(
                row=entry.row,
                kind=record.kind,
                id=record.id,
                code=refused.code,
                field=refused.field if isinstance(refused, InvalidInput) else "",
                detail=str(refused),
            )
