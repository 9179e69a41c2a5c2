"""Somebody close to the abuser is kept away before anybody has to notice: perpetrators against users."""

import asyncio
from random import choice, choices
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from app.models.codes.people import Role
from app.screening_tokens import ScreeningTokens
from app.search_tokens import SearchTokens
from tests.acts import (
    SENSITIVE,
    assign,
    break_glass,
    code_of,
    emergency,
    finds,
    lift,
    listed,
    newcomer,
    open_again,
    status_of,
    total,
    with_liaison,
    without_instance,
)
from tests.cases import SUPPORT, intake, open_case
from tests.cast import COMMUNE, Cast, answered
from tests.confirmations import confirmed
from tests.trail import Superuser

EVERY_FIELD: dict[str, list[str]] = {"names_km": [], "names_en": [], "phones": [], "relations": [], "earlier_names": []}


def a_name() -> str:
    """A name that nobody else bears."""
    return " ".join("".join(c + choice("aeo") for c in choices("ktpmnlsv", k=6)).title() for _ in range(2))  # noqa: S311


def a_phone() -> str:
    return f"+85512{uuid4().int % 1_000_000:06}"


def incident(**perpetrator: list[str]) -> dict[str, Any]:
    return {"perpetrators": [perpetrator]}


async def tell(cast: Cast, who: str, case_id: str, **perpetrator: list[str]) -> Any:
    """Report an incident with one perpetrator."""
    return answered(await cast.client(who).post(f"/cases/{case_id}/incidents", json=incident(**perpetrator)), 201)


async def describe(cast: Cast, user: str, **told: Any) -> Any:
    """What the admin writes about a user."""
    answer = await cast.client("admin").patch(f"/users/{cast.id(user)}", json=told, headers={"If-Match": "*"})
    return answered(answer, 200)


async def answer(cast: Cast, who: str, match: Any, said: str, status: int = 200) -> Any:
    path = f"/cases/{match['case_id']}/screening/{match['id']}/answer"
    return answered(await cast.client(who).post(path, json={"answer": said, "reason": "We asked."}), status)


async def matches(cast: Cast, who: str, case_id: str) -> list[Any]:
    return await listed(cast, who, f"/cases/{case_id}/screening")


async def waiting(cast: Cast, case_id: str) -> set[str]:
    """Whose matches wait for the lead's answer."""
    found = await listed(cast, "caseworker", f"/cases/{case_id}/screening", status="open")
    return {match["user_id"] for match in found}


async def somebody(cast: Cast, role: Role = Role.CASEWORKER, **told: Any) -> str:
    """A new colleague of whom this is known."""
    name = await newcomer(cast, role, "ngo")
    await describe(cast, name, **told)
    return name


async def a_matched_colleague(cast: Cast) -> tuple[str, str, Any]:
    """A sensitive case, a colleague who worked on it until the incident was told, and the match."""
    phone = a_phone()
    who = await somebody(cast, phones=[phone])
    case_id = await open_case(cast, category=SENSITIVE)
    await assign(cast, "caseworker", case_id, who, "caseworker")
    await tell(cast, "caseworker", case_id, phones=[phone])
    (match,) = await matches(cast, "caseworker", case_id)
    return case_id, who, match


async def test_a_liaison_whose_brother_is_named_as_perpetrator_is_not_assigned_before_the_lead_has_answered(
    cast: Cast,
) -> None:
    brother, liaison = a_name(), f"liaison_{uuid4().hex[:6]}"
    await cast.add(liaison, Role.CCWC_LIAISON, "council", [COMMUNE])
    await describe(cast, liaison, relations=[brother])
    case_id = await open_case(cast, category=SENSITIVE, consents=[SUPPORT], incident=incident(names=[brother]))
    wanted = {"user_id": cast.id(liaison), "role": "liaison"}
    refused = await cast.client("caseworker").post(f"/cases/{case_id}/assignments", json=wanted)
    assert answered(refused, 409)["code"] == "conflict"
    (match,) = await matches(cast, "caseworker", case_id)
    assert (match["user_id"], match["kinds"], match["status"]) == (cast.id(liaison), ["relation"], "open")
    assert brother not in str(match)
    done = await answer(cast, "caseworker", match, "somebody_else")
    assert (done["status"], done["reason"]) == ("dismissed", "We asked.")
    assert done["answered_by"]["id"] == cast.id("caseworker")
    await assign(cast, "caseworker", case_id, liaison, "liaison")
    assert await status_of(cast, liaison, case_id) == 200


