"""The indicators of cases: how they came and went, for every slice. They leave the organisation, so that only cases
whose client agreed to statistics are in them, and small figures are not told (`hiding.py`)."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from app.indicators.counting import DISABILITY
from app.indicators.definition import words
from app.models.case_flow import FlowKind
from app.models.report import Words
from app.periods import Period


class CaseCount(StrEnum):
    """opening + opened + reopened + moved in - closed - moved out - erased = closing."""

    OPENING = "cases_open_at_start"
    OPENED = "cases_opened"
    REOPENED = "cases_reopened"
    MOVED_IN = "cases_moved_in"
    CLOSED = "cases_closed"
    MOVED_OUT = "cases_moved_out"
    ERASED = "cases_erased"
    CLOSING = "cases_open_at_end"


ENTRIES = {
    CaseCount.OPENED: FlowKind.OPENED,
    CaseCount.REOPENED: FlowKind.REOPENED,
    CaseCount.MOVED_IN: FlowKind.MOVED_IN,
}
EXITS = {
    CaseCount.CLOSED: FlowKind.CLOSED,
    CaseCount.MOVED_OUT: FlowKind.MOVED_OUT,
    CaseCount.ERASED: FlowKind.ERASED,
}
FLOWS = {**ENTRIES, **EXITS}
MOVES = {FlowKind.MOVED_IN, FlowKind.MOVED_OUT}
SLICED_BY = ("category", "sex", "age_band", "disability")
MOVED_BETWEEN = {"commune": {"commune", "both"}, "category": {"category", "both"}}

NAMES: dict[CaseCount, Words] = {
    CaseCount.OPENING: words("Cases open at the start", "ករណីបើកនៅដើមរយៈពេល"),
    CaseCount.OPENED: words("Cases opened", "ករណីដែលបានបើក"),
    CaseCount.REOPENED: words("Cases reopened", "ករណីដែលបានបើកឡើងវិញ"),
    CaseCount.MOVED_IN: words("Cases moved in", "ករណីដែលបានផ្ទេរចូល"),
    CaseCount.CLOSED: words("Cases closed", "ករណីដែលបានបិទ"),
    CaseCount.MOVED_OUT: words("Cases moved out", "ករណីដែលបានផ្ទេរចេញ"),
    CaseCount.ERASED: words("Cases erased", "ករណីដែលបានលុប"),
    CaseCount.CLOSING: words("Cases open at the end", "ករណីបើកនៅចុងរយៈពេល"),
}
_AGREED = "Only cases whose client agreed to statistics."
_AGREED_KM = "រាប់តែករណីដែលអតិថិជនយល់ព្រមឱ្យប្រើក្នុងស្ថិតិ។"
DEFINITIONS: dict[CaseCount, Words] = {
    CaseCount.OPENING: words(
        f"Cases that were open when the period began. {_AGREED}", f"ករណីដែលបើកនៅពេលរយៈពេលចាប់ផ្តើម។ {_AGREED_KM}"
    ),
    CaseCount.OPENED: words(
        f"Cases that were opened in the period for the first time, here. {_AGREED}",
        f"ករណីដែលបានបើកលើកដំបូងនៅទីនេះក្នុងរយៈពេលនេះ។ {_AGREED_KM}",
    ),
    CaseCount.REOPENED: words(
        f"Closed cases that were opened again in the period. {_AGREED}",
        f"ករណីបានបិទដែលបើកឡើងវិញក្នុងរយៈពេលនេះ។ {_AGREED_KM}",
    ),
    CaseCount.MOVED_IN: words(
        "Cases that another organisation handed over in the period; of a category or a commune also open cases that"
        f" came from another one. {_AGREED}",
        f"ករណីដែលអង្គការផ្សេងបានប្រគល់ឱ្យក្នុងរយៈពេលនេះ។ សម្រាប់ប្រភេទ ឬឃុំ រាប់ទាំងករណីបើកដែលមកពីប្រភេទ ឬឃុំផ្សេង។ {_AGREED_KM}",
    ),
    CaseCount.CLOSED: words(
        f"Cases that were closed in the period, other than by handing them over. {_AGREED}",
        f"ករណីដែលបានបិទក្នុងរយៈពេលនេះ ក្រៅពីការប្រគល់ឱ្យអង្គការផ្សេង។ {_AGREED_KM}",
    ),
    CaseCount.MOVED_OUT: words(
        "Cases that were handed over to another organisation in the period; of a category or a commune also open cases"
        f" that went to another one. {_AGREED}",
        f"ករណីដែលបានប្រគល់ឱ្យអង្គការផ្សេងក្នុងរយៈពេលនេះ។ សម្រាប់ប្រភេទ ឬឃុំ រាប់ទាំងករណីបើកដែលទៅប្រភេទ ឬឃុំផ្សេង។ {_AGREED_KM}",
    ),
    CaseCount.ERASED: words(
        f"Open cases that were erased in the period. {_AGREED}", f"ករណីបើកដែលបានលុបក្នុងរយៈពេលនេះ។ {_AGREED_KM}"
    ),
    CaseCount.CLOSING: words(
        f"Cases that were open when the period ended. {_AGREED}", f"ករណីដែលបើកនៅពេលរយៈពេលបញ្ចប់។ {_AGREED_KM}"
    ),
}

# The rows of the flow whose cases may be counted: as a submitted report decided, else by the consent as it stands; of
# an erased case, whose consent is gone, they say whether it stood.
# A join: as a sub-select beside an "or", a million consents were walked for each row.
COUNTED = """
      from case_flow f
      left join (select distinct k.case_id from consents k
                  where k.organisation_id = %(organisation)s and k.purpose = 'statistics' and k.withdrawn_at is null
                    and k.obtained_on <= %(today)s
                    and (k.expires_on is null or k.expires_on >= %(today)s)) agreed on agreed.case_id = f.case_id
     where f.organisation_id = %(organisation)s and f.at < %(after)s
       and (f.statistics or (not f.decided and agreed.case_id is not null))
