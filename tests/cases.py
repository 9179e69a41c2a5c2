"""Making cases for tests through the API itself."""

from typing import Any

from tests.cast import COMMUNE, Cast, answered


def intake(category: str = "id_poor", **changes: Any) -> dict[str, Any]:
    """The body of an ordinary intake."""
    return {
        "category": category,
        "client": {"family_name_en": "Test", "given_name_en": "Client", "sex": "female"},
        "commune_code": COMMUNE,
        "summary": "Asks for help.",
        "consents": [{"purpose": "services", "form": "verbal", "obtained_on": "2026-03-01"}],
        **changes,
    }


SUPPORT = {"purpose": "ccwc_support", "form": "verbal", "obtained_on": "2026-03-01"}


async def open_case(cast: Cast, who: str = "caseworker", category: str = "id_poor", **changes: Any) -> str:
    """Open a case and give its id."""
    response = await cast.client(who).post("/cases", json=intake(category, **changes))
    case_id: str = answered(response, 201)["id"]
    return case_id
