"""The danger assessment: all answers, what raises its level, and which level is above which."""

from itertools import product

import pytest

from app.models.codes.cases import RiskLevel
from app.models.codes.incidents import DangerItem, RiskFactor
from app.services.danger import danger_of, is_lower

LOW, MEDIUM, HIGH = RiskLevel.LOW, RiskLevel.MEDIUM, RiskLevel.HIGH
NAMES = ("more_frequent", "weapon", "capable_of_killing", "choked", "jealous")
# The five answers in that order (1: yes), and the level; product.md counted by hand.
TABLE = """
00000 low    10000 medium 01000 medium 00100 medium 00010 high   00001 medium 11000 medium 10100 medium
10010 high   10001 medium 01100 medium 01010 high   01001 medium 00110 high   00101 medium 00011 high
11100 high   11010 high   11001 high   10110 high   10101 high   10011 high   01110 high   01101 high
01011 high   00111 high   11110 high   11101 high   11011 high   10111 high   01111 high   11111 high
"""
ROWS = dict(zip(TABLE.split()[::2], TABLE.split()[1::2], strict=True))


def test_the_table_holds_every_set_of_answers_once() -> None:
    assert set(ROWS) == {"".join(bits) for bits in product("01", repeat=5)}
    assert tuple(item.value for item in DangerItem) == NAMES


@pytest.mark.parametrize(("bits", "level"), ROWS.items())
def test_every_set_of_answers_has_its_score_and_level(bits: str, level: str) -> None:
    found = danger_of([DangerItem(name) for name, bit in zip(NAMES, bits, strict=True) if bit == "1"])
    assert (found.score, found.level) == (bits.count("1"), level)
    assert found.urgent_health is (bits[3] == "1")


def test_choked_alone_is_high_and_urgent() -> None:
    found = danger_of([DangerItem.CHOKED])
    assert (found.score, found.level, found.urgent_health) == (1, HIGH, True)


@pytest.mark.parametrize("factor", RiskFactor)
def test_each_factor_raises_one_level_and_all_of_them_no_more(factor: RiskFactor) -> None:
    assert danger_of([], [factor]).level is MEDIUM
    assert danger_of([DangerItem.JEALOUS], [factor]).level is HIGH
    assert danger_of([DangerItem.CHOKED], [factor]).level is HIGH
    assert danger_of([], list(RiskFactor)).level is MEDIUM
    assert not danger_of([], list(RiskFactor)).urgent_health


def test_lowering_is_known_as_such() -> None:
    order = [RiskLevel.NOT_ASSESSED, LOW, MEDIUM, HIGH]
    for old_rank, old in enumerate(order):
        for new_rank, new in enumerate(order):
            assert is_lower(new, old) is (new_rank < old_rank)
