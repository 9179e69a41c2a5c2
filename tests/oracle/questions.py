"""The questions of a run: each is one thing that one user is shown, and what the rules say it must be."""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.oracle.api import Api
from tests.oracle.rules import (
    CASEWORK,
    Case,
    Glass,
    User,
    World,
    knows_decision,
    knows_grant,
    may,
    overdue,
    sees,
    supervises,
)

SUBRESOURCES = {  # below a case: the action that reads it
    "consents": "read_consents",
    "incidents": "read_incidents",
    "people": "read_people",
    "notes": "read",
    "timeline": "read",
    "assignments": "read",
    "exclusions": "read_exclusions",
}
LIAISON_VIEW = {
    "id",
    "code",
    "status",
    "priority",
    "commune_code",
    "village_code",
    "client",
    "version",
    "access",
}
STUB = {"id", "code", "lead", "status", "next_due_week", "overdue", "needs_review"}
LIAISON_FILTERS = {"status", "commune_code", "assigned", "sort", "limit"}


@dataclass(frozen=True)
class Question:
    """`kind`: detail, receipt, person, found, list, counts, caseload, grants, grant, or a subresource of a case."""

    kind: str
    user: str
    case: str = ""
    query: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return " ".join(word for word in (self.kind, self.user, self.case, str(self.query or "")) if word)


async def answers(api: Api, world: World, question: Question) -> tuple[Any, Any]:
    """What the API says and what the rules say; equal unless one of them is wrong."""
    return await ANSWERS.get(question.kind, _subresource)(api, world, question)


def _first_refusal(world: World, user: User, casework_only: bool = False) -> int | None:
    if not user.active:
        return 401
    return None if user.role in CASEWORK | (set() if casework_only else {"ccwc_liaison"}) else 403


# ---- one case ----


async def _detail(api: Api, world: World, question: Question) -> tuple[Any, Any]:
    user, case = world.users[question.user], world.cases[question.case]
    response = await api.get(user.name, api.path(case.name))
    expected = may(world, user, "read", case)
    if response.status_code != 200 or expected != 200:
        return response.status_code, expected
    return _told(api, response.json()), _to_be_told(world, user, case)


def _told(api: Api, body: dict[str, Any]) -> dict[str, Any]:
    """The parts of a detail or of a list's row about which the rules know."""
    if "category" not in body:
        return {
            **body["access"],
            "view": set(body),
            "status": body["status"],
            "commune": body["commune_code"],
        }
    lead = body["lead"]["id"] if body["lead"] else None
    return {
        **body["access"],
        "view": "full",
        "status": body["status"],
        "commune": body["commune_code"],
        "category": body["category"],
        "sensitive": body["sensitivity"] == "sensitive",
        "lead": next((name for name in api.cast.users if api.cast.id(name) == lead), None),
    }


def _to_be_told(world: World, user: User, case: Case) -> dict[str, Any]:
    sight = sees(world, user, case)
    told = {"via": sight.via, "mode": sight.mode, "status": case.status, "commune": case.commune}
    if sight.view == "liaison":
        return told | {"view": LIAISON_VIEW}
    return told | {
        "view": "full",
        "category": case.category,
        "sensitive": case.sensitive,
        "lead": case.lead(),
    }


async def _receipt(api: Api, world: World, question: Question) -> tuple[Any, Any]:
    user, case = world.users[question.user], world.cases[question.case]
    response = await api.get(user.name, api.path(case.name, "/receipt"))
    opened = case.creator == user.name and (case.client, user.name) not in world.excluded
    opened &= (case.name, user.name) not in world.worked or sees(world, user, case).sees
    expected = _first_refusal(world, user) or (200 if opened else 404)
    if response.status_code == 200 == expected:
        return set(response.json()), {"id", "code"}
    return response.status_code, expected


async def _person(api: Api, world: World, question: Question) -> tuple[Any, Any]:
    user, case = world.users[question.user], world.cases[question.case]
    response = await api.get(user.name, f"/people/{api.clients[case.name]}")
    return response.status_code, may(world, user, "read_people", case)


async def _found(api: Api, world: World, question: Question) -> tuple[Any, Any]:
    """Searched for by the code of the case: found by who may read her, by nobody else."""
    user, case = world.users[question.user], world.cases[question.case]
    response = await api.find(user.name, case.name)
    expected = may(world, user, "read_people", case)
    if response.status_code != 200:
        return response.status_code, _first_refusal(world, user, casework_only=True) or 200
    return {one["id"] for one in response.json()["items"]}, {api.clients[case.name]} if expected == 200 else set()


