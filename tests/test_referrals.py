"""A client is referred by her own yes; both sides see the referral to its end, and nobody more than was agreed to."""

from tests.cast import Cast
from tests.referring import EVERYTHING, MESSAGE, NEED, accepted, move, referred, seen


async def test_the_recipient_learns_nothing_of_her_before_the_yes_and_then_exactly_what_she_agreed_to(
    cast: Cast,
) -> None:
    referral = await referred(cast, ["name", "age", "need_summary"])
    assert referral["status"] == "requested"
    assert referral["service_type"] == "general_health"
    before = await seen(cast, referral)
    assert before["disclosed"] is None
    assert before["commune_code"] is None
    assert before["message"] is None
    assert "case_id" not in before
    await move(cast, referral, "accepted")
    after = await seen(cast, referral)
    assert set(after["disclosed"]) == {"name", "age", "need_summary"}
    assert after["disclosed"]["need_summary"] == NEED
    assert after["message"] == MESSAGE


async def test_everything_that_can_be_told_is_told_when_she_agreed_to_it(cast: Cast) -> None:
    referral = await accepted(cast)
    told = (await seen(cast, referral))["disclosed"]
    assert sorted(told) == sorted(EVERYTHING)
    assert told["name"] == "Kong Sokhakolab"
    receipt = await seen(cast, referral, "caseworker", rest="/receipt")
    assert len(receipt["openings"]) == 2  # the yes and the reading
