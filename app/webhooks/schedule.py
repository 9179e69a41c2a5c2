"""When an event that did not arrive is sent again (referrals.md, "Webhooks and the feed")."""

from datetime import timedelta

# After the first attempt, the second, and so on. Who has had none of these ten is told no more until asked for again.
RETRIES = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)


def wait_after(attempts: int) -> timedelta | None:
    """How long to wait after so many attempts that failed; None: it is dead until somebody asks for it again."""
    return RETRIES[attempts - 1] if attempts <= len(RETRIES) else None
