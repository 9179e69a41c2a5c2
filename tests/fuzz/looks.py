"""What is looked at in every answer to a generated request."""

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx

PLAIN = re.compile(r"[A-Za-z0-9_.:+-]*")
SHORTEST = 6  # shorter ones occur in any sentence
# Code lists, areas and public keys hold nobody's data and say themselves how long they may be kept.
KEPT_BY_CLIENTS = {"/api/v1/codes", "/api/v1/areas", "/api/v1/areas/{code}", "/.well-known/jwks.json"}
KEPT_BY_CLIENTS |= {"/api/v1/.well-known/jwks.json", "/.well-known/export-keys.json"}


def wrong_with(answer: httpx.Response, path: str, sent: Any, documented: set[str]) -> str | None:
    """None, or what is wrong with the answer in a few words. `path` is the template, `sent` all that was sent."""
    status = str(answer.status_code)
    if answer.status_code >= 500:
        return f"answered {status}"
    code, kept = _code(answer), answer.headers.get("Cache-Control", "")
    looks = {
        "without no-store": "no-store" in kept or (answer.is_success and path in KEPT_BY_CLIENTS and "max-age" in kept),
        "is not in the description": status in documented,
        "is no problem+json with a code": answer.is_success or code is not None,
        "echoes what was sent": answer.is_success or not any(_echoed(text, answer) for text in _texts(sent)),
    }
    return next((f"{status} {code or ''} {what}" for what, well in looks.items() if not well), None)


def _code(answer: httpx.Response) -> str | None:
    kind, body = answer.headers.get("Content-Type"), answer.json() if answer.content else {}
    if kind == "application/fhir+json" and body.get("resourceType") == "OperationOutcome":
        body = body["issue"][0]["details"]["coding"][0]
    elif kind != "application/problem+json":
        return None
    code = str(body.get("code"))
    return code if re.fullmatch("[a-z_]+", code) else None


def _echoed(text: str, answer: httpx.Response) -> bool:
    return text in answer.text or json.dumps(text)[1:-1] in answer.text


def _texts(sent: Any) -> Iterator[str]:
    """Every text of some length that is more than a plain word, however deep; names of fields are not values."""
    if isinstance(sent, str):
        if len(sent.strip()) >= SHORTEST and not PLAIN.fullmatch(sent):
            yield sent
    elif isinstance(sent, dict):
        for value in sent.values():
            yield from _texts(value)
    elif isinstance(sent, list | tuple):
        for value in sent:
            yield from _texts(value)
