"""What perpetrators and users are compared by: tokens under keys of screening alone, never those of the search.

Whole names are compared: two words of one name in any order, or the name without its spaces. One word alone, such as a
family name, meets only a name that is that one word: otherwise half of the colleagues would meet every perpetrator.
"""

import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import combinations
from typing import Any

import phonenumbers

from app.keys import KeyStore
from app.sealed_secret import SecretSeal
from app.search_tokens import TOKEN_BYTES, SearchTokens, TokenKind, plain_words

NAME_IN_TEXT = 3  # words that stand together
SHORTEST_NUMBER = 6  # digits of a telephone that are looked for in a text
_OWNED = re.compile(r"['’ʼ`]s\b")


@dataclass(frozen=True)
class ScreeningTokens:
    """Makes the tokens of one installation: signed 64-bit numbers."""

    _words: SearchTokens
    _pairs: bytes = field(repr=False)

    @classmethod
    def of(cls, keys: KeyStore) -> "ScreeningTokens":
        """With the keys of this installation, other ones than the search's."""
        own = {kind: keys.secret(f"screening-{kind.value}") for kind in TokenKind}
        return cls(SearchTokens(own), keys.secret("screening-pair"))

    def names(self, names: Iterable[str]) -> set[int]:
        """The tokens of names of one person or of several."""
        return {token for name in names for token in self._name(name)}

    def phones(self, numbers: Iterable[str]) -> set[int]:
        """The tokens of telephone numbers in E.164."""
        return self._words.phones(numbers)

    def perpetrators(self, told: Iterable[Mapping[str, Any]]) -> set[int]:
        """The tokens of everybody who is named in an incident (`Perpetrator` as JSON)."""
        tokens = set()
        for one in told:
            tokens |= self.names(one.get("names", ())) | self.phones(one.get("phones", ()))
        return tokens

    def mention(self, text: str, told: Iterable[Mapping[str, Any]]) -> bool:
        """Does a text of people name one of them (`Perpetrator` as JSON), by telephone, name or given name?

        Whole names by sound, in either script and order. One word among others as it is spelled: half of all words
        sound like a short name. A text of one word by sound again.
        """
        said, people = plain_words(_OWNED.sub("", text)), list(told)
        names = [name for one in people for name in one.get("names", ())]
        if _numbers(text, people) or _spelled(said, names):
            return True
        sizes = range(1 if len(said) == 1 else 2, NAME_IN_TEXT + 1)
        parts = (said[at : at + size] for size in sizes for at in range(len(said) - size + 1))
        called = [*names, *(word for name in names for word in name.split())] if len(said) == 1 else names
        return not self.names(called).isdisjoint(self.names(" ".join(part) for part in parts))

    def _name(self, name: str) -> Iterable[int]:
        wanted, turned = self._words.wanted(name), self._words.wanted(" ".join(reversed(name.split())))
        if wanted is None or turned is None:
            return
        yield from (wanted.joined, turned.joined)
        for pair in combinations(sorted(wanted.words), 2):
            both = b"".join(word.to_bytes(TOKEN_BYTES, signed=True) for word in pair)
            yield int.from_bytes(hmac.digest(self._pairs, both, "sha256")[:TOKEN_BYTES], signed=True)


def _numbers(text: str, people: Iterable[Mapping[str, Any]]) -> bool:
    digits = re.sub(r"\D", "", "".join(plain_words(text)))
    numbers = (phonenumbers.parse(number).national_number for one in people for number in one.get("phones", ()))
    return any(len(str(number)) >= SHORTEST_NUMBER and str(number) in digits for number in numbers)


def _spelled(said: list[str], names: Iterable[str]) -> bool:
    """A given name, which is said last in Khmer, or the one name somebody has; of a Khmer name also within a word."""
    together = "".join(said)
    for name in names:
        words = plain_words(name)
        joined = "".join(words)
        if words and (words[-1] in said or (not joined.isascii() and joined in together)):
            return True
    return False


def of_people(keys: KeyStore) -> dict[str, Any]:
    """What a transaction needs to write who people are: the tokens of search and screening, the seal of details, and
    the keyed hash by which what is sent is known again."""
    return {
        "search": SearchTokens.of(keys),
        "screening": ScreeningTokens.of(keys),
        "details": SecretSeal(keys, "user-private", "user_private"),
        "sent": partial(keys.digest, "referral-in"),
    }
