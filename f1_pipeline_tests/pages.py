"""Pages for tests: a copy of a computed warehouse with pages in it, and a reader of what a page is made of.

Neighbours: `conftest.py` has the fixture `pages`, `integration/test_pages.py` reads them, and
`e2e/test_pages_in_browser.py` looks at them in a browser.
"""

from __future__ import annotations

import shutil
from html.parser import HTMLParser
from pathlib import Path

from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline_tests.support import make_settings

LAST_RACE = "2026-canada"
VOID = {"meta", "img", "br", "source", "input", "link"}


def copy_warehouse(computed: Pipeline, folder: Path) -> Pipeline:
    """Copy a computed warehouse, for pages to be written beside it."""
    folder.mkdir(parents=True)
    pipeline = Pipeline(make_settings(folder, computed.settings.data_dir))
    shutil.copy(computed.settings.warehouse_path, pipeline.settings.warehouse_path)
    return pipeline


def write_every_page(pipeline: Pipeline) -> None:
    """Write the next race, the last one, their season, accuracy, and the index that leads to them."""
    # The pages are loaded here, so that tests without them start as quickly as before.
    from f1_pipeline.report.accuracy import read_accuracy
    from f1_pipeline.report.accuracy_page import write_page
    from f1_pipeline.report.page_index import write_pages

    write_page(read_accuracy(pipeline), pipeline.settings.reports_dir / "accuracy.html")
    write_pages(pipeline)


class PageReader(HTMLParser):
    """Reads a page into its tags, texts, links and outside references; every tag must be closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.sources: list[str] = []
        self.unnamed_drawings = 0
        self.headings: list[tuple[int, str]] = []
        self.words: list[str] = []
        self.ids: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == [], f"never closed: {self._open}"

    @property
    def text(self) -> str:
        """What people read, without line breaks."""
        return " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.tags.append(tag)
        if tag not in VOID:
            self._open.append(tag)
        if tag == "a":
            self.links.append(values["href"] or "")
        self.sources += [values[name] or "" for name in ("src", "srcset", "data", "action") if name in values]
        if tag == "link":
            self.sources.append(values.get("href") or "")
        if values.get("role") == "img" and not values.get("aria-label"):
            self.unnamed_drawings += 1
        if "id" in values:
            self.ids.append(values["id"] or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        found = self._open.pop() if self._open else None
        assert found == tag, f"</{tag}> closes <{found}>"

    def handle_data(self, data: str) -> None:
        if "style" in self._open:
            return
        self.words.append(data)
        if self._open and self._open[-1] in ("h1", "h2", "h3"):
            self.headings.append((int(self._open[-1][1]), data))
