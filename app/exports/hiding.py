"""What a table does not say: classes that are too small, and values that are too few in their class.

The rules look at how many, never at which: whoever renames the values of a class that are not shown gets the same
table. So two of them that are not equally many could be each other, also for who knows these rules (decision 0037).
"""

from dataclasses import dataclass, replace

import numpy as np

from app.exports.profile import Attribute, Profile
from app.exports.recoding import Counts, Mask


@dataclass(frozen=True, slots=True)
class Hidden:
    """One attribute by classes (n) and values (v), and what is told of it.

    `counts`: n × v. `told`: classes that are in the table, n. `folded`: values of told classes that stand under
    `withheld`, n × v; where a class has any, all that are not shown are, zeros too. `most`: more than so many rows no
    folded value has, n. `failed`: classes that are
    large enough and show too little variety, n.
    """

    counts: Counts
    told: Mask
    folded: Mask
    most: Counts
    failed: Mask

    @property
    def sizes(self) -> Counts:
        """Rows of each class, n."""
        sizes: Counts = self.counts.sum(axis=1)
        return sizes

    @property
    def suppressed(self) -> int:
        """Rows that are not in the table."""
        return int(self.sizes[~self.told].sum())

    @property
    def withheld(self) -> int:
        """Rows of the table without their value."""
        return int(self.counts[self.folded].sum())

    @property
    def published(self) -> Counts:
        """What the table says: n × (v + 1), the last for `withheld`; classes that are not told are zeros."""
        shown = np.where(self.folded, 0, self.counts)
        withheld = np.where(self.folded, self.counts, 0).sum(axis=1, keepdims=True)
        return np.where(self.told[:, None], np.hstack([shown, withheld]), 0)

    def only(self, told: Mask) -> "Hidden":
        """The same with no other classes told than these (n)."""
        return replace(self, told=self.told & told, folded=self.folded & told[:, None])


def hidden_of(counts: Counts, out: Mask, attribute: Attribute, profile: Profile) -> Hidden:
    """What is told of an attribute by the classes of one rung (n × v), of which some are `out` of every table (n)."""
    own_cover = np.array([value not in attribute.known_elsewhere for value in attribute.values])
    folded, most, possible = _fold(counts, own_cover, profile.k)
    various = possible & _is_various(counts, folded, attribute.l, profile.largest_posterior)
    told = ~out & various
    return Hidden(counts, told, folded & told[:, None], most, ~out & ~various)


def _fold(counts: Counts, cover: Mask, k: int) -> tuple[Mask, Counts, Mask]:
    """Which values stand under `withheld` (n × v), the most rows that one of them has (n), and whether it can be (n).

    Everything up to a number of rows is folded, where the number is at least k - 1 and no larger than needed: all
    values below k, and as many of the next smallest as make a group of k rows and two values that are not equally many.
    Values that another table gives away (not `cover`) count for nothing in the group; they are folded below k alone.
    """
    own = np.sort(counts[:, cover], axis=1)
    after = np.concatenate([own[:, 1:], np.full((len(own), 1), np.iinfo(np.int64).max)], axis=1)
    ends = after >= k  # nothing below k stays outside; nor, below, anything of the same number
    rows, values = own.cumsum(axis=1), (own > 0).cumsum(axis=1)
    enough = ends & (rows >= k) & (values >= 2) & (own > own[:, :1])
    needed: Mask = np.any((counts > 0) & (counts < k), axis=1)
    possible: Mask = ~needed | np.any(enough, axis=1)
    most: Counts = np.maximum(own[np.arange(len(own)), enough.argmax(axis=1)], k - 1)
    folded: Mask = np.where(cover, counts <= most[:, None], counts < k) & needed[:, None] & possible[:, None]
    return folded, most, possible


def _is_various(counts: Counts, folded: Mask, least: int, largest: float) -> Mask:
    """Whether a class shows so many values (`withheld` is one), none of which more than this share of it has."""
    shown = np.hstack([np.where(folded, 0, counts), np.where(folded, counts, 0).sum(axis=1, keepdims=True)])
    sizes = counts.sum(axis=1)
    various: Mask = ((shown > 0).sum(axis=1) >= least) & (shown.max(axis=1) <= largest * sizes)
    return various
