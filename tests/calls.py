"""A well-formed call of every operation: its ids, its body, and what must be put back before it is made."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID, uuid4

import httpx

from app.fhir.referrals import task_of
from app.models.codes.people import Role
from app.models.referral_reads import PartnerSummary, Party
from tests.acts import emergency
from tests.cases import intake
from tests.cast import COMMUNE, PASSWORD, password_hash
from tests.fhir.asking import JSON_PATCH, transaction
from tests.matrix import ROOTS, Row
from tests.programme import ACTIVITY, BUSINESS, COMMITMENT, FEEDBACK, RELIEF, VISIT, put_case_visit, put_record
from tests.released import EXPORT, FILE, SHA256, clear_exports, put_export
from tests.stage import LONG, SERVICE, Stage
from tests.standpoints import REFERRED_TO, Standpoint
from tests.submitted import put_report

Body = Mapping[str, Any]
CONSENT = {"purpose": "statistics", "form": "verbal", "obtained_on": "2026-03-01"}
DISCLOSURE = {
    "basis": "vital_interest",
    "recipient": "District police",
    "what": "That she is in danger tonight.",
    "disclosed_at": "2026-03-01T03:00:00Z",
}
RECORD = {"happened_at": "2026-03-01T03:00:00Z", "outcome": "met_safe"}
ASSESSMENT = {
    "tool": "da5",
    "assessed_on": "2026-03-01",
    "answers": dict.fromkeys(("more_frequent", "weapon", "capable_of_killing", "choked"), False) | {"jealous": True},
}
SAFETY_PLAN = {"needed": True, "developed_with_client": True, "strategies": "Run.", "reviewed_on": "2026-03-02"}
CLOSURE = {"reason": "needs_met", "informed_can_return": True}


@dataclass(frozen=True, slots=True)
class Call:
    """`body` and `ids` may depend on who calls; `before` puts the stage in order."""

    body: Body | list[Any] | Callable[[Stage, Standpoint], Body] | None = None
    ids: Callable[[Stage, Standpoint], Mapping[str, str]] | None = None
    before: Callable[[Stage, Standpoint], None] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    form: Body | None = None
    files: Mapping[str, Any] | None = None
    after: Callable[[Stage, Standpoint], None] | None = None
    query: Mapping[str, str] = field(default_factory=dict)


EDIT = {"If-Match": "*"}


def _case_of_own(stage: Stage, point: Standpoint) -> Body:
    if point.role is Role.CCWC_LIAISON:
        commune = point.commune or COMMUNE
        return intake(commune_code=commune, organisation_id=stage.cast.organisation("ngo"))
    return intake()


def _case_of_client(stage: Stage, point: Standpoint) -> Body:
    body = {**_case_of_own(stage, point), "client_id": stage.cases[point.case].ids["person_id"]}
    del body["client"]
    return body


def _person(kind: str) -> Callable[[Stage, Standpoint], Mapping[str, str]]:
    return lambda stage, point: {"person_id": stage.cases[point.case].ids[kind]}


def _unlinked(stage: Stage, point: Standpoint) -> None:
    """The client of the case and the sibling, or somebody of the register, are not linked."""
    ids = stage.cases[point.case].ids
    others = [ids["sibling"], stage.register["register_person"]]
    stage.run("delete from person_links where person_id = any (%s) or other_id = any (%s)", others, others)


def _linked(stage: Stage, point: Standpoint) -> None:
    """They are, by a new link."""
    _unlinked(stage, point)
    ids = stage.cases[point.case].ids
    ids["spare_link"] = stage.one(
        "insert into person_links (id, person_id, other_id, created_at, created_by)"
        " select gen_random_uuid(), client_id, %s, opened_at, created_by from cases where id = %s returning id::text",
        ids["sibling"],
        ids["case_id"],
    )


def _note(audience: str) -> Callable[[Stage, Standpoint], Mapping[str, str]]:
    return lambda stage, point: {"note_id": stage.cases[point.case].ids[f"{audience}_note"]}


def _register(stage: Stage, _: Standpoint) -> Mapping[str, str]:
    return {"person_id": stage.register["register_person"]}


def _service(organisation: str) -> Callable[[Stage, Standpoint], Body]:
    return lambda stage, _: {**SERVICE, "organisation_id": stage.cast.organisation(organisation)}


def _assign(user: str, role: str) -> Callable[[Stage, Standpoint], Body]:
    return lambda stage, _: {"user_id": stage.user(user), "role": role, "reason": "As agreed."}


def _status(status: str, requester: str | None = None) -> Callable[[Stage, Standpoint], None]:
    """The case in a state; `requester` "self" is the caller."""

    def put(stage: Stage, point: Standpoint) -> None:
        asked_by = {None: None, "self": stage.user(point.name)}.get(requester) or (
            stage.user("spare_supervisor") if requester else None
        )
        closed_at = stage.cast.clock() if status == "closed" else None
        change = "update cases set status = %s, closure_requested_by = %s, closed_at = %s where id = %s"
        stage.run(change, status, asked_by, closed_at, stage.cases[point.case].id)
        stage.run("update follow_ups set ended_at = created_at where case_id = %s", stage.cases[point.case].id)
        if status == "closure_requested":
            for ends in (
                "update referrals set status = 'completed' where case_id = %s",
                "update actions set ended_at = created_at where completed_at is null and case_id = %s",
                "update risk_changes set reviewed_at = review_due_at where case_id = %s",
            ):
                stage.run(ends, stage.cases[point.case].id)

    return put


def _consent_stands(stage: Stage, point: Standpoint) -> None:
    change = "update consents set withdrawn_at = null, withdrawn_by = null where id = %s"
    stage.run(change, stage.cases[point.case].ids["consent_id"])


def _bypass_waits(whose: str) -> Callable[[Stage, Standpoint], None]:
    """A minor's caregiver was passed by, by the caller or by another, and nobody has confirmed it."""

    def put(stage: Stage, point: Standpoint) -> None:
        _consent_stands(stage, point)
        change = (
            "update consents set bypass_until = %s, bypass_confirmed_at = null, bypass_confirmed_by = null,"
            " created_by = %s where id = %s"
        )
        until = stage.cast.clock() + LONG
        stage.run(change, until, _whose(stage, point, whose), stage.cases[point.case].ids["consent_id"])

    return put


