"""Text that comes in is brought into one form without damage, or refused without an echo, in linear time."""

import string
import time
import unicodedata
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticCustomError

from app.text import (
    LONGEST,
    LongText,
    NameText,
    PhoneNumber,
    ShortText,
    Text,
    clean_line,
    clean_lines,
    latin_digits,
    phone_number,
    search_key,
)
from tests.hostile_strings import HOSTILE, HOSTILE_JSON

ZWSP, ZWNJ, ZWJ = "\u200b", "\u200c", "\u200d"

# Every character, surrogates included, and the troublesome ones far more often than chance would have them.
KHMER = "".join(chr(code) for code in range(0x1780, 0x17FA))
TROUBLE = KHMER + ZWSP + ZWNJ + ZWJ + " \t\r\n\ufeff\u2028\u202e\u0000\ud800\u0300\u0315\u0344\u00ad"
ANY_TEXT = st.one_of(
    st.text(st.characters(exclude_categories=())),
    st.text(st.sampled_from(TROUBLE), max_size=60),
    st.text(st.one_of(st.sampled_from(KHMER), st.characters()), max_size=60),
)
OWN_WORDS = {
    "The text is empty.",
    "The text is too long.",
    "The text holds a control character.",
    "The text holds half of a character (a lone surrogate).",
    "The text turns the direction of writing.",
    "The text holds a byte order mark.",
    "The text holds too many marks on one letter.",
    "This is not a telephone number.",
}
CLEANERS = pytest.mark.parametrize("clean", [clean_line, clean_lines])


class Form(BaseModel):
    name: NameText = "Sok"
    title: ShortText = "Sok"
    note: LongText = "Sok"
    phone: PhoneNumber = "+85512345678"


def error_of(read: Callable[[str], object], text: str) -> PydanticCustomError | None:
    """The error with which `text` is refused; none if it is taken."""
    try:
        read(text)
    except PydanticCustomError as error:
        return error
    return None


def refusal(read: Callable[[str], object], text: str) -> str | None:
    """The code with which `text` is refused; none if it is taken."""
    error = error_of(read, text)
    return error.type if error else None


@CLEANERS
@given(text=ANY_TEXT)
@example(text="a" + "\u0344" * 30)
@example(text="ក\u17d2\u17b6\u17dd\u0323")
def test_text_cleaned_twice_is_text_cleaned_once(clean: Callable[[str], str], text: str) -> None:
    if refusal(clean, text) is None:
        once = clean(text)
        assert clean(once) == once


@CLEANERS
@given(text=ANY_TEXT)
def test_what_is_taken_is_normal_and_holds_nothing_dangerous(clean: Callable[[str], str], text: str) -> None:
    if refusal(clean, text) is None:
        cleaned = clean(text)
        assert unicodedata.is_normalized("NFC", cleaned)
        assert cleaned == cleaned.strip() != ""
        allowed = {"\n", "\t"} if clean is clean_lines else set()
        assert [c for c in cleaned if unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"}] == [
            c for c in cleaned if c in allowed
        ]
        assert not set(cleaned) & set("\ufeff\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\uffff")


@given(text=ANY_TEXT)
def test_a_refusal_never_echoes_the_text(text: str) -> None:
    for read in (clean_line, clean_lines, phone_number):
        error = error_of(read, text)
        if error is not None:
            assert error.context is None
            assert error.message() in OWN_WORDS


@given(text=ANY_TEXT)
def test_cleaning_loses_no_khmer_letter_and_moves_no_joiner(text: str) -> None:
    if refusal(clean_line, text) is None:
        before, after = unicodedata.normalize("NFC", text), clean_line(text)
        letters = [c for c in before if "\u1780" <= c <= "\u17b3"]
        assert sorted(letters) == sorted(c for c in after if "\u1780" <= c <= "\u17b3")
        joined = before.strip("\u200b\u200c\u200d\u2060\u00ad\u2800\u3164\ufeff" + string.whitespace + "\u00a0")
        assert [c for c in joined if c in ZWSP + ZWNJ + ZWJ] == [c for c in after if c in ZWSP + ZWNJ + ZWJ]


