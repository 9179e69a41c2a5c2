"""Emergency access: opened by code, told at once, over after four hours, reviewed by another, and blocked without."""

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, LiteralString
from uuid import uuid4

import httpx
import psycopg
import pytest

from app.case_code import ALPHABET, is_case_code, random_case_code, written_as_code
from app.db import run
from app.models.codes.people import Role
from tests.acts import SENSITIVE, assign, code_of, emergency, exclude, listed, newcomer, status_of, without_instance
from tests.cases import SUPPORT, open_case
from tests.cast import Cast, FrozenClock, answered
from tests.doors import blocked
from tests.mutants.policies import everything_for_every_role

Superuser = psycopg.Connection[Any]


async def colleague_of(cast: Cast, role: Role = Role.CASEWORKER, organisation: str = "ngo") -> str:
    """Somebody with no grants yet."""
    return await newcomer(cast, role, organisation)


async def sensitive(cast: Cast, superuser: Superuser, **changes: Any) -> tuple[str, str]:
    """A sensitive case of `caseworker`, and its code."""
    case_id = await open_case(cast, category=SENSITIVE, **changes)
    return case_id, code_of(superuser, case_id)


async def breaks(cast: Cast, who: str, code: str, **headers: str) -> httpx.Response:
    """The answer to an emergency."""
    return await cast.client(who).post("/break-glass", json=emergency(code), headers=headers)


async def opened(cast: Cast, who: str, code: str) -> Any:
    """The grant."""
    return answered(await breaks(cast, who, code), 201)


async def review(cast: Cast, who: str, grant: Any, status: int = 200, finding: str = "justified") -> Any:
    """What somebody says about a grant."""
    said = {"finding": finding, "note": "He had come back."}
    return answered(await cast.client(who).post(f"/break-glass/{grant['id']}/review", json=said), status)


async def known(cast: Cast, who: str, **query: str) -> dict[str, Any]:
    """The grants of which somebody knows, by id."""
    return {item["id"]: item for item in await listed(cast, who, "/break-glass", **query)}


def grants(superuser: Superuser) -> int:
    """How many there are at all."""
    row = superuser.execute("select count(*) from break_glass_grants").fetchone()
    assert row is not None
    return int(row[0])


# ---- opening ----


async def test_in_an_emergency_a_colleague_sees_the_case_for_four_hours_to_the_second(
    cast: Cast, superuser: Superuser, clock: FrozenClock
) -> None:
    case_id, code = await sensitive(cast, superuser)
    who = await colleague_of(cast)
    assert await status_of(cast, who, case_id) == 404
    grant = await opened(cast, who, code)
    assert (grant["case_id"], grant["case_code"], grant["reason"]) == (case_id, code, "He is at her door.")
    assert datetime.fromisoformat(grant["expires_at"]) == clock() + timedelta(hours=4)
    seen = answered(await cast.client(who).get(f"/cases/{case_id}"), 200)
    assert seen["access"] == {"via": "break_glass", "mode": "contribute"}
    clock.advance(hours=3, minutes=59, seconds=59)
    assert await status_of(cast, who, case_id) == 200
    clock.advance(seconds=1)
    assert await status_of(cast, who, case_id) == 404
    over = answered(await cast.client(who).get(f"/break-glass/{grant['id']}"), 200)
    assert (over["id"], over["reason"], over["note"]) == (grant["id"], None, None), "the words are part of the case"