async def test_a_caseworker_who_meets_by_phone_loses_the_case_at_once_in_every_list_and_count(cast: Cast) -> None:
    phone = a_phone()
    who = await somebody(cast, phones=[phone])
    case_id = await open_case(cast, category=SENSITIVE)
    await assign(cast, "caseworker", case_id, who, "caseworker")
    before = await total(cast, who)
    assert await finds(cast, who, case_id)
    await tell(cast, "caseworker", case_id, phones=[phone])
    assert await total(cast, who) == before - 1
    assert not await finds(cast, who, case_id)
    assert not await finds(cast, who, case_id, assigned="me")
    for rest in ("", "/notes", "/timeline", "/people", "/incidents", "/assignments", "/exclusions", "/screening"):
        assert await status_of(cast, who, case_id, rest) == 404


async def test_a_colleague_loses_the_sight_of_a_standard_case_too(cast: Cast, superuser: Superuser) -> None:
    name = a_name()
    who = await somebody(cast, names_en=[name])
    first = await open_case(cast)
    assert await status_of(cast, who, first) == 200
    second = answered(await open_again(cast, "caseworker", first, incident=incident(names=[name])), 201)["id"]
    assert await status_of(cast, who, first) == 404, "of another case of the same woman"
    assert await status_of(cast, who, second) == 404
    assert await matches(cast, "caseworker", first) == [], "it is answered where it was told"
    assert await listed(cast, "caseworker", f"/cases/{first}/exclusions") == []
    third = answered(await open_again(cast, "caseworker", first), 201)["id"]
    assert await status_of(cast, who, third) == 404, "of a later case"
    (match,) = await matches(cast, "caseworker", second)
    await answer(cast, "caseworker", match, "somebody_else")
    assert [await status_of(cast, who, case_id) for case_id in (first, third)] == [200, 404]
    query = "select count(*) from case_exclusions where user_id = %s and lifted_at is null"
    assert superuser.execute(query, [cast.id(who)]).fetchone() == (0,)


async def test_the_matched_colleague_cannot_tell(cast: Cast, superuser: psycopg.Connection) -> None:
    case_id, who, match = await a_matched_colleague(cast)
    client, said = cast.client(who), {"answer": "somebody_else", "reason": "It is not me."}
    for rest in ("", "/screening", f"/screening/{match['id']}"):
        hidden = without_instance(await client.get(f"/cases/{case_id}{rest}"))
        assert hidden == without_instance(await client.get(f"/cases/{uuid4()}{rest}"))
        assert hidden[0] == 404
    path = f"screening/{match['id']}/answer"
    hidden = without_instance(await client.post(f"/cases/{case_id}/{path}", json=said))
    assert hidden == without_instance(await client.post(f"/cases/{uuid4()}/{path}", json=said))
    assert await listed(cast, who, "/screening") == []
    assert await listed(cast, who, "/me/notices") == []
    await break_glass(cast, superuser, case_id, who, 404)
    hidden = without_instance(await client.post("/break-glass", json=emergency(code_of(superuser, case_id))))
    assert hidden == without_instance(await client.post("/break-glass", json=emergency("SR-03NQ-K8S3")))


async def test_who_is_free_again_never_reads_that_there_was_a_match(cast: Cast) -> None:
    case_id, who, match = await a_matched_colleague(cast)
    await answer(cast, "caseworker", match, "somebody_else")
    assert await status_of(cast, who, case_id) == 404, "no assignment comes back"
    await assign(cast, "caseworker", case_id, who, "lead")
    assert await status_of(cast, who, case_id) == 200
    assert await matches(cast, who, case_id) == []
    assert await status_of(cast, who, case_id, f"/screening/{match['id']}") == 404
    await answer(cast, who, match, "somebody_else", 404)


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("Chhorn Sopheap", {"names_en": ["Sopheap CHHON"]}),
        ("ឈន សុភាព", {"names_en": ["Chhon Sopheap"]}),
        ("ឈនសុភាព", {"names_en": ["Chhorn Sopheap"]}),
        ("Sopheap Chhorn", {"names_km": ["ឈនសុភាព"]}),
        ("Chhorn Sopheap", {"relations": ["Chhorn Sopheap Vuthy"]}),
        ("Ta Chhorn Sopheap", {"display_name": "Sopheap Chhorn"}),
    ],
)
async def test_spellings_of_one_name_meet(cast: Cast, told: str, kept: dict[str, Any]) -> None:
    who = await somebody(cast, **kept)
    case_id = await open_case(cast, category=SENSITIVE, incident=incident(names=[told]))
    assert cast.id(who) in [match["user_id"] for match in await matches(cast, "caseworker", case_id)]


