"""Passwords: argon2id in a small pool of threads, at the same cost whether or not the user exists."""

import asyncio
import base64
import secrets
import unicodedata
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from zxcvbn import zxcvbn

MIN_CHARACTERS = 12
MAX_CHARACTERS = 1024
MEMORY_KIB = 19 * 1024
PASSES = 2
LANES = 1
SALT_BYTES = 16
HASH_BYTES = 32

# zxcvbn's scale of 0 to 4: below 3 the password is one of its 30,000 common ones, or a few of them, their repetitions,
# dates and rows of keys put together (fewer than 10^8 guesses). It reads no more than so many characters.
LEAST_SCORE = 3
SCORED_CHARACTERS = 72

# No i, l, o, 0, 1: read aloud or from a poor print, they are taken for one another.
READABLE = "abcdefghjkmnpqrstuvwxyz23456789"
GROUPS = 4
GROUP_CHARACTERS = 4

_hasher = PasswordHasher(
    time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES, hash_len=HASH_BYTES, salt_len=SALT_BYTES
)
# Two threads: a burst of sign-ins takes at most two cores and 38 MiB, and waits in line for more.
_pool = ThreadPoolExecutor(max_workers=2, thread_name_prefix="password")


def _unpadded(data: bytes) -> str:
    return base64.b64encode(data).rstrip(b"=").decode()


# Stands in for the hash of a user who does not exist. Nobody knows a password that gives 32 zero bytes.
_NOBODY = (
    f"$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${_unpadded(bytes(SALT_BYTES))}${_unpadded(bytes(HASH_BYTES))}"
)


async def hash_password(password: str) -> str:
    """The argon2id hash to store; raises ValueError unless it has 1 to 1,024 encodable characters."""
    content = _normal(password)
    return await asyncio.get_running_loop().run_in_executor(_pool, _hasher.hash, content)


async def password_matches(stored: str | None, password: str) -> bool:
    """Whether the password fits the stored hash; None, for an unknown user, costs the same and is False."""
    try:
        content = _normal(password)
    except ValueError:
        return False
    # An account without a password ("") must not answer faster either.
    return await asyncio.get_running_loop().run_in_executor(_pool, _verify, stored or _NOBODY, content)


def needs_rehash(stored: str) -> bool:
    """Whether a hash that just matched has other parameters than today's, so that it should be made again."""
    return _hasher.check_needs_rehash(stored)


def password_problem(password: str, username: str) -> str | None:
    """Why this cannot become a password: too_short, too_long, contains_username, unencodable,
    too_common, or None."""
    if len(password) > MAX_CHARACTERS:
        return "too_long"
    try:
        content = _normal(password).decode()
    except ValueError:
        return "unencodable" if password else "too_short"
    if len(content) < MIN_CHARACTERS:
        return "too_short"
    if username and _folded(username) in _folded(content):
        return "contains_username"
    if zxcvbn(content[:SCORED_CHARACTERS], user_inputs=[username])["score"] < LEAST_SCORE:
        return "too_common"
    return None


def new_secret() -> str:
    """A secret for machines (client secrets, refresh tokens): 256 random bits in 43 URL-safe characters."""
    return secrets.token_urlsafe(32)


def new_password() -> str:
    """A random password that can be read aloud and typed: four groups of four characters, 79 bits."""
    groups = ("".join(secrets.choice(READABLE) for _ in range(GROUP_CHARACTERS)) for _ in range(GROUPS))
    return "-".join(groups)


def _verify(stored: str, content: bytes) -> bool:
    # Only a mismatch or a string that is no hash means no. Any other failure, such as a lack of memory, must
    # not look like a wrong password: it would count towards the lock of the account.
    try:
        return _hasher.verify(stored, content)
    except (VerifyMismatchError, InvalidHashError):
        return False


def _normal(password: str) -> bytes:
    """The bytes to hash, in NFC; raises ValueError for a wrong length or a lone surrogate.

    NFC, because one text may be typed composed or decomposed, and Unicode promises never to change that form.
    Not NFKC, which makes different passwords equal. Not a Khmer normalizer, whose next version may lock
    people out. So the order of Khmer vowel signs, and invisible characters such as U+200B, count as typed.
    """
    if not 1 <= len(password) <= MAX_CHARACTERS:
        raise ValueError("a password has 1 to 1,024 characters")
    try:
        return unicodedata.normalize("NFC", password).encode()
    except UnicodeEncodeError:  # would carry the password itself
        raise ValueError("a password has no lone surrogates") from None


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()
