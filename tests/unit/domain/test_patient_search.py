"""By which words a patient is found, and what is asked for when somebody types."""

from datetime import timedelta
from unicodedata import combining, normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduling.domain.patient_search import (
    BEHIND_ALL,
    LONGEST_WORD,
    MOST_ASKED,
    MOST_WORDS,
    asked_words,
    words_of,
)
from tests.builders import EIGHT, a_patient


def is_found(query: str, **told: str) -> bool:
    """As storage finds: for each beginning a word that begins so."""
    words = words_of(a_patient(**told))
    asked = asked_words(query)
    assert asked
    return all(any(word.startswith(one) for word in words) for one in asked)


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("maria", "Maria Silva"),
        ("mar", "Maria Silva"),
        ("sil mar", "Maria Silva"),
        ("JOAO", "João Ávila"),
        ("joão ÁVILA", "Joao Avila"),
        ("strasse", "Straße"),
        ("nguyen duc", "Nguyễn Văn Đức"),
        ("lukasz", "Łukasz Wałęsa"),
        ("o'neill", "Mary O\u2019Neill"),
        ("oneill", "Mary O\u2019Neill"),
        ("neill", "Mary O\u2019Neill"),
        ("jean-luc", "Jean Luc Picard"),
        ("محمد", "مُحَمَّد أحمد"),
        ("احمد", "محمد أحمد"),
        ("иван", "Иван Петров"),
        ("김철", "김철수"),
        ("สมชาย", "สมชาย ใจดี"),
        ("ใจ สม", "สมชาย ใจดี"),
        ("\uff2d\uff41\uff52", "Maria"),
        ("Ma\u00adria", "Maria"),
        ("maria, silva", "Maria Silva"),
    ],
)
def test_names_are_found_by_beginnings_in_any_order(query: str, name: str) -> None:
    assert is_found(query, name=name)


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("aria", "Maria Silva"),
        ("mariana", "Maria Silva"),
        ("maria souza", "Maria Silva"),
        ("สมชย", "สมชาย ใจดี"),  # without its vowel it is another word
        ("か", "がく"),  # without its mark it is another letter
    ],
)
def test_other_names_are_not_found(query: str, name: str) -> None:
    assert not is_found(query, name=name)


@pytest.mark.parametrize(
    "name", ["ဒေါ်ခင်မျိုးသန့်", "ဒေါ် ခင်မျိုး သန့်", "ဒေါ်\u200bခင်\u200bမျိုးသန့်"]
)
@pytest.mark.parametrize(
    "query", ["ဒေါ်", "ဒေါ်ခင်", "ခင်မျိုး", "ခင် မျိုး", "သန့် ဒေါ်", "မျိုးသန့်", "ဒေါ် ခင်မျိုးသန့်", "ခ"]
)
def test_burmese_names_are_found_from_each_syllable_on(query: str, name: str) -> None:
    assert is_found(query, name=name)


@pytest.mark.parametrize("query", ["င်", "ိုး", "ခိ", "ခင်သန့်"])
def test_what_is_no_syllable_of_a_burmese_name_finds_nobody(query: str) -> None:
    assert not is_found(query, name="ဒေါ်ခင်မျိုးသန့်")


def test_marks_that_come_in_another_order_are_the_same() -> None:
    """Dot below and killer: keyboards write both orders."""
    one, other = "သန\u1037\u103a", "သန\u103a\u1037"
    assert one != other
    assert is_found(one, name=other)
    assert is_found(other, name=one)


@pytest.mark.parametrize("query", ["王小明", "小明", "明", "小明 王", "王 小"])
@pytest.mark.parametrize("name", ["王小明", "王 小明"])
def test_chinese_names_are_found_from_each_character_on(query: str, name: str) -> None:
    assert is_found(query, name=name)


@pytest.mark.parametrize(
    "query",
    [
        "+55 27 99999-1234",
        "5527999991234",
        "0055 27 99999",
        "027 9999",
        "27 99999-1234",
        "(27) 99999",
        "99999-1234",
        "1234",
        "maria 1234",
        "27 99999 maria",
        "၅၅၂၇",
    ],
)
def test_phones_are_found_by_their_digits_however_grouped(query: str) -> None:
    assert is_found(query, name="Maria", phone="+55 27 99999-1234")