def _disclosed_by(whose: str) -> Callable[[Stage, Standpoint], None]:
    def put(stage: Stage, point: Standpoint) -> None:
        change = "update disclosures set confirmed_at = null, confirmed_by = null, created_by = %s where id = %s"
        stage.run(change, _whose(stage, point, whose), stage.cases[point.case].ids["disclosure_id"])

    return put


def _whose(stage: Stage, point: Standpoint, whose: str) -> str:
    return stage.user("spare" if whose == "other" or point.name == "nobody" else point.name)


def _died(stage: Stage, point: Standpoint) -> None:
    change = "update cases set death_review_due_at = %s, closure_requested_by = %s where id = %s"
    stage.run(change, stage.cast.clock(), stage.user("spare"), stage.cases[point.case].id)


def _exclusion_stands(stage: Stage, point: Standpoint) -> None:
    change = (
        "update case_exclusions set lifted_at = null, lifted_by = null, lift_requested_at = null,"
        " lift_requested_by = null where id = %s"
    )
    stage.run(change, stage.cases[point.case].ids["exclusion_id"])


def _match_open(led: str) -> Callable[[Stage, Standpoint], None]:
    """The match of the stage waits for its answer; `led`: it took the lead away."""

    def put(stage: Stage, point: Standpoint) -> None:
        match_id = stage.cases[point.case].ids["match_id"]
        stage.run("update screening_matches set status = 'open', led = %s where id = %s", led, match_id)
        change = "update case_exclusions set unanswered = true, lifted_at = null where origin_id = %s"
        stage.run(change, match_id)

    return put


def _wish_only(stage: Stage, point: Standpoint) -> None:
    stage.run("delete from legal_holds where case_id = %s", stage.cases[point.case].id)
    stage.run("delete from erasure_requests where case_id = %s", stage.cases[point.case].id)


def _wished_and_held(stage: Stage, point: Standpoint) -> None:
    stage.run("update cases set death_review_due_at = null where id = %s", stage.cases[point.case].id)
    stage.put_wish(point.case)
    stage.put_hold(point.case)


def _emergency(case: str) -> Callable[[Stage, Standpoint], Body]:
    return lambda stage, _: emergency(stage.cases[case].ids["case_code"])


def _glass_whole(stage: Stage, point: Standpoint) -> None:
    """What the caller opened is ended and reviewed; the grants of the stage itself stay as they are."""
    if point.name == "nobody":
        return
    change = (
        "update break_glass_grants set ended_at = coalesce(ended_at, created_at), reviewed_at = created_at"
        " where user_id = %s"
    )
    stage.run(change, stage.user(point.name))


def _glass_blocked(stage: Stage, point: Standpoint) -> None:
    """The caller has two grants that nobody reviewed, on a case of some organisation."""
    if point.name == "nobody":
        return
    _glass_whole(stage, point)
    for _ in range(2):
        stage.run(
            "insert into break_glass_grants (id, case_id, organisation_id, user_id, reason_code, created_at,"
            " expires_at) select gen_random_uuid(), id, organisation_id, %s, 'other', %s, %s from cases"
            " where id = %s",
            stage.user(point.name),
            stage.cast.clock(),
            stage.cast.clock(),
            stage.cases["standard"].id,
        )


def _not_reviewed(stage: Stage, point: Standpoint) -> None:
    change = "update break_glass_grants set reviewed_at = null, reviewed_by = null, finding = null where id = %s"
    stage.run(change, stage.cases[point.case].ids["grant_id"])


def _session_lives(stage: Stage, point: Standpoint) -> None:
    if point.name == "nobody":
        return
    stage.run("update sessions set ended_at = null where user_id = %s", stage.user(point.name))


def _own_session(stage: Stage, point: Standpoint) -> Mapping[str, str]:
    return {"session_id": str(uuid4() if point.name == "nobody" else stage.session(point.name))}


def _no_factor(stage: Stage, point: Standpoint) -> None:
    if point.name != "nobody":
        stage.run("delete from user_totp where user_id = %s", stage.user(point.name))


def _password_stands(stage: Stage, point: Standpoint) -> None:
    if point.name != "nobody":
        change = "update user_credentials set password_hash = %s where user_id = %s"
        stage.run(change, password_hash(), stage.user(point.name))


def _user_lives(stage: Stage, _: Standpoint) -> None:
    stage.run("update users set active = true where id = %s", stage.register["user_id"])


def _nothing_asked(stage: Stage, _: Standpoint) -> None:
    stage.run("delete from user_requests where user_id = %s", stage.register["user_id"])


def _asked(stage: Stage, point: Standpoint) -> None:
    """Another admin's wish to give somebody of the NGO a new password."""
    _nothing_asked(stage, point)
    stage.run(
        "insert into user_requests (id, user_id, kind, wanted, awaiting, requested_by, created_at, confirmed_by)"
        " select gen_random_uuid(), id, 'password_reset', '{}', array[organisation_id::text], %s, now(), '{}'"
        " from users where id = %s",
        stage.cast.id("admin"),
        stage.register["user_id"],
    )


def _client_waits(stage: Stage, _: Standpoint) -> None:
    stage.run("update users set confirmed_at = null where id = %s", stage.register["client_id"])


