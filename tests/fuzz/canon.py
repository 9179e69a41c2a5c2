"""`python -m tests.fuzz.canon`: are the measures of exports those of pycanon on the written CSV? `make fuzz`."""

import argparse
import json
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from app.exports.manifest import ColumnEntry
from app.exports.measures import CASES, Measures, measured
from app.exports.profile import PROFILES
from app.exports.refusing import Refused
from tests.cohorts import cohort
from tests.exporting import cohort_release, written

PROJECT = Path(__file__).parents[2]
CANON = PROJECT / ".pycanon" / "bin" / "python"
SIZES = (240, 410, 960, 1_300)
SAME = 0.0000011  # a manifest has six digits

Said = dict[str, dict[str, float]]


def main() -> int:
    """0 when every figure is the same."""
    options = argparse.ArgumentParser(prog="python -m tests.fuzz.canon", description=__doc__)
    options.add_argument("--releases", type=int, default=16, help="so many invented cohorts")
    options.add_argument("--seed", type=int, default=secrets.randbits(32), help="repeat the run of this seed")
    chosen = options.parse_args()
    print(f"seed {chosen.seed}", flush=True)
    with TemporaryDirectory(prefix="samaki-canon-") as name:
        room = Path(name)
        said = _released(room, chosen.releases, chosen.seed) | _raw(room, chosen.seed)
        script = PROJECT / "tests" / "fuzz" / "canon_measures.py"
        done = subprocess.run([CANON, script, room], check=True, capture_output=True, cwd=room)
    found: Said = json.loads(done.stdout)
    wrong = list(_different(said, found))
    for line in wrong:
        print(f"  WRONG  {line}")
    print(f"pycanon: {len(said)} tables, k, l, posterior and t of each: {len(wrong)} differ", flush=True)
    return 1 if wrong or not said or said.keys() != found.keys() else 0


def _released(room: Path, releases: int, seed: int) -> Said:
    """What manifests say of releases of invented cohorts."""
    said: Said = {}
    for at in range(releases):
        profile, size = PROFILES[at % len(PROFILES)], SIZES[at % len(SIZES)]
        try:
            manifest = written(room / f"release-{at}", cohort_release(profile, size, seed + at))
        except Refused as refusal:
            print(f"  {profile} of {size}: {refusal.code}")
            continue
        said |= {f"release-{at}/{one.attribute}.csv": _four(one) for one in manifest.columns}
    return said


def _raw(room: Path, seed: int) -> Said:
    """Tables as nobody would release them, so that small classes and single rows are measured too."""
    said: Said = {}
    draw = Random(seed)  # noqa: S311 - of the seed that is printed
    for at in range(8):
        rows = cohort(draw.randint(1, 300), seed + at).select("commune", "sex", "category").drop_nulls()
        rows = rows.sort(rows.columns)
        rows.write_csv(room / f"raw-{at}.csv")
        said[f"raw-{at}.csv"] = _four(measured(rows.group_by(rows.columns).len(CASES).sort(rows.columns)))
    return said


def _four(one: Measures | ColumnEntry) -> dict[str, float]:
    return {name: getattr(one, name) for name in ("k", "l", "max_posterior", "max_t")}


def _different(said: Said, found: Said) -> Iterator[str]:
    for name, figures in said.items():
        for figure, value in figures.items():
            if abs(found[name][figure] - value) > SAME:
                yield f"{name}: {figure} {value}, pycanon {found[name][figure]}"


if __name__ == "__main__":
    sys.exit(main())
