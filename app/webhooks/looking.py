"""Does an address lead where a webhook may? Asked when it is named, and by the worker anew whenever it sends."""

from dataclasses import dataclass
from typing import Self

from app.models.webhook import SendProblem
from app.webhooks.sending import Sender

REFUSED = frozenset({SendProblem.ADDRESS, SendProblem.NAME})


@dataclass(frozen=True, slots=True)
class LookedAt:
    """`good`: an address of the public internet that does not send on. Nobody need listen there yet."""

    good: bool

    @classmethod
    async def at(cls, sender: Sender, url: str) -> Self:
        """Resolve it and ask it, briefly."""
        found = await sender.look(url)
        redirects = found.status is not None and 300 <= found.status < 400
        return cls(not redirects and found.problem not in REFUSED)