@pytest.mark.parametrize(("name", "text"), HOSTILE, ids=[name for name, _ in HOSTILE])
def test_no_hostile_text_does_more_than_be_refused(name: str, text: str) -> None:
    for field in Form.model_fields:
        # Anything but a validation error fails the test.
        with suppress(ValidationError):
            assert getattr(Form.model_validate({field: text}), field)
    assert search_key(text) == search_key(text + ZWSP)
    assert len(latin_digits(text)) == len(text)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "text_empty"),
        (" \t\n ", "text_empty"),
        (ZWSP + ZWJ, "text_empty"),
        ("\ufeff", "text_empty"),
        ("\u3164", "text_empty"),
        ("\u200e", "text_empty"),
        ("Sok\x00Dara", "text_control_character"),
        ("Sok\x1fDara", "text_control_character"),
        ("Sok\x85Dara", "text_control_character"),
        ("Sok\uffffDara", "text_control_character"),
        ("Sok\ud800", "text_surrogate"),
        ("\udcff", "text_surrogate"),
        ("Sok\u202eDara", "text_direction_override"),
        ("\u2066Sok\u2069", "text_direction_override"),
        ("Sok\ufeffDara", "text_byte_order_mark"),
        ("Z" + "\u0300" * 31, "text_combining_marks"),
        ("a" * (LONGEST + 1), "text_too_long"),
        (" " * (LONGEST + 1), "text_too_long"),
    ],
)
@CLEANERS
def test_dangerous_text_is_refused_by_a_code(clean: Callable[[str], str], text: str, code: str) -> None:
    assert refusal(clean, text) == code


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\t", "\u2028", "\u2029"])
def test_a_name_is_one_line(end: str) -> None:
    assert refusal(clean_line, f"Sok{end}Dara") == "text_control_character"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\u2028", "\u2029"])
def test_a_note_keeps_its_lines_with_one_kind_of_line_end(end: str) -> None:
    assert clean_lines(f"Sok{end}{end}\tDara{end}") == "Sok\n\n\tDara"


@pytest.mark.parametrize(
    "text",
    [
        "O'Brien & “Co” — 3 × ½ … ﬁ",
        "Zoë Šimůnek, Nguyễn Thị Ánh",
        "\U0001f469\u200d\U0001f467\u200d\U0001f466 ❤️ \U0001f1f0\U0001f1ed",
        "مرحبا שלום 你好",
        "a  b\u00a0c",
        "www.example.org ... !! ??",
        "រ៉ឺម៉ក។ល។ ស្រុក ៗ",
        f"អំពើហិង្សា{ZWSP}ក្នុង{ZWSP}គ្រួសារ",
        f"ស្រី{ZWNJ}មុំ ប្រ{ZWJ}ក",
        "វប្បធម៌ ព្រហ្មធម៌ ស្ថានសួគ៌",
        "ក្ដី ចិន្ដា ស្ត្រី បណ្ឌិត",
        "មុំ រុំ ញ៉ាំ ស៊ីណា",
    ],
)
def test_well_written_text_is_kept_as_it_is(text: str) -> None:
    assert clean_line(text) == text
    assert clean_lines(text) == text


@pytest.mark.parametrize(
    ("typed", "spelled"),
    [
        ("ស\u17d2\u179a\u17d2\u178fី", "ស\u17d2\u178f\u17d2\u179aី"),
        ("ខែ\u17d2មរ", "ខ\u17d2មែរ"),
        ("ស\u17bb\u17b8ណា", "ស\u17ca\u17b8ណា"),
        ("ក\u17c1\u17b8ត", "ក\u17beត"),
        ("ញ\u17bb\u17c6\u17b6", "ញ\u17c9\u17b6\u17c6"),
        ("e\u0301", "é"),
        ("  សុខ\u200b ", "សុខ"),
        ("\ufeffសុខ", "សុខ"),
    ],
)
def test_one_word_typed_in_two_ways_is_stored_in_one(typed: str, spelled: str) -> None:
    assert clean_line(typed) == spelled
    assert clean_line(spelled) == spelled


def test_noise_longer_than_any_syllable_is_left_as_it_came() -> None:
    noise = "ក" + "\u17b8\u17d2\u179a" * 20
    assert clean_line(noise) == noise
    assert clean_line(noise[:7]) != noise[:7]


def test_a_text_may_be_as_long_as_its_field_and_no_longer() -> None:
    assert Form(name="a" * 120, title="a" * 200, note="a" * 10_000).name == "a" * 120
    for field, longest in (("name", 120), ("title", 200), ("note", 10_000)):
        with pytest.raises(ValidationError) as refused:
            Form.model_validate({field: "a" * (longest + 1)})
        assert refused.value.errors()[0]["type"] == "text_too_long"


@pytest.mark.parametrize("value", [17, 1.5, True, None, b"Sok", ["Sok"], {"a": 1}])
def test_what_is_no_text_is_no_text(value: object) -> None:
    for field in Form.model_fields:
        with pytest.raises(ValidationError) as refused:
            Form.model_validate({field: value})
        assert refused.value.errors()[0]["type"] == "text_type"


