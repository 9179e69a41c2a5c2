"""What is refused because a case must be kept."""

from app.errors.problems import Problem


class LegalHold(Problem):
    """The case must be kept: nothing of it is erased until a supervisor lifts the hold."""

    status, code = 409, "legal_hold"
