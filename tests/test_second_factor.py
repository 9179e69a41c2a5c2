"""The second factor: enrolled by its owner alone, asked after the right password, and every code good once."""

import asyncio
from collections import Counter
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg
import pyotp
import pytest
from pydantic import SecretStr

from app.database_urls import DatabaseUrls
from app.main import create_app
from app.models.codes.people import Role
from app.sealed_secret import SecretSeal, UnreadableSecret
from app.security import Runtime
from app.settings import Settings
from tests.cast import Cast, FrozenClock, answered
from tests.confirmations import credentials, working_system
from tests.doors import Newcomer, bearer, door, member, newcomer, token

STEP = 30


@pytest.fixture
def client(app: object) -> httpx.AsyncClient:
    return door(app)


@pytest.fixture
async def somebody(runtime: Runtime) -> Newcomer:
    return await newcomer(runtime)


def code(secret: str, clock: FrozenClock, steps: int = 0) -> str:
    """What an authenticator app shows, so many steps from now."""
    return pyotp.TOTP(secret).at(clock().timestamp() + steps * STEP)


async def enrolled(client: httpx.AsyncClient, who: Newcomer, clock: FrozenClock) -> str:
    """Enrol, and let the code of the confirmation grow old; gives the secret."""
    headers = bearer(answered(await token(client, who.grant()), 200))
    proposed = answered(await client.post("/me/totp", headers=headers), 200)
    confirmed = await client.post("/me/totp/confirm", json={"otp": code(proposed["secret"], clock)}, headers=headers)
    assert confirmed.status_code == 204
    clock.advance(seconds=2 * STEP)
    secret: str = proposed["secret"]
    return secret


def refusal(response: httpx.Response) -> str:
    """The code of a 401."""
    found: str = answered(response, 401)["code"]
    return found


async def test_an_enrolled_person_signs_in_with_password_and_code(
    client: httpx.AsyncClient, somebody: Newcomer, clock: FrozenClock
) -> None:
    secret = await enrolled(client, somebody, clock)
    assert refusal(await token(client, somebody.grant())) == "mfa_required"
    tokens = answered(await token(client, somebody.grant(otp=code(secret, clock))), 200)
    assert answered(await client.get("/me", headers=bearer(tokens)), 200)["mfa_enrolled"] is True


async def test_the_enrolment_says_what_an_authenticator_app_needs(
    client: httpx.AsyncClient, somebody: Newcomer
) -> None:
    headers = bearer(answered(await token(client, somebody.grant()), 200))
    proposed = answered(await client.post("/me/totp", headers=headers), 200)
    parsed = pyotp.parse_uri(proposed["otpauth_uri"])
    assert isinstance(parsed, pyotp.TOTP)
    assert (parsed.secret, parsed.name, parsed.issuer) == (proposed["secret"], somebody.username, "Samaki")
    assert len(proposed["secret"]) == 32  # base32 of 160 bits, as long as SHA-1's block of output


async def test_only_a_right_password_learns_that_a_code_is_wanted(
    client: httpx.AsyncClient, somebody: Newcomer, clock: FrozenClock
) -> None:
    secret = await enrolled(client, somebody, clock)
    for form in (somebody.grant(password="wrong"), somebody.grant(username="nobody.here")):
        assert refusal(await token(client, form)) == "unauthenticated"
        assert refusal(await token(client, form | {"otp": code(secret, clock)})) == "unauthenticated"


@pytest.mark.parametrize(("steps", "status"), [(-2, 401), (-1, 200), (0, 200), (1, 200), (2, 401)])
async def test_a_code_is_taken_one_step_early_or_late_and_no_more(
    client: httpx.AsyncClient, somebody: Newcomer, clock: FrozenClock, steps: int, status: int
) -> None:
    secret = await enrolled(client, somebody, clock)
    clock.advance(seconds=2 * STEP)
    response = await token(client, somebody.grant(otp=code(secret, clock, steps)))
    assert response.status_code == status
    if status == 401:
        assert refusal(response) == "unauthenticated"


