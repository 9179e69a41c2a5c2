"""Runs mutants: each in a database of its own or with the policy patched, until a test notices it."""

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.database import Server
from tests.ground import ground
from tests.mutants.databases import Mutant, database_of
from tests.mutants.policies import Flip, is_intact, noticed
from tests.mutants.probes import access_probes


@dataclass(frozen=True, slots=True)
class Outcome:
    """`noticed_by` is None for a mutant that survived."""

    name: str
    noticed_by: str | None


async def run_database(
    server: Server, template: str, keys_dir: Path, mutant: Mutant, *, with_oracle: bool = True
) -> Outcome:
    """One wrong wall of the database."""
    with database_of(server, template, mutant) as urls:
        try:
            async with ground(urls, keys_dir) as made:
                return Outcome(mutant.name, await access_probes(made, with_oracle=with_oracle))
        except AssertionError as error:  # what the tests need first is refused already
            return Outcome(mutant.name, f"stage: {error}".partition("\n")[0])


async def run_policies(server: Server, template: str, keys_dir: Path, chosen: Iterable[Flip]) -> AsyncIterator[Outcome]:
    """Wrong permissions, one after the other on one stage; on a new one when a mutant has broken it."""
    waiting = list(chosen)
    while waiting:
        with server.clone(template) as urls:
            async with ground(urls, keys_dir) as made:
                while waiting:
                    flip = waiting.pop(0)
                    noticed_by = await noticed(made, flip)
                    yield Outcome(flip.name, noticed_by)
                    if noticed_by is not None and not await is_intact(made, flip):
                        break