async def _subresource(api: Api, world: World, question: Question) -> tuple[Any, Any]:
    user, case = world.users[question.user], world.cases[question.case]
    response = await api.get(user.name, api.path(case.name, f"/{question.kind}"), limit=200)
    expected = may(world, user, SUBRESOURCES[question.kind], case)
    if response.status_code != 200 or expected != 200:
        return response.status_code, expected
    items = response.json()["items"]
    liaison = sees(world, user, case).view == "liaison"
    if question.kind == "notes":
        audiences = [one for one in case.notes if one == "team" or not liaison]
        return Counter(item["audience"] for item in items), Counter(audiences)
    if question.kind == "assignments":
        return _assigned(api, items, case, user.name if liaison else None)
    if question.kind == "exclusions":
        standing = {item["user_id"] for item in items if item["lifted_at"] is None}
        known = {
            api.cast.id(name)
            for (origin, name), client in world.decisions.items()
            if client == case.client and knows_decision(world, user, case, origin)
        }
        return standing, known
    return response.status_code, expected


def _assigned(api: Api, items: list[Any], case: Case, only: str | None) -> tuple[Any, Any]:
    """Whoever works on the case is listed, once; a liaison is shown none but the own ones."""
    open_ones = Counter((item["user_id"], item["role"]) for item in items if item["ended_at"] is None)
    expected = {(api.cast.id(one.user), one.role) for one in case.assignments if only in {None, one.user}}
    shown = {one for one in expected if open_ones[one] == 1}
    strangers = {item["user_id"] for item in items} - {api.cast.id(only)} if only else set()
    return (shown, strangers), (expected, set())


# ---- many cases ----


async def _pages(api: Api, user: str, path: str, query: dict[str, Any]) -> tuple[httpx.Response, list[Any]]:
    """Every page to the end; the last answer and all items."""
    items: list[Any] = []
    cursor: dict[str, str] = {}
    while True:
        response = await api.get(user, path, **query, **cursor)
        if response.status_code != 200:
            return response, items
        page = response.json()
        items += page["items"]
        if page["next_cursor"] is None:
            return response, items
        cursor = {"cursor": page["next_cursor"]}


async def _list(api: Api, world: World, question: Question) -> tuple[Any, Any]:
    user, query = world.users[question.user], dict(question.query)
    expected = _first_refusal(world, user)
    if expected is None and user.role == "ccwc_liaison" and set(query) - LIAISON_FILTERS:
        expected = 403  # a filter on what a liaison does not know would answer it
    sent = {name: api.cast.id(value) if name == "lead_id" else value for name, value in query.items()}
    response, items = await _pages(api, user.name, "/cases", sent)
    if expected is not None or response.status_code != 200:
        return response.status_code, expected or 200
    names = {case_id: name for name, case_id in api.cases.items()}
    shown = [(names.get(item["id"], "of another run"), _told(api, item)) for item in items]
    seen = [case for case in world.cases.values() if sees(world, user, case).sees and _passes(world, user, case, query)]
    newest_first = query.get("sort") != "opened_at"
    seen.sort(key=lambda case: (case.opened_at, api.cases[case.name]), reverse=newest_first)
    return shown, [(case.name, _to_be_told(world, user, case)) for case in seen]


def _passes(world: World, user: User, case: Case, query: dict[str, Any]) -> bool:
    """`assigned=me` is what one has an assignment on, not a leaderless case that all supervisors review."""
    return (
        query.get("status") in {None, case.status}
        and query.get("category") in {None, case.category}
        and query.get("commune_code") in {None, case.commune}
        and query.get("lead_id") in {None, case.lead()}
        and (query.get("sensitivity") in {None, "sensitive" if case.sensitive else "standard"})
        and ("assigned" not in query or case.place_of(user.name) is not None)
    )


async def _counts(api: Api, world: World, question: Question) -> tuple[Any, Any]:
    user = world.users[question.user]
    response = await api.get(user.name, "/cases/counts")
    expected = _first_refusal(world, user)
    if expected is not None or response.status_code != 200:
        return response.status_code, expected or 200
    seen = [case for case in world.cases.values() if sees(world, user, case).sees]
    return response.json(), {
        "total": len(seen),
        "by_status": Counter(case.status for case in seen),
        "by_category": None if user.role == "ccwc_liaison" else Counter(case.category for case in seen),
    }


