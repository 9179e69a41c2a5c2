"""One item of a push is the operation that it names, asked by the same caller in a transaction of its own."""

import json
from dataclasses import asdict
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from app.audit import as_id
from app.errors import CaseClosed, FieldError, Invalid
from app.errors.messages import in_language
from app.http import API, wanted_language
from app.models.sync import SyncItem, SyncOp, SyncResult, SyncType
from app.same_caller import ask_again

T, Op = SyncType, SyncOp
# What an item asks for: method, and path below the case (`{id}` is the item's own).
_OPERATIONS: dict[tuple[SyncType, SyncOp], tuple[str, str]] = {
    (T.CASE, Op.CREATE): ("POST", "/cases"),
    (T.CASE, Op.UPDATE): ("PATCH", "/cases/{id}"),
    (T.CASE, Op.TRANSITION): ("POST", "/cases/{id}/transitions"),
    (T.NOTE, Op.CREATE): ("POST", "/cases/{case_id}/notes"),
    (T.FOLLOW_UP, Op.CREATE): ("POST", "/cases/{case_id}/follow-ups"),
    (T.FOLLOW_UP, Op.UPDATE): ("PATCH", "/cases/{case_id}/follow-ups/{id}"),
    (T.ACTION, Op.CREATE): ("POST", "/cases/{case_id}/actions"),
    (T.ACTION, Op.UPDATE): ("PATCH", "/cases/{case_id}/actions/{id}"),
    (T.ACTION, Op.TRANSITION): ("POST", "/cases/{case_id}/actions/{id}/complete"),
    (T.HOME_VISIT, Op.CREATE): ("POST", "/home-visits"),
    (T.FOLLOW_UP, Op.TRANSITION): ("POST", "/cases/{case_id}/follow-ups/{id}/record"),
}
_PLACES = {
    T.CASE: "/cases/{id}",
    T.FOLLOW_UP: "/cases/{case_id}/follow-ups/{id}",
    T.ACTION: "/cases/{case_id}/actions/{id}",
}
STALE = 412
ANY = "*"  # of HTTP; from a device that was away it would overwrite what it has not seen
_TOLD = ("code", "cause", "errors", "allowed", "blocked_by", "missing")  # of a problem
_MISSING = ("required", "This field is required.")


async def push(request: Request, item: SyncItem) -> SyncResult:
    """Do what the item says, and tell what came of it."""
    data = dict(item.data)
    case_id = item.id if item.type is SyncType.CASE else as_id(str(data.pop("case_id", "")))
    operation = _OPERATIONS.get((item.type, item.op))
    if operation is None:
        return _wrong(request, item, "/op", "not_allowed", "This is no change that can be pushed.")
    if item.type is T.HOME_VISIT:  # of a household, and of a case only where it says so
        data = dict(item.data)
    elif case_id is None:
        code, message = ("invalid_id", "This must be an id (UUID).") if "case_id" in item.data else _MISSING
        return _wrong(request, item, "/data/case_id", code, message)
    if ANY in (tag.strip() for tag in (item.if_match or "").split(",")):
        return _wrong(request, item, "/if_match", "not_allowed", "Say which version was changed: none is lost then.")
    if item.op is SyncOp.CREATE:
        data["id"] = str(item.id)
    method, path = operation
    names = {"case_id": case_id, "id": item.id}
    body = json.dumps(data, sort_keys=True).encode()
    answer = await ask_again(request, method, API + path.format(**names), body=body, headers=_headers(item))
    told = _result(item.id, answer)
    if told.status == STALE:
        told.current = await _current(request, _PLACES[item.type].format(**names))
    elif told.code == CaseClosed.code and case_id is not None:
        told.current = await _current(request, f"/cases/{case_id}")
    return told


def _headers(item: SyncItem) -> dict[str, str]:
    sent = {"content-type": "application/json", "idempotency-key": item.idempotency_key}
    return sent if item.if_match is None else {**sent, "if-match": item.if_match}


def _wrong(request: Request, item: SyncItem, pointer: str, code: str, message: str) -> SyncResult:
    told = in_language([FieldError(pointer, code, message)], wanted_language(request))
    return SyncResult(id=item.id, status=422, code=Invalid.code, errors=[asdict(error) for error in told])


def _result(own_id: UUID, answer: Response) -> SyncResult:
    body = _json(answer)
    if answer.status_code >= 400:
        return SyncResult(id=own_id, status=answer.status_code, **{name: body.get(name) for name in _TOLD})
    made = as_id(answer.headers.get("location", "").rpartition("/")[2]) if answer.status_code == 201 else None
    return SyncResult(id=made or own_id, status=answer.status_code, version=body.get("version"))


async def _current(request: Request, place: str) -> dict[str, Any] | None:
    """The thing as the caller may read it now."""
    answer = await ask_again(request, "GET", API + place)
    return _json(answer) if answer.status_code == 200 else None


def _json(answer: Response) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(bytes(answer.body)) if answer.body else {}
    return body