async def test_a_family_name_alone_meets_nobody_who_has_more_of_a_name(cast: Cast) -> None:
    family, given = a_name().split()
    await somebody(cast, names_en=[f"{family} {given}"], relations=[f"{family} {a_name().split()[0]}"])
    case_id = await open_case(cast, category=SENSITIVE, incident=incident(names=[family, f"{a_name()}"]))
    assert await matches(cast, "caseworker", case_id) == []


async def test_a_phone_of_a_perpetrator_is_not_taken_for_a_name_nor_a_relative_for_the_person(cast: Cast) -> None:
    name, phone = a_name(), a_phone()
    both = await somebody(cast, names_en=[name], phones=[phone], relations=[name])
    case_id = await open_case(cast, category=SENSITIVE, incident=incident(names=[name], phones=[phone]))
    (match,) = await matches(cast, "caseworker", case_id)
    assert (match["user_id"], match["kinds"]) == (cast.id(both), ["name", "phone", "relation"])


async def test_whoever_is_renamed_or_described_later_is_screened_again(cast: Cast) -> None:
    name, phone, relative = a_name(), a_phone(), a_name()
    case_id = await open_case(cast, category=SENSITIVE, incident=incident(names=[name, relative], phones=[phone]))
    for told in ({"display_name": name}, {"phones": [phone]}, {"relations": [relative]}):
        who = await newcomer(cast, Role.CASEWORKER, "ngo")
        await assign(cast, "caseworker", case_id, who, "caseworker")
        assert await status_of(cast, who, case_id) == 200
        await describe(cast, who, **told)
        assert await status_of(cast, who, case_id) == 404


async def test_a_new_user_is_screened_before_the_first_sign_in(cast: Cast) -> None:
    relative = a_name()
    case_id = await open_case(cast, category=SENSITIVE, incident=incident(names=[relative]))
    body = {"username": f"new.{uuid4().hex[:8]}", "display_name": "New", "role": "caseworker"}
    body |= {"organisation_id": cast.organisation("ngo"), "relations": [relative]}  # type: ignore[dict-item]
    made = answered(await cast.client("admin").post("/users", json=body), 201)
    assert relative not in str(made)
    assert [match["user_id"] for match in await matches(cast, "caseworker", case_id)] == [made["id"]]


async def test_who_was_never_described_is_screened_by_the_name_that_colleagues_see_when_assigned(cast: Cast) -> None:
    who = await newcomer(cast, Role.CASEWORKER, "ngo")
    shown = who.replace("_", " ").title()
    case_id = await open_case(cast, category=SENSITIVE, incident=incident(names=[shown]))
    wanted = {"user_id": cast.id(who), "role": "caseworker"}
    answered(await cast.client("caseworker").post(f"/cases/{case_id}/assignments", json=wanted), 409)


async def test_a_new_display_name_does_not_hide_the_one_before(cast: Cast) -> None:
    name = a_name()
    who = await somebody(cast, display_name=name)
    await describe(cast, who, display_name=a_name())
    await describe(cast, who, display_name=a_name())
    case_id = await open_case(cast, category=SENSITIVE, incident=incident(names=[name]))
    assert [match["user_id"] for match in await matches(cast, "caseworker", case_id)] == [cast.id(who)]
    assert name in answered(await cast.client(who).get("/me/details"), 200)["earlier_names"]


