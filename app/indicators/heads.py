"""Which rows of people are the same human: distinct counts take linked rows as one, over however many links."""

from collections.abc import Iterable


def heads_of(links: Iterable[tuple[str, str]]) -> dict[str, str]:
    """For every row in a link the row that stands for its human: the least of all that hang together."""
    parent: dict[str, str] = {}

    def root(person: str) -> str:
        parent.setdefault(person, person)
        while parent[person] != person:
            parent[person] = parent[parent[person]]
            person = parent[person]
        return person

    for one, other in links:
        first, second = sorted((root(one), root(other)))
        parent[second] = first
    return {person: root(person) for person in list(parent)}
