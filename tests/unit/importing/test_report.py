"""What is left when an import is killed."""

from pathlib import Path

import pytest

from scheduling.entrypoints.importing.records import Kind
from scheduling.entrypoints.importing.report import (
    Refusal,
    Report,
    Standing,
    Tally,
    fingerprint,
)

REFUSAL = Refusal(1, Kind.PATIENTS, None, "VALIDATION_FAILED", "name", "missing")


def test_a_standing_is_read_back_by_the_same_import_only(tmp_path: Path) -> None:
    file = tmp_path / "a.checkpoint"
    standing = Standing("me", Kind.SLOTS, 7, {Kind.SLOTS: Tally(rows=7)}, 20)

    standing.write(file)

    assert Standing.read(file, "me") == standing
    assert Standing.read(file, "another") is None
    assert list(tmp_path.iterdir()) == [file]


def test_a_standing_that_is_damaged_or_gone_is_none(tmp_path: Path) -> None:
    file = tmp_path / "a.checkpoint"
    assert Standing.read(file, "me") is None

    file.write_text('{"fingerprint": "me"')

    assert Standing.read(file, "me") is None


@pytest.mark.parametrize("name", ["report.ndjson", "report.csv"])
def test_a_report_goes_on_where_the_checkpoint_knew_it_to_be(
    tmp_path: Path, name: str
) -> None:
    file = tmp_path / name
    first = Report(file)
    first.open(None)
    known = first.write([REFUSAL])
    first.write([REFUSAL, REFUSAL])
    first.close()

    again = Report(file)
    assert again.open(known)
    again.close()

    assert file.stat().st_size == known
    assert file.read_text().count("VALIDATION_FAILED") == 1


def test_a_report_that_somebody_removed_is_begun_anew(tmp_path: Path) -> None:
    report = Report(tmp_path / "report.ndjson")

    assert not report.open(100)
    report.close()


def test_only_the_owner_reads_a_report(tmp_path: Path) -> None:
    report = Report(tmp_path / "report.ndjson")
    report.open(None)
    report.close()

    assert report.path.stat().st_mode & 0o777 == 0o600


def test_another_file_or_another_tenant_is_another_import(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_text("1")
    other.write_text("2")

    prints = {
        fingerprint(one, words=("a",)),
        fingerprint(other, words=("a",)),
        fingerprint(one, words=("b",)),
    }

    assert len(prints) == 3
