"""What a caller is to a case: the relations of access.md, and how they follow from the rows of `case_access`."""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from uuid import UUID

from app.models.codes.cases import AccessVia


class Relation(StrEnum):
    """What a caller is to a case: the columns of the table in access.md, and the stub."""

    LEAD = "lead"
    ASSIGNED = "assigned"
    COVER = "cover"
    LIAISON = "liaison"
    REVIEWER = "reviewer"
    BREAK_GLASS = "break_glass"
    STAFF = "staff"
    SUPERVISOR = "supervisor"
    STUB = "stub"


@dataclass(frozen=True, slots=True)
class Access:
    """How the caller reaches one visible case: the strongest way, which is shown, and every relation."""

    case_id: UUID
    organisation_id: UUID
    mode: str
    via: AccessVia
    relations: frozenset[Relation]

    @property
    def is_liaison(self) -> bool:
        """True when the caller gets the liaison view."""
        return self.relations == {Relation.LIAISON}

    @property
    def works(self) -> bool:
        """True for lead, assigned and cover."""
        return bool(self.relations & {Relation.LEAD, Relation.ASSIGNED, Relation.COVER})


_STRENGTH = {"write": 0, "contribute": 1, "read": 2}


def access_of(case_id: UUID, organisation_id: UUID, ways: list[str]) -> Access:
    """Build an Access from rows of `case_access`, each written `"<mode> <via>"`."""
    mode, via, relations = _weighed(tuple(ways))
    return Access(case_id, organisation_id, mode, via, relations)


@lru_cache(maxsize=1024)
def _weighed(ways: tuple[str, ...]) -> tuple[str, AccessVia, frozenset[Relation]]:
    """The strongest mode and via, and every relation; there are few combinations, so each is worked out once."""
    pairs = [way.split() for way in ways]
    mode, via = min(pairs, key=lambda pair: (_STRENGTH[pair[0]], list(AccessVia).index(AccessVia(pair[1]))))
    return mode, AccessVia(via), frozenset(_relation(*pair) for pair in pairs)


def _relation(mode: str, via: str) -> Relation:
    if via == AccessVia.ORGANISATION:
        return Relation.SUPERVISOR if mode == "write" else Relation.STAFF
    return Relation(via)
