"""How soon the page is seen on a history of a million jobs, and how many bytes it takes, in Chromium.

python -m bench.page [JOBS] [--database sqlite]     (each database has a section of its own in RESULTS.md)
"""

import argparse
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from bench.copied_jobs import a_database
from bench.full_history import batch_id, fill
from bench.lone_api import lone_api
from bench.report import Row, table, write_results
from gradyard.store.database import Database

DATABASES = ("sqlite", "postgresql")
OPENED = 10  # times each page is opened, in a new browser's profile and again in the same one
LONGEST_MS, MOST_KB = 300, 150
PROMISED: Mapping[str, str] = {"overview": "/", "jobs": "/jobs"}
OTHERS: Mapping[str, str] = {
    "failed jobs": "/jobs?state=failed", "jobs by lowest loss": "/jobs?sort=loss_min",
    "jobs of a batch": f"/jobs?batch={batch_id(0)}", "a question": "/jobs?where=loss_min+%3C+1",
    "a job": "", "batches": "/batches", "workers": "/workers", "storage": "/storage", "audit": "/audit",
}  # fmt: skip
MEASURED = """() => new Promise((done) => {
  const told = () => {
    const paint = performance.getEntriesByName("first-contentful-paint")[0];
    if (!paint) return setTimeout(told, 10);
    const files = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
    const own = files.filter((each) => !each.name.includes("/v1/"));
    done([paint.startTime, own.reduce((sum, each) => sum + each.encodedBodySize, 0), files[0].responseStart]);
  };
  told();
})"""
NOTES = f"""`bench/full_history.py` makes the history: a job a second, the last of them now, so that the last hour has
3,600 of them and the last day 86,400. One API process serves it, Chromium (headless, by Playwright) opens each page
{OPENED} times with an empty cache and {OPENED} times again. Paint: `first-contentful-paint` of
PerformancePaintTiming, from the start of the navigation; answer: until the first byte of the HTML. Bytes: all that a
page loads but answers of `/v1`, compressed. The first page of a process loads its code and is not counted."""


def main() -> None:
    """Measure, print, and write the results down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("jobs", nargs="?", type=int, default=1_000_000)
    parser.add_argument("--database", choices=DATABASES, action="append")
    parser.add_argument("--dry", action="store_true", help="print alone")
    given = parser.parse_args()
    for name in given.database or DATABASES:
        load_average, rows = os.getloadavg()[0], list[Row]()
        with a_database(name) as url, a_browser() as browser:
            for row in _measured(name, url, given.jobs, browser):
                print(row, flush=True)
                rows.append(row)
        print(table(rows))
        if not given.dry:
            command = f"python -m bench.page {given.jobs} --database {name}"
            write_results(f"The page, {name}", command, NOTES, load_average, rows)


@contextmanager
def a_browser() -> Iterator[Browser]:
    """Chromium, for the block."""
    with sync_playwright() as playwright:
        program = shutil.which("chromium") or shutil.which("chromium-browser")
        options = ["--no-sandbox", "--disable-background-networking"]
        opened = playwright.chromium.launch(executable_path=program, args=options)
        yield opened
        opened.close()


def _measured(name: str, url: str, count: int, browser: Browser) -> Iterator[Row]:
    database, began = Database(url), time.monotonic()
    fill(database, count, began=time.time() - count)
    print(f"{name}: {count:,} jobs in {time.monotonic() - began:.0f} s", flush=True)
    database.close()
    about = f"{name}, {count:,} jobs, "
    with lone_api(url) as api:
        a_job = f"/jobs/{_newest(browser, api.address)}"
        for what, path in {**PROMISED, **OTHERS}.items():
            yield from _of_page(browser, f"{api.address}{path or a_job}", f"{about}{what}", what in PROMISED)


def _newest(browser: Browser, address: str) -> str:
    context = browser.new_context()
    answer = context.request.get(f"{address}/v1/jobs?limit=1").json()
    context.close()
    return str(answer["jobs"][0]["id"])


def _of_page(browser: Browser, address: str, what: str, promised: bool) -> Iterator[Row]:
    cold, warm = list[list[float]](), list[list[float]]()
    for _ in range(OPENED + 1):
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        cold.append(_opened(context, address))
        warm.append(_opened(context, address))
        context.close()
    for label, every in (("first time", cold[1:]), ("again", warm[1:])):
        paint, _, answer = np.median(every, axis=0)
        slowest = max(each[0] for each in every)
        target = (f"p50 <= {LONGEST_MS} ms", bool(paint <= LONGEST_MS)) if promised else ("-", None)
        yield Row(
            f"{what}, {label}", f"paint p50 {paint:.0f} ms, longest {slowest:.0f}, answer {answer:.0f} ms", *target
        )
    kilobytes = cold[-1][1] / 1000
    target = (f"<= {MOST_KB} kB", kilobytes <= MOST_KB) if promised else ("-", None)
    yield Row(f"{what}, bytes", f"{kilobytes:.0f} kB", *target)


def _opened(context: BrowserContext, address: str) -> list[float]:
    """Milliseconds to the first paint, bytes, and milliseconds to the first byte."""
    page = context.new_page()
    page.goto(address)
    measured: list[float] = page.evaluate(MEASURED)
    page.close()
    return measured


if __name__ == "__main__":
    main()