async def test_the_lead_and_the_supervisors_are_told_at_once(cast: Cast, superuser: Superuser) -> None:
    case_id, code = await sensitive(cast, superuser, consents=[SUPPORT])
    await assign(cast, "caseworker", case_id, "liaison", "liaison")
    who = await colleague_of(cast)
    grant = await opened(cast, who, code)
    told = answered(await cast.client("caseworker").get(f"/cases/{case_id}/timeline"), 200)["items"]
    (event,) = [one for one in told if one["type"] == "break_glass.opened"]
    assert (event["actor"]["id"], event["subject_id"]) == (cast.id(who), grant["id"])
    assert (event["data"], event["reason"]) == ({"reason_code": "danger_to_life"}, "He is at her door.")
    for reader in ("caseworker", "supervisor", "second_supervisor", who):
        assert grant["id"] in await known(cast, reader), reader
        assert grant["id"] in await known(cast, reader, status="unreviewed"), reader
    for stranger in ("colleague", "stranger", "other_supervisor"):
        assert grant["id"] not in await known(cast, stranger), stranger
        answered(await cast.client(stranger).get(f"/break-glass/{grant['id']}"), 404)
    team = answered(await cast.client("liaison").get(f"/cases/{case_id}/timeline"), 200)["items"]
    assert "break_glass.opened" not in {one["type"] for one in team}


async def test_a_supervisor_who_does_not_see_the_case_is_told_who_when_and_why_in_a_code_and_no_words(
    cast: Cast, superuser: Superuser
) -> None:
    case_id, code = await sensitive(cast, superuser)
    grant = await opened(cast, await colleague_of(cast), code)
    path = f"/break-glass/{grant['id']}"
    for reader, reason in (("supervisor", None), ("caseworker", "He is at her door.")):
        read = answered(await cast.client(reader).get(path), 200)
        assert read == (await known(cast, reader))[grant["id"]]
        assert read == {**grant, "reason": reason}
    assert grant["lead"]["id"] == cast.id("caseworker")
    assert set(grant) == {
        *("id", "case_id", "case_code", "lead", "user", "reason_code", "reason", "created_at", "expires_at"),
        *("ended_at", "review_due_at", "overdue", "reviewed_at", "reviewed_by", "finding", "note"),
    }
    await assign(cast, "supervisor", case_id, "supervisor", "reviewer")
    assert answered(await cast.client("supervisor").get(path), 200)["reason"] == "He is at her door."


async def test_nobody_puts_words_into_somebody_elses_grant_nor_other_words_into_the_own(
    cast: Cast, superuser: Superuser
) -> None:
    _, code = await sensitive(cast, superuser)
    who = await colleague_of(cast)
    grant = await opened(cast, who, code)
    superuser.execute("update break_glass_grants set sealed = null where id = %s", [grant["id"]])
    read = "select sealed from break_glass_grants where id = %s"
    for writer, words, expected in (("colleague", b"no", None), (who, b"first", b"first"), (who, b"no", b"first")):
        async with cast.runtime.database.transaction() as session:
            assert await cast.runtime.database.begin_request(session, cast.sessions[writer])
            await run(session, "select note_glass(%(id)s, %(words)s)", {"id": grant["id"], "words": words})
        assert superuser.execute(read, [grant["id"]]).fetchone() == (expected,)
    superuser.execute("update break_glass_grants set sealed = null where id = %s", [grant["id"]])  # those open nowhere


@pytest.mark.parametrize(
    "typed",
    [
        str.lower,
        lambda code: code.replace("-", ""),
        lambda code: code.removeprefix("SR-"),
        lambda code: f" {code.replace('-', ' ')} ",
        lambda code: code.replace("0", "O").replace("1", "I"),
        lambda code: code.lower().replace("0", "o").replace("1", "l"),
        lambda code: code.translate({ord("0") + digit: chr(0x17E0 + digit) for digit in range(10)}),
    ],
)
async def test_a_code_is_understood_as_it_is_read_out(
    cast: Cast, superuser: Superuser, typed: Callable[[str], str]
) -> None:
    case_id, code = await sensitive(cast, superuser)
    assert (await opened(cast, await colleague_of(cast), typed(code)))["case_id"] == case_id


@pytest.mark.parametrize("code", ["", "SR", "SR-0000-000", "SR-0000-00000", "SR-UUUU-UUUU", "0" * 41, 7, None, "ស្រី"])
async def test_what_has_not_the_shape_of_a_code_is_said_to_have_none(cast: Cast, code: Any) -> None:
    wrong = answered(await breaks(cast, "caseworker", code), 422)
    assert [error["pointer"] for error in wrong["errors"]] == ["/case_code"]


