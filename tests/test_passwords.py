"""Passwords: argon2id at the agreed cost, off the event loop, as slow for a user who does not exist."""

import asyncio
import threading
import time
from asyncio import run
from collections.abc import Callable

import pytest
from argon2 import PasswordHasher, Type, extract_parameters
from argon2.exceptions import VerificationError

from app.passwords import (
    hash_password,
    needs_rehash,
    new_password,
    new_secret,
    password_matches,
    password_problem,
)

PASSWORD = "a lantern in the rice field"


@pytest.fixture(scope="module")
def stored() -> str:
    return run(hash_password(PASSWORD))


def test_a_password_is_stored_as_argon2id_with_19_mib_and_two_passes(stored: str) -> None:
    parameters = extract_parameters(stored)
    assert parameters.type is Type.ID
    assert (parameters.memory_cost, parameters.time_cost, parameters.parallelism) == (19456, 2, 1)
    assert (parameters.salt_len, parameters.hash_len) == (16, 32)
    assert PASSWORD not in stored


def test_the_same_password_is_never_stored_twice_alike(stored: str) -> None:
    assert run(hash_password(PASSWORD)) != stored


def test_only_the_right_password_matches(stored: str) -> None:
    assert run(password_matches(stored, PASSWORD)) is True
    for wrong in (PASSWORD + " ", PASSWORD[:-1], PASSWORD.upper(), "", " ", "x" * 1024, "x" * 1025):
        assert run(password_matches(stored, wrong)) is False


def test_an_unknown_user_has_no_password() -> None:
    for guess in (PASSWORD, "", "\0", "\0" * 32, "None"):
        assert run(password_matches(None, guess)) is False


def test_an_unknown_user_costs_as_much_as_a_wrong_password(stored: str) -> None:
    """In time of the processor, one beside the other: what else the machine does falls on both."""
    took: dict[str | None, list[float]] = {stored: [], None: [], "": []}  # "": no password yet
    for _ in range(12):
        for account, times in took.items():
            begun = time.process_time()
            run(password_matches(account, "a wrong password"))
            times.append(time.process_time() - begun)
    known = min(took[stored])
    assert 0.5 < min(took[None]) / known < 2
    assert 0.5 < min(took[""]) / known < 2


def test_an_unknown_user_is_checked_with_the_parameters_of_a_real_hash(
    stored: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[str] = []
    verify = PasswordHasher.verify

    def watched(hasher: PasswordHasher, hashed: str, password: bytes) -> bool:
        checked.append(hashed)
        return verify(hasher, hashed, password)

    monkeypatch.setattr(PasswordHasher, "verify", watched)
    run(password_matches(None, PASSWORD))
    run(password_matches("", PASSWORD))
    assert [extract_parameters(hashed) for hashed in checked] == [extract_parameters(stored)] * 2


@pytest.mark.parametrize("damaged", ["", "x", "$2b$12$abcdefghijklmnopqrstuv", PASSWORD])
def test_a_stored_text_that_is_no_hash_matches_nothing(damaged: str) -> None:
    assert run(password_matches(damaged, PASSWORD)) is False


def test_a_failure_of_the_hash_itself_is_not_told_as_a_wrong_password(stored: str) -> None:
    # A fault of ours must not count towards the lock of an account.
    with pytest.raises(VerificationError):
        run(password_matches(stored[:40], PASSWORD))


@pytest.mark.parametrize("password", ["", "x" * 1025, "\ud800" * 12, "lone \udfff surrogate"])
def test_a_password_that_cannot_be_hashed_is_refused_without_being_repeated(password: str, stored: str) -> None:
    with pytest.raises(ValueError, match="a password has") as refusal:
        run(hash_password(password))
    assert not isinstance(refusal.value, UnicodeError)  # it would carry the password
    assert run(password_matches(stored, password)) is False


@pytest.mark.parametrize("password", ["x", "x" * 1024, "ក" * 1024, "nul \0 inside", "😀" * 12])
def test_a_password_of_1_to_1024_characters_is_hashed_whole(password: str) -> None:
    stored = run(hash_password(password))
    assert run(password_matches(stored, password)) is True
    assert run(password_matches(stored, password[:-1] + "y")) is False


@pytest.mark.parametrize(
    ("typed", "typed_elsewhere"),
    [
        # Marks of a Khmer cluster that may come in either order: coeng and atthacan.
        ("ក\u17d2\u17ddរ ភូមិតូចមួយ", "ក\u17dd\u17d2រ ភូមិតូចមួយ"),
        ("caf\u00e9 au march\u00e9", "cafe\u0301 au marche\u0301"),
    ],
    ids=["Khmer", "Latin"],
)
def test_one_text_typed_in_two_ways_is_one_password(typed: str, typed_elsewhere: str) -> None:
    assert typed != typed_elsewhere
    assert run(password_matches(run(hash_password(typed)), typed_elsewhere)) is True
    assert run(password_matches(run(hash_password(typed_elsewhere)), typed)) is True


def test_different_characters_that_look_alike_stay_different() -> None:
    assert run(password_matches(run(hash_password("ﬁfteen rivers ²")), "fifteen rivers 2")) is False


def test_hashing_leaves_the_event_loop_free_and_takes_two_threads_at_most() -> None:
    async def burst() -> int:
        ticks = 0
        hashing = asyncio.gather(*(hash_password(PASSWORD) for _ in range(6)))
        while not hashing.done():
            ticks += 1
            await asyncio.sleep(0)
        return ticks

    assert run(burst()) > 100
    assert len([thread for thread in threading.enumerate() if thread.name.startswith("password")]) <= 2


@pytest.mark.parametrize(
    "weaker",
    [
        PasswordHasher(time_cost=1, memory_cost=19456, parallelism=1),
        PasswordHasher(time_cost=2, memory_cost=8192, parallelism=1),
        PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1, type=Type.I),
    ],
    ids=["passes", "memory", "type"],
)
def test_a_hash_of_weaker_parameters_still_matches_and_asks_to_be_made_again(weaker: PasswordHasher) -> None:
    stored = weaker.hash(PASSWORD)
    assert run(password_matches(stored, PASSWORD)) is True
    assert needs_rehash(stored) is True