async def test_an_admin_alone_takes_no_relative_away(cast: Cast) -> None:
    brother, sister = a_name(), a_name()
    who = await somebody(cast, relations=[brother])
    asked = await describe(cast, who, relations=[sister])
    assert asked["pending"]["wanted"]["details"] == ["relations"]
    assert brother not in str(asked)
    own = answered(await cast.client(who).get("/me/details"), 200)
    assert own["relations"] == [brother, sister], "what is added counts at once"
    for relative in (brother, sister):
        case_id = await open_case(cast, category=SENSITIVE, incident=incident(names=[relative]))
        assert [match["user_id"] for match in await matches(cast, "caseworker", case_id)] == [cast.id(who)]
    # A new name and a further detail, while it waits, are kept when it is confirmed.
    renamed, phone = a_name(), a_phone()
    await describe(cast, who, display_name=renamed, phones=[phone])
    done = await confirmed(cast, cast.id(who))
    assert done is not None
    assert answered(done, 200)["wanted"]["details"] == ["relations"]
    own = answered(await cast.client(who).get("/me/details"), 200)
    assert (own["relations"], own["phones"]) == ([sister], [phone])
    found = incident(names=[brother, renamed], phones=[phone])
    case_id = await open_case(cast, category=SENSITIVE, incident=found)
    (match,) = await matches(cast, "caseworker", case_id)
    assert match["kinds"] == ["name", "phone"], "the brother is no longer known"


async def test_what_was_withdrawn_is_not_taken_away_by_a_later_yes(cast: Cast) -> None:
    brother = a_name()
    who = await somebody(cast, relations=[brother])
    await describe(cast, who, relations=[])
    back = await describe(cast, who, relations=[brother])
    assert back["pending"]["wanted"]["details"] == []
    await confirmed(cast, cast.id(who))
    await describe(cast, who, relations=[])
    answered(await cast.client("admin").post(f"/users/{cast.id(who)}/reset-password"), 200)  # takes its place
    await confirmed(cast, cast.id(who))
    case_id = await open_case(cast, category=SENSITIVE, incident=incident(names=[brother]))
    assert [match["user_id"] for match in await matches(cast, "caseworker", case_id)] == [cast.id(who)]


async def test_nobody_but_the_person_reads_what_is_kept_and_no_copy_holds_it(
    cast: Cast, superuser: Superuser, database: Any
) -> None:
    name, phone, relative = a_name(), a_phone(), a_name()
    told: Any = {"names_en": [name], "phones": [phone], "relations": [relative]}
    who = await somebody(cast, **told)
    assert answered(await cast.client(who).get("/me/details"), 200) == {**EVERY_FIELD, **told}
    assert answered(await cast.client("admin").get("/me/details"), 200) == EVERY_FIELD
    await describe(cast, who, relations=[])
    await open_case(cast, category=SENSITIVE, incident=incident(names=[relative]))
    for table in ("users", "user_private", "user_tokens", "user_requests", "screening_tokens", "screening_matches"):
        copied = superuser.execute(f"select coalesce(string_agg(t::text, ' '), '') from {table} t".encode()).fetchone()
        assert copied is not None
        for secret in (name, phone, relative):
            assert secret not in str(copied[0])
            assert secret.encode().hex() not in str(copied[0])
    with psycopg.connect(database.runtime) as connection:
        for caller, seen in ((who, 1), ("caseworker", 0), ("auditor", 0), ("supervisor", 0)):
            connection.execute("select from begin_request(%s, %s)", [cast.sessions[caller], cast.clock()])
            rows = connection.execute("select from user_private where user_id = %s", [cast.id(who)])
            assert rows.rowcount == seen
            with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
                connection.execute(
                    "insert into user_private (user_id, sealed) values (%s, '')", [cast.id("second_liaison")]
                )
            connection.rollback()


async def test_who_is_named_in_the_own_intake_opens_the_case_and_neither_leads_nor_sees_it(cast: Cast) -> None:
    phone = a_phone()
    who = await somebody(cast, phones=[phone])
    body = intake(SENSITIVE, incident=incident(phones=[phone]))
    opened = answered(await cast.client(who).post("/cases", json=body), 201)
    assert set(opened) == {"id", "code"}
    for rest in ("", "/receipt", "/screening"):
        assert await status_of(cast, who, opened["id"], rest) == 404
    assert await finds(cast, "supervisor", opened["id"], "/caseload", needs_lead=True)
    (match,) = await matches(cast, "supervisor", opened["id"])
    await answer(cast, "supervisor", match, "somebody_else")