def _client_lives(stage: Stage, _: Standpoint) -> None:
    stage.run("update users set active = true where id = %s", stage.register["client_id"])


def _spare_assignment(user: str, role: str) -> Call:
    """An assignment that may be ended; a new one for every call."""

    def put(stage: Stage, point: Standpoint) -> None:
        case = stage.cases[point.case]
        case.ids["spare_assignment"] = stage.one(
            "insert into assignments (id, case_id, organisation_id, user_id, role, created_at, created_by)"
            " select gen_random_uuid(), id, organisation_id, %s, %s, opened_at, created_by"
            " from cases where id = %s returning id::text",
            stage.user(user),
            role,
            case.id,
        )

    return Call(
        ids=lambda stage, point: {"assignment_id": stage.cases[point.case].ids["spare_assignment"]},
        before=put,
    )


def _hidden_nowhere(stage: Stage, point: Standpoint) -> None:
    _status("planning")(stage, point)
    stage.run("delete from whereabouts where case_id = %s", stage.cases[point.case].id)


def _hidden_somewhere(stage: Stage, point: Standpoint) -> None:
    _status("planning")(stage, point)
    stage.hide(point.case)


def _no_health(stage: Stage, point: Standpoint) -> None:
    _status("planning")(stage, point)
    stage.run("delete from health_records where case_id = %s", stage.cases[point.case].id)


def _some_health(stage: Stage, point: Standpoint) -> None:
    _status("planning")(stage, point)
    stage.put_health(point.case)


def _attached(stage: Stage, point: Standpoint) -> None:
    """One attachment and no others, whatever was done before."""
    _status("planning")(stage, point)
    stage.attach(point.case)


def _follow_up(own: bool) -> Call:
    """A follow-up of the caller's own, or of somebody else on the case; as planned, whatever was done before."""

    def put(stage: Stage, point: Standpoint) -> None:
        whose = stage.user(point.name if own else "spare")
        ids = stage.cases[point.case].ids
        for name, user in (("follow_up_id", whose), ("second_follow_up", stage.user("spare"))):
            change = "update follow_ups set happened_at = null, ended_at = null, assignee_id = %s where id = %s"
            stage.run(change, user, ids[name])

    return Call(before=put, headers=EDIT)


def _action(own: bool) -> Call:
    """The same for a step of the care plan."""

    def put(stage: Stage, point: Standpoint) -> None:
        _status("planning")(stage, point)
        whose = stage.user(point.name if own else "spare")
        ids = stage.cases[point.case].ids
        for name, user in (("action_id", whose), ("second_action", stage.user("spare"))):
            change = "update actions set completed_at = null, ended_at = null, assignee_id = %s where id = %s"
            stage.run(change, user, ids[name])

    return Call(before=put, headers=EDIT)


def _risk(level: str) -> Callable[[Stage, Standpoint], None]:
    """The case at this level of risk, of which somebody else's change waits for a look."""

    def put(stage: Stage, point: Standpoint) -> None:
        _status("planning")(stage, point)
        stage.run("update cases set risk_level = %s where id = %s", level, stage.cases[point.case].id)
        change = "update risk_changes set reviewed_at = null where id = %s"
        stage.run(change, stage.cases[point.case].ids["change_id"])

    return put


def _unplanned(stage: Stage, point: Standpoint) -> None:
    _status("planning")(stage, point)
    stage.run("delete from safety_plans where case_id = %s", stage.cases[point.case].id)


def _planned(stage: Stage, point: Standpoint) -> None:
    _status("planning")(stage, point)
    stage.put_plan(point.case)


def _assistance(status: str, own: bool = False) -> Call:
    """The request of the stage in this state, asked for by the caller or by somebody else; what is paid stands."""

    def put(stage: Stage, point: Standpoint) -> None:
        stage.put_assistance(point.case, status, stage.user(point.name) if own else stage.user("spare_excluded"))

    return Call(before=put)


def _with(call: Call, body: Body) -> Call:
    return replace(call, body=body)


def _import_checked(stage: Stage, _: Standpoint) -> None:
    stage.put_import()


_IMPORT = Call(before=_import_checked, after=_import_checked)


def _asked_of_nobody(stage: Stage, point: Standpoint) -> None:
    _status("planning")(stage, point)
    stage.run("delete from transfers where case_id = %s", stage.cases[point.case].id)
    stage.put_assistance(point.case, "declined", stage.user("spare_excluded"))  # nothing that is not settled


def _asked_once(stage: Stage, point: Standpoint) -> None:
    _asked_of_another(stage, point)
    stage.put_assistance(point.case, "part_paid", stage.user("spare_excluded"))


def _asked_of_another(stage: Stage, point: Standpoint) -> None:
    _status("planning")(stage, point)
    stage.put_transfer(point.case)


def _incoming(stage: Stage, _: Standpoint) -> Mapping[str, str]:
    return {"incoming_id": stage.cases["standard"].ids["transfer_id"]}


def _waiting_there(stage: Stage, _: Standpoint) -> None:
    stage.put_transfer("standard")


def _answered(stage: Stage, point: Standpoint) -> None:
    _waiting_there(stage, point)
    stage.run("update transfers set status = 'rejected' where id = %s", stage.cases["standard"].ids["transfer_id"])


def _referred(status: str = "accepted", direction: str = "out") -> Call:
    """The referral of the case in this state; `in`: the clinic has sent the client."""

    def put(stage: Stage, point: Standpoint) -> None:
        _status("planning")(stage, point)
        stage.put_referral(point.case, status, direction)

    return Call(before=put, headers=EDIT)


