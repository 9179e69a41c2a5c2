"""The examples of the API's description, built from the schemas with the values of `example_values`."""

from typing import Any

from app.openapi.example_values import FIELDS, ID, MODELS, NOW

Schema = dict[str, Any]

ID = "5f0c7f5e-3c1d-4a52-9a55-6d1f3f5f7a10"
NOW = "2026-03-02T03:00:00Z"

# Values by model and field, by field alone, then by format; whatever is left is written from its type.
FIELDS: dict[str, Any] = {
    "access_token": "header.claims.signature",
    "action": "read_case",
    "address": "House 12, behind the pagoda",
    "age": 34,
    "alias": None,
    "birth_date": "1991-06-01",
    "birth_date_precision": "year",
    "at_night": 0,
    "by_category": {"social_assistance": 2, "id_poor": 1},
    "by_status": {"intake": 1, "assessment": 2},
    "case_code": "SR-03NQ-K8S3",
    "category": "social_assistance",
    "channels": ["phone"],
    "client_secret": "shown-once-keep-it-safe-0000000000000000000",
    "closed_at": None,
    "closure": None,
    "code": "SR-03NQ-K8S3",
    "code_phrase": "Are the mangoes ripe?",
    "commune_code": "170201",
    "communes": ["170201"],
    "data": {"from": "intake", "to": "assessment"},
    "days": [1, 3],
    "display_name": "Sok Dara",
    "end_reason": None,
    "ended_at": None,
    "equity_card_number": "17020101-0042",
    "excluded_user_ids": [],
    "expires_in": 900,
    "expires_on": None,
    "family_name_en": "Chan",
    "family_name_km": "ចាន់",
    "finding": None,
    "form": "verbal",
    "from": "08:00",
    "from_day": "2026-03-02",
    "given_name_en": "Sreymom",
    "given_name_km": "ស្រីមុំ",
    "id_poor_level": "id_poor_1",
    "incident": None,
    "initial_password": "shown-once-change-it",
    "key_id": "9f2c4be1d6a05377",
    "known_as": "mother of Vanna",
    "level": "commune",
    "lift_requested_at": None,
    "lift_requested_by": None,
    "lifted_at": None,
    "may_answer": "her sister",
    "month": "2026-03",
    "message": "There is no such area.",
    "mode": "write",
    "name": "Women's Rights Siem Reap",
    "name_en": "Khun Ream",
    "name_km": "ខុនរាម",
    "next_cursor": None,
    "next_due_week": "2026-W11",
    "note": "Told at the commune office.",
    "number": "+85512345678",
    "organisation": "Women's Rights Siem Reap",
    "parent": "1702",
    "password": "four plain words together",
    "perpetrators": [],
    "permissions": ["areas:read", "case:open", "case:read", "self:read"],
    "otp": "492039",
    "otpauth_uri": "otpauth://totp/Samaki:sok.dara?secret=JBSWY3DPEHPK3PXP&issuer=Samaki",
    "phone": "+85512345678",
    "pointer": "/commune_code",
    "reason": "She asked for it.",
    "receipt_reference": "2026-0142",
    "refresh_token": "opaque-and-for-one-use-0000000000000000000",
    "reversal_of": None,
    "reversed_by": None,
    "reviewed_at": None,
    "reviewed_by": None,
    "secret": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
    "settled_at": None,
    "shared_fields": [],
    "size": 5,
    "summary": "Asks for help with the documents of her children.",
    "text": "Met her at the commune office; she will come back on Monday.",
    "to": "11:30",
    "totals": {"KHR": 60_000, "USD": 0},
    "token_type": "bearer",
    "type": "case.moved",
    "until": None,
    "username": "sok.dara",
    "village_code": "17020101",
    "week": "2026-W10",
    "withdrawn_at": None,
}

