"""Codes that people read out: `SR-XXXX-XXXX`, random, in Crockford's base 32 with his check character."""

import secrets

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
DIGITS = 7  # and one check character
_LOOK_ALIKES = str.maketrans("OIL", "011", " -")
_MODULUS = 37  # Crockford's check: the number modulo 37; his five extra symbols are avoided by drawing again


def random_case_code() -> str:
    """A code drawn at random; the caller keeps it unique."""
    while True:
        number = secrets.randbelow(32**DIGITS)
        if number % _MODULUS < len(ALPHABET):
            return code_of(number)


def code_of(number: int) -> str:
    """The code of a number below 32**7 whose check character is one of the 32."""
    digits = "".join(ALPHABET[number >> shift & 31] for shift in range(5 * (DIGITS - 1), -1, -5))
    written = digits + ALPHABET[number % _MODULUS]
    return f"SR-{written[:4]}-{written[4:]}"


def written_as_code(text: str) -> str | None:
    """The code as it is stored, from what somebody typed; None when it has not the shape of one.

    Crockford's rules: case and hyphens do not matter, O is read as 0, I and L as 1. The check character is not looked
    at: a code that was typed wrongly is one that does not exist.
    """
    plain = text.upper().translate(_LOOK_ALIKES)
    written = plain.removeprefix("SR") if len(plain) == DIGITS + 3 else plain
    if len(written) != DIGITS + 1 or any(letter not in ALPHABET for letter in written):
        return None
    return f"SR-{written[:4]}-{written[4:]}"


def is_case_code(code: str) -> bool:
    """Is this a code that could have been issued, its check character included?"""
    written = code.removeprefix("SR-").replace("-", "")
    if len(written) != DIGITS + 1 or any(letter not in ALPHABET for letter in written):
        return False
    number = 0
    for letter in written[:DIGITS]:
        number = number * 32 + ALPHABET.index(letter)
    return number % _MODULUS == ALPHABET.index(written[-1])
