"""From the rows of a cohort to the files of a release, in a process of its own: `Work` on standard input, a `Word` in
each line of standard output, the last of which says how it ended."""

import errno
import gc
import sys
import traceback
from importlib.metadata import version
from pathlib import Path

import polars as pl

from app.exports.content import Release
from app.exports.files import write
from app.exports.freezing import Refused, release_of
from app.exports.knowing import Figure, Known
from app.exports.profile import load_profile
from app.freezing.work import Word, Work
from app.keys import load_export_keys


def main() -> None:
    """One release; whoever is killed says no last word."""
    gc.freeze()  # modules stay to the end: whoever looks for garbage need not walk through them, 0.15 s each time
    try:
        _write_release(Work.read(sys.stdin.buffer.read()))
        last = Word("done")
    except Refused as refused:
        last = Word("refused", refused.code)
    except Exception as error:
        full = isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}
        last = Word("full") if full else Word("failed", _name_of(error))
    _say(last)


def rows_of(work: Work) -> pl.DataFrame:
    """The rows as the recoding takes them: ages are whole numbers, everything else is text."""
    types: dict[str, type[pl.DataType]] = {name: pl.Int64 if name == "age" else pl.String for name in work.rows}
    return pl.DataFrame(work.rows, schema=types)


def _write_release(work: Work) -> None:
    """The releases before the last are made again from the same rows: what they tell is audited with it."""
    rows, made = rows_of(work), dict[str, Release]()
    for number, told in enumerate(work.told, 1):
        figures = [Figure(attribute=one["attribute"], value=one["value"]) for one in told.figures]
        known: list[Known] = [*(made[one] for one in told.releases), *figures]
        made[told.id] = release_of(
            rows,
            load_profile(told.profile),
            period=work.period,
            frozen_at=work.frozen_at,
            known=known,
            progress=_tell if number == len(work.told) else None,
        )
    _tell("files", 0.0)
    work.directory.parent.mkdir(mode=0o700, parents=True)
    signer = load_export_keys(work.keys_dir)[0]
    write(made[work.told[-1].id], work.directory, signer=signer, software_version=version("samaki"))
    _tell("files", 1.0)


def _name_of(error: Exception) -> str:
    """Kind and place alone: words of polars may hold what stands in rows."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}:{Path(last.filename).name}:{last.lineno}"


def _tell(stage: str, share: float) -> None:
    _say(Word("progress", stage, share))


def _say(word: Word) -> None:
    sys.stdout.write(word.written())
    sys.stdout.flush()


if __name__ == "__main__":
    main()
