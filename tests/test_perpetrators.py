"""Who hurt her is no way to her, in whichever order it is told; and what was told of them is never told again."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app.calendar import day_of
from app.keys import KeyStore
from app.screening_tokens import ScreeningTokens
from tests.acts import SENSITIVE, assign, break_glass, open_again
from tests.cases import intake, open_case
from tests.cast import Cast, answered
from tests.pages import whole

ANY = {"If-Match": "*"}
DARA = {"names": ["Chan Dara"], "phones": ["012 345 678"], "relationship": "intimate_partner"}
HIS, HERS = "+85512345678", "+85598765432"
ANSWERS = [
    "Chan Dara",
    "her husband Dara Chan",
    "ចាន់ ដារ៉ា",
    "ប្តី ចាន់ ដារ៉ា",
    "DARA",
    "the number 012-345 678",
    "០១២ ៣៤៥ ៦៧៨",
]
OTHERS = ["her sister", "Chan Sophea", "Sok Dary", "012 345 679", "her mother at the market"]


def told(*perpetrators: Any) -> dict[str, Any]:
    return {"answers": {"physical": True}, "perpetrators": list(perpetrators)}


async def report(cast: Cast, case_id: str, *perpetrators: Any) -> Any:
    path = f"/cases/{case_id}/incidents"
    return answered(await cast.client("caseworker").post(path, json=told(*perpetrators)), 201)


async def say(cast: Cast, case_id: str, status: int = 200, **contact: Any) -> Any:
    path, body = f"/cases/{case_id}", {"safe_contact": contact}
    return answered(await cast.client("caseworker").patch(path, json=body, headers=ANY), status)


async def read(cast: Cast, path: str) -> Any:
    return answered(await cast.client("caseworker").get(path), 200)


def phone(number: str, *, safe: bool = True) -> dict[str, Any]:
    return {"number": number, "owner": "spouse", "safe_to_call": safe}


@pytest.fixture(scope="module")
def tokens(keys_dir: Path) -> ScreeningTokens:
    return ScreeningTokens.of(KeyStore.load(keys_dir))


@pytest.mark.parametrize(
    ("named", "text", "meant"),
    [
        *(("Chan Dara", text, True) for text in ANSWERS[:5]),
        *(("Chan Dara", text, False) for text in OTHERS),
        ("ចាន់ ដារ៉ា", "Dara Chan", True),
        ("ចាន់ដារ៉ា", "ប្តីចាន់ដារ៉ា", True),
        ("ចាន់ ដារ៉ា", "ប្តីចាន់ដារ៉ា", True),
        ("Dara", "my brother Dara", True),
        ("Dara", "ដារ៉ា", True),
        ("Mao", "my sister", False),
        ("Mao", "mao, the neighbour", True),
        ("Sen", "her son", False),
        ("Chan Dara", "one two three four five six seven eight nine ten eleven twelve thirteen Dara", True),
        ("Chan Sok Dara", "Sok Dara's house", True),
    ],
)
def test_a_text_names_somebody_however_it_is_written(
    tokens: ScreeningTokens, named: str, text: str, meant: bool
) -> None:
    assert tokens.mention(text, [{"names": [named]}]) is meant


@pytest.mark.parametrize("text", ANSWERS)
async def test_who_an_incident_names_is_not_who_may_answer(cast: Cast, text: str) -> None:
    case_id = await open_case(cast, category=SENSITIVE)
    await report(cast, case_id, DARA)
    await report(cast, case_id)  # a later incident names nobody, and takes nothing back
    refused = await say(cast, case_id, 409, may_answer=text)
    assert refused["code"] == "unsafe_contact"
    assert (await read(cast, f"/cases/{case_id}"))["safe_contact"] is None


@pytest.mark.parametrize("text", OTHERS)
async def test_somebody_else_may_answer(cast: Cast, text: str) -> None:
    case_id = await open_case(cast, category=SENSITIVE)
    await say(cast, case_id, may_answer=text)
    await report(cast, case_id, DARA)
    said = (await read(cast, f"/cases/{case_id}"))["safe_contact"]
    assert (said["may_answer"], said["do_not_contact"]) == (text, False)
    await say(cast, case_id, may_answer=text)


@pytest.mark.parametrize("text", ANSWERS)
async def test_an_incident_suspends_a_contact_at_which_its_perpetrator_would_answer(cast: Cast, text: str) -> None:
    case_id = await open_case(cast, category=SENSITIVE, safe_contact={"channels": ["phone"], "may_answer": text})
    await report(cast, case_id, DARA)
    said = (await read(cast, f"/cases/{case_id}"))["safe_contact"]
    assert (said["may_answer"], said["do_not_contact"], said["channels"]) == (None, True, ["phone"])
    events = [one["type"] for one in (await read(cast, f"/cases/{case_id}/timeline"))["items"]]
    assert {"case.escalated", "case.changed"} <= set(events)
    due = {"due_at": (cast.clock() + timedelta(days=1)).isoformat(), "channel": "phone"}
    planned = await cast.client("caseworker").post(f"/cases/{case_id}/follow-ups", json=due)
    assert answered(planned, 409)["code"] == "unsafe_contact"
    [stub] = [one for one in (await stubs(cast)) if one["id"] == case_id]
    assert stub["needs_review"], "her supervisors are told, without why"


async def stubs(cast: Cast) -> Any:
    return await whole(cast.client("supervisor"), "/caseload", limit=200)


async def test_a_perpetrator_who_is_named_later_suspends_the_contact_too(cast: Cast) -> None:
    case_id = await open_case(cast, category=SENSITIVE, safe_contact={"may_answer": "Dara"})
    incident = await report(cast, case_id)
    path = f"/cases/{case_id}/incidents/{incident['id']}"
    changed = await cast.client("caseworker").patch(path, json={"perpetrators": [DARA]}, headers=ANY)
    answered(changed, 200)
    assert (await read(cast, f"/cases/{case_id}"))["safe_contact"]["do_not_contact"] is True


async def test_a_case_does_not_open_with_the_perpetrator_as_its_contact(cast: Cast) -> None:
    body = intake(SENSITIVE, incident=told(DARA), safe_contact={"may_answer": "Dara"})
    refused = await cast.client("caseworker").post("/cases", json=body)
    assert answered(refused, 409)["code"] == "unsafe_contact"
    client = {"alias": "K", "phones": [phone(HERS), phone(HIS)]}
    refused = await cast.client("caseworker").post("/cases", json=intake(SENSITIVE, incident=told(DARA), client=client))
    assert answered(refused, 409)["code"] == "unsafe_contact"
    client["phones"] = [phone(HERS), phone(HIS, safe=False)]
    answered(
        await cast.client("caseworker").post("/cases", json=intake(SENSITIVE, incident=told(DARA), client=client)), 201
    )


async def test_his_telephone_is_not_safe_to_call_whenever_he_is_named(cast: Cast) -> None:
    client = {"alias": "K", "phones": [phone(HERS), phone(HIS)]}
    case_id = await open_case(cast, category=SENSITIVE, client=client)
    await report(cast, case_id, DARA)
    case = await read(cast, f"/cases/{case_id}")
    path = f"/people/{case['client']['id']}"
    person = await read(cast, path)
    assert [(one["number"], one["safe_to_call"]) for one in person["phones"]] == [(HERS, True), (HIS, False)]
    assert case["safe_contact"]["do_not_contact"] is True, "her own telephone was his"
    sent = {"phones": [phone(HIS)]}
    refused = await cast.client("caseworker").patch(path, json=sent, headers=ANY)
    assert answered(refused, 409)["code"] == "unsafe_contact"
    answered(await cast.client("caseworker").patch(path, json={"known_as": "of the market"}, headers=ANY), 200)
    child = {"alias": "C", "role": "child", "phones": [phone(HIS)]}
    refused = await cast.client("caseworker").post(f"/cases/{case_id}/people", json=child)
    assert answered(refused, 409)["code"] == "unsafe_contact"
    again = await open_again(cast, "caseworker", case_id, incident=told({"phones": [HERS]}))
    copied = await read(cast, f"/cases/{answered(again, 201)['id']}")
    person = await read(cast, f"/people/{copied['client']['id']}")
    assert not any(one["safe_to_call"] for one in person["phones"]), "what is copied is compared too"


async def test_a_relatives_telephone_that_is_his_is_no_more_called_and_hers_still_is(cast: Cast) -> None:
    case_id = await open_case(cast, category=SENSITIVE, client={"alias": "K", "phones": [phone(HERS)]})
    aunt = {"alias": "Aunt", "role": "other", "phones": [phone(HIS)]}
    aunt = answered(await cast.client("caseworker").post(f"/cases/{case_id}/people", json=aunt), 201)
    await report(cast, case_id, DARA)
    assert (await read(cast, f"/people/{aunt['id']}"))["phones"][0]["safe_to_call"] is False
    case = await read(cast, f"/cases/{case_id}")
    assert case["safe_contact"] is None
    assert (await read(cast, f"/people/{case['client']['id']}"))["phones"][0]["safe_to_call"] is True


async def test_nobody_reads_a_perpetrator_back_but_how_many_were_named(cast: Cast) -> None:
    body = intake(SENSITIVE, incident={**told(DARA), "perpetrator_relationship": "intimate_partner"})
    case_id = answered(await cast.client("caseworker").post("/cases", json=body), 201)["id"]
    reported = await report(cast, case_id, DARA, {"names": ["Sok Rith"]})
    path = f"/cases/{case_id}/incidents"
    changed = await cast.client("caseworker").patch(f"{path}/{reported['id']}", json={"note": "Later."}, headers=ANY)
    paths = (f"/cases/{case_id}", path, f"{path}/{reported['id']}", "/sync")
    for answer in [changed, *[await cast.client("caseworker").get(one) for one in paths]]:
        answered(answer, 200)
        assert not any(word in answer.text for word in ("Dara", "Rith", HIS, '"perpetrators"')), answer.request.url
    assert "perpetrators" not in reported
    assert (reported["perpetrators_count"], changed.json()["perpetrators_count"]) == (2, 2)
    [first] = [one for one in (await read(cast, path))["items"] if one["id"] != reported["id"]]
    assert (first["perpetrator_relationship"], first["contexts"]) == (
        "intimate_partner",
        ["intimate_partner_violence"],
    )


async def test_a_reviewer_and_who_breaks_the_glass_read_no_perpetrator(cast: Cast, superuser: Any) -> None:
    case_id = await open_case(cast, category=SENSITIVE, incident=told(DARA))
    await break_glass(cast, superuser, case_id, "colleague")
    await assign(cast, "supervisor", case_id, "supervisor", "reviewer", reason="A look.")
    for who in ("colleague", "supervisor"):
        for path in (f"/cases/{case_id}", f"/cases/{case_id}/incidents"):
            answer = await cast.client(who).get(path)
            answered(answer, 200)
            assert not any(word in answer.text for word in ("Dara", HIS))
            assert "perpetrators_count" in answer.text


async def test_a_change_that_names_nobody_forgets_nobody(cast: Cast) -> None:
    """What is not sent stays, also for the screening: who joins later is still kept away."""
    case_id = await open_case(cast, category=SENSITIVE)
    incident = await report(cast, case_id, DARA)
    path = f"/cases/{case_id}/incidents/{incident['id']}"
    for change in ({"note": "Seen again."}, {"answers": {"psychological": True}}, {"place": "home"}):
        kept = answered(await cast.client("caseworker").patch(path, json=change, headers=ANY), 200)
        assert kept["perpetrators_count"] == 1
    await say(cast, case_id, 409, may_answer="Chan Dara")
    gone = answered(await cast.client("caseworker").patch(path, json={"perpetrators": []}, headers=ANY), 200)
    assert gone["perpetrators_count"] == 0
    await say(cast, case_id, may_answer="Chan Dara")


@pytest.mark.parametrize(
    ("contact", "pointer", "code"),
    [
        ({"last_confirmed_on": "2199-12-31"}, "last_confirmed_on", "in_the_future"),
        ({"from": "08:00", "to": "08:00"}, "to", "empty_window"),
        ({"to": "00:00"}, "to", "empty_window"),
    ],
)
async def test_what_she_said_can_have_been_said(cast: Cast, contact: dict[str, Any], pointer: str, code: str) -> None:
    expected = [(f"/safe_contact/{pointer}", code)]
    opened = await cast.client("caseworker").post("/cases", json=intake(SENSITIVE, safe_contact=contact))
    refused = await say(cast, await open_case(cast, category=SENSITIVE), 422, **contact)
    for problem in (answered(opened, 422), refused):
        assert [(error["pointer"], error["code"]) for error in problem["errors"]] == expected


async def test_she_may_be_reached_from_and_until_midnight_and_have_said_it_today(cast: Cast) -> None:
    case_id = await open_case(cast, category=SENSITIVE)
    today = day_of(cast.clock()).isoformat()
    windows: list[dict[str, Any]] = [
        {"from": "22:00", "to": "00:00"},
        {"from": "00:00", "to": "05:00"},
        {"to": "08:00"},
    ]
    for contact in windows:
        await say(cast, case_id, last_confirmed_on=today, **contact)
