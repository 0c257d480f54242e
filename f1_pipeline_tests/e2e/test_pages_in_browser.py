"""Pages as people see them, in a headless Chromium: nothing fetched, nothing cut off, every text to be read."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline_tests.browser import (
    DARK,
    DESKTOP,
    LIGHT,
    PHONE,
    contrasts,
    heading_levels,
    overflow_px,
    watched_page,
)
from f1_pipeline_tests.pages import LAST_RACE
from f1_pipeline_tests.support import NEXT_RACE

PAGES = (NEXT_RACE, LAST_RACE, "season-2026", "accuracy", "index")
LEAST_CONTRAST = 4.5  # of WCAG 2, level AA


@pytest.fixture
def folder(pages: Pipeline) -> Path:
    return pages.settings.reports_dir


@pytest.mark.parametrize("scheme", [LIGHT, DARK])
@pytest.mark.parametrize("width", [PHONE, DESKTOP])
@pytest.mark.parametrize("name", PAGES)
def test_page_can_be_read(browser: Browser, folder: Path, name: str, width: int, scheme: str) -> None:
    with watched_page(browser, width, scheme) as watched:
        watched.page.goto((folder / f"{name}.html").as_uri())
        for closed in watched.page.query_selector_all("details:not([open]) > summary"):
            closed.click()
        assert watched.complaints == []
        assert watched.requests == []
        assert overflow_px(watched.page) == 0
        faint = {text: ratio for text, ratio in contrasts(watched.page).items() if ratio < LEAST_CONTRAST}
        assert faint == {}
        levels = heading_levels(watched.page)
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(after - before <= 1 for before, after in pairwise(levels))


def test_both_colour_schemes_look_different(browser: Browser, folder: Path) -> None:
    found = []
    for scheme in (LIGHT, DARK):
        with watched_page(browser, PHONE, scheme) as watched:
            watched.page.goto((folder / f"{NEXT_RACE}.html").as_uri())
            found.append(watched.page.evaluate("() => getComputedStyle(document.body).backgroundColor"))
    assert found[0] != found[1]


def test_pages_are_walked_by_keyboard(browser: Browser, folder: Path) -> None:
    with watched_page(browser, DESKTOP) as watched:
        page = watched.page
        page.goto((folder / "index.html").as_uri())
        page.keyboard.press("Tab")
        assert page.evaluate("() => document.activeElement.textContent") == "To the content"
        page.get_by_role("link", name="Canadian Grand Prix").click()
        assert page.title() == "2026 Canadian Grand Prix: how the line-up did"
        summary = page.locator("summary").first
        summary.focus()
        page.keyboard.press("Enter")
        assert page.locator("details").first.get_attribute("open") is not None
        page.get_by_role("link", name="Season 2026").click()
        assert page.title() == "F1 Fantasy 2026: the season race by race"