async def test_a_code_is_good_once_and_an_older_one_never_after(
    client: httpx.AsyncClient, somebody: Newcomer, clock: FrozenClock
) -> None:
    secret = await enrolled(client, somebody, clock)
    answered(await token(client, somebody.grant(otp=code(secret, clock))), 200)
    for steps in (0, -1):
        assert refusal(await token(client, somebody.grant(otp=code(secret, clock, steps)))) == "unauthenticated"
    answered(await token(client, somebody.grant(otp=code(secret, clock, 1))), 200)
    for steps in (1, 0, -1):
        assert refusal(await token(client, somebody.grant(otp=code(secret, clock, steps)))) == "unauthenticated"


async def test_the_code_of_the_confirmation_is_used_up_too(
    client: httpx.AsyncClient, somebody: Newcomer, clock: FrozenClock
) -> None:
    secret = await enrolled(client, somebody, clock)
    clock.advance(seconds=-2 * STEP)
    assert refusal(await token(client, somebody.grant(otp=code(secret, clock)))) == "unauthenticated"
    clock.advance(seconds=2 * STEP)


async def test_of_twenty_uses_of_one_code_at_once_one_is_let_in(
    app: object, client: httpx.AsyncClient, somebody: Newcomer, clock: FrozenClock, superuser: psycopg.Connection
) -> None:
    secret = await enrolled(client, somebody, clock)
    form = somebody.grant(otp=code(secret, clock))
    answers = await asyncio.gather(*(token(door(app), form) for _ in range(20)))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 401: 19}
    opened = superuser.execute("select count(*) from sessions where user_id = %s", [somebody.id])
    assert opened.fetchone() == (2,)  # the one that enrolled, and the one let in


async def test_a_wrong_code_counts_as_a_failed_sign_in_and_a_missing_one_does_not(
    client: httpx.AsyncClient, somebody: Newcomer, clock: FrozenClock
) -> None:
    secret = await enrolled(client, somebody, clock)
    for _ in range(12):
        assert refusal(await token(client, somebody.grant())) == "mfa_required"
    wrong = f"{(int(code(secret, clock)) + 1) % 10**6:06d}"
    codes = {code(secret, clock, steps) for steps in (-1, 0, 1)}
    wrong = wrong if wrong not in codes else "000000"
    for _ in range(10):
        assert refusal(await token(client, somebody.grant(otp=wrong))) == "unauthenticated"
    answered(await token(client, somebody.grant(otp=code(secret, clock))), 429)


async def test_the_code_of_another_person_opens_nothing(
    client: httpx.AsyncClient, runtime: Runtime, somebody: Newcomer, clock: FrozenClock
) -> None:
    await enrolled(client, somebody, clock)
    others = await enrolled(client, await newcomer(runtime), clock)
    assert refusal(await token(client, somebody.grant(otp=code(others, clock)))) == "unauthenticated"


@pytest.mark.parametrize("otp", ["abcdef", "12345", "1234567", "１２３４５６", "៣៤៥៦៧៨", " ", "0"])
async def test_what_is_no_code_is_a_wrong_code(
    client: httpx.AsyncClient, somebody: Newcomer, clock: FrozenClock, otp: str
) -> None:
    await enrolled(client, somebody, clock)
    assert refusal(await token(client, somebody.grant(otp=otp))) == "unauthenticated"


async def test_only_ascii_digits_are_a_code(client: httpx.AsyncClient, somebody: Newcomer, clock: FrozenClock) -> None:
    secret = await enrolled(client, somebody, clock)
    wide = "".join(chr(ord("０") + int(digit)) for digit in code(secret, clock))
    assert refusal(await token(client, somebody.grant(otp=wide))) == "unauthenticated"


