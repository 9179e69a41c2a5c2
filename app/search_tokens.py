"""Names and phone numbers as keyed, truncated tokens: what may be looked for without being readable.

A name is first brought to how it *sounds*, because one name is written many ways, in either script; then hashed with
a key of its own per kind. A token tells nothing without that key, which is not in the database, and 8 bytes of it.
"""

import hmac
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Any

from app.keys import KeyStore
from app.text import search_key

TOKEN_BYTES = 8
MOST_WORDS = 12  # of one name; what follows is not looked at

# The consonants that Khmer romanisations do not keep apart, by the transliteration table of the Documentation Center
# of Cambodia (1998) and the United Nations' system (UNGEGN, 1972), and by how the same people spell their names:
# aspirates (Sok, Sokh), voice (Bopha, Popha; Dara, Tara, both តារា), ch and chh (Chan, Chhan), ñ and n (Penh, Pen).
_LATIN = dict(zip(["chh", "ch", "sh", "ng", "nh", "kh", "gh", "th", "dh", "ph", "bh"], "ccsŋnkkttpp", strict=True))
_LATIN |= dict(zip("jcqgdbfwzx", "ckkktppvss", strict=True))
_LATIN_SOUNDS = re.compile("|".join(_LATIN))
# Before a vowel only: Chhorn is Chhon, Khiev is Khieu, Mlih is Mli, and y is a vowel unless it begins the word.
_LATIN_SILENT = re.compile("[rvh](?![aeiouæœy])")

_KHMER = dict(zip("កខគឃងចឆជឈញដឋឌឍណតថទធនបផពភមយរលវសហឡ", "kkkkŋccccnttttnttttnppppmyrlvshl", strict=True))
_KHMER_VOWELS = frozenset("អឣឤឥឦឧឨឩឪឯឰឱឲឳ\u17b4\u17b5\u17c7" + "".join(map(chr, range(0x17B6, 0x17C6))))
_KHMER_SILENT = re.compile("[ក-អ](?:\u17d2[ក-អ])*[\u17b6-\u17d1]*\u17cd")  # toandakhiat: ប្រីយ៍ is Prei
_KHMER_END = re.compile("(?:\u17d2[ក-អ])+(?=[\u17c9-\u17cc\u17ce-\u17d1]*$)")  # ពេជ្រ is Pich, រ័ត្ន is Roth
_KHMER_SPELLED = (
    ("ហ\u17d2វ", "ផ"),  # f
    ("ហ\u17d2", ""),  # ហ្គ is g, ហ្ស is z
    ("\u17c6ង", "ង"),  # តាំង is Tang
    ("\u17c6", "ម"),  # សំ is Sam
    ("\u17c8", "ក"),  # វណ្ណៈ is Vannak
    ("ឫ", "រ\u17b7"),
    ("ឬ", "រ\u17b8"),
    ("ឭ", "ល\u17b7"),
    ("ឮ", "ល\u17b8"),
)
_KHMER_WEAK_END = re.compile("[រវ]$")  # សំបូរ is Sambo, កែវ is Keo
_KHMER_TEXT = re.compile("[\u1780-\u17dd]")
_RUNS = re.compile("[\u1780-\u17dd]+|[^\u1780-\u17dd]+")
_VOWEL = "-"
_DOUBLED = re.compile(r"([^-])\1+")


class TokenKind(StrEnum):
    """What a token stands for; each kind has a key of its own."""

    NAME = "name"
    PHONE = "phone"


@dataclass(frozen=True, slots=True)
class NameWanted:
    """A name that is looked for: a row matches that has all of `words`, or the one token `joined`.

    `joined` is the name without its spaces, as Khmer is written; it is found in a row of which it is one name, or
    family and given name in either order.
    """

    words: frozenset[int]
    joined: int


