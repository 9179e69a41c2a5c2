"""What somebody wants changed in a Task, as steps and progress of the referral."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, Field, ValidationError

from app.errors import FieldError, Invalid, field_errors
from app.fhir.codes import OUTPUTS, code_in
from app.fhir.referrals import APPOINTMENT, OUTCOME, task_of
from app.fhir.states import state_of
from app.fhir.task import Output, Task, TaskStatus
from app.fhir.types import MOST, CodeableConcept, Element
from app.models.codes.referrals import ReferralBusinessStatus, ReferralOutcome, ReferralReason, ReferralStatus
from app.models.referral import ReferralTransition, ReferralUpdate
from app.models.referral_reads import ReferralFace

Model = TypeVar("Model", bound=BaseModel)

CHANGEABLE = frozenset({"status", "statusReason", "businessStatus", "output"})
# What changes by itself, and what is for people.
_PASSED_OVER = frozenset({"meta", "text", "language", "lastModified"})
PLACES = {
    "/reason_code": "/statusReason",
    "/reason": "/statusReason",
    "/outcome_code": "/output",
    "/appointment_at": "/output",
    "/business_status": "/businessStatus",
}


class StatusPatch(Element):
    op: Literal["add", "replace"]
    path: Literal["/status"]
    value: TaskStatus


class ConceptPatch(Element):
    op: Literal["add", "replace"]
    path: Literal["/statusReason", "/businessStatus"]
    value: CodeableConcept


class OutputPatch(Element):
    op: Literal["add", "replace"]
    path: Literal["/output"]
    value: Annotated[list[Output], Field(max_length=MOST)]


# JSON Patch (RFC 6902) of a Task, as far as a Task can be changed.
TaskPatch = Annotated[
    list[Annotated[StatusPatch | ConceptPatch | OutputPatch, Field(discriminator="path")]],
    Field(min_length=1, max_length=MOST),
]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A step, progress within a state, both or neither; `update_first`: said of the state that is left."""

    step: ReferralTransition | None
    update: ReferralUpdate | None
    update_first: bool


def replaced(one: ReferralFace, sent: Task) -> Wanted:
    """What a whole Task that was sent wants changed; 422 for anything but the changeable elements."""
    before = task_of(one)
    frozen = Task.model_fields.keys() - CHANGEABLE - _PASSED_OVER
    wrong = [name for name in Task.model_fields if name in frozen and getattr(sent, name) != getattr(before, name)]
    if wrong:
        message = "This cannot be changed here."
        raise Invalid([FieldError(f"/{name.rstrip('_')}", "not_changeable", message) for name in wrong])
    return _wanted(one, before, sent)


def patched(one: ReferralFace, operations: TaskPatch) -> Wanted:
    """The same of a JSON Patch."""
    before = task_of(one)
    values = {operation.path.removeprefix("/"): operation.value for operation in operations}
    return _wanted(one, before, before.model_copy(update=values))


def built(model: type[Model], values: Mapping[str, Any], places: Mapping[str, str]) -> Model:
    """A body of our own from parts of FHIR's; 422 at the `places` in FHIR's that our fields came from."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        found = field_errors([{**one, "loc": ("body", *one["loc"])} for one in error.errors()], values)
        raise moved(Invalid(found), places) from None


def moved(problem: Invalid, places: Mapping[str, str]) -> Invalid:
    """The same problem, at the places in FHIR's resource that our fields came from."""
    return Invalid([FieldError(_place(one.pointer, places), one.code, one.message) for one in problem.errors])


def _place(pointer: str, places: Mapping[str, str]) -> str:
    prefix = max((one for one in places if pointer == one or pointer.startswith(f"{one}/")), key=len, default="")
    return places.get(prefix, pointer)


def _wanted(one: ReferralFace, before: Task, after: Task) -> Wanted:
    to = state_of(after.status)
    moves, said = to is not one.status, after.statusReason != before.statusReason
    if said and not moves:
        raise Invalid.at("/statusReason", "not_allowed", "A reason comes with a change of status.")
    changes = _progress(one, after)
    return Wanted(
        step=_step(one, after, to, said) if moves else None,
        update=built(ReferralUpdate, changes, PLACES) if changes else None,
        update_first=one.status is not ReferralStatus.REQUESTED,
    )


def _step(one: ReferralFace, after: Task, to: ReferralStatus, said: bool) -> ReferralTransition:
    reason = after.statusReason if said else None
    outcome = _outcome(after)
    step = {
        "to": to,
        "reason_code": code_in(reason, ReferralReason, "/statusReason"),
        "reason": reason and reason.text,
        "outcome_code": None if outcome == one.outcome_code else outcome,
    }
    return built(ReferralTransition, step, PLACES)


def _progress(one: ReferralFace, after: Task) -> dict[str, Any]:
    business = code_in(after.businessStatus, ReferralBusinessStatus, "/businessStatus")
    if business is None and (one.business_status is not None or after.businessStatus is not None):
        raise Invalid.at("/businessStatus", "unknown_code", "This is not one of the codes of the list.")
    changes: dict[str, Any] = {}
    if (appointment := _appointment(after)) != one.appointment_at:
        changes["appointment_at"] = appointment
    if business != one.business_status:
        changes["business_status"] = business
    if state_of(after.status) is one.status and _outcome(after) != one.outcome_code:
        raise Invalid.at("/output", "not_allowed", "An outcome comes with the completion, nowhere else.")
    return changes


def _outcome(task: Task) -> ReferralOutcome | None:
    found = _output(task, OUTCOME)
    if found is None:
        return None
    code = code_in(found.valueCodeableConcept, ReferralOutcome, "/output")
    if code is None or found.valueDateTime is not None:
        raise Invalid.at("/output", "unknown_code", "This is not one of the codes of the list.")
    return code


def _appointment(task: Task) -> datetime | None:
    found = _output(task, APPOINTMENT)
    if found is None:
        return None
    if found.valueDateTime is None or "T" not in found.valueDateTime or found.valueCodeableConcept is not None:
        raise Invalid.at("/output", "time_invalid", "A time is written as in RFC 3339.")
    return datetime.fromisoformat(found.valueDateTime).astimezone(UTC)


def _output(task: Task, kind: str) -> Output | None:
    """The one output of a kind; 422 for a kind that there is not, and for two of one."""
    kinds = [(_kind(output.type), output) for output in task.output or ()]
    if any(found not in {OUTCOME, APPOINTMENT} for found, _ in kinds):
        raise Invalid.at("/output", "not_supported", "There is no output of this type.")
    ours = [output for found, output in kinds if found == kind]
    if len(ours) > 1:
        raise Invalid.at("/output", "too_many", "There are too many items.")
    return ours[0] if ours else None


def _kind(concept: CodeableConcept) -> str | None:
    return next((one.code for one in concept.coding or () if one.system == OUTPUTS), None)
