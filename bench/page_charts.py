"""How soon the charts of a batch of 10,000 jobs, and ten curves of 30,000 steps, are drawn in Chromium.

python -m bench.page_charts
"""

import argparse
import os
from collections.abc import Iterator
from uuid import UUID

import numpy as np
from playwright.sync_api import Browser
from sqlalchemy import select, update

from bench.copied_jobs import a_database
from bench.full_history import batch_id, fill
from bench.lone_api import lone_api
from bench.page import DATABASES, a_browser
from bench.report import Row, table, write_results
from gradyard.store.database import Database
from gradyard.store.tables import Job, LossChunk

JOBS, COMPARED, STEPS = 10_000, 10, 30_000
OPENED = 15  # times, each in a new profile and again in the same one
DRAWN = "#charts[data-drawn]", "#curves[data-drawn]"
NOTES = f"""A batch of {JOBS:,} jobs made by `bench/full_history.py`, of which {COMPARED} have {STEPS:,} steps. One API
process serves it, Chromium (headless, by Playwright, no GPU) opens each page {OPENED} times with an empty cache and
{OPENED} times again. Drawn: from the start of the navigation until the last chart has its curves, by the page's own
marks. The first page of a process loads its code and is not counted."""


def main() -> None:
    """Measure, print, and write the results down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=DATABASES, action="append")
    parser.add_argument("--dry", action="store_true", help="print alone")
    given = parser.parse_args()
    load_average, rows = os.getloadavg()[0], list[Row]()
    for name in given.database or DATABASES:
        with a_database(name) as url, a_browser() as browser:
            rows += _measured(name, url, browser)
    print(table(rows))
    if not given.dry:
        write_results("Charts of the page", "python -m bench.page_charts", NOTES, load_average, rows)


def _measured(name: str, url: str, browser: Browser) -> Iterator[Row]:
    database = Database(url)
    fill(database, JOBS)
    jobs = _with_long_curves(database)
    database.close()
    batch, asked = f"/batches/{batch_id(0)}", "&".join(f"job={job}" for job in jobs)
    with lone_api(url) as api:
        cold, warm = _drawn(browser, api.address + batch, DRAWN[0], "band-drawn")
        yield Row(
            f"{name}, a batch of {JOBS:,} jobs", f"p50 {cold:.0f} ms, again {warm:.0f}", "<= 2000 ms", cold <= 2000
        )
        cold, warm = _drawn(browser, f"{api.address}/compare?{asked}", DRAWN[1], "curves-drawn")
        what = f"{name}, {COMPARED} curves of {STEPS:,} steps"
        yield Row(f"{what}, first time", f"p50 {cold:.0f} ms", "<= 1500 ms", cold <= 1500)
        yield Row(f"{what}, again", f"p50 {warm:.0f} ms", "<= 300 ms", warm <= 300)


def _with_long_curves(database: Database) -> list[UUID]:
    random = np.random.default_rng(0)
    with database.begin() as connection:
        succeeded = select(Job.id, Job.dtype).where(Job.state == "succeeded").order_by(Job.id).limit(COMPARED)
        rows = list(connection.execute(succeeded))
        for job, dtype in rows:
            losses = (np.exp(-np.arange(STEPS) / 5000) * random.lognormal(0, 0.1, STEPS)).astype(dtype)
            chunk = {"steps": STEPS, "losses": losses.tobytes()}
            connection.execute(update(LossChunk).where(LossChunk.job_id == job).values(chunk))
            connection.execute(update(Job).where(Job.id == job).values(steps=STEPS, steps_done=STEPS))
    return [job for job, _ in rows]


def _drawn(browser: Browser, address: str, until: str, mark: str) -> tuple[float, float]:
    """The median milliseconds until it is drawn: in a new profile, and again in the same one."""
    found: list[list[float]] = []
    for _ in range(OPENED + 1):
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        found.append([])
        for _ in ("first", "again"):
            page = context.new_page()
            page.goto(address)
            page.locator(until).wait_for()
            found[-1].append(page.evaluate(f"performance.getEntriesByName('{mark}')[0].startTime"))
            page.close()
        context.close()
    cold, warm = np.median(found[1:], axis=0).tolist()
    return cold, warm


if __name__ == "__main__":
    main()