async def test_a_perpetrator_whom_nobody_knows_leaves_the_intake_as_it_was(cast: Cast) -> None:
    case_id = await open_case(cast, category=SENSITIVE, incident=incident(names=[a_name()], phones=[a_phone()]))
    seen = answered(await cast.client("caseworker").get(f"/cases/{case_id}"), 200)
    assert seen["lead"]["id"] == cast.id("caseworker")
    assert seen["access"] == {"via": "lead", "mode": "write"}


async def test_whoever_tells_of_an_incident_may_turn_out_to_be_named_in_it(cast: Cast) -> None:
    phone = a_phone()
    who = await somebody(cast, phones=[phone])
    case_id = await open_case(cast, category=SENSITIVE)
    await assign(cast, "caseworker", case_id, who, "caseworker")
    await tell(cast, who, case_id, phones=[phone])
    assert await status_of(cast, who, case_id) == 404
    assert len(await listed(cast, "caseworker", f"/cases/{case_id}/incidents")) == 1


async def test_a_lead_who_meets_is_taken_off_and_a_supervisor_answers(cast: Cast) -> None:
    phone = a_phone()
    lead = await somebody(cast, phones=[phone])
    case_id = await open_case(cast, lead, SENSITIVE)
    await tell(cast, lead, case_id, phones=[phone])
    assert await status_of(cast, lead, case_id) == 404
    assert await finds(cast, "supervisor", case_id, "/caseload", needs_lead=True)
    (match,) = await listed(cast, "supervisor", f"/cases/{case_id}/screening", status="open")
    assert match["id"] in [one["id"] for one in await listed(cast, "supervisor", "/screening", status="open")]
    await answer(cast, "supervisor", match, "same_person")
    (stands,) = await listed(cast, "supervisor", f"/cases/{case_id}/exclusions")
    assert (stands["user_id"], stands["reason_code"]) == (cast.id(lead), "perpetrator")
    assert stands["created_by"] == cast.id("supervisor")
    assert await status_of(cast, lead, case_id) == 404


async def test_a_supervisor_may_answer_for_the_lead_who_was_taken_off_after_another_is_named(cast: Cast) -> None:
    phone = a_phone()
    lead = await somebody(cast, phones=[phone])
    case_id = await open_case(cast, lead, SENSITIVE)
    await tell(cast, lead, case_id, phones=[phone])
    (match,) = await matches(cast, "supervisor", case_id)
    await assign(cast, "supervisor", case_id, "colleague", "lead")
    await answer(cast, "supervisor", match, "same_person", 404)  # a stub again
    await assign(cast, "supervisor", case_id, "supervisor", "reviewer")
    await answer(cast, "supervisor", match, "same_person")


async def test_a_review_that_is_over_shows_no_match(cast: Cast) -> None:
    case_id, _, match = await a_matched_colleague(cast)
    await assign(cast, "supervisor", case_id, "supervisor", "reviewer")
    assert match["id"] in [one["id"] for one in await listed(cast, "supervisor", "/screening")]
    cast.clock.advance(days=8)
    assert match["id"] not in [one["id"] for one in await listed(cast, "supervisor", "/screening")]


async def test_of_two_answers_at_once_one_counts(cast: Cast) -> None:
    for _ in range(6):
        case_id, _, match = await a_matched_colleague(cast)
        path = f"/cases/{case_id}/screening/{match['id']}/answer"
        said = [{"answer": one, "reason": "We asked."} for one in ("same_person", "somebody_else", "same_person")]
        answers = await asyncio.gather(*(cast.client("caseworker").post(path, json=one) for one in said))
        assert sorted(one.status_code for one in answers) == [200, 409, 409]


async def test_matches_come_in_pages(cast: Cast) -> None:
    names = [a_name() for _ in range(3)]
    people = {cast.id(await somebody(cast, names_en=[name])) for name in names}
    case_id = await open_case(cast, category=SENSITIVE, incident=incident(names=names))
    found: list[str] = []
    query: dict[str, Any] = {"limit": 1}
    for _ in range(3):
        got = await cast.client("caseworker").get(f"/cases/{case_id}/screening", params=query)
        page = answered(got, 200)
        found += [one["user_id"] for one in page["items"]]
        query["cursor"] = page["next_cursor"]
    assert query["cursor"] is None
    assert set(found) == people


