"""Rows of a CSV or NDJSON file, one at a time, gzip or not."""

import csv
import gzip
import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple, TypeAlias, cast

import orjson

Format: TypeAlias = Literal["csv", "ndjson"]
Row: TypeAlias = Mapping[str, object]

LONGEST_LINE = 1024 * 1024
"""Characters. A longer line is no record, and would not fit in bounded memory."""


class FileUnreadable(Exception):
    """The file as a whole is not what it was said to be."""


class Numbered(NamedTuple):
    """A row with its place, 1 being the first below the header.

    `problem` says why it is none; it names no value of the row.
    """

    number: int
    row: Row
    problem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A file of records. `format` is told by the name unless it is given."""

    path: Path
    format: Format | None = None
    delimiter: str = ","
    encoding: str = "utf-8-sig"

    @contextmanager
    def rows(self) -> Iterator[tuple[Iterator[Numbered], Callable[[], int]]]:
        """Open the file; yield its rows, and how many of its bytes have been read.

        Raise FileUnreadable, here or while reading, for a file that cannot be read on.
        """
        try:
            with self.path.open("rb") as raw, self._text(raw) as text:
                yield self._reader()(_lines(text)), raw.tell
        except (OSError, EOFError) as error:
            raise FileUnreadable(f"{self.path.name}: {error}") from error

    @property
    def size(self) -> int:
        return self.path.stat().st_size

    def header(self) -> tuple[str, ...] | None:
        """Return the columns of a CSV file; NDJSON has none that all rows share."""
        if self._format() == "ndjson":
            return None
        with self.path.open("rb") as raw, self._text(raw) as text:
            return tuple(next(self._csv(_lines(text)), ()))

    def _text(self, raw: BinaryIO) -> io.TextIOWrapper:
        plain = gzip.open(raw) if self.path.suffix == ".gz" else raw  # noqa: SIM115  # the wrapper closes it
        return io.TextIOWrapper(
            cast("BinaryIO", plain),
            encoding=self.encoding,
            errors="surrogateescape",
            newline="",
        )

    def _format(self) -> Format:
        if self.format is not None:
            return self.format
        suffixes = [suffix for suffix in self.path.suffixes if suffix != ".gz"]
        match suffixes[-1] if suffixes else "":
            case ".csv":
                return "csv"
            case ".ndjson" | ".jsonl":
                return "ndjson"
        raise FileUnreadable(
            f"{self.path.name}: neither .csv nor .ndjson; name a format in the mapping"
        )

    def _reader(self) -> Callable[[Iterator[str]], Iterator[Numbered]]:
        return self._csv_rows if self._format() == "csv" else _ndjson_rows

    def _csv(self, lines: Iterator[str]) -> Iterator[list[str]]:
        return csv.reader(lines, delimiter=self.delimiter, strict=True)

    def _csv_rows(self, lines: Iterator[str]) -> Iterator[Numbered]:
        reader = self._csv(lines)
        header = next(reader, None)
        if header is None:
            return
        number = 0
        while True:
            try:
                values = next(reader)
            except StopIteration:
                return
            except csv.Error:
                number += 1
                yield Numbered(number, {}, "not well-formed CSV")
                continue
            if not values:
                continue
            number += 1
            if len(values) == len(header):
                row = dict(zip(header, values, strict=True))
                yield Numbered(number, row, _problem(values))
            else:
                yield Numbered(
                    number, {}, f"{len(values)} columns where {len(header)} are named"
                )


def _lines(text: io.TextIOWrapper) -> Iterator[str]:
    while line := text.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE and not line.endswith("\n"):
            raise FileUnreadable(f"a line is longer than {LONGEST_LINE} characters")
        yield line


def _ndjson_rows(lines: Iterator[str]) -> Iterator[Numbered]:
    number = 0
    for line in lines:
        if not line.strip():
            continue
        number += 1
        if problem := _problem([line]):
            yield Numbered(number, {}, problem)
            continue
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError:
            yield Numbered(number, {}, "not well-formed JSON")
            continue
        if isinstance(row, dict):
            yield Numbered(number, row)
        else:
            yield Numbered(number, {}, "not a JSON object")


def _problem(values: list[str]) -> str | None:
    for value in values:
        if not value.isascii() and any("\udc80" <= sign <= "\udcff" for sign in value):
            return "not in the encoding that the file is said to have"
    return None