"""
# Summed by slice and quarter, over the whole organisation; `case_flow_seen` does it for who sees a part. `unseen`: by
# supervisors, who may list all others and take them away from the whole.
FLOW = f"""
    select width_bucket(f.at, %(bounds)s::timestamptz[]) as bucket, f.kind, f.moved, f.commune_code as commune,
           f.category, f.client_sex as sex, f.client_age_band as age_band, f.client_disability as disability,
           f.sensitive as unseen, count(*)::int as cases
      {COUNTED}
     group by 1, 2, 3, 4, 5, 6, 7, 8, 9
"""
FLOW_SEEN = "select * from case_flow_seen(%(bounds)s::timestamptz[], %(after)s, %(today)s)"

Slice = tuple[str, str] | None


@dataclass(frozen=True, slots=True)
class Flow:
    """Cases by count, slice (None: all of them) and quarter. `codes`: the codes that occur, by slicing."""

    counts: Counter[tuple[CaseCount, Slice, str]]
    codes: dict[str, set[str]]

    def of(self, count: CaseCount, of: Slice, period: Period) -> int:
        """One figure; what a quarter opens with is what the one before closed with."""
        if count is CaseCount.OPENING:
            return self.counts[CaseCount.CLOSING, of, str(period.previous())]
        return self.counts[count, of, str(period)]


def flow_of(groups: Iterable[Any], counted: Sequence[Period]) -> Flow:
    """The figures of the groups that the statements above give, of which the buckets are these quarters."""
    quarters = [counted[0].previous(), *counted]
    counts: Counter[tuple[CaseCount, Slice, str]] = Counter()
    codes: dict[str, set[str]] = {by: set() for by in (*SLICED_BY, "commune")}
    for group in groups:
        named = {by: _code(group, by) for by in codes}
        for by, code in named.items():
            codes[by].add(code)
        for of in (None, *named.items()):
            _add(counts, group, of, [str(quarter) for quarter in quarters])
    return Flow(counts, codes)


def _add(counts: Counter[tuple[CaseCount, Slice, str]], group: Any, of: Slice, quarters: list[str]) -> None:
    kind = FlowKind(group.kind)
    count = next(one for one, flow in FLOWS.items() if flow is kind)
    if kind not in MOVES or group.moved is None or group.moved in MOVED_BETWEEN.get(of[0] if of else "", ()):
        counts[count, of, quarters[group.bucket]] += group.cases
    change = group.cases if count in ENTRIES else -group.cases
    for quarter in quarters[group.bucket :]:
        counts[CaseCount.CLOSING, of, quarter] += change


def _code(group: Any, by: str) -> str:
    found = getattr(group, by)
    return DISABILITY[found] if by == "disability" else str(found)
