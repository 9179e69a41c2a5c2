"""One exception per thing that may go wrong: raise it anywhere, the edge answers with its status."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import ClassVar, Self

from app.errors.causes import Cause

BEARER: Mapping[str, str] = {"WWW-Authenticate": "Bearer"}
CLOSE: Mapping[str, str] = {"Connection": "close"}  # the rest of a refused body is never read


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field.

    `pointer` is an RFC 6901 pointer into the body ("" is the whole body), or `/query/<name>`,
    `/header/<name>`, `/cookie/<name>`. `message` is a fixed sentence: it never holds what was submitted.
    """

    pointer: str
    code: str
    message: str


class Problem(Exception):  # noqa: N818 - RFC 9457 calls it a problem
    """The base of all problems: `status` and `code` belong to the class, the rest to the occurrence.

    `errors`: what is wrong field by field (422). `headers`: sent with the answer. `extra`: further members
    of the body. Nothing in them may come from a case or from what the caller submitted.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"
    always: ClassVar[Mapping[str, str]] = {}

    def __init__(
        self,
        *,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, str | int | list[str]] | None = None,
    ) -> None:
        super().__init__(self.code)
        self.errors = tuple(errors)
        self.headers = {**self.always, **(headers or {})}
        self.extra = dict(extra or {})

    def body(self, *, title: str, instance: str) -> dict[str, object]:
        """The members of the answer, in their fixed order; a 422 always has `errors`."""
        body: dict[str, object] = {
            "type": f"urn:samaki:problem:{self.code}",
            "title": title,
            "status": self.status,
            "code": self.code,
            "instance": instance,
        }
        if self.errors or self.status == 422:
            body["errors"] = [asdict(error) for error in self.errors]
        return {**body, **self.extra}


class BadRequest(Problem):
    """The request is not well-formed HTTP; what is wrong with a field or a body is `Invalid`."""

    status, code, always = 400, "bad_request", CLOSE


class Unauthenticated(Problem):
    """No token, or one that is not accepted; never says why."""

    status, code, always = 401, "unauthenticated", BEARER


class MfaRequired(Problem):
    """A one-time code is needed too; on a session: the account must enrol a second factor first."""

    status, code, always = 401, "mfa_required", BEARER


class PasswordChangeRequired(Problem):
    """The password came from somebody else; until another is chosen the account does nothing else."""

    status, code, always = 401, "password_change_required", BEARER


class StepUpRequired(Problem):
    """The operation wants a password typed within the last five minutes (RFC 9470)."""

    status, code = 401, "step_up_required"
    always: ClassVar[Mapping[str, str]] = {"WWW-Authenticate": 'Bearer error="insufficient_user_authentication"'}


class Forbidden(Problem):
    """The role of the caller does not hold the permission."""

    status, code = 403, "forbidden"


class ConfirmationRequired(Problem):
    """A system does nothing until a person of its own organisation has confirmed it."""

    status, code = 403, "confirmation_required"


class NotFound(Problem):
    """Unknown, hidden, or not an id at all: nobody can tell which."""

    status, code = 404, "not_found"


class MethodNotAllowed(Problem):
    """The address exists, the method does not; `Allow` lists those that do."""

    status, code = 405, "method_not_allowed"


class NotAcceptable(Problem):
    """Another format is asked for than the one that there is."""

    status, code = 406, "not_acceptable"


class RequestTimeout(Problem):
    """The body did not arrive in time; the connection closes."""

    status, code, always = 408, "request_timeout", CLOSE


class Conflict(Problem):
    """It contradicts what is already recorded; `cause` says how, where that may be said."""

    status, code = 409, "conflict"

    def __init__(self, cause: Cause | None = None) -> None:
        super().__init__(extra={"cause": cause.value} if cause else None)


class WebhookLimit(Problem):
    """The organisation has as many webhooks as it may have."""

    status, code = 409, "webhook_limit"


class InProgress(Problem):
    """A request with the same Idempotency-Key is still running."""

    status, code = 409, "idempotency_in_progress"


class DeviceWiped(Problem):
    """The session was ended from elsewhere: the device takes away what it keeps, and signs in again."""

    status, code = 410, "device_wiped"


class Withdrawn(Problem):
    """An export that will never be given again; nobody is told why."""

    status, code = 410, "withdrawn"


class PreconditionFailed(Problem):
    """If-Match names an old version; `etag` is the present one, quoted as in the header."""

    status, code = 412, "precondition_failed"

    def __init__(self, etag: str | None = None) -> None:
        super().__init__(headers={} if etag is None else {"ETag": etag})


class PayloadTooLarge(Problem):
    """The body is larger than the limit; the connection closes."""

    status, code, always = 413, "payload_too_large", CLOSE


class UnsupportedMediaType(Problem):
    """The body is not of a type that the operation takes."""

    status, code = 415, "unsupported_media_type"


class RangeNotSatisfiable(Problem):
    """Nothing of the file lies in the range that was asked for; `size` of it in bytes."""

    status, code = 416, "range_not_satisfiable"

    def __init__(self, size: int = 0) -> None:
        super().__init__(headers={"Content-Range": f"bytes */{size}"})


class Invalid(Problem):
    """Fields are missing, unknown or wrong: `errors` says which."""

    status, code = 422, "validation_failed"

    def __init__(self, errors: Sequence[FieldError] = ()) -> None:
        super().__init__(errors=errors)

    @classmethod
    def at(cls, pointer: str, code: str, message: str) -> Self:
        """One error at one field: `Invalid.at("/due_on", "past", "The day must not be past.")`."""
        return cls([FieldError(pointer, code, message)])


class IdempotencyKeyReused(Problem):
    """The Idempotency-Key was used before with another body."""

    status, code = 422, "idempotency_key_reused"


class ExternalIdReused(Problem):
    """A partner sends another client under a number of its own that it has used already."""

    status, code = 409, "external_id_reused"


class PreconditionRequired(Problem):
    """The change needs If-Match (or If-None-Match) and has none."""

    status, code = 428, "precondition_required"


class RateLimited(Problem):
    """Too many requests; `retry_after` in whole seconds, `policy` names the limit that was reached."""

    status, code = 429, "rate_limited"

    def __init__(self, retry_after: int = 1, policy: str = "default") -> None:
        limit = f'"{policy}";r=0;t={retry_after}'
        super().__init__(headers={"Retry-After": str(retry_after), "RateLimit": limit})


class Unavailable(Problem):
    """The service or its database cannot answer now; `retry_after` in whole seconds."""

    status, code = 503, "unavailable"

    def __init__(self, retry_after: int = 1) -> None:
        super().__init__(headers={"Retry-After": str(retry_after)})


class SealedAway(Unavailable):
    """A sealed field does not open: altered, moved, or its key is not here. The caller is told no more."""


class InternalError(Problem):
    """The unforeseen. Nobody raises it: the edge answers with it."""