async def test_a_factor_counts_only_after_its_confirmation(
    client: httpx.AsyncClient, somebody: Newcomer, clock: FrozenClock
) -> None:
    headers = bearer(answered(await token(client, somebody.grant()), 200))
    first = answered(await client.post("/me/totp", headers=headers), 200)["secret"]
    second = answered(await client.post("/me/totp", headers=headers), 200)["secret"]
    assert first != second
    answered(await token(client, somebody.grant()), 200)
    for otp in (code(first, clock), code(second, clock, 2), code(second, clock, -2), "x"):
        if otp not in {code(second, clock, steps) for steps in (-1, 0, 1)}:
            wrong = await client.post("/me/totp/confirm", json={"otp": otp}, headers=headers)
            assert answered(wrong, 422)["errors"][0]["pointer"] == "/otp"
    assert answered(await client.get("/me", headers=headers), 200)["mfa_enrolled"] is False
    right = {"otp": code(second, clock)}
    assert (await client.post("/me/totp/confirm", json=right, headers=headers)).status_code == 204
    assert answered(await client.get("/me", headers=headers), 200)["mfa_enrolled"] is True
    answered(await client.post("/me/totp/confirm", json=right, headers=headers), 409)


async def test_a_factor_that_counts_cannot_be_replaced_by_who_holds_the_session(
    client: httpx.AsyncClient, somebody: Newcomer, clock: FrozenClock
) -> None:
    secret = await enrolled(client, somebody, clock)
    headers = bearer(answered(await token(client, somebody.grant(otp=code(secret, clock))), 200))
    answered(await client.post("/me/totp", headers=headers), 409)
    clock.advance(seconds=2 * STEP)
    answered(await token(client, somebody.grant(otp=code(secret, clock))), 200)


async def test_a_partners_system_enrols_nothing(client: httpx.AsyncClient, cast: Cast) -> None:
    path = f"/organisations/{cast.organisation('clinic')}/clients"
    made = answered(await cast.client("admin").post(path, json={"name": "EMR"}), 201)
    form = {
        "grant_type": "client_credentials",
        "client_id": made["client_id"],
        "client_secret": made["client_secret"],
    }
    headers = bearer(answered(await token(client, form), 200))
    answered(await client.post("/me/totp", headers=headers), 403)


async def test_the_secret_is_sealed_for_its_row(
    client: httpx.AsyncClient, somebody: Newcomer, clock: FrozenClock, superuser: psycopg.Connection, runtime: Runtime
) -> None:
    secret = await enrolled(client, somebody, clock)
    thief = await newcomer(runtime)
    await enrolled(client, thief, clock)
    row = superuser.execute("select secret from user_totp where user_id = %s", [somebody.id]).fetchone()
    assert row is not None
    assert secret.encode() not in bytes(row[0])
    # Moved to another row, or changed by one bit, it is no secret any more: a clear 503, never a way in.
    flipped = bytes([*row[0][:-1], row[0][-1] ^ 1])
    for whom, sealed, given in ((thief, row[0], secret), (somebody, flipped, secret)):
        superuser.execute("update user_totp set secret = %s where user_id = %s", [sealed, whom.id])
        answered(await token(client, whom.grant(otp=code(given, clock))), 503)


def test_a_sealed_secret_opens_in_its_own_place_only(runtime: Runtime) -> None:
    seal, row, other = SecretSeal(runtime.keys, "totp", "user_totp"), uuid4(), uuid4()
    sealed = seal.seal(b"secret", row)
    assert seal.open(sealed, row) == b"secret"
    assert seal.seal(b"secret", row) != sealed
    elsewhere = SecretSeal(runtime.keys, "totp", "other_table")
    other_purpose = SecretSeal(runtime.keys, "other", "user_totp")
    attempts: list[tuple[SecretSeal, bytes, UUID]] = [
        (seal, sealed, other),
        (elsewhere, sealed, row),
        (other_purpose, sealed, row),
        (seal, b"\x02" + sealed[1:], row),
        (seal, sealed[:-1], row),
        (seal, sealed[:5], row),
        (seal, b"", row),
        *((seal, sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :], row) for at in range(len(sealed))),
    ]
    for by, content, place in attempts:
        with pytest.raises(UnreadableSecret):
            by.open(content, place)


