"""What a case, or what the client said, does not allow."""

from collections.abc import Sequence

from app.errors.problems import Problem


class CaseClosed(Problem):
    """A closed case is not changed."""

    status, code = 409, "case_closed"


class IllegalTransition(Problem):
    """The case, or the request, cannot go to that status from its own; `allowed` lists those that it can go to."""

    status, code = 409, "illegal_transition"

    def __init__(self, allowed: Sequence[str] = ()) -> None:
        super().__init__(extra={"allowed": list(allowed)})


class ExceedsApproval(Problem):
    """More would be paid than was approved; what is paid already counts."""

    status, code = 409, "exceeds_approval"


class ClosureBlocked(Problem):
    """Something on the case is not at its end; `blocked_by` lists what, in codes."""

    status, code = 409, "closure_blocked"

    def __init__(self, blocked_by: Sequence[str] = ()) -> None:
        super().__init__(extra={"blocked_by": list(blocked_by)})


class PlanIncomplete(Problem):
    """The danger to her must be known and planned for first; `missing` lists what is not there, in codes."""

    status, code = 409, "plan_incomplete"

    def __init__(self, missing: Sequence[str] = ()) -> None:
        super().__init__(extra={"missing": list(missing)})


class ConsentRequired(Problem):
    """She has not agreed to it."""

    status, code = 409, "consent_required"


class UnsafeContact(Problem):
    """Her safe-contact rules forbid this way or time of contact."""

    status, code = 409, "unsafe_contact"


class UnsafeCaregiver(Problem):
    """This caregiver is suspected, or not safe for the child: neither agrees for her nor is a way to her."""

    status, code = 409, "unsafe_caregiver"


class CaseloadFull(Problem):
    """The person chosen already carries as many cases as allowed."""

    status, code = 409, "caseload_full"


class AccessExists(Problem):
    """The caller sees the case already; emergency access would add nothing to it."""

    status, code = 409, "access_exists"


class ReviewPending(Problem):
    """Earlier emergency access of the caller waits for its review."""

    status, code = 409, "review_pending"


class LegalHold(Problem):
    """The case must be kept: nothing of it is erased until a supervisor lifts the hold."""

    status, code = 409, "legal_hold"


class InUse(Problem):
    """Other records refer to it; they go first."""

    status, code = 409, "in_use"


class ImportBlocked(Problem):
    """The import cannot be written as it stands; `blocked_by` says why, in codes."""

    status, code = 409, "import_blocked"

    def __init__(self, blocked_by: Sequence[str] = ()) -> None:
        super().__init__(extra={"blocked_by": list(blocked_by)})


class PeriodNotOver(Problem):
    """A report is submitted when its period is over, by Phnom Penh's calendar."""

    status, code = 409, "period_not_over"
