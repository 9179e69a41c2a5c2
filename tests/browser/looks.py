"""One look at one page in headless Chromium: what it asks of the network, how wide it is, who cannot read it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Dialog, Page, sync_playwright

PHONE = (360, 800)
A4 = (794, 1123)  # 210 x 297 mm at 96 dots an inch

# Nothing of a report runs, loads or sends. Whatever matches came out of somebody's text.
_FOREIGN = "script, img, iframe, object, embed, link, form, base, input, foreignObject, use, a[href]:not([href^='#'])"
_HANDLERS = "[...document.querySelectorAll('*')].filter(e => [...e.attributes].some(a => /^on/i.test(a.name))).length"
# What axe must have had something to examine for: silence of a rule that found nothing to look at is no praise.
_EXAMINED = {
    "color-contrast",
    "html-lang-valid",
    "landmark-one-main",
    "region",
    "scope-attr-valid",
    "svg-img-alt",
    "th-has-data-cells",
}
_WIDER = """
() => [...document.querySelectorAll('body *')]
  .filter(e => !e.closest('.away, svg svg'))
  .map(e => [e, e.getBoundingClientRect()])
  .filter(([, box]) => box.width && box.right > document.documentElement.clientWidth + 1)
  .map(([e]) => e.tagName + '.' + (e.getAttribute('class') || ''))
"""


@dataclass
class Found:
    """What is wrong with a page, in words; empty when nothing is."""

    requests: list[str] = field(default_factory=list)
    console: list[str] = field(default_factory=list)
    too_wide: list[str] = field(default_factory=list)
    inaccessible: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    fonts: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return any(vars(self).values())

    def __str__(self) -> str:
        return "\n".join(f"    {what}: {one}" for what, wrongs in vars(self).items() for one in wrongs)


@contextmanager
def browser(program: str) -> Iterator[Browser]:
    """The Chromium of the system, not one that playwright would fetch; in English, so that only the page says Khmer."""
    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=program)
        try:
            yield chromium
        finally:
            chromium.close()


def look(chromium: Browser, file: Path, size: tuple[int, int], picture: Path, *, paper: bool = False) -> Found:
    """Open the file at this width, photograph its whole length, and print it where `paper` says so."""
    found = Found()
    context = chromium.new_context(viewport={"width": size[0], "height": size[1]}, color_scheme="light")
    try:
        page = context.new_page()
        page.on("request", lambda request: found.requests.append(request.url))
        page.on("console", lambda message: found.console.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: found.console.append(f"error: {error}"))
        page.on("dialog", lambda dialog: _refuse(dialog, found))
        page.goto(file.as_uri(), wait_until="load")
        page.screenshot(path=picture, full_page=True)
        if paper:
            page.pdf(path=picture.with_suffix(".pdf"), prefer_css_page_size=True, print_background=True)
        found.requests.remove(file.as_uri())
        _examine(page, found)
    finally:
        context.close()
    return found


def _refuse(dialog: Dialog, found: Found) -> None:
    found.foreign.append(f"dialog: {dialog.message}")
    dialog.dismiss()


def _examine(page: Page, found: Found) -> None:
    page.locator("details").evaluate_all("all => all.forEach(e => { e.open = true; })")
    width: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    found.too_wide += [f"scrolls {width} px sideways"] if width > 0 else []
    found.too_wide += page.evaluate(_WIDER)
    foreign: list[str] = page.eval_on_selector_all(_FOREIGN, "all => all.map(e => e.outerHTML.slice(0, 80))")
    handlers: int = page.evaluate(_HANDLERS)
    found.foreign += foreign + ([f"{handlers} event handlers"] if handlers else [])
    found.fonts += _without_khmer(page)
    # All its rules, best practices too. It measures no text inside a picture: tests/forms/test_colours.py does.
    results: dict[str, Any] = Axe().run(page, options={"resultTypes": ["violations"]}).response
    found.inaccessible += [
        f"{one['id']} ({one['impact']}): {one['help']}; {len(one['nodes'])} x, as {one['nodes'][0]['html'][:90]}"
        for one in results["violations"]
    ]
    silent = _EXAMINED - {one["id"] for one in results["passes"] + results["violations"]}
    found.inaccessible += [f"{rule} had nothing to examine" for rule in sorted(silent)]


def _without_khmer(page: Page) -> list[str]:
    """Which font the Khmer of the footer is drawn in; without one it is a row of boxes."""
    session = page.context.new_cdp_session(page)
    for domain in ("DOM", "CSS"):
        session.send(f"{domain}.enable")
    root = session.send("DOM.getDocument")["root"]["nodeId"]
    node = session.send("DOM.querySelector", {"nodeId": root, "selector": "footer p"})["nodeId"]
    if not node:
        return ["no footer to look at"]
    fonts = session.send("CSS.getPlatformFontsForNode", {"nodeId": node})["fonts"]
    names = sorted({str(font["familyName"]) for font in fonts})
    return [] if any("Khmer" in name for name in names) else [f"Khmer is drawn in {names}: install fonts-khmeros"]