@pytest.fixture
async def strict(database: DatabaseUrls, app_settings: Settings, clock: FrozenClock) -> Any:
    """The same service as in production: roles that need a second factor do."""
    given = {"database_url": SecretStr(database.runtime), "mfa_required": True}
    application = create_app(app_settings.model_copy(update=given), clock)
    async with application.router.lifespan_context(application):
        yield application


def test_production_requires_a_second_factor_and_the_demo_does_not() -> None:
    assert Settings(demo=False).mfa_required is True
    assert Settings(demo=True).mfa_required is False
    assert Settings(demo=False, mfa_required=False).mfa_required is False


async def of_role(runtime: Runtime, cast: Cast, role: Role) -> Newcomer:
    """Somebody of this role where it belongs."""
    home = {Role.CASEWORKER: "ngo", Role.SUPERVISOR: "ngo", Role.PARTNER: "clinic"}.get(role)
    return await member(runtime, role, cast.organisations[home] if home else None)


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.ADMIN, Role.AUDITOR, Role.PARTNER])
async def test_who_must_have_a_second_factor_does_nothing_before_it_is_enrolled(
    strict: object, runtime: Runtime, cast: Cast, clock: FrozenClock, role: Role
) -> None:
    client, somebody = door(strict), await of_role(runtime, cast, role)
    headers = bearer(answered(await token(client, somebody.grant()), 200))
    for path in ("/cases", "/caseload", "/users", "/codes", "/staff", f"/cases/{uuid4()}", "/organisations"):
        assert refusal(await client.get(path, headers=headers)) == "mfa_required"
    assert answered(await client.get("/me", headers=headers), 200)["mfa_enrolled"] is False
    secret = answered(await client.post("/me/totp", headers=headers), 200)["secret"]
    assert refusal(await client.get("/codes", headers=headers)) == "mfa_required"
    otp = {"otp": code(secret, clock)}
    keyed = {**headers, "Idempotency-Key": somebody.id}
    assert (await client.post("/me/totp/confirm", json=otp, headers=keyed)).status_code == 204
    answered(await client.get("/codes", headers=headers), 200)
    assert (await client.post("/auth/logout", headers=headers)).status_code == 204


@pytest.mark.parametrize("role", [Role.CASEWORKER, Role.CCWC_LIAISON])
async def test_who_need_not_have_one_works_without(strict: object, runtime: Runtime, cast: Cast, role: Role) -> None:
    client, somebody = door(strict), await of_role(runtime, cast, role)
    headers = bearer(answered(await token(client, somebody.grant()), 200))
    answered(await client.get("/cases", headers=headers), 200)


async def test_a_partners_system_needs_none(strict: object, cast: Cast) -> None:
    client, made = door(strict), await working_system(cast)
    headers = bearer(answered(await token(client, credentials(made)), 200))
    answered(await client.get("/codes", headers=headers), 200)


async def test_the_database_shows_nothing_to_an_account_that_owes_a_factor(
    database: DatabaseUrls, cast: Cast, clock: FrozenClock, superuser: psycopg.Connection
) -> None:
    owing = ("update user_credentials set {} where user_id = %s", ["must_change", "mfa_due"])
    settings = ("samaki.user_id", "samaki.role", "samaki.organisation_id", "samaki.principals")
    with psycopg.connect(database.runtime) as connection:
        for column in owing[1]:
            superuser.execute(owing[0].format(f"{column} = true"), [cast.id("caseworker")])
            found = connection.execute(
                "select from begin_request(%s, %s)", [cast.sessions["caseworker"], clock()]
            ).fetchall()
            assert len(found) == 1
            for name in settings:
                row = connection.execute("select current_setting(%s, true)", [name]).fetchone()
                assert row is not None
                assert not row[0]
            connection.rollback()
            superuser.execute(owing[0].format(f"{column} = false"), [cast.id("caseworker")])
