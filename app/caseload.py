"""How many open cases one person leads: from when a warning is given, and from when nobody gives them another."""

from dataclasses import dataclass

SHARED_AS = "caseload"  # among what every transaction has at hand (app.db.Database.shared)


@dataclass(frozen=True, slots=True)
class CaseloadLimits:
    """`warn_at` and `full_at` open cases."""

    warn_at: int
    full_at: int