async def test_while_there_is_a_lead_no_supervisor_answers_in_her_place(cast: Cast) -> None:
    case_id, _, match = await a_matched_colleague(cast)
    await answer(cast, "supervisor", match, "same_person", 404)  # a stub shows no matches
    assert match["id"] not in [one["id"] for one in await listed(cast, "supervisor", "/screening")]
    await assign(cast, "supervisor", case_id, "supervisor", "reviewer")
    assert match["id"] in [one["id"] for one in await listed(cast, "supervisor", "/screening")]
    await answer(cast, "supervisor", match, "same_person", 403)
    await answer(cast, "caseworker", match, "same_person")
    await answer(cast, "caseworker", match, "somebody_else", 409)


async def test_a_supervisor_who_meets_neither_reads_nor_answers(cast: Cast) -> None:
    phone = a_phone()
    supervisor = await somebody(cast, Role.SUPERVISOR, phones=[phone])
    lead = await somebody(cast, phones=[phone])
    case_id = await open_case(cast, lead, SENSITIVE)
    await tell(cast, lead, case_id, phones=[phone])
    found = {one["user_id"]: one for one in await matches(cast, "supervisor", case_id)}
    assert set(found) == {cast.id(supervisor), cast.id(lead)}
    for match in found.values():
        assert await status_of(cast, supervisor, case_id, f"/screening/{match['id']}") == 404
        await answer(cast, supervisor, match, "somebody_else", 404)
    assert case_id not in [one["case_id"] for one in await listed(cast, supervisor, "/screening")]
    assert not await finds(cast, supervisor, case_id, "/caseload")


async def test_the_same_person_stays_away_until_two_people_lift_it(cast: Cast) -> None:
    case_id, who, match = await a_matched_colleague(cast)
    await lift(cast, "caseworker", case_id, match["id"], 404)  # nobody's decision yet
    assert await listed(cast, "caseworker", f"/cases/{case_id}/exclusions") == []
    assert (await answer(cast, "caseworker", match, "same_person"))["status"] == "confirmed"
    (stands,) = await listed(cast, "caseworker", f"/cases/{case_id}/exclusions")
    asked = await lift(cast, "caseworker", case_id, stands["id"])
    assert asked["lifted_at"] is None
    assert await status_of(cast, who, case_id) == 404
    await assign(cast, "supervisor", case_id, "supervisor", "reviewer")
    await lift(cast, "supervisor", case_id, stands["id"])
    await assign(cast, "caseworker", case_id, who, "caseworker")
    assert await status_of(cast, who, case_id) == 200


async def test_a_relative_who_is_confirmed_is_excluded_as_a_relative(cast: Cast) -> None:
    brother = a_name()
    await somebody(cast, relations=[brother])
    case_id = await open_case(cast, category=SENSITIVE, incident=incident(names=[brother]))
    (match,) = await matches(cast, "caseworker", case_id)
    await answer(cast, "caseworker", match, "same_person")
    (stands,) = await listed(cast, "caseworker", f"/cases/{case_id}/exclusions")
    assert stands["reason_code"] == "relative_of_perpetrator"


async def test_what_was_answered_does_not_come_back_but_something_new_does(cast: Cast) -> None:
    name, phone = a_name(), a_phone()
    who = await somebody(cast, names_en=[name])
    case_id = await open_case(cast, category=SENSITIVE, incident=incident(names=[name]))
    (match,) = await matches(cast, "caseworker", case_id)
    await answer(cast, "caseworker", match, "somebody_else")
    await tell(cast, "caseworker", case_id, names=[name])
    await describe(cast, who, names_km=[name])
    assert [one["status"] for one in await matches(cast, "caseworker", case_id)] == ["dismissed"]
    # What was said of one colleague and one case is said of no other.
    other, elsewhere = await somebody(cast, names_en=[name]), await open_case(cast, category=SENSITIVE)
    assert await waiting(cast, case_id) == {cast.id(other)}
    await tell(cast, "caseworker", elsewhere, names=[name])
    assert await waiting(cast, elsewhere) == {cast.id(who), cast.id(other)}
    (of_other,) = await listed(cast, "caseworker", f"/cases/{case_id}/screening", status="open")
    await answer(cast, "caseworker", of_other, "somebody_else")
    await tell(cast, "caseworker", case_id, names=[name], phones=[phone])
    assert await waiting(cast, case_id) == set()
    await describe(cast, who, phones=[phone])
    again = await listed(cast, "caseworker", f"/cases/{case_id}/screening", status="open")
    assert [(one["user_id"], one["kinds"]) for one in again] == [(cast.id(who), ["phone"])]
    await describe(cast, who, relations=[name])  # the name of the brother is another matter than the own one
    (grown,) = await listed(cast, "caseworker", f"/cases/{case_id}/screening", status="open")
    assert (grown["id"], grown["kinds"]) == (again[0]["id"], ["phone", "relation"])


