"""ETag and If-Match: who edits must have seen the version that is edited (RFC 9110, RFC 6585)."""

from app.errors import PreconditionFailed, PreconditionRequired


def etag(version: int) -> str:
    """The entity tag of a version."""
    return f'"{version}"'


def check_match(if_match: str | None, version: int) -> None:
    """428 without If-Match, 412 (with the current ETag) when it names no current version."""
    if if_match is None:
        raise PreconditionRequired
    check_match_if_sent(if_match, version)


def check_match_if_sent(if_match: str | None, version: int) -> None:
    """412 when If-Match is sent and stale; for transitions, which only honour it."""
    if if_match is None:
        return
    named = [tag.strip() for tag in if_match.split(",")]
    if "*" not in named and etag(version) not in named:
        raise PreconditionFailed(etag(version))
