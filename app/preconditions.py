"""ETag and If-Match: who edits must have seen the version that is edited (RFC 9110, RFC 6585)."""

from uuid import UUID

from app.errors import PreconditionFailed, PreconditionRequired


def etag(version: int | UUID) -> str:
    """The entity tag of a version, or of a thing that is never changed: its id."""
    return f'"{version}"'


def check_match(if_match: str | None, version: int) -> None:
    """428 without If-Match, 412 (with the current ETag) when it names no current version."""
    if if_match is None:
        raise PreconditionRequired
    check_match_if_sent(if_match, version)


def check_put(if_match: str | None, if_none_match: str | None, version: int | None) -> None:
    """For what is written whole: `If-None-Match: *` the first time, when `version` is None, later If-Match.

    428 when the one that is needed is not sent; 412 when the other one was, or a version that is not current.
    """
    if version is None and if_match is not None:
        raise PreconditionFailed
    if version is None:
        if if_none_match is None:
            raise PreconditionRequired
    elif if_none_match is not None:
        raise PreconditionFailed(etag(version))
    else:
        check_match(if_match, version)


def check_match_if_sent(if_match: str | None, version: int | UUID) -> None:
    """412 when If-Match is sent and stale; for transitions, which only honour it."""
    if if_match is None:
        return
    named = [tag.strip() for tag in if_match.split(",")]
    if "*" not in named and etag(version) not in named:
        raise PreconditionFailed(etag(version))
