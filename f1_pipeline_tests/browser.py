"""A headless Chromium for tests of what people see: start it, open a page and keep what goes wrong, ask about a page.

Belongs here: what tests of any page need, of ours and of the Dagster UI. Neighbours: `conftest.py` has the fixture
`browser`. Without an installed Chromium the tests are skipped, saying so; nothing is downloaded.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# No sandbox: tests run as root in containers. The rest keeps it from calling home.
CHROMIUM_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PHONE, DESKTOP = 360, 1280  # pixels
LIGHT, DARK = "light", "dark"
LOCAL_SCHEMES = ("file:", "data:", "blob:", "about:")

# How far the text of each element stands out from what is painted behind it, as WCAG 2 computes it.
_CONTRASTS = """
() => {
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const known = new Map();
  const parsed = colour => {
    if (known.has(colour)) return [...known.get(colour)];
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [red, green, blue, alpha] = canvas.getImageData(0, 0, 1, 1).data;
    known.set(colour, [red, green, blue, alpha / 255]);
    return [...known.get(colour)];
  };
  const over = (top, below) => [0, 1, 2].map(i => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
  const backdrop = element => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) layers.push(parsed(getComputedStyle(at).backgroundColor));
    const dark = matchMedia('(prefers-color-scheme: dark)').matches;
    return layers.reverse().reduce((below, top) => over(top, below), dark ? [18, 18, 18, 1] : [255, 255, 255, 1]);
  };
  const luminance = colour => {
    const linear = colour.slice(0, 3).map(c => c / 255)
      .map(c => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  };
  const found = [];
  for (const element of document.body.querySelectorAll('*')) {
    const text = [...element.childNodes].filter(n => n.nodeType === 3).map(n => n.data.trim()).join(' ').trim();
    const isSeen = element.checkVisibility({visibilityProperty: true}) && !element.closest('title, desc, style');
    if (!text || !isSeen) continue;
    const style = getComputedStyle(element);
    const behind = backdrop(element);
    const paint = element instanceof SVGElement ? style.fill : style.color;
    const front = parsed(paint);
    front[3] *= Number(style.opacity);
    const [light, dim] = [luminance(over(front, behind)), luminance(behind)].sort((a, b) => b - a);
    found.push([`${element.tagName.toLowerCase()}.${element.getAttribute('class') || ''}: ${text.slice(0, 40)}`,
      (light + 0.05) / (dim + 0.05)]);
  }
  return found;
}
"""
_HEADINGS = "() => [...document.querySelectorAll('h1, h2, h3, h4, h5, h6')].map(h => Number(h.tagName[1]))"
_OVERFLOW = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


@dataclass(frozen=True)
class Watched:
    """A page, and what it said and asked for while it was open.

    Attributes
    ----------
    page : playwright.sync_api.Page
    complaints : list of str
        Errors and warnings of the console, and exceptions nobody caught.
    requests : list of str
        Addresses that it asked for beyond its own machine's files.
    """

    page: Page
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the Chromium that is installed; skip the test when there is none."""
    found = next((path for name in CHROMIUM_NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(f"no Chromium is installed: none of {', '.join(CHROMIUM_NAMES)} is on the path")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(CHROMIUM_ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def watched_page(browser: Browser, width: int = DESKTOP, scheme: str = LIGHT, **options: Any) -> Iterator[Watched]:
    """Open an empty page that records what goes wrong on it.

    Parameters
    ----------
    browser : playwright.sync_api.Browser
    width : int
        Of the window, pixels.
    scheme : str
        `light` or `dark`.
    **options
        Further options of Playwright's `new_context`.

    Yields
    ------
    Watched
    """
    size: Any = {"width": width, "height": 900}
    preferred: Any = scheme
    context = browser.new_context(viewport=size, color_scheme=preferred, **options)
    watched = Watched(context.new_page())
    page = watched.page

    def hear(message: Any) -> None:
        if message.type in ("error", "warning"):
            watched.complaints.append(f"{message.type}: {message.text}")

    def note(request: Any) -> None:
        if not request.url.startswith(LOCAL_SCHEMES):
            watched.requests.append(request.url)

    page.on("console", hear)
    page.on("pageerror", lambda error: watched.complaints.append(str(error)))
    page.on("request", note)
    try:
        yield watched
    finally:
        context.close()


def contrasts(page: Page) -> dict[str, float]:
    """Measure how far each visible text stands out from what is behind it, 1 to 21, the smallest of equal texts."""
    found: dict[str, float] = {}
    for text, ratio in page.evaluate(_CONTRASTS):
        found[text] = min(ratio, found.get(text, ratio))
    return found


def heading_levels(page: Page) -> list[int]:
    """List the levels of the headings in the order of the page."""
    return page.evaluate(_HEADINGS)


def overflow_px(page: Page) -> int:
    """Measure by how many pixels the page is wider than the window."""
    return page.evaluate(_OVERFLOW)