def _accepted_task(stage: Stage, point: Standpoint) -> Body:
    """The Task as it is read, whoever reads it while nobody has answered, with the yes."""
    row = stage.one(
        "select to_jsonb(r) || jsonb_build_object('sender', o.name, 'recipient', p.name) from referrals r"
        " join organisations o on o.id = r.organisation_id join organisations p on p.id = r.partner_id where r.id = %s",
        stage.cases[point.case].ids["referral_id"],
    )
    face = {name: row.get(name) for name in PartnerSummary.model_fields}
    sides = {"sender": (row["organisation_id"], row["sender"]), "recipient": (row["partner_id"], row["recipient"])}
    named = {side: Party(id=own_id, name=name) for side, (own_id, name) in sides.items()}
    seen = {"direction": "incoming", "overdue": False, "contact_suspended": False, "status_reason": None}
    task = task_of(PartnerSummary(**{**face, **named, **seen, "service_type": None}))
    return {**task.model_dump(mode="json", exclude_none=True), "status": "accepted"}


def _asked_for(stage: Stage, point: Standpoint) -> Body:
    return {
        "organisation_id": stage.cast.organisation(REFERRED_TO[point.case]),
        "service_type": "general_health",
        "reason": "Told us so.",
        "shared_fields": ["name"],
    }


def _sent_by_a_partner(stage: Stage, _: Standpoint) -> Body:
    return {
        "organisation_id": stage.cast.organisation("ngo"),
        "category": "id_poor",
        "commune_code": COMMUNE,
        "client": {"alias": "Sister"},
        "consent": {"form": "verbal", "obtained_on": "2026-03-01"},
        "need_summary": "Asks for a card.",
        "external_id": uuid4().hex,
    }


def _submitted(stage: Stage, _: Standpoint) -> None:
    put_report(stage.run, stage.cast.organisations["ngo"], UUID(stage.user("spare_supervisor")))


def _of_quarter(body: Body | None = None, after: Callable[[Stage, Standpoint], None] | None = None) -> Call:
    names = {"period": "2024Q3", "number": "1", "indicator": "families_visited"}
    return Call(body, ids=lambda *_: names, before=_submitted, after=after)


def _export(state: str, body: Body | None = None, name: str = FILE) -> Call:
    """A release of the first organisation's cases, in this state whatever was done before."""

    def put(stage: Stage, _: Standpoint) -> None:
        put_export(stage.run, stage.cast.organisations["ngo"], UUID(stage.user("auditor_standard")), state)

    return Call(body, ids=lambda *_: {"export_id": str(EXPORT), "name": name}, before=put)


def _no_exports(stage: Stage, _: Standpoint) -> None:
    clear_exports(stage.run)


_WANTED = {"profile": "auditor-v1", "period": "2024Q3"}
_CASE = "/cases/{case_id}"
_REFERRAL = "/referrals/{referral_id}"


def _hook(organisation: str, body: Body | None = None, headers: Mapping[str, str] = EDIT) -> Call:
    """A webhook of this organisation, as it was made, whatever was done before."""
    return Call(body, before=lambda stage, _: stage.put_webhook(organisation), headers=headers)


def _no_hooks(stage: Stage, _: Standpoint) -> None:
    stage.run("delete from webhooks")


def _record(table: str, body: Body | None, by: str) -> Call:
    """A record of the programme that somebody of the NGO wrote down, whatever was done to it before."""
    return Call(body, before=lambda stage, _: put_record(stage, table, by), headers=EDIT)


def _visit_to_the_case(stage: Stage, point: Standpoint) -> Body:
    ids = {"household_id": stage.register["household_id"], "case_id": stage.cases[point.case].id}
    return VISIT | ids


def _visit_of_the_case(change: Body | None = None) -> Call:
    """A visit that somebody else recorded for the case."""

    def put(stage: Stage, point: Standpoint) -> None:
        _status("planning")(stage, point)
        put_case_visit(stage, stage.cases[point.case].ids)

    def ids(stage: Stage, point: Standpoint) -> Mapping[str, str]:
        return {"home_visit_id": stage.cases[point.case].ids["case_visit"]}

    return Call(change, ids=ids, before=put, headers=EDIT)


def _record_calls(path: str, table: str, change: Body) -> dict[str, Call]:
    return {
        f"{method} {path} [{whose}]": _record(table, change if method == "PATCH" else None, by)
        for method in ("PATCH", "DELETE")
        for whose, by in (("own", "staff"), ("of a colleague", "spare"))
    }


_CASE = "/cases/{case_id}"
_HOOK = "/webhooks/{webhook_id}"
_HOOK_CALLS: Mapping[str, Body | None] = {
    f"GET {_HOOK}": None,
    f"PATCH {_HOOK}": {"active": False},
    f"DELETE {_HOOK}": None,
    f"POST {_HOOK}/rotate-secret": None,
    f"GET {_HOOK}/deliveries": None,
    f"POST {_HOOK}/redeliver": {"dead": True},
}
_ASSISTANCE = "/assistance-requests/{assistance_request_id}"
_WHY = {"reason": "As agreed."}
_VISITED = {"business_status": "visited"}

