"""By which words a patient is found: of the name, the file number, the phone, the mail.

What is kept and what is asked for are folded alike, and a word is found by its
beginning. Case and accents do not count. A mark counts where it is no accent but part
of the letter: vowels of Burmese or Thai, voicing of kana. It stays with its letter,
since words are normalised (NFC) when all is folded.

Burmese, Chinese and Japanese are written without spaces, or with some: their names are
found from each syllable on, whoever wrote which spaces.
"""

import re
from collections.abc import Iterator
from itertools import dropwhile, islice
from unicodedata import category, combining, decimal, normalize

from scheduling.domain.directory import Patient

LONGEST_WORD = 64
"""Characters that count of a word: an index has no room for any length."""

MOST_WORDS = 64
"""Of one patient; the numbers and the mail come first."""

SHORTEST_WITH_PREFIX = 7
"""Digits from which on a question may be a phone's, dialled with zeros before it."""

MOST_ASKED = 8
"""Words of a question that count, the longest of them."""

BEHIND_ALL = "\U0010ffff"
"""No character, so behind all that follow the same beginning."""

# Letters that Unicode does not take apart, as they are written without their strokes.
_PLAIN = str.maketrans(
    {
        "æ": "ae",
        "đ": "d",
        "ð": "d",
        "ħ": "h",
        "\N{LATIN SMALL LETTER DOTLESS I}": "i",
        "ł": "l",
        "ø": "o",
        "œ": "oe",
        "þ": "th",
    }
)

_BURMESE = "\u1000-\u109f\ua9e0-\ua9ff\uaa60-\uaa7f"
_CJK = "\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff"
_SPACES_BETWEEN = re.compile(rf"(?<=[{_BURMESE}{_CJK}])\s+(?=[{_BURMESE}{_CJK}])")
_BEGINNINGS = re.compile(
    # A consonant or vowel that is neither stacked below another nor killed.
    rf"(?<!\u1039)[\u1000-\u102a\u103f](?!\u1037?[\u1039\u103a])|[{_CJK}]"
)


def words_of(patient: Patient) -> frozenset[str]:
    """Return all words by whose beginning the patient is found; none of a name that is
    forgotten.
    """
    return frozenset(islice(dict.fromkeys(_words_of(patient)), MOST_WORDS))


def asked_words(query: str) -> tuple[str, ...]:
    """Return the beginnings that a patient must all have, the longest first. Digits
    that stand together are one number, however they are grouped; so is what mixes them
    with letters, as `D-00042`.
    """
    asked = {word[:LONGEST_WORD] for word in _asked(_folded(query).split())}
    told = (one for one in asked if not any(_goes_on(one, more) for more in asked))
    return tuple(islice(sorted(told, key=lambda one: (-len(one), one)), MOST_ASKED))


def _goes_on(beginning: str, word: str) -> bool:
    return word != beginning and word.startswith(beginning)


def _words_of(patient: Patient) -> Iterator[str]:
    found = (
        *_words_of_number(patient.file_number or ""),
        *_words_of_phone(patient.phone or ""),
        *_words_of_mail(patient.email or ""),
        *_words_of_name(patient.name),
    )
    return (word[:LONGEST_WORD] for word in found)


def _words_of_number(file_number: str) -> Iterator[str]:
    """All of it without what parts it, also from its first number on, and its parts;
    with their zeros and without.
    """
    pieces = _pieces(_folded(file_number))
    numbers = dropwhile(lambda piece: not piece.isdecimal(), pieces)
    for word in ("".join(pieces), "".join(numbers), *pieces):
        if word:
            yield word
            yield _without_zeros(word)


def _words_of_phone(phone: str) -> Iterator[str]:
    """With and without a country's code, and an area's where both are short; and the
    last four digits.
    """
    digits = "".join(_pieces(_folded(phone)))
    for start in (0, 1, 2, 3, 4, -4):
        if len(digits[start:]) > 3:  # noqa: PLR2004  # fewer are everybody's
            yield digits[start:]


def _words_of_mail(email: str) -> Iterator[str]:
    folded = "".join(_folded(email).split())
    pieces = _pieces(folded.partition("@")[0])
    if _pieces(folded):
        yield folded
    yield from pieces
    if pieces:
        yield "".join(pieces)


def _words_of_name(name: str) -> Iterator[str]:
    for chunk in _SPACES_BETWEEN.sub("", _folded(name)).split():
        pieces = _pieces(chunk)
        together = "".join(pieces)
        yield from pieces
        if together:
            yield together
        for syllable in _BEGINNINGS.finditer(together):
            yield together[syllable.start() :]


def _asked(chunks: list[str]) -> Iterator[str]:
    digits = ""
    for chunk in (*chunks, ""):
        pieces = _pieces(chunk)
        together = "".join(pieces)
        if together.isdecimal():
            digits += together
            continue
        if digits and (pieces or not chunk):
            is_short = len(digits) < SHORTEST_WITH_PREFIX
            yield digits if is_short else _without_zeros(digits)
            digits = ""
        if "@" in chunk and pieces:
            yield chunk
        elif any(map(str.isdecimal, together)):
            yield together
        else:
            yield from pieces


def _without_zeros(word: str) -> str:
    return word.lstrip("0") or "0" if word.isdecimal() else word


def _pieces(folded: str) -> list[str]:
    """Split at all that is no letter, mark or number."""
    return "".join(one if category(one)[0] in "LMN" else " " for one in folded).split()


def _folded(text: str) -> str:
    if text.isascii():
        return text.lower()
    apart = normalize("NFKD", normalize("NFKD", text).casefold())
    # Characters of formatting are not seen: a joiner, a soft hyphen.
    kept = (one for one in apart if not _is_accent(one) and category(one) != "Cf")
    return normalize("NFC", "".join(map(_digit, kept))).translate(_PLAIN)


def _is_accent(one: str) -> bool:
    """Accents of Latin, Greek and Cyrillic letters, points of Hebrew and Arabic ones:
    by the classes that Unicode gives to marks, of which those below 10 and between 36
    and 199 belong to letters of other scripts.
    """
    return 10 <= combining(one) <= 35 or combining(one) >= 200  # noqa: PLR2004


def _digit(one: str) -> str:
    value = decimal(one, None)
    return one if value is None else str(value)
