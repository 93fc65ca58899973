"""What knows holidays and zones, as use cases need it."""

from scheduling.adapters.almanac import HolidaysAlmanac
from scheduling.application.ports.almanac import Almanac


def open_almanac() -> Almanac:
    return HolidaysAlmanac()
