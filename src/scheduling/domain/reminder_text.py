"""What a patient reads: a few templates in each language, filled by plain replacement.

Times are the clinic's, with its zone: the patient may be elsewhere. Why somebody comes
and whom they see is not said: a notice lies on a locked screen for all to see. To add a
language is to add a `Wording`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from string import Template
from types import MappingProxyType
from zoneinfo import ZoneInfo

DEFAULT = "en"


@dataclass(frozen=True, slots=True)
class Text:
    """`language` is the one it came to be in."""

    language: str
    subject: str
    body: str


@dataclass(frozen=True, slots=True)
class Wording:
    """`day` is filled with weekday, day, month and year; `subject` and `body` with
    clinic, day, time and zone.
    """

    subject: Template
    body: Template
    day: Template
    weekdays: tuple[str, ...]
    months: tuple[str, ...]
    digits: str = "0123456789"

    def number(self, text: str) -> str:
        return text.translate(str.maketrans("0123456789", self.digits))


WORDINGS: Mapping[str, Wording] = MappingProxyType(
    {
        "en": Wording(
            subject=Template("Your appointment on $day at $time"),
            body=Template(
                "You have an appointment at $clinic on $day at $time ($zone).\n"
                "\n"
                "If you cannot come, please tell the clinic as soon as you can."
            ),
            day=Template("$weekday, $day $month $year"),
            weekdays=(
                "Monday",
                "Tuesday",
                "Wednesday",
                "Thursday",
                "Friday",
                "Saturday",
                "Sunday",
            ),
            months=(
                "January",
                "February",
                "March",
                "April",
                "May",
                "June",
                "July",
                "August",
                "September",
                "October",
                "November",
                "December",
            ),
        ),
        "my": Wording(
            subject=Template("$day၊ $time နာရီတွင် သင့်ရက်ချိန်းရှိပါသည်"),
            body=Template(
                "$clinic တွင် $day၊ $time နာရီ ($zone) ၌ သင့်ရက်ချိန်းရှိပါသည်။\n"
                "\n"
                "မလာနိုင်ပါက ဆေးခန်းသို့ တတ်နိုင်သမျှ စောစွာ အကြောင်းကြားပေးပါ။"
            ),
            day=Template("$year ခုနှစ်၊ $month $day ရက်၊ ${weekday}နေ့"),
            weekdays=(
                "တနင်္လာ",
                "အင်္ဂါ",
                "ဗုဒ္ဓဟူး",
                "ကြာသပတေး",
                "သောကြာ",
                "စနေ",
                "တနင်္ဂနွေ",
            ),
            months=(
                "ဇန်နဝါရီလ",
                "ဖေဖော်ဝါရီလ",
                "မတ်လ",
                "ဧပြီလ",
                "မေလ",
                "ဇွန်လ",
                "ဇူလိုင်လ",
                "ဩဂုတ်လ",
                "စက်တင်ဘာလ",
                "အောက်တိုဘာလ",
                "နိုဝင်ဘာလ",
                "ဒီဇင်ဘာလ",
            ),
            digits="၀၁၂၃၄၅၆၇၈၉",
        ),
    }
)


def render(
    start: datetime, *, timezone: str, clinic: str, language: str | None
) -> Text:
    """Say it in the patient's language, or in English where we do not speak that.

    The zone is told with its offset at that time, so that an hour that comes twice on
    the night of a change is one hour.
    """
    spoken = _spoken(language)
    wording = WORDINGS[spoken]
    there = start.astimezone(ZoneInfo(timezone))
    filled = {
        "clinic": " ".join(clinic.split()),
        "day": wording.day.substitute(
            weekday=wording.weekdays[there.weekday()],
            day=wording.number(str(there.day)),
            month=wording.months[there.month - 1],
            year=wording.number(str(there.year)),
        ),
        "time": wording.number(f"{there:%H:%M}"),
        "zone": f"{timezone}, {_offset(there)}",
    }
    return Text(
        language=spoken,
        subject=wording.subject.substitute(filled),
        body=wording.body.substitute(filled),
    )


def _spoken(language: str | None) -> str:
    """The language of a BCP 47 tag: `en-GB` and `en` are one to us."""
    asked = (language or DEFAULT).partition("-")[0].lower()
    return asked if asked in WORDINGS else DEFAULT


def _offset(instant: datetime) -> str:
    """As people write it: UTC+06:30."""
    told = f"{instant:%z}"
    return f"UTC{told[:3]}:{told[3:5]}"
