"""What an import leaves behind: counts, the refused rows, and where it stood."""

import csv
import hashlib
import io
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import BinaryIO, Self, assert_never
from uuid import UUID

import orjson
from pydantic import TypeAdapter, ValidationError

from scheduling.entrypoints.importing.keeping import Outcome
from scheduling.entrypoints.importing.records import Kind


@dataclass(slots=True)
class Tally:
    """Of one kind. Each record is created, changed, unchanged, repeated or refused;
    a row may stand for many records (a clinic's day of slots) or for none that is new.
    """

    rows: int = 0
    created: int = 0
    changed: int = 0
    unchanged: int = 0
    repeated: int = 0
    refused: dict[str, int] = field(default_factory=dict)

    def add(self, end: "Outcome | Refusal") -> None:
        match end:
            case Refusal():
                self.refused[end.code] = self.refused.get(end.code, 0) + 1
            case Outcome.CREATED:
                self.created += 1
            case Outcome.CHANGED:
                self.changed += 1
            case Outcome.UNCHANGED:
                self.unchanged += 1
            case _:
                assert_never(end)


Tallies = dict[Kind, Tally]


def refused_in_all(tallies: Mapping[Kind, Tally]) -> Counter[str]:
    codes: Counter[str] = Counter()
    for tally in tallies.values():
        codes.update(tally.refused)
    return codes


@dataclass(frozen=True, slots=True)
class Refusal:
    """Ids, codes, fields and times only: nothing of what the row says of a person."""

    row: int
    kind: Kind
    id: UUID | None
    code: str
    field: str
    detail: str


COLUMNS = ("row", "kind", "id", "code", "field", "detail")


class Report:
    """The refused rows in a file, as NDJSON, or as CSV where its name says so."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: BinaryIO | None = None

    def open(self, keep: int | None) -> bool:
        """Begin it anew, or go on behind its first `keep` bytes; return whether those
        were there.
        """
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        self._file = file = os.fdopen(descriptor, "r+b")
        continues = keep is not None and os.fstat(descriptor).st_size >= keep
        file.truncate(keep if continues else 0)
        file.seek(0, os.SEEK_END)
        if not continues and self._as_csv:
            file.write(_csv_line(COLUMNS))
        return continues

    def write(self, refusals: Iterable[Refusal]) -> int:
        """Add them, and return the size of the report now on disk."""
        if self._file is None:
            raise ValueError("the report is not open")
        for refusal in refusals:
            self._file.write(self._line(refusal))
        self._file.flush()
        os.fsync(self._file.fileno())
        return self._file.tell()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    @property
    def _as_csv(self) -> bool:
        return self.path.suffix == ".csv"

    def _line(self, refusal: Refusal) -> bytes:
        if self._as_csv:
            told = asdict(refusal)
            return _csv_line(["" if told[c] is None else told[c] for c in COLUMNS])
        return orjson.dumps(refusal) + b"\n"


def _csv_line(values: Iterable[object]) -> bytes:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(values)
    return line.getvalue().encode()


@dataclass(frozen=True, slots=True)
class Standing:
    """All rows of `kind` up to `row` are done, and the kinds before it."""

    fingerprint: str
    kind: Kind
    row: int
    tallies: Tallies
    report_size: int

    @classmethod
    def read(cls, path: Path, fingerprint: str) -> Self | None:
        """Return where the same import stood; None where there is nothing to resume."""
        try:
            standing = TypeAdapter(cls).validate_json(path.read_bytes())
        except (OSError, ValidationError):
            return None
        return standing if standing.fingerprint == fingerprint else None

    def write(self, path: Path) -> None:
        """Replace the file in one step: it is the old one or the new one, whole."""
        beside = path.with_name(f"{path.name}.new")
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(orjson.dumps(self, option=orjson.OPT_NON_STR_KEYS))
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)


def fingerprint(*files: Path, words: Iterable[str]) -> str:
    """Tell one import from another: its files' bytes, and what else it was told."""
    digest = hashlib.sha256()
    for file in files:
        with file.open("rb") as opened:
            digest.update(hashlib.file_digest(opened, "sha256").digest())
    for word in words:
        digest.update(f"\0{word}".encode())
    return digest.hexdigest()