async def _caseload(api: Api, world: World, question: Question) -> tuple[Any, Any]:
    user = world.users[question.user]
    response, items = await _pages(api, user.name, "/caseload", question.query)
    expected = _first_refusal(world, user, casework_only=True)
    if expected is None and user.role != "supervisor":
        expected = 403
    if expected is not None or response.status_code != 200:
        return response.status_code, expected or 200
    ids = {api.cast.id(name): name for name in api.cast.users}
    names = {case_id: name for name, case_id in api.cases.items()}
    shown = {
        names.get(item["id"], "of another run"): (
            set(item),
            ids[item["lead"]["id"]] if item["lead"] else None,
            item["status"],
            item["needs_review"],
        )
        for item in items
    }
    return shown, {
        case.name: (STUB, case.lead(), case.status, case.status == "closure_requested" or case.lead() is None)
        for case in world.cases.values()
        if supervises(user, case)
        and case.status != "closed"
        and sees(world, user, case).view != "none"
        and (not question.query.get("needs_lead") or case.lead() is None)
    }


# ---- emergencies ----


async def _grants(api: Api, world: World, question: Question) -> tuple[Any, Any]:
    user = world.users[question.user]
    response, items = await _pages(api, user.name, "/break-glass", question.query)
    expected = _first_refusal(world, user, casework_only=True)
    if expected is not None or response.status_code != 200:
        return response.status_code, expected or 200
    wanted = question.query.get("status")
    numbered = [
        (api.glass[one.case, one.user][world.broken(one.case, one.user).index(one)], one) for one in world.glass
    ]
    known = [
        (one.opened_at, own_id, one)
        for own_id, one in numbered
        if knows_grant(world, user, one) and wanted in {None, "reviewed" if one.reviewed else "unreviewed"}
    ]
    known.sort(key=lambda one: one[:2], reverse=True)
    return [_told_of(item) for item in items], [_to_be_told_of(api, world, user, *one[1:]) for one in known]


async def _grant(api: Api, world: World, question: Question) -> tuple[Any, Any]:
    user, of_both = world.users[question.user], world.broken(question.case, question.query["of"])
    if not of_both:
        return None, None  # a shortened run has left it out
    glass, own_id = of_both[-1], api.glass[question.case, question.query["of"]][-1]
    response = await api.get(user.name, f"/break-glass/{own_id}")
    expected = _first_refusal(world, user, casework_only=True) or (200 if knows_grant(world, user, glass) else 404)
    if response.status_code != 200 or expected != 200:
        return response.status_code, expected
    return _told_of(response.json()), _to_be_told_of(api, world, user, own_id, glass)


def _told_of(grant: dict[str, Any]) -> dict[str, Any]:
    """The words of a grant are part of the case, and shown to who sees it."""
    named = {name: grant[name]["id"] if grant[name] else None for name in ("user", "lead")}
    said = {name: grant[name] for name in ("id", "case_id", "overdue")}
    reviewed = grant["reviewed_at"] is not None
    return said | named | {"reviewed": reviewed, "words": grant["reason"] is not None}


def _to_be_told_of(api: Api, world: World, user: User, own_id: str, glass: Glass) -> dict[str, Any]:
    case = world.cases[glass.case]
    lead = case.lead()
    return {
        "id": own_id,
        "case_id": api.cases[glass.case],
        "overdue": overdue(world, glass),
        "user": api.cast.id(glass.user),
        "lead": api.cast.id(lead) if lead else None,
        "reviewed": glass.reviewed,
        "words": sees(world, user, case).sees,
    }


ANSWERS: dict[str, Callable[[Api, World, Question], Coroutine[Any, Any, tuple[Any, Any]]]] = {
    "detail": _detail,
    "receipt": _receipt,
    "person": _person,
    "found": _found,
    "list": _list,
    "counts": _counts,
    "caseload": _caseload,
    "grants": _grants,
    "grant": _grant,
}


async def ask_all(api: Api, world: World, questions: list[Question]) -> list[tuple[Question, Any, Any]]:
    """Ask them at once; give those whose two answers differ."""
    both = await asyncio.gather(*(answers(api, world, question) for question in questions))
    return [(question, *pair) for question, pair in zip(questions, both, strict=True) if pair[0] != pair[1]]