async def test_somebody_not_known_yet_is_named_on_many_cases_at_once(cast: Cast) -> None:
    """As after a bulk load: whoever comes first writes down by what the colleague is found, and nobody is refused."""
    who = await newcomer(cast, Role.CASEWORKER, "ngo")
    cases = [await open_case(cast) for _ in range(8)]
    wanted = {"user_id": cast.id(who), "role": "caseworker", "reason": "As agreed."}
    path = "/cases/{}/assignments"
    answers = await asyncio.gather(
        *(cast.client("caseworker").post(path.format(case_id), json=wanted) for case_id in cases)
    )
    assert {made.status_code for made in answers} == {201}


async def test_an_edit_of_the_perpetrators_is_screened_and_takes_no_match_away(cast: Cast) -> None:
    phone = a_phone()
    who = await somebody(cast, phones=[phone])
    case_id = await open_case(cast, category=SENSITIVE)
    told = await tell(cast, "caseworker", case_id, names=[a_name()])
    await assign(cast, "caseworker", case_id, who, "caseworker")
    path, ifs = f"/cases/{case_id}/incidents/{told['id']}", {"If-Match": "*"}
    lead = cast.client("caseworker")
    answered(await lead.patch(path, json=incident(phones=[phone]), headers=ifs), 200)
    assert await status_of(cast, who, case_id) == 404
    answered(await lead.patch(path, json={"perpetrators": []}, headers=ifs), 200)
    assert await status_of(cast, who, case_id) == 404
    later = await somebody(cast, phones=[phone])
    assert cast.id(later) not in [one["user_id"] for one in await matches(cast, "caseworker", case_id)]


async def test_the_timeline_says_that_there_was_a_match_and_names_nobody(cast: Cast, superuser: Superuser) -> None:
    case_id, who, match = await a_matched_colleague(cast)
    await answer(cast, "caseworker", match, "somebody_else")
    events = {one["type"]: one for one in await listed(cast, "caseworker", f"/cases/{case_id}/timeline")}
    assert (events["screening.found"]["data"], events["screening.found"]["actor"]) == ({}, None)
    assert events["screening.answered"]["data"] == {"answer": "somebody_else"}
    assert events["screening.answered"]["reason"] == "We asked."
    query = "select data::text from events where case_id = %s and type like 'screening.%%'"
    assert cast.id(who) not in str(superuser.execute(query, [case_id]).fetchall())


async def test_who_was_cleared_never_reads_that_she_was_screened_nor_what_was_said_of_her(cast: Cast) -> None:
    case_id, who, match = await a_matched_colleague(cast)
    done = f"/cases/{case_id}/screening/{match['id']}/answer"
    said = {"answer": "somebody_else", "reason": "SECRET"}
    answered(await cast.client("caseworker").post(done, json=said), 200)
    await assign(cast, "caseworker", case_id, who, "caseworker")
    await assign(cast, "caseworker", case_id, "colleague", "caseworker")
    await assign(cast, "supervisor", case_id, "supervisor", "reviewer")
    for reader, reads in ((who, False), ("colleague", False), ("supervisor", True), ("caseworker", True)):
        timeline = await listed(cast, reader, f"/cases/{case_id}/timeline")
        kinds = {one["type"] for one in timeline}
        assert ({"screening.found", "screening.answered"} <= kinds, "SECRET" in str(timeline)) == (reads, reads), reader
        assert any(kind.startswith("screening.") for kind in kinds) is reads, reader
    # What she leads one day does not tell her either, nor does the list of who worked on it.
    team = [one for one in await listed(cast, who, f"/cases/{case_id}/assignments") if one["user_id"] == cast.id(who)]
    assert {one["end_reason"] for one in team} == {"ended", None}
    await assign(cast, "caseworker", case_id, who, "lead")
    assert "screening." not in str(await listed(cast, who, f"/cases/{case_id}/timeline"))


