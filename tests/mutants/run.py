"""Runs mutants: each in a database of its own or with the policy patched, until a test notices it."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.database import Server
from tests.ground import ground
from tests.mutants.databases import Mutant, database_of
from tests.mutants.policies import Flip, noticed
from tests.mutants.probes import access_probes


@dataclass(frozen=True, slots=True)
class Outcome:
    """`noticed_by` is None for a mutant that survived."""

    name: str
    noticed_by: str | None


async def run_database(server: Server, template: str, keys_dir: Path, mutant: Mutant) -> Outcome:
    """One wrong wall of the database."""
    with database_of(server, template, mutant) as urls:
        try:
            async with ground(urls, keys_dir) as made:
                return Outcome(mutant.name, await access_probes(made))
        except AssertionError as error:  # what the tests need first is refused already
            return Outcome(mutant.name, f"stage: {error}".partition("\n")[0])


async def run_policy(server: Server, template: str, keys_dir: Path, chosen: Iterable[Flip]) -> list[Outcome]:
    """Wrong permissions, one after the other on one stage."""
    with server.clone(template) as urls:
        async with ground(urls, keys_dir) as made:
            return [Outcome(flip.name, await noticed(made, flip)) for flip in chosen]