_WHO = {"id": ID, "display_name": "Sok Dara"}
_CLIENT = {"family_name_en": "Chan", "given_name_en": "Sreymom", "sex": "female", "birth_date": "1991-06-01"}
# Whole examples of what callers send, where a rule holds between fields, or where less says more.
MODELS: dict[str, Any] = {
    "AssistanceCreate": {
        "kind": "financial",
        "amount_minor": 120_000,
        "currency": "KHR",
        "purpose": "School fees of her two children.",
    },
    "AssistanceDecision": {"decision": "approve", "amount_minor": 100_000, "reason": "As the committee agreed."},
    "AssistanceRead": {
        "id": ID,
        "case_id": ID,
        "case_code": "SR-03NQ-K8S3",
        "kind": "financial",
        "status": "part_paid",
        "awaiting_second": False,
        "item": None,
        "purpose": "School fees of her two children.",
        "amount_minor": 120_000,
        "approved_minor": 100_000,
        "paid_minor": 60_000,
        "currency": "KHR",
        "requested_by": _WHO,
        "first_approval": None,
        "decision": {"decision": "approve", "by": _WHO, "at": NOW, "amount_minor": 100_000, "reason": "As agreed."},
        **dict.fromkeys(("ended_at", "ended_by", "end_reason")),
        "version": 3,
        "created_at": NOW,
        "updated_at": NOW,
    },
    "DisbursementCreate": {
        "amount_minor": 60_000,
        "method": "cash",
        "paid_on": "2026-03-02",
        "receipt_reference": "2026-0142",
    },
    "CaseCreate": {
        "category": "social_assistance",
        "client": {**_CLIENT, "birth_date_precision": "year"},
        "commune_code": "170201",
        "village_code": "17020101",
        "summary": "Asks for help with the documents of her children.",
        "safe_contact": {"channels": ["phone"], "days": [1, 3], "from": "08:00", "to": "11:30"},
        "consents": [{"purpose": "services", "form": "verbal", "obtained_on": "2026-03-02"}],
    },
    "PasswordChange": {"current_password": "shown-once-change-it", "new_password": "four plain words together"},
    "CaseUpdate": {"priority": "urgent", "summary": "The office asks for one more paper."},
    "CodeRead": {"code": "caseworker", "en": "Caseworker", "km": "ភ្នាក់ងារករណី"},
    "ConsentCreate": {"purpose": "services", "form": "verbal", "obtained_on": "2026-03-02"},
    "HouseholdUpdate": {"size": 6},
    "IncidentUpdate": {"precision": "month"},
    "OrganisationUpdate": {"active": False},
    "MatchesWanted": {"person_id": ID},
    "PersonSearch": {"name": "Chan Sreymom", "limit": 20},
    "PersonUpdate": {"known_as": "mother of Vanna"},
    "Transition": {"to": "assessment"},
    "WhereaboutsWrite": {"kind": "relative", "name": "Her aunt", "phone": "+85512345678", "known_to": "her sister"},
    "UserCreate": {
        "username": "sok.dara",
        "display_name": "Sok Dara",
        "role": "ccwc_liaison",
        "communes": ["170201"],
        "names_km": ["សុខ ដារ៉ា"],
        "phones": ["+85512345678"],
        "relations": ["Sok Vanna"],
    },
    "UserDetailsRead": {
        "names_km": ["សុខ ដារ៉ា"],
        "names_en": [],
        "phones": ["+85512345678"],
        "relations": ["Sok Vanna"],
        "earlier_names": [],
    },
    "UserUpdate": {"display_name": "Sok Dara"},
}


def example(schema: Schema, models: dict[str, Schema], field: str = "") -> Any:
    """An example of `schema`; `models` are the description's components, `field` is the name it goes by."""
    model = schema.get("$ref", "").rpartition("/")[2]
    if model:
        named = "" if models[model].get("type") == "object" else field  # its own fields have names
        return MODELS.get(model) or example(models[model], models, named)
    if field in FIELDS and _fits(FIELDS[field], schema):
        return FIELDS[field]
    if choices := schema.get("anyOf") or schema.get("oneOf"):
        return example(choices[0], models, field)
    if "const" in schema or "enum" in schema:
        return schema["const"] if "const" in schema else schema["enum"][0]
    return _by_type(schema, models, field)


def _fits(value: Any, schema: Schema) -> bool:
    """Two models may call different things by one name: a value is taken where it is one of the schema's."""
    if "enum" in schema:
        return value in schema["enum"]
    kinds = {one.get("type") for one in schema.get("anyOf", [schema])} - {None}
    names = {
        str: "string",
        bool: "boolean",
        int: "integer",
        list: "array",
        dict: "object",
        type(None): "null",
    }
    return names[type(value)] in kinds


def _by_type(schema: Schema, models: dict[str, Schema], field: str) -> Any:
    match schema.get("type"):
        case "object":
            fields = schema.get("properties", {})
            named = {name: example(one, models, name) for name, one in fields.items()}
            others = schema.get("additionalProperties")
            return named or ({"role": example(others, models)} if others else {})
        case "array":
            return [example(schema["items"], models, field)]
        case "integer":
            return max(1, int(schema.get("minimum", 1)))
        case "number":
            return 1.5
        case "boolean":
            return False
        case _:
            formats = {"uuid": ID, "uuid4": ID, "date-time": NOW, "date": "2026-03-02"}
            return formats.get(schema.get("format", ""), "text")
