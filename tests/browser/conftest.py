"""A browser for the tests of this folder, and pages that notice what a person would not see."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from gradyard.jobs.settings import Settings, load
from gradyard.store.database import Database
from tests.service.gunicorn_process import GunicornProcess

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = ["--no-sandbox", "--disable-background-networking", "--disable-dev-shm-usage", "--disable-gpu"]
WAIT_MS = 60_000  # for an event, on a machine that others load

DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"viewport": DESK, "color_scheme": "light"},
    "dark": {"viewport": DESK, "color_scheme": "dark"},
    "phone": {"viewport": PHONE, "color_scheme": "light", "reduced_motion": "reduce"},  # dark as well, without a load
}
"""How a person looks at a page, as options of a context."""

OF_COLORS = ("color-contrast", "link-in-text-block")  # rules of axe

expect.set_options(timeout=WAIT_MS)

OpenPage = Callable[..., Page]


@pytest.fixture(scope="package")  # Playwright's event loop fails every other `asyncio.run` of the thread meanwhile
def browser() -> Iterator[Browser]:
    """Chromium."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        pytest.skip("there is no Chromium on this machine; on Debian: apt-get install chromium")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=program, args=OPTIONS)
        yield opened
        opened.close()


def assert_open_to_all(page: Page, look: str) -> None:
    """It fits its width and has no serious barrier: in its color scheme, on a phone in both.

    The dark scheme changes colors alone, so only the rules of colors are looked at again.
    """
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), page.url
    for scheme in ("light", "dark") if look == "phone" else (look,):
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        expect(page.locator("html")).to_have_attribute("data-bs-theme", scheme)
        barriers = serious_barriers(page, OF_COLORS if scheme == "dark" else None)
        assert barriers == [], f"{page.url}, {scheme}"


def serious_barriers(page: Page, rules: Sequence[str] | None = None) -> list[tuple[str, str]]:
    """What keeps people from using the page, and where. rules: of axe; None for all of them."""
    options = {"resultTypes": ["violations"]} | ({"runOnly": list(rules)} if rules else {})
    found = Axe().run(page, options=options).response["violations"]
    return [(each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] in ("serious", "critical")]


class Watched:
    """What a context's pages said and asked for: console errors, exceptions, and requests to other origins."""

    def __init__(self, context: BrowserContext, origin: str) -> None:
        self.troubles: list[str] = []
        self.expected: set[str] = set()
        self._origin = origin
        context.on("console", self._note_console)
        context.on("weberror", lambda error: self.troubles.append(f"exception: {error.error}"))
        context.on("request", self._note_request)

    def _note_console(self, message: Any) -> None:
        if message.type in ("error", "warning") and not any(each in message.text for each in self.expected):
            self.troubles.append(f"{message.type}: {message.text}")

    def _note_request(self, request: Any) -> None:
        if not request.url.startswith((f"{self._origin}/", "data:", "blob:")):
            self.troubles.append(f"request to {request.url}")


@pytest.fixture
def open_page(browser: Browser, url: str) -> Iterator[OpenPage]:
    """A function: a new page at a path, with options of a context. Each must be without errors, and stay at home."""
    opened: list[tuple[BrowserContext, Watched]] = []

    def at(path: str, *, expected: tuple[str, ...] = (), **options: Any) -> Page:
        context = browser.new_context(base_url=url, **options)
        context.set_default_timeout(WAIT_MS)
        watched = Watched(context, url)
        watched.expected.update(expected)
        opened.append((context, watched))
        page = context.new_page()
        page.goto(path)
        return page

    yield at
    for context, _ in opened:
        context.close()
    assert [trouble for _, watched in opened for trouble in watched.troubles] == []


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path) -> Iterator[tuple[str, Database, Settings]]:
    """An API as a process, without workers, its database, and settings: a test makes jobs by the lifecycle itself."""
    folder = tmp_path_factory.mktemp("page")
    (folder / "gradyard.db").write_bytes(migrated_sqlite.read_bytes())
    database_url = f"sqlite:///{folder / 'gradyard.db'}"
    process, database = GunicornProcess(folder, database_url, None), Database(database_url)
    process.start()
    yield (
        f"http://127.0.0.1:{process.port}",
        database,
        load(database_url=database_url, state_dir=folder, admin_key=None),
    )
    database.close()
    process.stop()