def test_what_reads_alike_is_the_same_code_and_nothing_else_is() -> None:
    assert written_as_code("sr-oiL0-1234") == "SR-0110-1234"
    assert written_as_code("SR-SRSR-SRSR") == written_as_code("SRSRSRSR") == "SR-SRSR-SRSR"
    for _ in range(200):
        code = random_case_code()
        assert is_case_code(code)
        assert written_as_code(code) == code


# ---- refusing ----


async def test_an_unknown_a_mistyped_and_a_hidden_code_are_the_same_404(cast: Cast, superuser: Superuser) -> None:
    case_id, code = await sensitive(cast, superuser)
    who, excluded_supervisor = await colleague_of(cast), await colleague_of(cast, Role.SUPERVISOR)
    for name in (who, excluded_supervisor):
        await exclude(cast, "caseworker", case_id, name)
    mistyped = code[:-1] + ALPHABET[(ALPHABET.index(code[-1]) + 1) % 32]
    stranger, other = await colleague_of(cast, Role.CASEWORKER, "other_ngo"), "other_supervisor"
    before = grants(superuser)
    asked = [(who, random_case_code()), (who, mistyped), (who, code), (excluded_supervisor, code)]
    answers = [await breaks(cast, name, one) for name, one in [*asked, (stranger, code), (other, code)]]
    assert {answer.status_code for answer in answers} == {404}
    assert len({without_instance(answer)[1] for answer in answers}) == 1
    assert grants(superuser) == before


async def test_whoever_sees_the_case_already_opens_nothing_and_troubles_no_reviewer(
    cast: Cast, superuser: Superuser
) -> None:
    standard = code_of(superuser, await open_case(cast))
    case_id, code = await sensitive(cast, superuser)
    assigned = await colleague_of(cast)
    await assign(cast, "caseworker", case_id, assigned, "caseworker")
    leaderless = await open_case(cast, "liaison", SENSITIVE, organisation_id=cast.organisation("ngo"))
    before = grants(superuser)
    supervisor = await colleague_of(cast, Role.SUPERVISOR)
    for who, seen in [
        (await colleague_of(cast), standard),
        (supervisor, standard),
        ("caseworker", code),
        (assigned, code),
        (supervisor, code_of(superuser, leaderless)),
    ]:
        assert answered(await breaks(cast, who, seen), 409)["code"] == "access_exists", who
    assert grants(superuser) == before


async def test_a_case_that_was_seen_once_may_be_opened_in_an_emergency(
    cast: Cast, superuser: Superuser, clock: FrozenClock
) -> None:
    case_id, code = await sensitive(cast, superuser)
    who = await colleague_of(cast)
    until = (clock() + timedelta(hours=1)).isoformat()
    await assign(cast, "caseworker", case_id, who, "cover", until=until)
    assert answered(await breaks(cast, who, code), 409)["code"] == "access_exists"
    clock.advance(hours=1)  # nobody has swept it away
    await opened(cast, who, code)
    assert await status_of(cast, who, case_id) == 200


async def test_a_second_emergency_on_the_same_case_neither_lengthens_the_first_nor_is_lost_in_it(
    cast: Cast, superuser: Superuser, clock: FrozenClock
) -> None:
    case_id, code = await sensitive(cast, superuser)
    who = await colleague_of(cast)
    grant = await opened(cast, who, code)
    clock.advance(hours=2)
    assert answered(await breaks(cast, who, code), 409)["code"] == "access_exists"
    assert list(await known(cast, who)) == [grant["id"]]
    clock.advance(hours=2)
    assert await status_of(cast, who, case_id) == 404
    await opened(cast, who, code)


async def test_the_same_request_sent_twice_is_one_grant_and_read_under_present_rights(
    cast: Cast, superuser: Superuser
) -> None:
    case_id, code = await sensitive(cast, superuser)
    who, key = await colleague_of(cast), {"Idempotency-Key": f"glass {uuid4()}"}
    first, again = await breaks(cast, who, code, **key), await breaks(cast, who, code, **key)
    assert (first.status_code, again.status_code, again.json()) == (201, 201, first.json())
    assert again.headers["Idempotency-Replayed"] == "true"
    assert first.headers["Location"] == again.headers["Location"] == f"/api/v1/break-glass/{first.json()['id']}"
    await exclude(cast, "caseworker", case_id, who)
    answered(await breaks(cast, who, code, **key), 404)
    assert await known(cast, who) == {}, "the excluded know of nothing"
    answered(await cast.client(who).get(f"/break-glass/{first.json()['id']}"), 404)


