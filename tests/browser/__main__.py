"""`python -m tests.browser [FILE…]`: our pages, or the given ones, in Debian's Chromium; `make browser`."""

import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser

from app.exports.files import write
from app.forms import html
from app.models.codes.people import Language
from tests.browser.looks import A4, PHONE, Found, browser, look
from tests.exporting import cohort_release, key
from tests.forms.reports import commune, hostile, quarter

PICTURES = Path(__file__).parents[2] / ".browser"
HOW_TO = "make browser needs Chromium and a Khmer font: apt-get install chromium fonts-khmeros"

# Everything that the looks must notice, on one page: if they stay silent about it, their silence says nothing.
BAD_PAGE = """<!DOCTYPE html><html><head><title>bad</title></head><body>
<img src="http://127.0.0.1:9/x.png"><p style="width: 3000px; color: #ccc">pale and wide</p>
<table><tr><th scope="sideways" onclick="1">of nothing</th></tr></table><script>console.error("heard")</script>
<footer><p>No Khmer font was needed here</p></footer></body></html>"""

_BAD_RULES = {"color-contrast", "html-has-lang", "landmark-one-main", "scope-attr-valid"}


def main(given: list[str]) -> int:
    """0 when nothing is wrong with any page at any width."""
    program = shutil.which("chromium")
    if program is None:
        print(HOW_TO, file=sys.stderr)
        return 2
    PICTURES.mkdir(exist_ok=True)
    with TemporaryDirectory() as room, browser(program) as chromium:
        missed = _missed(chromium, Path(room))
        files = [Path(one).resolve() for one in given] or _written(Path(room))
        wrong = [_seen(chromium, file, name) for file in files for name in ("phone", "a4")]
    failed = sum(wrong) + bool(missed)
    print("missed on the bad page: " + ", ".join(missed) if missed else "all that is bad was noticed on the bad page")
    print(f"pictures and PDFs: {PICTURES}\n{len(wrong) + 1 - failed} passed, {failed} failed")
    return 1 if failed else 0


def _missed(chromium: Browser, room: Path) -> list[str]:
    bad = room / "bad.html"
    bad.write_text(BAD_PAGE, encoding="utf-8")
    found = look(chromium, bad, PHONE, room / "bad.png")
    rules = {line.split(" (", maxsplit=1)[0] for line in found.inaccessible}
    return [what for what, wrongs in vars(found).items() if not wrongs] + sorted(_BAD_RULES - rules)


def _written(room: Path) -> list[Path]:
    made = []
    for name, report in (("quarter", quarter()), ("commune", commune()), ("hostile", hostile())):
        for language in (Language.EN, Language.KM):
            made.append(room / f"{name}-{language.value}.html")
            made[-1].write_text(html(report, language), encoding="utf-8")
    for name, profile in (("export", "auditor-v1"), ("public", "public-v1")):
        write(cohort_release(profile), room / name, signer=key(), software_version="samaki")
        made += [
            Path(shutil.copy(page, room / f"{name}-{page.name}")) for page in sorted((room / name).glob("risk-*.html"))
        ]
    return made


def _seen(chromium: Browser, file: Path, name: str) -> bool:
    paper = name == "a4"
    found: Found = look(chromium, file, A4 if paper else PHONE, PICTURES / f"{file.stem}-{name}.png", paper=paper)
    print(f"{'WRONG' if found else 'well':6} {file.stem} {name}", flush=True)
    if found:
        print(found)
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
