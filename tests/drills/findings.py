"""What a drill found: the fault, the bar of safety.md, the figures, and whether the bar held."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One line of the table; `held` None: the drill could not be run here, and `measured` says why."""

    fault: str
    bar: str
    measured: str
    held: bool | None

    @property
    def verdict(self) -> str:
        """held, MISSED, or not run."""
        return {True: "held", False: "MISSED", None: "not run"}[self.held]


def counted(refused: dict[str, int]) -> str:
    """`503 unavailable 12, no answer 3`."""
    return ", ".join(f"{what} {count}" for what, count in sorted(refused.items())) or "none"
