"""What the programme did in three quarters, in numbers: the last of them are the figures of one published quarter."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from app.demo.draws import Draws
from app.models.codes.programme import ActivityKind

Kind = ActivityKind
PLACES = 6  # communes


@dataclass(frozen=True, slots=True)
class Quarter:
    """`sessions`: how many activities of a kind, and how many women came to them in all. `women`: how many different
    ones those are, of trainings, workshops, forums and seminars; `returning` of them came in an earlier quarter too."""

    first: date
    last: date
    sessions: dict[ActivityKind, tuple[int, int]]
    women: int
    returning: int
    smart_women: int
    campaigns: tuple[int, ...]
    families: int
    visited_again: int
    feedback: int
    businesses: int
    commitments: int
    relief: int
    cause: str


WINTER = Quarter(
    first=date(2024, 1, 1),
    last=date(2024, 3, 31),
    sessions={
        Kind.HEALTH_TRAINING: (6, 112),
        Kind.SELF_EMPOWERMENT_WORKSHOP: (10, 236),
        Kind.BUSINESS_TRAINING: (6, 198),
        Kind.PUBLIC_FORUM: (2, 44),
        Kind.ASSISTANCE_MEETING: (2, 9),
        Kind.ROUNDTABLE: (1, 8),
        Kind.LEADER_MEETING: (3, 12),
    },
    women=402,
    returning=0,
    smart_women=22,
    campaigns=(310, 420),
    families=84,
    visited_again=11,
    feedback=31,
    businesses=17,
    commitments=7,
    relief=0,
    cause="other",
)
SPRING = Quarter(
    first=date(2024, 4, 1),
    last=date(2024, 6, 30),
    sessions={
        Kind.HEALTH_TRAINING: (9, 171),
        Kind.SELF_EMPOWERMENT_WORKSHOP: (14, 371),
        Kind.BUSINESS_TRAINING: (10, 362),
        Kind.PUBLIC_FORUM: (3, 51),
        Kind.PUBLIC_SEMINAR: (1, 20),
        Kind.ASSISTANCE_MEETING: (3, 14),
        Kind.ROUNDTABLE: (2, 15),
        Kind.LEADER_MEETING: (4, 18),
    },
    women=688,
    returning=301,
    smart_women=31,
    campaigns=(450, 380, 520),
    families=129,
    visited_again=24,
    feedback=54,
    businesses=33,
    commitments=10,
    relief=12,
    cause="drought",
)
# shared/data/quarter.json of the design: July to September, the figures of `app/indicators` come out of these.
PUBLISHED = Quarter(
    first=date(2024, 7, 1),
    last=date(2024, 9, 30),
    sessions={
        Kind.HEALTH_TRAINING: (13, 246),
        Kind.SELF_EMPOWERMENT_WORKSHOP: (22, 603),
        Kind.BUSINESS_TRAINING: (16, 635),
        Kind.PUBLIC_FORUM: (5, 95),
        Kind.PUBLIC_SEMINAR: (1, 19),
        Kind.ASSISTANCE_MEETING: (4, 18),
        Kind.ROUNDTABLE: (3, 21),
        Kind.LEADER_MEETING: (6, 27),
    },
    women=1_072,
    returning=540,
    smart_women=38,
    campaigns=(620, 540, 480, 430, 380),
    families=187,
    visited_again=44,
    feedback=83,
    businesses=56,
    commitments=14,
    relief=41,
    cause="flood",
)
QUARTERS = (WINTER, SPRING, PUBLISHED)

# Where women learn and speak up; at the others they meet leaders.
LEARNING = (
    Kind.HEALTH_TRAINING,
    Kind.SELF_EMPOWERMENT_WORKSHOP,
    Kind.BUSINESS_TRAINING,
    Kind.PUBLIC_FORUM,
    Kind.PUBLIC_SEMINAR,
)
WORKSHOPS = {Kind.SELF_EMPOWERMENT_WORKSHOP, Kind.BUSINESS_TRAINING}


@dataclass(frozen=True, slots=True)
class Session:
    """One activity: its kind, the place of its commune among the six, how many women come."""

    kind: ActivityKind
    place: int
    women: int


def sessions_of(quarter: Quarter, draws: Draws) -> list[Session]:
    """Every activity of the quarter; the communes take turns."""
    planned = [
        (kind, women) for kind, (count, total) in quarter.sessions.items() for women in shares(draws, total, count)
    ]
    return [Session(kind, number % PLACES, women) for number, (kind, women) in enumerate(planned)]


def pools_of(quarter: Quarter, sessions: Sequence[Session]) -> list[int]:
    """How many different women of each commune come to learn: together `quarter.women`, and never more than seats."""
    seats = [
        sum(one.women for one in sessions if one.place == place and one.kind in LEARNING) for place in range(PLACES)
    ]
    pools = [seat * quarter.women // sum(seats) for seat in seats]
    for place in range(quarter.women - sum(pools)):
        pools[place] += 1
    return pools


def shares(draws: Draws, total: int, parts: int) -> list[int]:
    """`total` in so many parts, of about the same size and none empty."""
    left = total
    sizes = []
    for remaining in range(parts, 0, -1):
        fair = left // remaining
        size = left if remaining == 1 else max(1, fair + draws.randint(-(fair // 4), fair // 4))
        size = min(size, left - (remaining - 1))
        sizes.append(size)
        left -= size
    return sizes


def spread(total: int, parts: int) -> Iterator[int]:
    """`total` in so many parts that differ by one at most."""
    for number in range(parts):
        yield (total + number) // parts
