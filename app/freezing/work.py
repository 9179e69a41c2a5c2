"""What the process of a computation is given, and what it says: JSON, a document and then lines."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Told:
    """A release of the cohort with what was known when it was made: earlier releases by id, and told figures."""

    id: str
    profile: str
    releases: tuple[str, ...]
    figures: tuple[dict[str, str], ...]

    @classmethod
    def of(cls, own_id: str, profile: str, known: Mapping[str, Any] | None) -> Self:
        """As the ledger has it."""
        known = known or {}
        return cls(own_id, profile, tuple(known.get("releases", ())), tuple(known.get("figures", ())))


@dataclass(frozen=True, slots=True)
class Work:
    """`rows`: by column. `told`: every release of the cohort in order, the last one is to be made."""

    rows: dict[str, list[Any]]
    period: str
    frozen_at: datetime
    told: tuple[Told, ...]
    keys_dir: Path
    directory: Path

    def written(self) -> bytes:
        """For the other process."""
        document = asdict(self) | {
            "frozen_at": self.frozen_at.isoformat(),
            "keys_dir": str(self.keys_dir),
            "directory": str(self.directory),
        }
        return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()

    @classmethod
    def read(cls, text: bytes) -> Self:
        """What `written` wrote."""
        document = json.loads(text)
        told = (Told.of(one["id"], one["profile"], one) for one in document["told"])
        return cls(
            document["rows"],
            document["period"],
            datetime.fromisoformat(document["frozen_at"]),
            tuple(told),
            Path(document["keys_dir"]),
            Path(document["directory"]),
        )


@dataclass(frozen=True, slots=True)
class Word:
    """`kind`: `progress` (of the stage `code`), or last `done`, `refused` (because of `code`), `full` (the disk),
    `failed` (`code`: where)."""

    kind: str
    code: str = ""
    share: float = 0.0

    def written(self) -> str:
        """One line."""
        return json.dumps(asdict(self), separators=(",", ":")) + "\n"

    @classmethod
    def read(cls, line: bytes) -> Self:
        """What `written` wrote; a line that is cut off is a failure."""
        try:
            return cls(**json.loads(line))
        except (ValueError, TypeError):
            return cls("failed", "ended")
