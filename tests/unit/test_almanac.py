"""Holidays and zones, as the libraries have them."""

import re
from datetime import date
from pathlib import Path
from zoneinfo import TZPATH

import pytest

from scheduling.adapters.almanac import HolidaysAlmanac

ALMANAC = HolidaysAlmanac()
WINTER = (date(2029, 12, 24), date(2030, 1, 7))


def test_public_holidays_are_those_of_the_country_across_the_turn_of_the_year() -> None:
    assert set(ALMANAC.public_holidays("DE", None, *WINTER)) == {
        date(2029, 12, 25),
        date(2029, 12, 26),
        date(2030, 1, 1),
    }


def test_a_subdivision_has_holidays_of_its_own() -> None:
    assert date(2030, 1, 6) in ALMANAC.public_holidays("DE", "BY", *WINTER)


def test_both_ends_are_inclusive() -> None:
    day = date(2030, 1, 1)
    assert set(ALMANAC.public_holidays("DE", None, day, day)) == {day}


@pytest.mark.parametrize("place", [("XX", None), ("DE", "ZZ")])
def test_what_nobody_knows_has_no_holidays(place: tuple[str, str | None]) -> None:
    assert set(ALMANAC.public_holidays(*place, *WINTER)) == set()


def test_the_release_of_the_zones_is_that_of_the_package_where_there_is_no_other(
    tmp_path: Path,
) -> None:
    assert HolidaysAlmanac((str(tmp_path),)).tzdata_version >= "2026a"


def test_zones_of_the_machine_come_before_the_package(tmp_path: Path) -> None:
    (tmp_path / "Etc").mkdir()
    (tmp_path / "Etc" / "UTC").touch()
    there = HolidaysAlmanac((str(tmp_path),))
    assert there.tzdata_version == "unknown"
    (tmp_path / "tzdata.zi").write_text("# version 2020a\nZ UTC\n", encoding="utf-8")
    assert HolidaysAlmanac((str(tmp_path),)).tzdata_version == "2020a"


def test_the_release_in_use_is_a_release() -> None:
    assert re.fullmatch(r"\d{4}[a-z]+|unknown", ALMANAC.tzdata_version)
    assert ALMANAC.zones_at == TZPATH
