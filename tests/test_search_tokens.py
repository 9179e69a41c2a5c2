"""Tokens of names and phones: spellings of one name meet, and a token tells nothing without its key."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.demo.names import FAMILY_NAMES, FEMALE_GIVEN_NAMES, MALE_GIVEN_NAMES
from app.keys import KeyStore, ensure
from app.search_tokens import SearchTokens, TokenKind, sound

KEYS = {TokenKind.NAME: b"n" * 32, TokenKind.PHONE: b"p" * 32}
TOKENS = SearchTokens(KEYS)
KHMER = st.text(alphabet=[chr(code) for code in range(0x1780, 0x17DE)] + list("\u200b\u200c\u200d "), max_size=30)
TEXTS = st.text(max_size=60) | KHMER

MEETING = """
Sok Sokh Sock Sukh | Chan Chhan Chann Chhann Jan | Srey Srei Sray Sree Sreï | Sophea Sopheah Sophia Sopea |
Chhorn Chhon Chhoeurn | Penh Pen Penn | Bopha Popha Bopa | Dara Tara Darra | Vann Van Wan | Keo Kev Keov Keaw |
Samnang Somnang Sâmnang | Kunthea Kuntea Gunthea | Ly Li Lee Lei | Phoeun Phoeurn Phœun | Huot Hout Huoth |
Sovann Sovan Suvan | Ouk Ok Uk | Chea Jea Chia | Raksmey Reaksmey | សុភា សុភា\u200b | ចាន់ ចាន\u17cb\u200c
"""
APART = "Sok Sokha | Sophea Sopheap | Chan Chanthy | Mom Mao | Lim Long | Srey Sreymom | Seng Sen | សុខ សុខា | Oum Mao"


def groups(listed: str) -> list[list[str]]:
    return [group.split() for group in listed.split("|")]


@pytest.mark.parametrize("spellings", groups(MEETING))
def test_common_spellings_of_a_name_meet(spellings: list[str]) -> None:
    assert len({sound(spelling) for spelling in spellings}) == 1, [(one, sound(one)) for one in spellings]


@pytest.mark.parametrize("names", groups(APART))
def test_different_names_do_not(names: list[str]) -> None:
    assert len({sound(name) for name in names}) == len(names)


def test_a_khmer_name_meets_its_romanisation() -> None:
    """Of the demo's names all but four, which are written with letters that are not said."""
    listed = (*FAMILY_NAMES, *FEMALE_GIVEN_NAMES, *MALE_GIVEN_NAMES)
    apart = {name.en for name in listed if sound(name.km) != sound(name.en)}
    assert apart == {"Raksmey", "Chakriya", "Mlis", "Kakada"}


def test_names_are_not_thrown_together_by_the_handful() -> None:
    listed = {name.en for name in (*FAMILY_NAMES, *FEMALE_GIVEN_NAMES, *MALE_GIVEN_NAMES)}
    assert len({sound(name) for name in listed}) > len(listed) * 3 / 4


def found(recorded: set[int], name: str) -> bool:
    wanted = TOKENS.wanted(name)
    return wanted is not None and (wanted.words <= recorded or wanted.joined in recorded)


@pytest.mark.parametrize(
    "asked",
    [
        "Sok Sreymom",
        "sreymom sok",
        "SREYMOM",
        "Sok",
        "Sok Srey Mom",
        "srey mom",
        "Srei-Mum  Sokh",
        "SokSreymom",
        "សុខ ស្រីមុំ",
        "សុខស្រីមុំ",
        "ស្រីមុំសុខ",
        "សុខ\u200bស្រី\u200dមុំ",
        "Sok ស្រីមុំ",
    ],
)
def test_a_person_is_found_by_either_script_and_order_and_without_spaces(asked: str) -> None:
    assert found(TOKENS.full_name("Sok", "Sreymom"), asked)
    assert found(TOKENS.full_name("សុខ", "ស្រីមុំ"), asked)


@pytest.mark.parametrize(
    "asked", ["Sok Dara", "Chan Sreymom", "Sok Sreymom Dara", "Mom", "mom srey sok dara", "—", "  "]
)
def test_every_word_must_match(asked: str) -> None:
    assert not found(TOKENS.full_name("Sok", "Sreymom"), asked)


def test_a_person_is_found_by_any_name_they_are_called() -> None:
    private = {
        "alias": "Blue door",
        "known_as": "Mother of Dara",
        "family_name_km": "សុខ",
        "given_name_km": "ស្រីមុំ",
        "given_name_en": "Srey Mom",
        "phones": [{"number": "+85512345678"}, {"number": "+85512345679"}],
    }
    tokens = TOKENS.of_person(private)
    for asked in ("blue door", "bluedoor", "dara", "mother of dara", "សុខ", "mom", "sreymom"):
        assert found(tokens[TokenKind.NAME], asked), asked
    assert tokens[TokenKind.PHONE] == TOKENS.phones(["+85512345678", "+85512345679"])
    assert not tokens[TokenKind.NAME] & tokens[TokenKind.PHONE]


def test_a_person_without_private_fields_has_no_tokens() -> None:
    assert TOKENS.of_person({}) == {TokenKind.NAME: set(), TokenKind.PHONE: set()}


def test_kinds_and_installations_have_keys_of_their_own(tmp_path: Path) -> None:
    stores = []
    for name in ("one", "other"):
        ensure(tmp_path / name)
        stores.append(SearchTokens.of(KeyStore.load(tmp_path / name)))
    assert not stores[0].names("12345678") & stores[1].names("12345678")
    assert not stores[0].names("12345678") & stores[0].phones(["12345678"])
    assert stores[0].names("12345678") == SearchTokens.of(KeyStore.load(tmp_path / "one")).names("12345678")
    assert "key" not in repr(stores[0]).casefold()


@given(TEXTS)
def test_any_text_has_tokens_of_eight_bytes(name: str) -> None:
    tokens = TOKENS.names(name)
    assert all(-(2**63) <= token < 2**63 for token in tokens)
    assert len(tokens) <= 13


@given(TEXTS)
def test_a_person_is_found_by_what_was_written(name: str) -> None:
    if TOKENS.wanted(name) is not None:
        assert found(TOKENS.names(name), name)


@given(st.permutations(["sok", "srey", "dara"]), st.sampled_from([" ", "  ", "\u00a0", "-", " \u200b"]))
def test_the_order_of_words_and_what_is_between_them_does_not_matter(words: list[str], between: str) -> None:
    assert found(TOKENS.names("Sok Srey Dara"), between.join(words))


@given(KHMER)
def test_invisible_characters_do_not_matter(name: str) -> None:
    shown = "".join(char for char in name if char not in "\u200b\u200c\u200d")
    assert TOKENS.names(name) == TOKENS.names(shown)


@given(st.text(alphabet="0123456789", min_size=1, max_size=9))
def test_khmer_digits_are_digits(digits: str) -> None:
    assert sound(digits.translate({ord("0") + n: chr(0x17E0 + n) for n in range(10)})) == sound(digits)