# ---- blocking ----


async def test_two_unreviewed_grants_block_the_next_and_a_review_opens_the_way(
    cast: Cast, superuser: Superuser
) -> None:
    codes = [(await sensitive(cast, superuser))[1] for _ in range(3)]
    who = await colleague_of(cast)
    first = await opened(cast, who, codes[0])
    await opened(cast, who, codes[1])
    for code in (codes[2], codes[0], random_case_code()):  # nothing is said about the code
        refused = answered(await breaks(cast, who, code), 409)
        assert (refused["code"], refused["title"]) == (
            "review_pending",
            "Your earlier emergency access must be reviewed first",
        )
    await opened(cast, await colleague_of(cast), codes[2])  # nobody else is blocked
    await review(cast, "supervisor", first)
    await opened(cast, who, codes[2])


async def test_one_grant_that_nobody_reviewed_within_72_hours_blocks_the_next(
    cast: Cast, superuser: Superuser, clock: FrozenClock
) -> None:
    codes = [(await sensitive(cast, superuser))[1] for _ in range(3)]
    who, hasty = await colleague_of(cast), await colleague_of(cast)
    grant = await opened(cast, who, codes[0])
    due = clock() + timedelta(hours=72)
    assert datetime.fromisoformat(grant["review_due_at"]) == due
    await opened(cast, hasty, codes[1])
    clock.advance(hours=72)
    assert not (await known(cast, who))[grant["id"]]["overdue"]
    await opened(cast, hasty, codes[2])
    clock.advance(seconds=1)
    assert (await known(cast, "supervisor"))[grant["id"]]["overdue"]
    assert answered(await breaks(cast, who, codes[1]), 409)["code"] == "review_pending"
    reviewed = await review(cast, "supervisor", grant)
    assert not reviewed["overdue"]
    await opened(cast, who, codes[1])


# ---- reviewing ----


async def test_a_grant_is_reviewed_once_by_a_supervisor_who_is_not_its_user_nor_excluded(
    cast: Cast, superuser: Superuser
) -> None:
    case_id, code = await sensitive(cast, superuser)
    own, excluded = await colleague_of(cast, Role.SUPERVISOR), await colleague_of(cast, Role.SUPERVISOR)
    grant = await opened(cast, own, code)
    await exclude(cast, "caseworker", case_id, excluded)
    assert grant["id"] not in await known(cast, excluded, status="unreviewed")
    await review(cast, excluded, grant, 404)
    await review(cast, "other_supervisor", grant, 404)
    await review(cast, "caseworker", grant, 403)
    await review(cast, own, grant, 403)
    assert (await known(cast, "caseworker"))[grant["id"]]["reviewed_at"] is None
    reviewed = await review(cast, "supervisor", grant)
    assert (reviewed["finding"], reviewed["reviewed_by"]["id"]) == ("justified", cast.id("supervisor"))
    assert reviewed["note"] is None, "she does not see the case"
    await review(cast, "second_supervisor", grant, 409)
    read = (await known(cast, "caseworker", status="reviewed"))[grant["id"]]
    assert (read["reason"], read["note"]) == ("He is at her door.", "He had come back.")
    assert grant["id"] not in await known(cast, "supervisor", status="unreviewed")
    told = answered(await cast.client("caseworker").get(f"/cases/{case_id}/timeline"), 200)["items"]
    (event,) = [one for one in told if one["type"] == "break_glass.reviewed"]
    assert (event["actor"]["id"], event["data"]) == (cast.id("supervisor"), {"finding": "justified"})


