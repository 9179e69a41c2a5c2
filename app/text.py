"""Where text enters the system: one normal form, and what is refused whatever the field."""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any

import phonenumbers
from khmernormalizer.khnormal import khmer_normalize
from pydantic import BeforeValidator, GetCoreSchemaHandler, WithJsonSchema
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from app.case_code import written_as_code

# Nothing longer is even looked at: it is twice the longest field.
LONGEST = 20_000
# UAX 15, stream-safe text: no language needs more marks on one letter, and sorting more takes quadratic time.
MOST_MARKS = 30
# A written syllable has up to ten signs; what is longer is noise, stays as it came and fills no cache.
LONGEST_SYLLABLE = 40

_BOM = "\ufeff"
_SPACES = "\t\n\r \u00a0\u1680\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
# Also stripped, as they show nothing: soft hyphen, blank letters, zero width space, joiners, byte order mark.
_EDGES = _SPACES + "\u00ad\u2800\u3164\u200b\u200c\u200d\u2060" + _BOM
_INVISIBLE = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp"})
_LINE_ENDS = re.compile("\r\n|[\r\u2028\u2029]")

_SURROGATE = re.compile("[\ud800-\udfff]")
_DIRECTION = re.compile("[\u202a-\u202e\u2066-\u2069]")
# C0 and C1 controls and the noncharacters, which XML and so XLSX cannot hold.
_NEVER = "\x00-\x08\x0b-\x1f\x7f-\x9f\ufdd0-\ufdef" + "".join(
    chr(plane << 16 | last) for plane in range(17) for last in (0xFFFE, 0xFFFF)
)
_CONTROL_IN_LINES = re.compile(f"[{_NEVER}]")
_CONTROL_IN_LINE = re.compile(f"[{_NEVER}\t\n\u2028\u2029]")

_KHMER_BASE = "\u1780-\u17a2\u17a5-\u17b3"
# One letter with two signs or more; joiners and spaces end a syllable, so that they stay where they stood.
_SYLLABLE = re.compile(f"[{_KHMER_BASE}](?:\u17d2[{_KHMER_BASE}]|[\u17b6-\u17d1\u17d3]){{2,}}+")
_SUBSCRIPT_DA_OR_TA = re.compile("\u17d2[\u178a\u178f]")
_KHMER_DIGITS = {ord("០") + digit: str(digit) for digit in range(10)}
# A subscript that looks the same, and letters that are no longer used: ឣ is អ, ឤ is អា, ឲ is ឱ.
_KHMER_SAME = (("\u17d2\u178a", "\u17d2\u178f"), ("\u17a3", "អ"), ("\u17a4", "អា"), ("\u17b2", "ឱ"))
_PHONE = re.compile(r"\+?[0-9 \u00a0().\-\u2010-\u2015]{3,30}")
LONGEST_PHONE = 40
LONGEST_CODE = 40


def _refuse_dangerous(text: str, control: re.Pattern[str]) -> None:
    if _SURROGATE.search(text):
        raise PydanticCustomError("text_surrogate", "The text holds half of a character (a lone surrogate).")
    if control.search(text):
        raise PydanticCustomError("text_control_character", "The text holds a control character.")
    if _DIRECTION.search(text):
        raise PydanticCustomError("text_direction_override", "The text turns the direction of writing.")
    if _BOM in text:
        raise PydanticCustomError("text_byte_order_mark", "The text holds a byte order mark.")


def _refuse_mark_storm(text: str) -> None:
    marks = 0
    for char in text:
        marks = marks + 1 if unicodedata.combining(char) else 0
        if marks > MOST_MARKS:
            raise PydanticCustomError("text_combining_marks", "The text holds too many marks on one letter.")


def _ordered_once(syllable: str) -> str:
    ordered: str = khmer_normalize(syllable)
    # The library spells every subscript DA as TA, which look the same; what was typed is kept.
    typed = iter(_SUBSCRIPT_DA_OR_TA.findall(syllable))
    return _SUBSCRIPT_DA_OR_TA.sub(lambda _: next(typed), ordered)


@lru_cache(maxsize=8192)
def _ordered(syllable: str) -> str:
    """The syllable with its signs in the order of Khmer spelling; noise that finds no rest stays as it is."""
    before = syllable
    for _ in range(3):
        after = _ordered_once(before)
        if after == before:
            return after
        before = after
    return syllable


def _ordered_khmer(text: str) -> str:
    def replaced(match: re.Match[str]) -> str:
        found = match.group()
        return _ordered(found) if len(found) <= LONGEST_SYLLABLE else found

    return _SYLLABLE.sub(replaced, text)


