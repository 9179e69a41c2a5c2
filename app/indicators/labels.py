"""The slices of a figure with their labels, every code of a list in its order, nobody or not."""

from collections.abc import Iterable, Mapping

from app.indicators.counting import UNKNOWN
from app.labels import code_lists
from app.models.report import Disaggregation, SliceCell, Words

ANSWERS = {
    "yes": Words(en="With disability", km="មានពិការភាព"),
    "no": Words(en="Without disability", km="គ្មានពិការភាព"),
    UNKNOWN: Words(en="Not recorded", km="មិនបានកត់ត្រា"),
}
UNKNOWN_PLACE = Words(en="Place not recorded", km="មិនបានកត់ត្រាទីកន្លែង")


def slices_of(
    by: Iterable[str], slices: Mapping[str, Mapping[str, int]], places: Mapping[str, Words]
) -> list[Disaggregation]:
    """The cells of each slicing; of communes those where anything is."""
    return [
        Disaggregation(
            by=one,
            cells=[
                SliceCell(code=code, label=label, value=slices.get(one, {}).get(code, 0))
                for code, label in labels_of(one, slices.get(one, {}), places).items()
            ],
        )
        for one in by
    ]


def labels_of(by: str, occurring: Iterable[str], places: Mapping[str, Words]) -> dict[str, Words]:
    """The codes of a slicing with their labels."""
    if by == "commune":
        return {code: places.get(code, UNKNOWN_PLACE) for code in sorted(occurring)}
    if by == "disability":
        return ANSWERS
    return {one.code: Words(en=one.en, km=one.km) for one in code_lists()[by]}
