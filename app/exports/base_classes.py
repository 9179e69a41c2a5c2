"""Classes that are left out of every table of a rung because they are small, and others so that no one can be computed.

This is for who does not know the base values. It looks at sizes alone, so it is the same in every table of a rung.
"""

import numpy as np

from app.exports.profile import Profile, Rung
from app.exports.recoding import Cohort, Counts, Mask


def left_out(cohort: Cohort, profile: Profile, at: int) -> Mask:
    """The classes of a rung (its place in the profile) that no table of it has, empty ones too."""
    fine = profile.rungs[at]
    sizes = cohort.sizes(fine.levels)
    out: Mask = sizes < profile.k
    found = -1
    while found < (found := int(out.sum())):
        for coarse in profile.rungs[at + 1 :]:
            out = out | _needed(cohort, sizes, out, fine, coarse, profile.k)
    return out


def _needed(cohort: Cohort, sizes: Counts, out: Mask, fine: Rung, coarse: Rung, k: int) -> Mask:
    """The smallest told classes beside one that would follow: what a coarser class has less what is told of it.

    It follows where one class alone is left out of those that the domain has, zeros among them, or where all that are
    have as many as they can.
    """
    if any(one.pattern is not None and fine.levels[one.column] != coarse.levels[one.column] for one in cohort.base):
        return np.zeros_like(out)  # any place that no row names could be it
    parents = cohort.parents(fine.levels, coarse.levels)
    number, rows = np.bincount(parents, weights=out), np.bincount(parents, weights=np.where(out, sizes, 0))
    follows = (rows > 0) & ((number < 2) | (rows == number * (k - 1)))
    least = np.full(len(number), np.iinfo(np.int64).max)
    np.minimum.at(least, parents[~out], sizes[~out])
    needed: Mask = follows[parents] & ~out & (sizes == least[parents])
    return needed