@pytest.mark.parametrize("query", ["234", "9 1234", "55 28"])
def test_other_digits_find_no_phone(query: str) -> None:
    assert not is_found(query, name="Maria", phone="+55 27 99999-1234")


@pytest.mark.parametrize(
    "query",
    [
        "FILE-2026-000123",
        "file 2026",
        "2026-000123",
        "2026 0001",
        "000123",
        "123",
        "0001",
        "file2026000123",
    ],
)
def test_file_numbers_are_found_whole_and_by_their_parts(query: str) -> None:
    assert is_found(query, name="Maria", file_number="FILE-2026-000123")
    assert not is_found(query, name="Maria", file_number="FILE-2027-000987")


@pytest.mark.parametrize("query", ["D-00001", "d-0", "00001", "D00001", "1"])
def test_a_file_number_finds_its_own_and_no_longer_one(query: str) -> None:
    assert is_found(query, name="Maria", file_number="D-00001")
    others = {"name": "Otto", "file_number": "D-00010", "phone": "+1 212 555 0100"}
    assert is_found(query, **others) is (query in {"d-0", "1"})


@pytest.mark.parametrize("query", ["2026-000123", "2026-0001", "2026000123", "2026"])
def test_file_numbers_of_digits_alone_are_found(query: str) -> None:
    assert is_found(query, name="Maria", file_number="2026-000123")


@pytest.mark.parametrize(
    "query", ["maria.silva@example.org", "Maria.Silva@exa", "maria.sil", "silva"]
)
def test_mail_is_found_by_its_beginning(query: str) -> None:
    assert is_found(query, name="Somebody", email="Maria.Silva@Example.org")


@pytest.mark.parametrize("query", ["example", "@example.org", "silva@example.org"])
def test_where_everybody_has_their_mail_says_nothing(query: str) -> None:
    assert not is_found(query, name="Somebody", email="maria.silva@example.org")


@pytest.mark.parametrize("query", ["", "  ", "-", "@", "…'", "\u200b"])
def test_nothing_that_is_written_asks_for_nothing(query: str) -> None:
    assert asked_words(query) == ()


def test_a_beginning_of_another_word_asks_for_nothing_more() -> None:
    assert asked_words("ma maria mari") == ("maria",)


def test_of_many_words_the_longest_count() -> None:
    letters = " ".join("bcdfghjklmn") + " maria"
    asked = asked_words(letters)
    assert asked[0] == "maria"
    assert len(asked) == MOST_ASKED


def test_who_is_forgotten_is_found_by_nothing() -> None:
    known = a_patient(
        name="Maria Silva", file_number="F-1", phone="+49 30 123456", email="m@x.org"
    )
    assert words_of(known)
    assert words_of(known.forgotten(EIGHT + timedelta(days=1))) == frozenset()


SCRIPTS = st.text(
    st.characters(exclude_categories=["Cs", "Cc"])
    | st.characters(min_codepoint=0x1000, max_codepoint=0x109F)
    | st.sampled_from("0123 -@.'王小がŁé̂\u0301"),
    max_size=200,
)


@given(SCRIPTS, SCRIPTS)
def test_words_are_few_short_and_plain_whatever_is_told(name: str, other: str) -> None:
    told = a_patient(name=name, file_number=other, phone=other, email=name)
    words = words_of(told)
    assert len(words) <= MOST_WORDS
    for word in (*words, *asked_words(name)):
        assert 0 < len(word) <= LONGEST_WORD
        assert not any(part.isspace() for part in word)
        assert word < word + "z" < word + BEHIND_ALL
        assert "\0" not in word


@given(SCRIPTS)
def test_who_is_asked_for_as_they_are_called_is_found(name: str) -> None:
    words = words_of(a_patient(name=name))
    if len(words) < MOST_WORDS and "@" not in name and not any(map(str.isdigit, name)):
        for asked in asked_words(name):
            assert any(word.startswith(asked) for word in words), (asked, words)


@given(SCRIPTS)
def test_how_a_name_is_composed_does_not_matter(name: str) -> None:
    forms = {words_of(a_patient(name=normalize(form, name))) for form in ("NFC", "NFD")}
    assert len(forms) == 1


@given(st.text("aeiounsc", min_size=1, max_size=5), st.text("\u0301\u0303\u0327"))
def test_no_accent_is_left_of_latin_letters(letters: str, accents: str) -> None:
    (word,) = words_of(a_patient(name=letters + accents))
    assert not any(map(combining, word))
    assert word == letters