async def test_a_cleared_supervisor_who_reviews_the_case_reads_nothing_of_it(cast: Cast) -> None:
    phone = a_phone()
    who = await somebody(cast, Role.SUPERVISOR, phones=[phone])
    case_id = await open_case(cast, category=SENSITIVE, incident=incident(phones=[phone]))
    (match,) = await matches(cast, "caseworker", case_id)
    await answer(cast, "caseworker", match, "somebody_else")
    await assign(cast, "supervisor", case_id, who, "reviewer")
    assert "screening." not in str(await listed(cast, who, f"/cases/{case_id}/timeline"))


async def test_a_liaison_is_not_told_of_matches(cast: Cast) -> None:
    phone = a_phone()
    await somebody(cast, phones=[phone])
    case_id, _ = await with_liaison(cast)
    await tell(cast, "caseworker", case_id, phones=[phone])
    assert "screening.found" not in str(await listed(cast, "liaison", f"/cases/{case_id}/timeline"))
    assert await status_of(cast, "liaison", case_id, "/screening") == 403
    answered(await cast.client("liaison").get("/screening"), 403)


async def test_an_answer_wants_the_password_and_a_repeated_one_is_read_again(cast: Cast) -> None:
    case_id, _, match = await a_matched_colleague(cast)
    path = f"/cases/{case_id}/screening/{match['id']}/answer"
    token, _ = cast.runtime.tokens.issue(cast.users["caseworker"].id, cast.sessions["caseworker"], cast.clock())
    cast.clock.advance(minutes=6)
    token, _ = cast.runtime.tokens.issue(cast.users["caseworker"].id, cast.sessions["caseworker"], cast.clock())
    said, bearer = {"answer": "somebody_else", "reason": "We asked."}, {"Authorization": f"Bearer {token}"}
    refused = await cast.client("nobody").post(path, json=said, headers=bearer)
    assert answered(refused, 401)["code"] == "step_up_required"
    key = {"Idempotency-Key": uuid4().hex}
    first = answered(await cast.client("caseworker").post(path, json=said, headers=key), 200)
    again = await cast.client("caseworker").post(path, json=said, headers=key)
    assert answered(again, 200) == first
    assert again.headers["Idempotency-Replayed"] == "true"


async def test_both_sides_changed_at_once_find_each_other(cast: Cast) -> None:
    for _ in range(8):
        phone = a_phone()
        who = await newcomer(cast, Role.CASEWORKER, "ngo")
        case_id = await open_case(cast, category=SENSITIVE)
        await asyncio.gather(
            tell(cast, "caseworker", case_id, phones=[phone]),
            describe(cast, who, phones=[phone]),
        )
        assert [one["user_id"] for one in await matches(cast, "caseworker", case_id)] == [cast.id(who)]


async def test_screening_excluding_and_assigning_at_once_do_not_get_in_each_others_way(cast: Cast) -> None:
    first = await open_case(cast)
    second = answered(await open_again(cast, "caseworker", first), 201)["id"]
    for _ in range(6):
        phone = a_phone()
        who = await somebody(cast, phones=[phone])
        wanted = {"user_id": cast.id(who), "role": "caseworker"}
        shut_out = {"user_id": cast.id("partner"), "reason_code": "client_wish"}
        lead = cast.client("caseworker")
        made = await asyncio.gather(
            lead.post(f"/cases/{first}/incidents", json=incident(phones=[phone])),
            lead.post(f"/cases/{second}/exclusions", json=shut_out),
            lead.post(f"/cases/{second}/assignments", json=wanted),
            describe(cast, who, phones=[phone, a_phone()]),
        )
        assert [one.status_code for one in made[:2]] == [201, 201]
        assert made[2].status_code in {201, 409}, made[2].text
        for case_id in (first, second):
            assert await status_of(cast, who, case_id) == 404


async def test_the_keys_of_screening_are_not_those_of_the_search(cast: Cast) -> None:

    own, search = ScreeningTokens.of(cast.runtime.keys), SearchTokens.of(cast.runtime.keys)
    assert not own.names(["Chhorn Sopheap"]) & search.full_name("Chhorn", "Sopheap")
    assert not own.phones(["+85512345678"]) & search.phones(["+85512345678"])
