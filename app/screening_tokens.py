"""What perpetrators and users are compared by: tokens under keys of screening alone, never those of the search.

Whole names are compared: two words of one name in any order, or the name without its spaces. One word alone, such as a
family name, meets only a name that is that one word: otherwise half of the colleagues would meet every perpetrator.
"""

import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from app.keys import KeyStore
from app.sealed_secret import SecretSeal
from app.search_tokens import TOKEN_BYTES, SearchTokens, TokenKind


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

    def _name(self, name: str) -> Iterable[int]:
        wanted, turned = self._words.wanted(name), self._words.wanted(" ".join(reversed(name.split())))
        if wanted is None or turned is None:
            return
        yield from (wanted.joined, turned.joined)
        for pair in combinations(sorted(wanted.words), 2):
            both = b"".join(word.to_bytes(TOKEN_BYTES, signed=True) for word in pair)
            yield int.from_bytes(hmac.digest(self._pairs, both, "sha256")[:TOKEN_BYTES], signed=True)


def of_people(keys: KeyStore) -> dict[str, Any]:
    """What a transaction needs to write who people are: the tokens of search and screening, the seal of details."""
    return {
        "search": SearchTokens.of(keys),
        "screening": ScreeningTokens.of(keys),
        "details": SecretSeal(keys, "user-private", "user_private"),
    }
