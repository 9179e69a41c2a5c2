"""Referrals as implementation guides write them, about nobody and in words of our own: the elements of the published
examples of HL7's SDOH Clinical Care, Bidirectional Services eReferral, US Core and 360X."""

from typing import Any

Json = dict[str, Any]

SNOMED, LOINC = "http://snomed.info/sct", "http://loinc.org"
V2_0203 = "http://terminology.hl7.org/CodeSystem/v2-0203"
TASK_CODE = "http://hl7.org/fhir/CodeSystem/task-code"
CORE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core"
NARRATIVE = {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">A referral</div>'}


def _meta(profile: str) -> Json:
    return {"versionId": "6", "lastUpdated": "2022-04-22T14:37:03.283+00:00", "source": "#1", "profile": [profile]}


# Food help: a community organisation, a task with a code of work, the request coded in SNOMED CT.
SDOH: dict[str, Json] = {
    "ServiceRequest": {
        "meta": _meta("http://hl7.org/fhir/us/sdoh-clinicalcare/StructureDefinition/SDOHCC-ServiceRequest"),
        "text": NARRATIVE,
        "category": [{"coding": [{"system": SNOMED, "code": "410606002", "display": "Social service procedure"}]}],
        "code": {
            "coding": [{"system": SNOMED, "code": "467771000124109", "display": "Assistance with food pantry"}],
            "text": "Help to apply at a food pantry",
        },
        "authoredOn": "2021-01-01",
        "priority": "routine",
    },
    "Task": {
        "meta": _meta("http://hl7.org/fhir/us/sdoh-clinicalcare/StructureDefinition/SDOHCC-TaskForReferralManagement"),
        "code": {"coding": [{"system": TASK_CODE, "code": "fulfill", "display": "Fulfill the focal request"}]},
        "authoredOn": "2020-09-11T21:56:54.671Z",
    },
}
# A service referral with the numbers of both sides, which only a filler has.
BSER: dict[str, Json] = {
    "ServiceRequest": {
        "identifier": [
            {
                "type": {"coding": [{"system": V2_0203, "code": "PLAC"}]},
                "value": "66666666",
            }
        ],
        "code": {"coding": [{"system": SNOMED, "code": "390906007", "display": "Follow-up encounter"}]},
        "occurrencePeriod": {"start": "2020-01-15", "end": "2020-02-15"},
    },
    "Task": {
        "authoredOn": "2020-01-15T14:43:32-04:00",
        "businessStatus": {"coding": [{"system": "http://example.org/bser", "code": "7.0"}]},
    },
}
# A request of US Core with reasons coded by a condition elsewhere.
US_CORE: dict[str, Json] = {
    "Patient": {
        "meta": _meta(f"{CORE}-patient"),
        "text": NARRATIVE,
        "identifier": [{"use": "usual", "system": "http://hospital.example.org", "value": "1032702"}],
        "active": True,
        "telecom": [{"system": "phone", "value": "+855 12 345 678", "use": "home"}],
    },
    "ServiceRequest": {
        "meta": _meta(f"{CORE}-servicerequest"),
        "category": [{"coding": [{"system": SNOMED, "code": "410606002"}]}],
        "code": {"coding": [{"system": LOINC, "code": "11429006"}], "text": "Consultation"},
        "occurrencePeriod": {"start": "2022-10-01T10:00:00Z"},
        "reasonReference": [{"reference": "Condition/example"}],
    },
}
# A consult that points into the chart of the hospital.
X360: dict[str, Json] = {
    "ServiceRequest": {
        "code": {"text": "Consultation by a specialist"},
        "supportingInfo": [{"reference": "DocumentReference/summary"}],
    },
    "Task": {
        "code": {"coding": [{"system": TASK_CODE, "code": "fulfill"}]},
        "groupIdentifier": {"system": "urn:oid:1.2.3", "value": "360X-1"},
    },
}
GUIDES = {"SDOH": SDOH, "BSeR": BSER, "US Core": US_CORE, "360X": X360}