def _cleaned(text: str, longest: int, control: re.Pattern[str]) -> str:
    if len(text) > LONGEST:
        raise PydanticCustomError("text_too_long", "The text is too long.")
    text = text.strip(_EDGES)
    _refuse_dangerous(text, control)
    if not text.isascii():
        _refuse_mark_storm(text)
        text = _ordered_khmer(unicodedata.normalize("NFC", text))
        _refuse_mark_storm(text)  # again: one character may have become several marks
    if all(unicodedata.category(char) in _INVISIBLE for char in text):
        raise PydanticCustomError("text_empty", "The text is empty.")
    if len(text) > longest:
        raise PydanticCustomError("text_too_long", "The text is too long.")
    return text


def clean_line(text: str, longest: int = LONGEST) -> str:
    """One line in normal form (NFC, Khmer signs in order, edges stripped), 1 to `longest` characters.

    PydanticCustomError `text_empty, text_too_long, text_surrogate, text_control_character,
    text_direction_override, text_byte_order_mark, text_combining_marks`; no message holds the text.
    """
    return _cleaned(text, longest, _CONTROL_IN_LINE)


def clean_lines(text: str, longest: int = LONGEST) -> str:
    """As `clean_line`, but tabs and line ends are kept; every line end becomes a line feed."""
    return _cleaned(_LINE_ENDS.sub("\n", text[: LONGEST + 1]), longest, _CONTROL_IN_LINES)


@dataclass(frozen=True)
class Text:
    """Marks a field as text from outside: `Annotated[str, Text(40)]`, or `Text(500, lines=True)`."""

    longest: int
    lines: bool = False

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        clean: Callable[[str, int], str] = clean_lines if self.lines else clean_line

        def read(value: object) -> str:
            if not isinstance(value, str):
                raise PydanticCustomError("text_type", "This must be text.")
            return clean(value, self.longest)

        # The lengths are checked above; here they are for the OpenAPI document.
        shape = core_schema.str_schema(min_length=1, max_length=self.longest)
        return core_schema.no_info_before_validator_function(read, shape)


NameText = Annotated[str, Text(120)]
ShortText = Annotated[str, Text(200)]
LongText = Annotated[str, Text(10_000, lines=True)]


def latin_digits(text: str) -> str:
    """The text with Khmer digits as 0 to 9."""
    return text.translate(_KHMER_DIGITS)


def _read_case_code(value: object) -> str:
    if not isinstance(value, str):
        raise PydanticCustomError("text_type", "This must be text.")
    code = written_as_code(latin_digits(value)) if len(value) <= LONGEST_CODE else None
    if code is None:
        raise PydanticCustomError("case_code_invalid", "A case code is written SR-XXXX-XXXX.")
    return code


CaseCode = Annotated[
    str,
    BeforeValidator(_read_case_code),
    WithJsonSchema({"type": "string", "maxLength": LONGEST_CODE, "examples": ["SR-03NQ-K8S3"]}),
]


def search_key(text: str) -> str:
    """The form in which spellings of one word meet: for comparing only, of cleaned text; idempotent.

    Case folded, compatibility forms joined, invisible characters gone, Khmer signs in order, spaces single.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    visible = "".join(char for char in folded if unicodedata.category(char) != "Cf")
    for written, same in _KHMER_SAME:
        visible = visible.replace(written, same)
    return " ".join(latin_digits(_ordered_khmer(visible)).split())


def phone_number(text: str) -> str:
    """The number in E.164, read as Cambodian unless it begins with +; PydanticCustomError `phone_invalid`.

    A number counts by its length alone, so that a prefix opened tomorrow is not refused today.
    """
    # Numbers copied from a telephone's contacts come wrapped in invisible direction marks.
    visible = "".join(char for char in text[: LONGEST_PHONE + 1] if unicodedata.category(char) != "Cf")
    number = _parsed_phone(latin_digits(visible).strip()) if len(text) <= LONGEST_PHONE else None
    if number is None:
        raise PydanticCustomError("phone_invalid", "This is not a telephone number.")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _parsed_phone(plain: str) -> phonenumbers.PhoneNumber | None:
    if not _PHONE.fullmatch(plain):
        return None
    # Widely written so, but 008 alone dials out of Cambodia, and the library would read another country.
    plain = plain.replace("00855", "+855", 1) if plain.startswith("00855") else plain
    try:
        number = phonenumbers.parse(plain, "KH")
    except phonenumbers.NumberParseException:
        return None
    possible = phonenumbers.is_possible_number_with_reason(number)
    return number if possible == phonenumbers.ValidationResult.IS_POSSIBLE else None


def _read_phone(value: object) -> str:
    if not isinstance(value, str):
        raise PydanticCustomError("text_type", "This must be text.")
    return phone_number(value)


PhoneNumber = Annotated[
    str,
    BeforeValidator(_read_phone),
    WithJsonSchema({"type": "string", "maxLength": LONGEST_PHONE, "examples": ["+85512345678"]}),
]
