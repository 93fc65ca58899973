"""Files of records, well-formed and not."""

import gzip
from pathlib import Path

import pytest

from scheduling.entrypoints.importing.reading import (
    LONGEST_LINE,
    FileUnreadable,
    Numbered,
    Source,
)


def _read(path: Path, content: bytes) -> list[Numbered]:
    path.write_bytes(content)
    with Source(path=path).rows() as (rows, _):
        return list(rows)


def test_csv_rows_are_numbered_from_below_the_header(tmp_path: Path) -> None:
    rows = _read(tmp_path / "a.csv", b'\xef\xbb\xbfid,name\n1,"A,\nB"\n\n2,C\n')

    assert rows == [
        Numbered(1, {"id": "1", "name": "A,\nB"}),
        Numbered(2, {"id": "2", "name": "C"}),
    ]


def test_a_gzipped_file_reads_like_the_plain_one(tmp_path: Path) -> None:
    plain = b"id\n1\n2\n"

    assert _read(tmp_path / "a.csv.gz", gzip.compress(plain)) == _read(
        tmp_path / "a.csv", plain
    )


def test_a_gzipped_file_that_breaks_off_is_unreadable(tmp_path: Path) -> None:
    whole = gzip.compress(b"id\n" + b"1\n" * 10_000)

    with pytest.raises(FileUnreadable):
        _read(tmp_path / "a.csv.gz", whole[:-20])


def test_each_line_of_ndjson_is_a_row(tmp_path: Path) -> None:
    rows = _read(tmp_path / "a.ndjson", b'{"id": 1}\n\n[2]\n{"id":\n{"id": 4}')

    assert [(row.number, row.problem is None) for row in rows] == [
        (1, True),
        (2, False),
        (3, False),
        (4, True),
    ]


@pytest.mark.parametrize("line", [b"1", b"1,2,3", b"1,\xff", b'1,"a"b'])
def test_a_row_that_is_none_says_so_and_the_next_is_read(
    tmp_path: Path, line: bytes
) -> None:
    rows = _read(tmp_path / "a.csv", b"id,name\n" + line + b"\n2,B\n")

    assert [row.problem is None for row in rows] == [False, True]


def test_a_line_that_no_memory_holds_ends_the_reading(tmp_path: Path) -> None:
    with pytest.raises(FileUnreadable, match="longer than"):
        _read(tmp_path / "a.ndjson", b" " * (LONGEST_LINE + 1))


def test_a_name_that_tells_no_format_is_asked_about(tmp_path: Path) -> None:
    with pytest.raises(FileUnreadable, match="format"):
        _read(tmp_path / "a.xls", b"")