@dataclass(frozen=True)
class SearchTokens:
    """Makes the tokens of one installation: signed 64-bit numbers, the first 8 bytes of HMAC-SHA256."""

    _keys: Mapping[TokenKind, bytes] = field(repr=False)

    @classmethod
    def of(cls, keys: KeyStore) -> "SearchTokens":
        """With the keys of this installation, one for each kind."""
        return cls({kind: keys.secret(f"search-{kind.value}") for kind in TokenKind})

    def names(self, *names: str | None) -> set[int]:
        """The tokens of what one person is called: each word of each name, and each name without its spaces."""
        sounds = {sound for name in names if name for sound in (*_words(name), _joined(name))}
        return {self._token(TokenKind.NAME, sound) for sound in sounds if sound}

    def full_name(self, family: str | None, given: str | None) -> set[int]:
        """The tokens of a family and a given name of one script: as `names`, and both joined in either order."""
        both = (f"{family} {given}", f"{given} {family}") if family and given else ()
        return self.names(family, given, *both)

    def phones(self, numbers: Iterable[str]) -> set[int]:
        """The tokens of telephone numbers in E.164 (`app.text.phone_number`)."""
        return {self._token(TokenKind.PHONE, number) for number in numbers}

    def of_person(self, private: Mapping[str, Any]) -> dict[TokenKind, set[int]]:
        """Every token of a person, by kind, from the private part of the row (`PersonPrivate` as JSON)."""
        names = self.names(private.get("alias"), private.get("known_as"))
        for script in ("km", "en"):
            names |= self.full_name(private.get(f"family_name_{script}"), private.get(f"given_name_{script}"))
        return {
            TokenKind.NAME: names,
            TokenKind.PHONE: self.phones(phone["number"] for phone in private.get("phones") or ()),
        }

    def wanted(self, name: str) -> NameWanted | None:
        """What to look for; None when nothing of the name can be heard ("—")."""
        words = _words(name)
        if not words:
            return None
        tokens = frozenset(self._token(TokenKind.NAME, word) for word in words)
        return NameWanted(tokens, self._token(TokenKind.NAME, _joined(name)))

    def _token(self, kind: TokenKind, text: str) -> int:
        return int.from_bytes(hmac.digest(self._keys[kind], text.encode(), "sha256")[:TOKEN_BYTES], signed=True)


def sound(word: str) -> str:
    """How a word sounds, roughly: its consonants in classes, `-` for a vowel that begins or ends it.

    Vowels inside a word are left out: Khmer does not always write them, and romanisations agree on them least
    (សំណាង Samnang, Somnang; រស្មី Raksmey, Reaksmey). Letters of other scripts are kept as they are. Idempotence is
    not promised; the same spelling gives the same sound.
    """
    return _sound("".join(_split(word)))


def _words(name: str) -> list[str]:
    return [heard for word in _split(name) if (heard := _sound(word))]


def _joined(name: str) -> str:
    return _sound("".join(_split(name)))


def plain_words(text: str) -> list[str]:
    """The words of a text as they are spelled, without case and signs; Khmer sets no spaces between its words."""
    plain = unicodedata.normalize("NFKD", search_key(text))
    letters = [" " if unicodedata.category(char)[0] not in "LMN" else char for char in plain if char not in "'’ʼ`"]
    return "".join(letters).split()


@lru_cache(maxsize=4096)
def _split(name: str) -> tuple[str, ...]:
    return tuple(plain_words(name)[:MOST_WORDS])


@lru_cache(maxsize=16384)
def _sound(word: str) -> str:
    runs = [(_khmer_sounds if _KHMER_TEXT.match(run) else _latin_sounds)(run) for run in _RUNS.findall(word)]
    once = _DOUBLED.sub(r"\1", "".join(runs))
    inner = once.replace(_VOWEL, "")
    if not inner:
        return once[:1]
    return f"{_VOWEL * once.startswith(_VOWEL)}{inner}{_VOWEL * once.endswith(_VOWEL)}"


def _khmer_sounds(word: str) -> str:
    """Khmer letters as classes of consonants, and `-` for vowels."""
    word = _KHMER_SILENT.sub("", word)
    for written, spelled in _KHMER_SPELLED:
        word = word.replace(written, spelled)
    word = _KHMER_WEAK_END.sub(_VOWEL, _KHMER_END.sub("", word))
    heard = "".join(_VOWEL if char in _KHMER_VOWELS else _KHMER.get(char, "") for char in word)
    return re.sub("(?<!^)y", _VOWEL, heard)


def _latin_sounds(word: str) -> str:
    """The same of Latin letters; those of other scripts, and digits, are kept as they are."""
    plain = "".join(char for char in word if not unicodedata.combining(char))
    heard = _LATIN_SILENT.sub("", _LATIN_SOUNDS.sub(lambda match: _LATIN[match.group()], plain))
    return re.sub("(?<!^)y", _VOWEL, re.sub("[aeiouæœ]", _VOWEL, heard))
