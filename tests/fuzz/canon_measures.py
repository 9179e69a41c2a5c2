"""In pycanon's own environment: its measures of the CSV files that stand in a directory, as JSON; nothing of ours.

A narrow table has its attribute in the last column, and an attacker knows all the others.
"""

import json
import sys
import warnings
from pathlib import Path

import pandas as pd
from pycanon import anonymity

warnings.simplefilter("ignore")


def measures(path: Path) -> dict[str, float]:
    """k, l, alpha and t; alpha is the largest share of a value in a class."""
    data = pd.read_csv(path, dtype=str, keep_default_na=False)
    *base, attribute = data.columns
    alpha, k = anonymity.alpha_k_anonymity(data, base, [attribute])
    return {
        "k": int(k),
        "l": int(anonymity.l_diversity(data, base, [attribute])),
        "max_posterior": float(alpha),
        "max_t": float(anonymity.t_closeness(data, base, [attribute])),
    }


def main(directory: str) -> None:
    """One line of JSON: by the name of the file."""
    files = [path for path in sorted(Path(directory).rglob("*.csv")) if "aggregate" not in path.name]
    json.dump({str(path.relative_to(directory)): measures(path) for path in files}, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
