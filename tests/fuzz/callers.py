"""Who sends the generated requests: one person of every role, one of another organisation, and nobody."""

from tests.standpoints import CASEWORKER, STANDPOINTS, Standpoint

NOBODY = Standpoint("nobody", CASEWORKER, "nobody", "standard")
_BY_NAME = {point.name: point for point in STANDPOINTS}

CALLERS: dict[str, Standpoint] = {
    "caseworker": _BY_NAME["lead"],
    "supervisor": _BY_NAME["supervisor"],
    "liaison": _BY_NAME["liaison"],
    "partner": _BY_NAME["partner_standard"],
    "auditor": _BY_NAME["auditor_standard"],
    "admin": _BY_NAME["admin_standard"],
    "other_organisation": _BY_NAME["stranger_standard"],
    "nobody": NOBODY,
}
