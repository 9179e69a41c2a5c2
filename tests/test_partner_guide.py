"""The guide for partners tells the truth: its lines are sent as they stand, and answered as it says."""

import json
import re
import shlex
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx
import pytest

from tests.cast import PASSWORD, Cast, answered
from tests.referring import referred

GUIDE = (Path(__file__).parent.parent / "docs" / "partner-guide.md").read_text(encoding="utf-8")
LINES = [
    line.replace("\n", " ")  # a body in quotes goes over several
    for block in re.findall(r"```bash\n(.*?)```", GUIDE, re.DOTALL)
    for line in re.split(r"\n(?! )", block.replace("\\\n", " "))
    if line.strip()
]
ASSIGNED = re.compile(r"^([A-Z_]+)=(?:\$\((.*)\)|(.*))$")


class Shell:
    """As much of a shell as the guide uses: variables, curl, and jq with a path."""

    def __init__(self, cast: Cast, **variables: str) -> None:
        self.cast, self.variables = cast, variables
        self.client = httpx.AsyncClient(transport=cast.transport)

    async def run(self, line: str) -> Any:
        """What the line prints; a variable that it sets is kept."""
        if found := ASSIGNED.match(line):
            name, command, value = found.groups()
            self.variables[name] = str(await self._print(command)) if command else self._filled(value).strip('"')
            return self.variables[name]
        return await self._print(line)

    async def _print(self, command: str) -> Any:
        curl, _, jq = command.partition(" | jq ")
        response = await self._curl(shlex.split(self._filled(curl)))
        assert response.status_code < 300, (command, response.status_code, response.text[:300])
        shown: Any = response.json()
        path = jq.removeprefix("-r ").split(" | ")[0].strip("'")
        for step in re.findall(r"[\w-]+|\[\d+\]", path):
            shown = shown[int(step[1:-1])] if step.startswith("[") else shown[step]
        return shown

    def _filled(self, text: str) -> str:
        return re.sub(r"\$([A-Z_]+)", lambda found: self.variables[found[1]], text)

    async def _curl(self, words: list[str]) -> httpx.Response:
        assert words.pop(0) == "curl"
        url, headers, data, auth, method = "", {}, [], None, None
        values = iter(words)
        for word in values:
            if word == "-H":
                name, _, value = next(values).partition(": ")
                headers[name] = value
            elif word == "-d":
                data.append(next(values))
            elif word == "--data-urlencode":
                name, _, value = next(values).partition("=")
                data.append(f"{name}={quote(value)}")
            elif word == "-u":
                auth = tuple(next(values).split(":", 1))
            elif word == "-X":
                method = next(values)
            elif word != "-s":
                url = word
        if data and "Content-Type" not in headers:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        content = "&".join(data).encode() if data else None
        return await self.client.request(
            method or ("POST" if data else "GET"),
            url,
            headers=headers,
            content=content,
            auth=auth,  # type: ignore[arg-type]
        )


@pytest.fixture
async def system(cast: Cast) -> dict[str, Any]:
    """A system of the clinic that one of its people has confirmed."""
    clients = f"/organisations/{cast.organisation('clinic')}/clients"
    made = answered(await cast.client("admin").post(clients, json={"name": "Guide"}), 201)
    confirmed: dict[str, Any] = answered(await cast.client("partner").post(f"{clients}/{made['id']}/confirm"), 200)
    return confirmed


async def test_every_line_of_the_guide_is_answered_as_it_says(cast: Cast, system: dict[str, Any]) -> None:
    for _ in range(3):  # one to be accepted in plain JSON, one in FHIR, one to be rejected
        await referred(cast)
    shell = Shell(
        cast,
        PARTNER_PASSWORD=PASSWORD,
        CLIENT_ID=system["client_id"],
        CLIENT_SECRET=system["client_secret"],
    )
    number = f"HC-{uuid4().hex[:8]}"
    shown = {}
    for line in LINES:
        here = line.replace("username=partner_health", f"username={cast.users['partner'].username}")
        shown[line] = await shell.run(here.replace("HC-2030-00", number))
    told = json.dumps(list(shown.values()), ensure_ascii=False)
    assert '"accepted"' in told
    assert list(shown.values()).count("completed") == 2, "in JSON and in FHIR"
    assert '"rejected"' in told
    assert '"201 Created"' in told
    assert told.count("Kong Sokhakolab") == 2, "what she agreed to is read, in JSON and in FHIR"
    assert len(LINES) > 20


def test_no_line_of_the_guide_means_something_else_to_another_shell() -> None:
    """In zsh an unquoted `[0]` or `?` is a pattern of file names, and a line that finds no file is not run."""
    for line in LINES:
        bare = re.sub(r"'[^']*'|\"(?:[^\"\\\\]|\\\\.)*\"", "", line.replace("$(", "").replace(")", ""))
        assert not re.search(r"[\[\]?*{}]", bare), bare
