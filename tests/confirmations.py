"""An admin's wishes about people come true in tests as in life: somebody whom the account concerns says yes."""

from typing import Any

import httpx

from app.models.codes.people import Role
from tests.cast import Cast, answered

SPEAK = {Role.SUPERVISOR, Role.PARTNER, Role.ADMIN}
NOT_ASKED = {401, 403, 404}


async def confirmed(cast: Cast, user_id: str) -> httpx.Response | None:
    """Everybody of the cast who may says yes, until nothing is open; the last answer, or None when nobody may."""
    last = None
    for name, person in cast.users.items():
        if person.role not in SPEAK:
            continue
        answer = await cast.client(name).post(f"/users/{user_id}/confirm")
        if answer.status_code in NOT_ASKED:
            continue
        if answer.status_code != 200 or answer.json()["settled_at"] is not None:
            return answer
        last = answer
    return last


async def joined(cast: Cast, body: dict[str, Any]) -> Any:
    """A new user as the admin sees them, confirmed, with a password of their own choice in `password`."""
    user = answered(await cast.client("admin").post("/users", json=body), 201)
    yes = await confirmed(cast, user["id"])
    assert yes is not None
    issued = answered(yes, 200)["initial_password"]
    chosen = f"{issued} chosen anew"
    await choose_password(cast, user["username"], issued, chosen)
    present = answered(await cast.client("admin").get(f"/users/{user['id']}"), 200)
    return {**present, "password": chosen}


async def asked_system(cast: Cast, organisation: str = "clinic", **body: Any) -> Any:
    """A system that the admin made and nobody confirmed, as the answer shows it."""
    path = f"/organisations/{cast.organisation(organisation)}/clients"
    return answered(await cast.client("admin").post(path, json={"name": "Records", **body}), 201)


async def working_system(cast: Cast, **body: Any) -> Any:
    """A system of the clinic that its person confirmed, with the secret that works."""
    made = await asked_system(cast, **body)
    path = f"/organisations/{cast.organisation('clinic')}/clients/{made['client_id']}/confirm"
    return answered(await cast.client("partner").post(path), 200)


def credentials(system: dict[str, Any]) -> dict[str, str]:
    """The form with which a system signs in."""
    return {"grant_type": "client_credentials", **{name: system[name] for name in ("client_id", "client_secret")}}


async def choose_password(cast: Cast, username: str, issued: str, chosen: str) -> None:
    """Sign in with what was issued, choose another password, and sign out again."""
    nobody = cast.client("nobody")
    form = {"grant_type": "password", "username": username, "password": issued}
    tokens = answered(await nobody.post("/auth/token", data=form), 200)
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    change = {"current_password": issued, "new_password": chosen}
    assert (await nobody.put("/me/password", json=change, headers=headers)).status_code == 204
    assert (await nobody.post("/auth/logout", headers=headers)).status_code == 204
