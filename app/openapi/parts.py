"""The fixed parts of the API's description: its words, its problem, its headers."""

from typing import Any

from app.errors import Cause
from app.openapi.example_values import ID

Json = dict[str, Any]

ABOUT = """
Case management for people who protect women and girls. Every answer carries `X-Request-ID`; every problem is
`application/problem+json` (RFC 9457) with a `code` that never changes and a `title` in English or Khmer, as
`Accept-Language` asks. What you may not see answers exactly as what does not exist: 404.
""".strip()

TAGS = {
    "auth": "Signing in, going on with a session, signing out.",
    "areas": "Provinces to villages, code lists, and colleagues to assign or exclude.",
    "organisations": "Organisations, and the systems that act for partners.",
    "services": "The directory: which services there are, for whom, when and where.",
    "hsds": "The directory for everybody, without a token, in the shapes of HSDS 3.0.",
    "users": "People who sign in.",
    "webhooks": "A partner's systems told of its referrals, signed; and the same as a page for who rather asks.",
    "people": "The register of people and households, and the people of a case.",
    "cases": "Opening, finding, reading, editing and moving cases.",
    "assignments": "Who works on a case, who must never see it, and the caseload.",
    "offline": "What a device that was away pulls and pushes.",
    "screening": "Colleagues whose name, phone or relative met a perpetrator, and the answer to it.",
    "erasure": "Taking a case away for good, by two people, and the legal hold that stops it.",
    "break-glass": "Emergency access to a case for four hours, and the review of it.",
    "consents": "What the client agreed to.",
    "disclosures": "What was told outside, for her life or because the law asks, recorded by two people.",
    "incidents": "What happened, as data.",
    "whereabouts": "Where a client is hidden, for lead and assigned.",
    "health-record": "What is known of a pregnancy, for who works on the case.",
    "attachments": "Papers and photographs of a case, for who works on it.",
    "worklist": "What is to be done today, most urgent first.",
    "follow-ups": "Who sees or calls the client next, by which way that is safe, and what came of it.",
    "care-plan": "The steps of the care plan, and the safety plan made with the client.",
    "assessments": "Danger assessments, the level of risk and its history.",
    "assistance": "Help that was asked for, decided by somebody else, and handed over; and the month's ledger.",
    "transfers": "Handing a case to another organisation, by her consent and that organisation's yes.",
    "referrals": "Asking another organisation for one service, with what she agreed to tell; both sides to the end.",
    "programme": "What is done around the cases: activities, visits, promises, feedback, businesses, relief.",
    "notes": "Notes on a case, and its timeline.",
    "imports": "Registers as files: checked row by row, then written all or nothing.",
    "reports": "The quarter in figures, live and submitted, and how the work runs.",
    "exports": "Anonymised releases of a quarter's cases, for auditors.",
    "audit": "Who did what and saw whom, and whether the trail is whole.",
    "fhir": "Referrals in FHIR R4 (4.0.1), for systems that speak it; refusals are OperationOutcomes.",
    "health": "For whoever runs the service.",
}

PROBLEM: Json = {
    "type": "object",
    "required": ["type", "title", "status", "code", "instance"],
    "properties": {
        "type": {"type": "string", "description": "`urn:samaki:problem:<code>`"},
        "title": {"type": "string", "description": "For people, in English or Khmer."},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "For programs."},
        "instance": {"type": "string", "description": "The request's id."},
        "errors": {"type": "array", "items": {"$ref": "#/components/schemas/FieldError"}},
        "allowed": {
            "type": "array",
            "items": {"type": "string"},
            "description": "Statuses that the case, or the request, can go to, with `illegal_transition`.",
        },
        "blocked_by": {
            "type": "array",
            "items": {"type": "string"},
            "description": "What is not at its end (`future_follow_up`, `open_referral`, `risk_review`,"
            " `safety_plan_review`, `too_few_attempts`, `undecided_assistance`, `unpaid_assistance`, `urgent_action`),"
            " with `closure_blocked`.",
        },
        "cause": {
            "type": "string",
            "enum": [cause.value for cause in Cause],
            "description": "Which contradiction, with `conflict`, where it may be told.",
        },
        "missing": {
            "type": "array",
            "items": {"type": "string"},
            "description": "What is not there (`assessment`, `safety_plan`), with `plan_incomplete`.",
        },
    },
}
FIELD_ERROR: Json = {
    "type": "object",
    "required": ["pointer", "code", "message"],
    "properties": {
        "pointer": {
            "type": "string",
            "description": "RFC 6901 into the body, `/query/<name>`, `/header/<name>`.",
        },
        "code": {"type": "string"},
        "message": {"type": "string", "description": "A fixed sentence in English or Khmer; never what was submitted."},
    },
}
BEARER: Json = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "JWT",
    "description": "The access token of `POST /api/v1/auth/token`.",
}
TEXT: Json = {"schema": {"type": "string"}}
SECONDS: Json = {"schema": {"type": "integer"}, "description": "Seconds to wait."}
HEADERS: dict[int, Json] = {
    401: {"WWW-Authenticate": TEXT},
    412: {"ETag": {**TEXT, "description": "The present version."}},
    416: {"Content-Range": {**TEXT, "description": "`bytes */` and the size of the file."}},
    429: {"Retry-After": SECONDS, "RateLimit": TEXT},
    503: {"Retry-After": SECONDS},
}
IDEMPOTENCY_KEY: Json = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same key and body again answer as the first time, with `Idempotency-Replayed: true`.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200},
    "example": ID,
}
HEADER_NAMES = {"if-match": "If-Match", "if-none-match": "If-None-Match", "if-range": "If-Range"}