CALLS: dict[str, Call] = {
    f"PATCH {_CASE}": Call({"priority": "urgent"}, before=_status("planning"), headers=EDIT),
    f"POST {_CASE}/transitions [step]": Call({"to": "planning"}, before=_status("assessment")),
    f"POST {_CASE}/transitions [return]": Call(
        {"to": "follow_up", "reason": "Too early."}, before=_status("closure_requested", "other")
    ),
    f"POST {_CASE}/transitions [close]": Call({"to": "closed"}, before=_status("closure_requested", "other")),
    f"POST {_CASE}/transitions [close own request]": Call(
        {"to": "closed"}, before=_status("closure_requested", "self")
    ),
    f"POST {_CASE}/transitions [reopen]": Call({"to": "assessment", "reason": "Came back."}, before=_status("closed")),
    f"GET {_CASE}/timeline": Call(before=_status("planning")),
    f"POST {_CASE}/notes [caseworkers]": Call({"text": "Seen.", "audience": "caseworkers"}),
    f"POST {_CASE}/notes [team]": Call({"text": "Seen.", "audience": "team"}),
    f"GET {_CASE}/notes/{{note_id}} [caseworkers]": Call(ids=_note("caseworkers")),
    f"GET {_CASE}/notes/{{note_id}} [team]": Call(ids=_note("team")),
    f"POST {_CASE}/people": Call({"alias": "Sister", "role": "other"}),
    "GET /people/{person_id} [client]": Call(ids=_person("person_id")),
    "GET /people/{person_id} [child]": Call(ids=_person("child")),
    "PATCH /people/{person_id} [client]": Call({"known_as": "Aunt"}, ids=_person("person_id"), headers=EDIT),
    f"POST {_CASE}/consents": Call(CONSENT),
    f"POST {_CASE}/consents/{{consent_id}}/withdraw": Call(
        {"reason": "Wish."}, before=_consent_stands, after=_consent_stands
    ),
    f"POST {_CASE}/consents/{{consent_id}}/confirm [of another]": Call(before=_bypass_waits("other")),
    f"POST {_CASE}/consents/{{consent_id}}/confirm [own]": Call(
        before=_bypass_waits("self"), after=_bypass_waits("other")
    ),
    f"POST {_CASE}/disclosures": Call(DISCLOSURE),
    f"POST {_CASE}/disclosures/{{disclosure_id}}/confirm [of another]": Call(before=_disclosed_by("other")),
    f"POST {_CASE}/disclosures/{{disclosure_id}}/confirm [own]": Call(
        before=_disclosed_by("self"), after=_disclosed_by("other")
    ),
    f"POST {_CASE}/death-review": Call({"note": "Nobody could have known."}, before=_died),
    f"POST {_CASE}/incidents": Call({"note": "Heard."}),
    f"POST {_CASE}/follow-ups": Call({"due_at": "2026-04-01T03:00:00Z", "channel": "visit"}),
    f"GET {_CASE}/follow-ups/{{follow_up_id}} [own]": _follow_up(True),
    f"GET {_CASE}/follow-ups/{{follow_up_id}} [of another]": _follow_up(False),
    f"PATCH {_CASE}/follow-ups/{{follow_up_id}}": _with(_follow_up(False), {"channel": "phone"}),
    f"DELETE {_CASE}/follow-ups/{{follow_up_id}}": _follow_up(False),
    f"POST {_CASE}/follow-ups/{{follow_up_id}}/record [own]": _with(_follow_up(True), RECORD),
    f"POST {_CASE}/follow-ups/{{follow_up_id}}/record [of another]": _with(_follow_up(False), RECORD),
    f"POST {_CASE}/actions": Call({"title": "Ask", "need": "health", "due_on": "2026-04-01"}),
    f"GET {_CASE}/actions/{{action_id}} [own]": _action(True),
    f"GET {_CASE}/actions/{{action_id}} [of another]": _action(False),
    f"PATCH {_CASE}/actions/{{action_id}}": _with(_action(False), {"need": "shelter"}),
    f"DELETE {_CASE}/actions/{{action_id}}": _action(False),
    f"POST {_CASE}/actions/{{action_id}}/cancel": _with(_action(False), {"reason": "Not now."}),
    f"POST {_CASE}/actions/{{action_id}}/complete [own]": _with(_action(True), {"note": "Done."}),
    f"POST {_CASE}/actions/{{action_id}}/complete [of another]": _with(_action(False), {"note": "Done."}),
    f"POST {_CASE}/assessments": Call(ASSESSMENT, before=_status("planning")),
    f"POST {_CASE}/risk": Call({"level": "medium", "reason": "Told."}, before=_risk("low"), after=_risk("low")),
    f"POST {_CASE}/risk [lower from high]": Call(
        {"level": "low", "reason": "He left."}, before=_risk("high"), after=_risk("low")
    ),
    f"POST {_CASE}/risk-history/{{change_id}}/review": Call({"note": "Seen."}, before=_risk("low")),
    f"GET {_CASE}/safety-plan": Call(before=_planned),
    f"PUT {_CASE}/safety-plan": Call(SAFETY_PLAN, before=_planned, headers=EDIT),
    f"PUT {_CASE}/safety-plan [first]": Call(
        SAFETY_PLAN, before=_unplanned, after=_planned, headers={"If-None-Match": "*"}
    ),
    f"POST {_CASE}/assistance-requests": Call({"kind": "social", "item": "Rice", "purpose": "Food."}),
    f"POST {_ASSISTANCE}/decision [of another]": _with(_assistance("submitted"), {"decision": "decline", **_WHY}),
    f"POST {_ASSISTANCE}/decision [own]": _with(_assistance("submitted", True), {"decision": "decline", **_WHY}),
    f"POST {_ASSISTANCE}/withdraw [own]": _with(_assistance("submitted", True), _WHY),
    f"POST {_ASSISTANCE}/withdraw [of another]": _with(_assistance("submitted"), _WHY),
    f"POST {_ASSISTANCE}/cancel": _with(_assistance("approved"), _WHY),
    f"POST {_ASSISTANCE}/settle [of another]": _with(_assistance("part_paid"), _WHY),
    f"POST {_ASSISTANCE}/settle [own]": _with(_assistance("part_paid", True), _WHY),
    f"POST {_ASSISTANCE}/disbursements": _with(
        _assistance("part_paid"),
        {"amount_minor": 1, "method": "cash", "paid_on": "2026-03-02", "receipt_reference": "R-1"},
    ),
    f"GET {_ASSISTANCE}/disbursements/{{disbursement_id}}": _assistance("part_paid"),
    f"POST {_ASSISTANCE}/disbursements/{{disbursement_id}}/reverse": _with(_assistance("part_paid"), _WHY),
    "GET /reports/quarterly": Call(before=_submitted, query={"period": "2024Q3"}),
    "POST /reports/quarterly/{period}/submit": _of_quarter(after=_submitted),
    "GET /reports/quarterly/{period}/records/{indicator}": _of_quarter(),
    "GET /reports/quarterly/{period}/versions": _of_quarter(),
    "GET /reports/quarterly/{period}/versions/{number}": _of_quarter(),
    "GET /reports/quarterly/{period}/versions/{number}/diff": _of_quarter(),
    "PUT /reports/targets/{period}": _of_quarter({"targets": {"families_visited": 200}}),
    "GET /exports": _export("frozen"),
    "POST /exports": Call(_WANTED, before=_no_exports),
    "POST /exports [again]": _export("released", _WANTED),
    "GET /exports/{export_id}": _export("frozen"),
    "POST /exports/{export_id}/approve": _export("frozen", {"manifest_sha256": SHA256}),
    "GET /exports/{export_id}/manifest": _export("released"),
    "GET /exports/{export_id}/manifest [not released]": _export("frozen"),
    "GET /exports/{export_id}/files/{name}": _export("released"),
    "GET /exports/{export_id}/files/{name} [risks]": _export("frozen", name="risk-km.html"),
    "GET /exports/{export_id}/files/{name} [withdrawn]": _export("withdrawn"),
    "GET /assistance-ledger": Call(query={"month": "2026-03"}),
    f"PATCH {_CASE}/incidents/{{incident_id}}": Call({"note": "Corrected."}, headers=EDIT),
    f"POST {_CASE}/assignments [caseworker]": Call(_assign("spare", "caseworker")),
    f"POST {_CASE}/assignments [liaison]": Call(_assign("spare_liaison", "liaison")),
    f"POST {_CASE}/assignments [reviewer]": Call(_assign("spare_reviewer", "reviewer")),
    f"POST {_CASE}/assignments [excluded]": Call(_assign("spare_excluded", "caseworker"), before=_exclusion_stands),
    f"DELETE {_CASE}/assignments/{{assignment_id}} [caseworker]": _spare_assignment("spare", "caseworker"),
    f"DELETE {_CASE}/assignments/{{assignment_id}} [reviewer]": _spare_assignment("spare_reviewer", "reviewer"),
    f"POST {_CASE}/exclusions": Call(
        lambda stage, _: {"user_id": stage.user("spare_excluded"), "reason_code": "client_wish"}
    ),
    f"POST {_CASE}/exclusions/{{exclusion_id}}/lift": Call({"reason": "Mistake."}, before=_exclusion_stands),
    f"POST {_CASE}/screening/{{match_id}}/answer [of a colleague]": Call(
        {"answer": "same_person", "reason": "His own number."}, before=_match_open("false"), after=_match_open("false")
    ),
    f"POST {_CASE}/screening/{{match_id}}/answer [of the lead]": Call(
        {"answer": "somebody_else", "reason": "Another village."},
        before=_match_open("true"),
        after=_match_open("false"),
    ),
    f"GET {_CASE}/whereabouts": Call(before=_hidden_somewhere, query={"reason_code": "contact"}),
    f"PUT {_CASE}/whereabouts": Call({"kind": "friend"}, before=_hidden_somewhere, headers=EDIT),
    f"PUT {_CASE}/whereabouts [first]": Call(
        {"kind": "friend"}, before=_hidden_nowhere, after=_hidden_somewhere, headers={"If-None-Match": "*"}
    ),
    f"DELETE {_CASE}/whereabouts": Call(before=_hidden_somewhere, after=_hidden_somewhere, headers=EDIT),
    f"GET {_CASE}/health": Call(before=_some_health),
    f"PUT {_CASE}/health": Call({"note": "Seen."}, before=_some_health, headers=EDIT),
    f"PUT {_CASE}/health [first]": Call(
        {"note": "Seen."}, before=_no_health, after=_some_health, headers={"If-None-Match": "*"}
    ),
    f"GET {_CASE}/attachments": Call(before=_attached),
    f"POST {_CASE}/attachments": Call(before=_attached, after=_attached, files={"file": ("a.txt", b"Seen.")}),
    f"GET {_CASE}/attachments/{{attachment_id}}": Call(before=_attached),
    f"GET {_CASE}/attachments/{{attachment_id}}/content": Call(before=_attached),
    f"DELETE {_CASE}/attachments/{{attachment_id}}": Call(before=_attached, after=_attached, headers=EDIT),
    f"POST {_CASE}/transfers": Call(
        lambda stage, _: {"organisation_id": stage.cast.organisation("other_ngo"), "reason": "She moves."},
        before=_asked_of_nobody,
        after=_asked_once,
    ),
    f"GET {_CASE}/transfers/{{transfer_id}}": Call(before=_asked_of_another),
    f"POST {_CASE}/transfers/{{transfer_id}}/withdraw": Call(
        {"reason": "She stays."}, before=_asked_of_another, after=_asked_of_another
    ),
    f"GET {_CASE}/referrals": _referred(),
    f"POST {_CASE}/referrals": replace(_referred(), body=_asked_for),
    f"GET {_CASE}/referrals/{{referral_id}}": _referred(),
    "POST /referrals": Call(_sent_by_a_partner),
    f"GET {_REFERRAL}": _referred(),
    f"PATCH {_REFERRAL} [asked here]": _with(_referred(direction="in"), _VISITED),
    f"PATCH {_REFERRAL} [asked there]": _with(_referred(), _VISITED),
    f"POST {_REFERRAL}/transitions [cancel]": _with(_referred(), {"to": "cancelled", "reason_code": "other"}),
    f"POST {_REFERRAL}/transitions [complete]": _with(_referred(), {"to": "completed", "outcome_code": "attended"}),
    f"POST {_REFERRAL}/transitions [mistake]": _with(_referred(), {"to": "entered_in_error"}),
    f"POST {_REFERRAL}/transitions [accept here]": _with(_referred("requested", "in"), {"to": "accepted"}),
    f"POST {_REFERRAL}/transitions [accept there]": _with(_referred("requested"), {"to": "accepted"}),
    f"POST {_REFERRAL}/share": _with(_referred(), {"shared_fields": ["name"]}),
    f"GET {_REFERRAL}/receipt": _referred(),
    f"GET {_REFERRAL}/messages": _referred(),
    f"POST {_REFERRAL}/messages": _with(_referred(), {"text": "Tomorrow at nine."}),
    f"GET {_REFERRAL}/messages/{{message_id}}": _referred(),
    "GET /fhir/R4/Task/{referral_id}": _referred(),
    "GET /fhir/R4/ServiceRequest/{referral_id}": _referred(),
    "GET /fhir/R4/Patient/{referral_id}": _referred(),
    "PUT /fhir/R4/Task/{referral_id}": replace(_referred("requested"), body=_accepted_task),
    "PATCH /fhir/R4/Task/{referral_id}": replace(
        _referred("requested"),
        body=[{"op": "replace", "path": "/status", "value": "accepted"}],
        headers={**EDIT, "Content-Type": JSON_PATCH},
    ),
    "POST /fhir/R4": Call(lambda stage, _: transaction(stage.cast)),
    "GET /transfers/{incoming_id}": Call(ids=_incoming),
    "POST /transfers/{incoming_id}/accept [answered]": Call({"lead_id": None}, ids=_incoming, before=_answered),
    "POST /transfers/{incoming_id}/decline": Call(
        {"reason": "No."}, ids=_incoming, before=_waiting_there, after=_waiting_there
    ),
    "POST /users/{user_id}/handover": Call(
        lambda stage, _: {"to_user_id": stage.user("spare_matched"), "reason": "She has left."}
    ),
    f"POST {_CASE}/erasure": Call(
        {"reason_code": "client_wish", "reason": "Wish."}, before=_wish_only, after=_wished_and_held
    ),
    f"GET {_CASE}/erasure": Call(before=_wished_and_held),
    f"DELETE {_CASE}/erasure": Call(before=_wished_and_held, after=_wished_and_held),
    f"POST {_CASE}/erasure/confirm [held]": Call(before=_wished_and_held),
    f"POST {_CASE}/outside-reviews [of no signatory]": Call(
        lambda stage, _: {"user_id": stage.user("other_supervisor_standard"), "reason": "His sister."}
    ),
    f"DELETE {_CASE}/outside-reviews/{{outside_review_id}}": Call(
        before=lambda stage, point: stage.put_outside_review(point.case),
        after=lambda stage, point: stage.put_outside_review(point.case),
    ),
    "POST /outside-reviews/{waiting_id}/complete": Call(ids=lambda *_: {"waiting_id": str(uuid4())}),
    f"PUT {_CASE}/legal-hold": Call({"reason": "Court."}, before=_wished_and_held),
    f"GET {_CASE}/legal-hold": Call(before=_wished_and_held),
    f"DELETE {_CASE}/legal-hold": Call(before=_wished_and_held, after=_wished_and_held),
    "POST /break-glass/{grant_id}/review": Call(
        {"finding": "justified", "note": "Right."}, before=_not_reviewed, after=_not_reviewed
    ),
    "POST /break-glass [sensitive case]": Call(_emergency("sensitive"), before=_glass_whole, after=_glass_whole),
    "POST /break-glass [standard case]": Call(_emergency("standard"), before=_glass_whole),
    "POST /break-glass [blocked]": Call(_emergency("sensitive"), before=_glass_blocked, after=_glass_whole),
    "POST /cases [client of the case]": Call(_case_of_client),
    "POST /cases": Call(_case_of_own),
    "POST /auth/token": Call(form={"grant_type": "password", "username": "nobody.at.all", "password": "unknown"}),
    "POST /auth/logout": Call(after=_session_lives),
    "DELETE /auth/sessions/{session_id} [own]": Call(ids=_own_session, after=_session_lives),
    "DELETE /auth/sessions/{session_id} [of another]": Call(
        ids=lambda stage, _: {"session_id": str(stage.session("spare_user"))}
    ),
    "POST /auth/step-up": Call({"password": PASSWORD}),
    "PUT /me/password": Call(
        {"current_password": PASSWORD, "new_password": "three herons in the reeds"}, after=_password_stands
    ),
    "POST /me/totp": Call(after=_no_factor),
    "POST /me/totp/confirm": Call({"otp": "123456"}, before=_no_factor),
    "GET /areas/{code}": Call(ids=lambda *_: {"code": COMMUNE}),
    "POST /services [of the supervisor's]": Call(_service("ngo")),
    "POST /services [of the partner's]": Call(_service("clinic")),
    "PATCH /services/{service_id} [of the supervisor's]": Call({"fees": "Free."}, headers=EDIT),
    "PATCH /services/{service_id} [of the partner's]": Call(
        {"fees": "Free."}, ids=lambda stage, _: {"service_id": stage.register["partner_service_id"]}, headers=EDIT
    ),
    "POST /organisations": Call({"name": "New", "name_km": "ថ្មី", "kind": "shelter"}),
    "PATCH /organisations/{organisation_id}": Call({"name": "Renamed"}, headers=EDIT),
    "POST /organisations/{organisation_id}/clients": Call({"name": "System"}),
    "DELETE /organisations/{organisation_id}/clients/{client_id}": Call(after=_client_lives),
    "POST /organisations/{organisation_id}/clients/{client_id}/confirm": Call(after=_client_waits),
    "POST /users": Call(lambda *_: {"username": f"new.{uuid4().hex[:12]}", "display_name": "New", "role": "auditor"}),
    "PATCH /users/{user_id}": Call({"display_name": "Renamed"}, headers=EDIT),
    "POST /users/{user_id}/deactivate": Call(after=_user_lives),
    "POST /users/{user_id}/reset-password": Call(before=_user_lives),
    "POST /users/{user_id}/reset-mfa": Call(before=_user_lives),
    "POST /users/{user_id}/confirm [asked by another]": Call(before=_asked),
    "POST /users/{user_id}/confirm [asked by nobody]": Call(before=_nothing_asked),
    "POST /people": Call({"alias": "Neighbour"}),
    "GET /people/{person_id} [register]": Call(ids=_register),
    "PATCH /people/{person_id} [register]": Call({"known_as": "Aunt"}, ids=_register, headers=EDIT),
    "POST /people/{person_id}/links [of the register]": Call(
        lambda stage, _: {"person_id": stage.register["register_person"]}, before=_unlinked, after=_unlinked
    ),
    "POST /people/{person_id}/links [of the case]": Call(
        lambda stage, point: {"person_id": stage.cases[point.case].ids["sibling"]}, before=_unlinked
    ),
    "DELETE /people/{person_id}/links/{link_id}": Call(
        ids=lambda stage, point: {"link_id": stage.cases[point.case].ids["spare_link"]}, before=_linked
    ),
    "GET /people/{person_id}/links [register]": Call(ids=_register),
    "POST /people/search": Call({"name": "Test Client"}),
    "POST /sync": Call({"items": []}),
    "POST /people/matches [register]": Call(lambda stage, _: {"person_id": stage.register["register_person"]}),
    "POST /people/matches [client of the case]": Call(
        lambda stage, point: {"person_id": stage.cases[point.case].ids["person_id"]}
    ),
    "POST /imports": Call(form={"kind": "people"}, files={"file": b"alias\nOnce"}),
    "GET /imports/{import_id}": _IMPORT,
    "GET /imports/{import_id}/rows": _IMPORT,
    "POST /imports/{import_id}/commit": _IMPORT,
    "DELETE /imports/{import_id}": _IMPORT,
    "POST /webhooks": Call({"url": "http://127.0.0.1:9/", "events": ["referral.*"]}, before=_no_hooks),
    **{f"{operation} [own]": _hook("clinic", body) for operation, body in _HOOK_CALLS.items()},
    **{f"{operation} [of another]": _hook("other_ngo", body) for operation, body in _HOOK_CALLS.items()},
    "POST /activities": Call(ACTIVITY),
    "GET /activities/{activity_id}": _record("activities", None, "spare"),
    **_record_calls("/activities/{activity_id}", "activities", {"topics": ["nutrition"]}),
    "POST /home-visits": Call(lambda stage, _: VISIT | {"household_id": stage.register["household_id"]}),
    "GET /home-visits/{home_visit_id}": _record("home_visits", None, "spare"),
    **_record_calls("/home-visits/{home_visit_id}", "home_visits", {"outcome": "no_need"}),
    "POST /home-visits [to the case]": Call(_visit_to_the_case, before=_status("planning")),
    "GET /home-visits/{home_visit_id} [of the case]": _visit_of_the_case(),
    "PATCH /home-visits/{home_visit_id} [of the case]": _visit_of_the_case({"outcome": "advice_given"}),
    "DELETE /home-visits/{home_visit_id} [of the case]": _visit_of_the_case(),
    "POST /commitments": Call(COMMITMENT),
    "GET /commitments/{commitment_id}": _record("commitments", None, "spare"),
    **_record_calls("/commitments/{commitment_id}", "commitments", {"issue": "documents"}),
    "POST /feedback": Call(FEEDBACK),
    "GET /feedback/{feedback_id}": _record("feedback", None, "spare"),
    **_record_calls("/feedback/{feedback_id}", "feedback", {"sentiment": "positive"}),
    "POST /businesses": Call(lambda stage, _: BUSINESS | {"owner_id": stage.register["register_person"]}),
    "GET /businesses/{business_id}": _record("businesses", None, "spare"),
    **_record_calls("/businesses/{business_id}", "businesses", {"kind": "livestock"}),
    "POST /distributions": Call(lambda stage, _: RELIEF | {"household_id": stage.register["household_id"]}),
    "GET /distributions/{distribution_id}": _record("distributions", None, "spare"),
    **_record_calls("/distributions/{distribution_id}", "distributions", {"quantity": 3}),
    "POST /households": Call({"size": 4}),
    "PATCH /households/{household_id}": Call({"size": 5}, headers=EDIT),
}


async def make(stage: Stage, row: Row, point: Standpoint, **params: str) -> httpx.Response:
    """Put the stage in order and make the call of one line of the matrix; a plain GET has no entry."""
    call = CALLS.get(row.key, Call())
    if call.before:
        call.before(stage, point)
    ids = {**stage.register, **stage.cases[point.case].ids, **(call.ids(stage, point) if call.ids else {})}
    body = call.body(stage, point) if callable(call.body) else call.body
    request: dict[str, Any] = {"json": body, "data": call.form, "files": call.files, "headers": call.headers}
    request["params"] = {**call.query, **params}
    path = row.path.format_map(ids)
    client = stage.cast.client("nobody") if point.name == "nobody" else stage.client(point.name)
    at_root = path.startswith(ROOTS)
    url = f"http://samaki.test{path}" if at_root else path
    response = await client.request(row.method, url, **{name: what for name, what in request.items() if what})
    if call.after:
        call.after(stage, point)
    return response
