"""Takes the pictures of the page in docs/pictures, of jobs that a service trains for them.

python -m bench.screenshots

Curves and coefficients are the same each time. Times, speeds and ids are those of the day, so the bytes are not.
"""

import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
from playwright.sync_api import Browser, Page
from sqlalchemy import func, text, update

from gradyard.store.database import Database
from gradyard.store.tables import JobEvent, Worker

FOLDER = Path(__file__).parents[1] / "docs" / "pictures"
HOST, PROCESSOR = "lab-1", "AMD EPYC 9354"
DESK, PHONE = {"width": 1280, "height": 860}, {"width": 390, "height": 800}
READABLE = 0o644  # a stack leaves its process a umask for secrets
STAGES = ("numpy", "tensor", "autograd", "function", "nn", "optim", "module", "dynamic")
SWEEP: dict[str, Any] = {
    "name": "rmsprop, at random",
    "spec": {"stage": "optim", "steps": 1000, "tags": {"course": "w3"}, "optimizer": {"name": "rmsprop"}},
    "random": {
        "learning_rate": {"low": 1e-5, "high": 1e-1, "scale": "log"},
        "optimizer.momentum": {"low": 0.0, "high": 0.95}, "optimizer.alpha": {"low": 0.9, "high": 0.999},
    },
    "samples": 150, "random_seed": 3,
}  # fmt: skip
SEEDS = {"seed": {"stop": 40}}
QUESTION = {"where": 'tags.course == "w3"', "sort": "loss_min", "fields": "loss_min, learning_rate, optimizer.momentum"}
TYPED = {"learning_rate": "1e-4, 1e-3, 1e-2", "seed": "0:5"}


def main() -> None:
    """Start a service, train, and keep what a browser shows."""
    from bench.page import a_browser
    from bench.service import service

    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="gradyard-bench-") as folder:
        where = Path(folder)
        with service(cpu_slots=2, folder=where) as client, a_browser() as browser:
            made = _trained(client)
            database = Database(f"sqlite:///{where / 'gradyard.db'}")
            _name_the_host(database)
            database.close()
            _take_all(browser, str(client.base_url).rstrip("/"), made)


def _trained(client: httpx.Client) -> Mapping[str, str]:
    """The ids of what was trained; a job still runs, and a batch waits."""
    eight = [{"stage": stage, "name": f"tutorial: {stage}", "seed": 10, "init": "normal"} for stage in STAGES]
    tutorial = _batch(client, {"name": "The tutorial's eight stages", "jobs": eight})
    sweep = _batch(client, SWEEP)
    failed = _job(client, {"stage": "nn", "name": "too fast", "learning_rate": 1e-4})
    for path in (*(f"batches/{each}" for each in (tutorial, sweep)), f"jobs/{failed}"):
        _wait(client, path)
    data = {"kind": "function", "function": "gauss", "noise": 0.05}
    fit = _job(client, {"stage": "optim", "name": "a bell, from noisy points", "seed": 4, "degree": 6,
                        "dataset": data, "scale": "standard", "learning_rate": 1e-2, "steps": 12_000,
                        "optimizer": {"name": "adam"}, "tags": {"course": "w3", "of": "noise"}})  # fmt: skip
    _wait(client, f"jobs/{fit}")
    _job(client, {"stage": "module", "name": "a long run", "steps": 9_000_000})
    _batch(client, {"name": "seeds of dynamic", "spec": {"stage": "dynamic", "steps": 400_000}, "grid": SEEDS})
    while client.get("/v1/jobs/count", params={"state": "queued"}).json()["count"]:
        time.sleep(0.1)
    _batch(client, {"name": "degrees", "spec": {"stage": "nn", "scale": "standard", "learning_rate": 1e-4},
                    "grid": {"degree": {"start": 1, "stop": 9}, "seed": [1, 2, 3]}})  # fmt: skip
    return {"tutorial": tutorial, "sweep": sweep, "fit": fit}


def _job(client: httpx.Client, spec: Mapping[str, Any]) -> str:
    return str(client.post("/v1/jobs", json=spec).raise_for_status().json()["id"])


def _batch(client: httpx.Client, body: Mapping[str, Any]) -> str:
    return str(client.post("/v1/batches", json=body).raise_for_status().json()["id"])


def _wait(client: httpx.Client, path: str) -> None:
    with client.stream("GET", f"/v1/{path}/events", headers={"Accept": "text/event-stream"}, timeout=600) as stream:
        for _ in stream.iter_lines():
            pass  # it ends with what it tells of


def _name_the_host(database: Database) -> None:
    """The same name in each picture, whichever machine takes it."""
    with database.begin() as connection:
        host = connection.execute(text("select host from workers limit 1")).scalar_one()
        connection.execute(update(Worker).values(host=HOST, device_name=PROCESSOR))
        connection.execute(update(JobEvent).values(actor=func.replace(JobEvent.actor, host, HOST)))


def _take_all(browser: Browser, address: str, made: Mapping[str, str]) -> None:
    take = _Camera(browser, address)
    take("overview", "/", height=640)
    take("jobs", f"/jobs?{urlencode(QUESTION)}", height=720)
    take("job", f"/jobs/{made['fit']}", ready="[data-chart=model] .line-chart", height=1180)
    take("job-phone", f"/jobs/{made['fit']}", ready="[data-chart=model] .line-chart", size=PHONE)
    take("batch", f"/batches/{made['sweep']}", ready="#charts[data-drawn]", part="#charts", height=925)
    take("batch-dark", f"/batches/{made['sweep']}", ready="#charts[data-drawn]", part="#scatter-title",
         dark=True, height=470)  # fmt: skip
    take("compare", f"/compare?batch={made['tutorial']}", ready="#curves[data-drawn]", height=1000)
    take("submit", "/submit?stage=optim", before=_type_a_sweep, height=930)
    take("workers", "/workers", dark=True, height=600)


def _type_a_sweep(page: Page) -> None:
    for label, typed in TYPED.items():
        page.get_by_label(label, exact=True).fill(typed)
    page.locator("#verdict[data-state=valid]", has_text="15 jobs").wait_for()


class _Camera:
    """Takes pictures of one service's pages."""

    def __init__(self, browser: Browser, address: str) -> None:
        self._browser, self._address = browser, address

    def __call__(
        self, name: str, path: str, *, ready: str = "main", before: Callable[[Page], None] | None = None,
        size: Mapping[str, int] = DESK, height: int | None = None, dark: bool = False, part: str | None = None,
    ) -> None:  # fmt: skip
        """Take the page at a path, as soon as that part of it is there; `before` does something with it first.

        part: what stands at the top of the picture; None for the page's own top.
        """
        viewport: Any = {**size, "height": height or size["height"]}
        look: Any = {"color_scheme": "dark" if dark else "light", "reduced_motion": "reduce"}
        context = self._browser.new_context(viewport=viewport, **look)
        page = context.new_page()
        page.goto(self._address + path)
        page.locator(ready).first.wait_for()
        if before is not None:
            before(page)
        if part is not None:
            page.locator(part).evaluate("(element) => { element.scrollIntoView(); scrollBy(0, -28); }")
        page.screenshot(path=FOLDER / f"{name}.png", animations="disabled")
        (FOLDER / f"{name}.png").chmod(READABLE)
        context.close()


if __name__ == "__main__":
    main()