@pytest.mark.parametrize(("finding", "after"), [("justified", 200), ("needs_follow_up", 200), ("not_justified", 404)])
async def test_what_was_not_justified_ends_at_once(
    cast: Cast, superuser: Superuser, clock: FrozenClock, finding: str, after: int
) -> None:
    case_id, code = await sensitive(cast, superuser)
    who = await colleague_of(cast)
    earlier = await opened(cast, who, code)
    clock.advance(hours=5)
    grant = await opened(cast, who, code)
    assert (await review(cast, "supervisor", earlier, finding="not_justified"))["ended_at"] is None, "it was over"
    assert await status_of(cast, who, case_id) == 200
    reviewed = await review(cast, "supervisor", grant, finding=finding)
    assert (reviewed["ended_at"] is None) is (after == 200)
    assert await status_of(cast, who, case_id) == after


async def test_a_review_sent_twice_is_one_review(cast: Cast, superuser: Superuser) -> None:
    _, code = await sensitive(cast, superuser)
    grant = await opened(cast, await colleague_of(cast), code)
    call: dict[str, Any] = {"json": {"finding": "justified"}, "headers": {"Idempotency-Key": f"review {uuid4()}"}}
    answers = [await cast.client("supervisor").post(f"/break-glass/{grant['id']}/review", **call) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()


# ---- who knows ----


async def test_a_new_lead_knows_of_it_and_the_old_one_no_longer(cast: Cast, superuser: Superuser) -> None:
    case_id, code = await sensitive(cast, superuser)
    grant = await opened(cast, await colleague_of(cast), code)
    lead = await colleague_of(cast)
    await assign(cast, "supervisor", case_id, lead, "lead")
    assert list(await known(cast, lead)) == [grant["id"]]
    assert grant["id"] not in await known(cast, "caseworker")


async def test_whoever_moves_to_another_organisation_or_role_knows_of_no_grant_any_more(
    cast: Cast, superuser: Superuser
) -> None:
    case_id, code = await sensitive(cast, superuser)
    who = await colleague_of(cast)
    grant = await opened(cast, who, code)
    move = "update users set role = %s, organisation_id = %s where id = %s"
    for role, organisation in (("caseworker", "other_ngo"), ("supervisor", "other_ngo"), ("caseworker", "ngo")):
        superuser.execute("select set_config('samaki.now', %s, false)", [cast.clock().isoformat()])
        superuser.execute(move, [role, cast.organisation(organisation), cast.id(who)])
        answered(await cast.client(who).get(f"/break-glass/{grant['id']}"), 200 if organisation == "ngo" else 404)
        assert await status_of(cast, who, case_id) == 404, "what ended never revives"
    superuser.execute(move, ["ccwc_liaison", cast.organisation("ngo"), cast.id(who)])
    answered(await cast.client(who).get("/break-glass"), 403)
    with everything_for_every_role():  # the rows alone say no more
        assert await known(cast, who) == {}
        answered(await cast.client(who).get(f"/break-glass/{grant['id']}"), 404)


async def test_pages_are_newest_first_and_lose_nothing(cast: Cast, superuser: Superuser, clock: FrozenClock) -> None:
    lead = await colleague_of(cast)
    made = []
    for number in range(5):
        case_id = await open_case(cast, lead, SENSITIVE)
        made.append((await opened(cast, await colleague_of(cast), code_of(superuser, case_id)))["id"])
        clock.advance(minutes=number % 2)  # some at the same moment
    await review(cast, "supervisor", {"id": made[0]})
    for status, wanted in (("all", made), ("unreviewed", made[1:]), ("reviewed", made[:1])):
        found: list[Any] = []
        query: dict[str, Any] = {"status": status, "limit": 2}
        while True:
            page = answered(await cast.client(lead).get("/break-glass", params=query), 200)
            assert len(page["items"]) <= 2
            found += page["items"]
            assert len(found) <= len(wanted), "no page comes twice"
            if page["next_cursor"] is None:
                break
            query["cursor"] = page["next_cursor"]
        assert sorted(item["id"] for item in found) == sorted(wanted)
        assert [item["created_at"] for item in found] == sorted((one["created_at"] for one in found), reverse=True)
    answered(await cast.client(lead).get("/break-glass", params={"status": "open"}), 422)


# ---- at once ----


async def test_twenty_requests_at_once_are_one_grant(cast: Cast, superuser: Superuser) -> None:
    case_id, code = await sensitive(cast, superuser)
    who = await colleague_of(cast)
    answers = await asyncio.gather(*(breaks(cast, who, code) for _ in range(20)))
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 19}
    assert len(await known(cast, who)) == 1
    told = answered(await cast.client("caseworker").get(f"/cases/{case_id}/timeline"), 200)["items"]
    assert len([one for one in told if one["type"] == "break_glass.opened"]) == 1


