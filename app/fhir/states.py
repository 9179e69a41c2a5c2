"""The states of a referral as the statuses of Task and ServiceRequest, and back."""

from app.errors import Invalid
from app.fhir.service_request import RequestStatus
from app.fhir.task import TaskStatus
from app.models.codes.referrals import ReferralStatus

S, T, R = ReferralStatus, TaskStatus, RequestStatus

TASK = {
    S.REQUESTED: T.REQUESTED,
    S.ACCEPTED: T.ACCEPTED,
    S.REJECTED: T.REJECTED,
    S.IN_PROGRESS: T.IN_PROGRESS,
    S.ON_HOLD: T.ON_HOLD,
    S.COMPLETED: T.COMPLETED,
    S.FAILED: T.FAILED,
    S.CANCELLED: T.CANCELLED,
    S.ENTERED_IN_ERROR: T.ENTERED_IN_ERROR,
}
REQUEST = {
    S.REQUESTED: R.ACTIVE,
    S.ACCEPTED: R.ACTIVE,
    S.REJECTED: R.REVOKED,
    S.IN_PROGRESS: R.ACTIVE,
    S.ON_HOLD: R.ON_HOLD,
    S.COMPLETED: R.COMPLETED,
    S.FAILED: R.REVOKED,
    S.CANCELLED: R.REVOKED,
    S.ENTERED_IN_ERROR: R.ENTERED_IN_ERROR,
}
# While it may be open to the recipient who the client is; whether it is, the reading of the Patient says.
TOLD = frozenset({S.ACCEPTED, S.IN_PROGRESS, S.ON_HOLD, S.COMPLETED})
_OF_TASK = {task: ours for ours, task in TASK.items()}


def state_of(status: TaskStatus, pointer: str = "/status") -> ReferralStatus:
    """The state that a Task's status means; 422 for draft, received and ready, which a referral never is."""
    if status not in _OF_TASK:
        raise Invalid.at(pointer, "not_supported", "A referral never has this status.")
    return _OF_TASK[status]