def test_the_schema_tells_the_lengths() -> None:
    title = Form.model_json_schema()["properties"]["title"]
    assert (title["type"], title["minLength"], title["maxLength"]) == ("string", 1, 200)


def test_a_marker_makes_a_field_of_any_length() -> None:
    assert Text(3).longest == 3
    assert refusal(lambda text: clean_line(text, 3), "Sokh") == "text_too_long"


STORMS = [
    "ក\u17d2",
    "\u17d2",
    "\u17be\u17bb",
    "ក\u17c1\u17bb\u17b8",
    "ក",
    ZWNJ,
    " \u200b",
    "e\u0301",
    "\U0001f469\u200d",
    "a ",
    "\u0300\u0315\u0327",
]


@CLEANERS
@pytest.mark.parametrize("storm", STORMS, ids=ascii)
def test_the_longest_text_is_read_in_a_moment_whatever_it_is(clean: Callable[[str], str], storm: str) -> None:
    text = ("ក" + storm * LONGEST)[:LONGEST]
    begun = time.process_time()  # of this process alone: a busy machine does not disturb it
    if refusal(clean, text) is None:
        search_key(clean(text))
    # Some 20 ms; what grows with the square of the length takes far longer.
    assert time.process_time() - begun < 0.3


@given(text=ANY_TEXT)
def test_a_search_key_is_its_own_search_key(text: str) -> None:
    if refusal(clean_line, text) is None:
        key = search_key(clean_line(text))
        assert search_key(key) == key


@pytest.mark.parametrize(
    ("stored", "asked"),
    [
        ("SOK  Dara", "sok dara"),
        ("ＳＯＫ", "sok"),
        (f"ចាន់{ZWSP}ថា", "ចាន់ថា"),
        (f"ស្រី{ZWNJ}មុំ", "ស្រីមុំ"),
        ("ចិន្ដា", "ចិន្តា"),
        ("ស\u17d2\u179a\u17d2\u178fី", "ស្ត្រី"),
        ("ភូមិ ៤", "ភូមិ 4"),
        ("ឲ្យ", "ឱ្យ"),
        ("ស\u17d2" + ZWJ + "រី", "ស្រី"),
    ],
)
def test_two_spellings_of_one_name_meet_in_one_search_key(stored: str, asked: str) -> None:
    assert search_key(stored) == search_key(asked)


def test_different_names_do_not_meet_in_one_search_key() -> None:
    assert len({search_key(name) for name in ("សុខា", "សុភា", "Sokha", "Sophea", "ក", "កា")}) == 6


def test_khmer_digits_become_latin_digits_and_nothing_else_changes() -> None:
    assert latin_digits("ផ្ទះ ០១២៣៤៥៦៧៨៩ ab ²") == "ផ្ទះ 0123456789 ab ²"


@pytest.mark.parametrize(
    "written",
    [
        "012 345 678",
        "012345678",
        "០១២ ៣៤៥ ៦៧៨",
        "+855 12 345 678",
        "+855 (0)12 345 678",
        "855 12 345 678",
        "00855 12 345 678",
        "012-345-678",
        "(012) 345.678",
        "\u202a012\u00a0345\u2011678\u202c",
        f" 012{ZWSP}345678 ",
    ],
)
def test_one_number_written_in_many_ways_is_one_number(written: str) -> None:
    assert phone_number(written) == "+85512345678"
    assert Form(phone=written).phone == "+85512345678"


def test_a_number_of_a_neighbouring_country_is_taken() -> None:
    assert phone_number("+66 81 234 5678") == "+66812345678"


@pytest.mark.parametrize(
    "written",
    [
        "",
        "12",
        "123456",
        "abc",
        "012345678 / 099",
        "call 012345678",
        "1-800-FLOWERS",
        "+999 12 345 678",
        "012 345 678;ext=5",
        "+",
        "0" * 41,
        "012345678" + " " * 60 + "x",
        "\ud800",
        "٠١٢٣٤٥٦٧٨",
    ],
)
def test_what_is_no_number_is_refused(written: str) -> None:
    assert refusal(phone_number, written) == "phone_invalid"


@given(text=st.one_of(ANY_TEXT, st.text(st.sampled_from("+0123456789០១២ ()-.;,ext#"), max_size=45)))
def test_a_number_is_read_as_itself_again_or_refused(text: str) -> None:
    if refusal(phone_number, text) is None:
        number = phone_number(text)
        assert number.startswith("+")
        assert number[1:].isdecimal()
        assert number.isascii()
        assert phone_number(number) == number


def test_hostile_bodies_and_texts_have_names_of_their_own() -> None:
    for corpus in (HOSTILE, HOSTILE_JSON):
        assert len({name for name, _ in corpus}) == len(corpus) == len({value for _, value in corpus})
