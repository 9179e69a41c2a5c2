"""Which profiles there are, by name, loaded once: what the API needs of them without the weight of the computation."""

from functools import cache

from app.exports.profile import PROFILES, Profile, load_profile

NAMES = frozenset(PROFILES)


@cache
def profile_named(name: str) -> Profile:
    """One of `NAMES`; raises ProfileError where its file is malformed."""
    return load_profile(name)