async def test_twenty_cases_at_once_are_two_grants(cast: Cast, superuser: Superuser) -> None:
    codes = [(await sensitive(cast, superuser))[1] for _ in range(20)]
    who = await colleague_of(cast)
    answers = await asyncio.gather(*(breaks(cast, who, code) for code in codes))
    assert Counter(answer.status_code for answer in answers) == {201: 2, 409: 18}
    assert len(await known(cast, who)) == 2


async def test_of_many_reviews_at_once_one_stands(cast: Cast, superuser: Superuser) -> None:
    _, code = await sensitive(cast, superuser)
    grant = await opened(cast, await colleague_of(cast), code)
    path, said = f"/break-glass/{grant['id']}/review", {"finding": "justified"}
    reviewers = ["supervisor", "second_supervisor"] * 5
    answers = await asyncio.gather(*(cast.client(name).post(path, json=said) for name in reviewers))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 9}


EXCLUDE: LiteralString = (
    "select put_exclusion(c.id, row(gen_random_uuid(), c.id, c.organisation_id, %(user)s::uuid, gen_random_uuid(),"
    " 'client_wish', app_now(), c.created_by, null, null, null, null, null, null, false)::case_exclusions)"
    " from cases c where c.id = %(case)s"
)
CHANGES: dict[str, LiteralString] = {
    "excluded": EXCLUDE,
    "inactive": "update users set active = false where id = %(user)s",
    "moved": "update users set organisation_id = %(other)s where id = %(user)s",
    "of another role": "update users set role = 'ccwc_liaison' where id = %(user)s",
}


@pytest.mark.parametrize("becomes", CHANGES)
async def test_who_changes_while_the_glass_breaks_gets_nothing(cast: Cast, superuser: Superuser, becomes: str) -> None:
    case_id, code = await sensitive(cast, superuser)
    who = await colleague_of(cast)
    values = {"user": cast.id(who), "case": case_id, "other": cast.organisation("other_ngo")}
    superuser.execute("select set_config('samaki.now', %s, false)", [cast.clock().isoformat()])
    with superuser.transaction():
        superuser.execute(CHANGES[becomes], values)
        task = asyncio.create_task(breaks(cast, who, code))
        with psycopg.connect(superuser.info.dsn, password=superuser.info.password, autocommit=True) as watcher:
            assert await blocked(watcher, task), "it waits for the change"
    assert (await task).status_code == 404
    held = "select count(*) from break_glass_grants where user_id = %(user)s"
    assert superuser.execute(held, values).fetchone() == (0,)


@pytest.mark.parametrize("becomes", CHANGES)
async def test_the_database_itself_asks_again_who_breaks_the_glass(
    cast: Cast, superuser: Superuser, becomes: str
) -> None:
    case_id, _ = await sensitive(cast, superuser)
    who = await colleague_of(cast)
    values = {"user": cast.id(who), "case": case_id, "other": cast.organisation("other_ngo")}
    breaking = "select break_glass(gen_random_uuid(), %(case)s, 'other')"
    for change, outcome in ((None, "opened"), (CHANGES[becomes], None)):
        with superuser.transaction(force_rollback=True):
            superuser.execute("select from begin_request(%s, %s)", [cast.sessions[who], cast.clock()])
            if change is not None:
                superuser.execute(change, values)
            assert superuser.execute(breaking, values).fetchone() == (outcome,)
