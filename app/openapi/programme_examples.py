"""The examples of the programme around the cases: one training, one visit, one promise, what was said and given."""

from typing import Any

from app.openapi.example_values import ID, NOW

_DAY = "2026-03-01"
_PLACE = {"commune_code": "170201"}
_RECORDED: dict[str, Any] = {
    "id": ID,
    "recorded_by": {"id": ID, "display_name": "Sok Dara"},
    "recorded_at": NOW,
    "received_at": NOW,
    "version": 1,
    "updated_at": NOW,
}
_ATTENDANCE = {
    "total": 12,
    "by": [
        {"sex": "female", "age_band": "18-29", "disability": None, "people": 7},
        {"sex": "female", "age_band": "30-44", "disability": True, "people": 5},
    ],
    "groups": [{"group": "smart_woman", "people": 3}],
}
_TRAINING = {
    "kind": "health_training",
    "starts_on": _DAY,
    "ends_on": _DAY,
    **_PLACE,
    "village_code": None,
    "topics": ["family_planning", "nutrition"],
    "facilitators": ["health"],
    "attendance": _ATTENDANCE,
}
_NAMED = [{"person_id": ID, "group": "smart_woman"}]
_VISIT = {"household_id": ID, "visited_on": _DAY, "topics": ["financial_hardship"], "outcome": "advice_given"}
_PROMISE = {
    "promised_by": "commune_chief",
    **_PLACE,
    "issue": "domestic_violence",
    "what": "The committee will see each family that asks for it within two weeks.",
    "activity_id": None,
    "made_on": _DAY,
    "due_on": "2026-06-01",
    "status": "open",
    "status_on": None,
    "evidence": None,
}
_FEEDBACK = {
    "public_service": "health_centre",
    **_PLACE,
    "village_code": None,
    "sentiment": "negative",
    "given_on": _DAY,
    "given_by": {"sex": "female", "age_band": "18-29", "people": 3},
    "text": "They waited from dawn to noon, and then it closed.",
    "response": None,
    "responded_on": None,
}
_BUSINESS = {"kind": "food_stall", "owner_id": ID, "started_on": _DAY, "activity_id": None, **_PLACE}
_ALIVE = dict.fromkeys(f"alive_at_{months}_months" for months in (3, 6, 12))
_RELIEF = {"household_id": ID, "cause": "flood", "item": "Rice, sack of 25 kg", "quantity": 2, "distributed_on": _DAY}

PROGRAMME_MODELS: dict[str, Any] = {
    "ActivityCreate": {**_TRAINING, "participants": _NAMED},
    "ActivityUpdate": {"topics": ["nutrition"]},
    "ActivitySummary": {**_RECORDED, **_TRAINING, "campaign": None},
    "ActivityRead": {**_RECORDED, **_TRAINING, "campaign": None, "participants": _NAMED},
    "HomeVisitCreate": _VISIT,
    "HomeVisitUpdate": {"outcome": "no_need"},
    "HomeVisitRead": {
        **_RECORDED,
        **_VISIT,
        "caseworker": {"id": ID, "display_name": "Sok Dara"},
        **_PLACE,
        "next_visit_on": None,
        "case_id": None,
    },
    "CommitmentCreate": _PROMISE,
    "CommitmentUpdate": {"status": "kept", "status_on": _DAY, "evidence": "The list of the families that were seen."},
    "CommitmentRead": {**_RECORDED, **_PROMISE},
    "FeedbackCreate": _FEEDBACK,
    "FeedbackUpdate": {"response": "It opens at six now.", "responded_on": _DAY},
    "FeedbackRead": {**_RECORDED, **_FEEDBACK},
    "BusinessCreate": _BUSINESS,
    "BusinessUpdate": {"kind": "livestock"},
    "BusinessRead": {
        **_RECORDED,
        **_BUSINESS,
        "owner_sex": "female",
        "owner_age_band": "30-44",
        "owner_disability": None,
        **_ALIVE,
    },
    "DistributionCreate": _RELIEF,
    "DistributionUpdate": {"quantity": 3},
    "DistributionRead": {**_RECORDED, **_RELIEF, **_PLACE},
}