def test_a_hash_of_today_does_not_ask_to_be_made_again(stored: str) -> None:
    assert needs_rehash(stored) is False


@pytest.mark.parametrize(
    ("password", "username", "problem"),
    [
        ("", "sokha", "too_short"),
        ("eleven char", "sokha", "too_short"),
        ("twelve chars", "sokha", None),
        ("កន្លែងស្រែចំ", "sokha", None),  # twelve signs
        ("ក" * 12, "sokha", "too_common"),
        ("e\u0301" * 11, "sokha", "too_short"),  # eleven letters, however they were typed
        (f"{PASSWORD} " * 36 + "and so on to end", "sokha", None),  # 1,024 characters
        ("x" * 1024, "sokha", "too_common"),
        ("x" * 1025, "sokha", "too_long"),
        ("my name is sokha", "sokha", "contains_username"),
        ("my name is SoKhA", "sOkHa", "contains_username"),
        ("cafe\u0301cafe\u0301cafe\u0301", "caf\u00e9", "contains_username"),
        ("sokh a sokh a", "sokha", None),
        ("any password will do", "", None),
        ("\ud800" * 12, "sokha", "unencodable"),
        (PASSWORD, "caseworker1", None),
    ],
)
def test_a_password_is_long_and_does_not_hold_the_username(password: str, username: str, problem: str | None) -> None:
    assert password_problem(password, username) == problem


@pytest.mark.parametrize(("make", "length", "signs"), [(new_secret, 43, 64), (new_password, 19, 32)])
def test_generated_secrets_are_random_throughout(make: Callable[[], str], length: int, signs: int) -> None:
    made = [make() for _ in range(1000)]
    assert len(set(made)) == 1000
    assert {len(secret) for secret in made} == {length}
    assert len(set("".join(made))) == signs
    # Every place takes many values: nothing is a fixed part but the hyphens.
    varied = [len({secret[place] for secret in made}) for place in range(length)]
    assert sum(count > 10 for count in varied) >= length - 3


def test_a_generated_password_can_be_read_aloud_and_is_accepted() -> None:
    for _ in range(200):
        password = new_password()
        assert not set(password) & set("ilo01IO")
        assert [len(group) for group in password.split("-")] == [4, 4, 4, 4]
        assert password_problem(password, "caseworker1") is None
