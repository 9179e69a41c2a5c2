"""The risk report as a page that fetches nothing, for people who are no statisticians; in Khmer or English."""

from itertools import count
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from app import forms
from app.exports.manifest import ColumnEntry, Statement
from app.exports.page_words import BESIDE, FILLED, MEANS, MEANS_NOT, OMITTED, PAGE, RUNGS, WHY
from app.forms.charts import Chart, bars
from app.forms.page import PAGE_POLICY
from app.forms.speaking import Speech
from app.labels import code_lists
from app.models.codes.people import Language
from app.models.report import Words

_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_PAGE = _TEMPLATES.get_template("page.html.jinja")
_STYLE = Markup((Path(forms.__file__).parent / "page.css").read_text(encoding="utf-8"))  # noqa: S704 - a file of ours
_NAMES = {one.code: Words(en=one.en, km=one.km) for one in code_lists()["export_attribute"]}


class _Telling:
    """One manifest in one language; what the template asks for."""

    def __init__(self, manifest: Statement, language: Language) -> None:
        self.manifest, self.speech = manifest, Speech(language)

    def say(self, words: Words) -> str:
        return self.speech.say(words)

    def fill(self, name: str, /, **parts: str | int) -> str:
        return self.say(FILLED[name]).format(**parts)

    def number(self, value: int) -> str:
        return f"{value:,}"

    def percent(self, share: float) -> str:
        """Rounded up to a tenth: a risk is never told smaller than it is."""
        tenths = -(-round(share * 1_000_000) // 1000)
        return self.fill("percent", n=f"{tenths / 10:g}")

    def one_in(self, k: int) -> str:
        return self.fill("one_in", n=self.number(k))

    def name(self, attribute: str) -> str:
        return self.say(_NAMES[attribute])

    def rung(self, code: str) -> str:
        return self.say(RUNGS[code])

    def why(self, code: str) -> str:
        return self.say(WHY[code])

    def why_omitted(self, code: str) -> str:
        return self.say(OMITTED[code])

    def beside(self) -> str:
        """What any table tells beside the answer; `BESIDE` begins with the finest rung."""
        rungs = {column.rung for column in self.manifest.columns}
        return self.say(next(words for rung, words in BESIDE.items() if rung in rungs))

    def one_group(self) -> bool:
        """Whether no table has more groups than one."""
        return all(column.classes == 1 for column in self.manifest.columns)

    def smallest(self, column: ColumnEntry) -> str:
        return self.fill("one_group" if column.classes == 1 else "cases", n=self.number(column.k))

    def sentences(self, all_words: tuple[Words, ...]) -> list[str]:
        promise = self.manifest.promise
        parts = {"k": self.number(promise.k), "posterior": self.percent(promise.max_posterior)}
        return [self.say(words).format(**parts) for words in all_words]

    def parts(self, column: ColumnEntry) -> dict[str, int]:
        """The cases of the quarter, each in one of three."""
        told = column.rows_out - column.withheld
        return {"told": told, "withheld": column.withheld, "suppressed": column.suppressed}

    def chart(self, column: ColumnEntry) -> Chart:
        cells = [(self.say(PAGE[part]), self.number(n), n) for part, n in self.parts(column).items()]
        summary = " ".join(self.fill("cell", label=label, value=printed) for label, printed, _ in cells)
        title = self.fill("chart", name=self.name(column.attribute), n=self.number(column.rows_in))
        return bars(title, title, summary, cells)


def html(manifest: Statement, language: Language) -> str:
    """The whole page as text; the same manifest is the same page."""
    telling = _Telling(manifest, language)
    speech = telling.speech
    return _PAGE.render(
        policy=PAGE_POLICY,
        style=_STYLE,
        language=speech.tag,
        words={name: speech.say(words) for name, words in PAGE.items()},
        tell=telling,
        next_id=count(1).__next__,
        manifest=manifest,
        period=speech.quarter(manifest.period),
        frozen=telling.fill("frozen", moment=speech.moment(manifest.frozen_at)),
        rules=telling.fill("rules", name=manifest.profile.name, version=manifest.profile.version),
        means=telling.sentences(MEANS),
        means_not=telling.sentences(MEANS_NOT),
    )
