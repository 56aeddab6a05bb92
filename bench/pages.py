"""The time of one page of the list of a million jobs: every filter, every order with every filter, random questions.

python -m bench.pages [JOBS] [--database sqlite]     (each database has a section of its own in RESULTS.md)
"""

import argparse
import os
import time
from collections.abc import Iterator, Mapping
from itertools import product
from random import Random

import numpy as np
from flask.testing import FlaskClient

from bench.copied_jobs import a_database
from bench.full_history import batch_id, fill
from bench.random_questions import random_list
from bench.report import Row, table, write_results
from gradyard.jobs.questions.order import order
from gradyard.jobs.settings import load
from gradyard.jobs.stages.registry import STAGES
from gradyard.jobs.states import State
from gradyard.store.database import Database
from gradyard.store.queries.questions.ordered_rows import Asked, rows_in_order
from gradyard.store.queries.questions.orders import cursor_of
from service.app import create_app
from service.garbage_collector import spare_what_is_loaded

Parameters = dict[str, str]

ASKED = 40  # pages of each kind, or as many as fit into ONE_KIND_SECONDS, at least FEWEST
FEWEST = 5
ONE_KIND_SECONDS = 1.0
QUESTIONS = 200
LATE = 1000  # the page that is asked for beside the first
MOST_MS = {"sqlite": 10.0, "postgresql": 20.0}
BY_AN_INDEX = ("loss_min", "loss_last", "finished_at", "train_seconds", "metrics.accuracy.max")
BY_AN_INDEX_TOO: Mapping[str, Parameters] = {
    "all": {}, "failed": {"state": "failed"}, "stage": {"stage": "nn"}, "rare stage": {"stage": "dynamic"},
    "stage succeeded": {"stage": "optim", "state": "succeeded"},
}  # fmt: skip
OF_FEW: Mapping[str, Parameters] = {
    "a batch": {"batch": str(batch_id(0))}, "a rare tag": {"tag": "owner=person-7"}, "a name": {"name": "run-77"}
}  # fmt: skip
A_TAG: Mapping[str, Parameters] = {"one in twelve of half": {"tag": "course=w3"}}
NOTES = f"""`GET /v1/jobs?limit=50` of the app without a network, on a history that `bench/full_history.py` makes by the
functions of the service: curves, four parameters, tags, names, batches of 10,000. The filters are every state, every
stage, every pair of both, a batch alone and with a state and a stage, a name and a tag. An order is asked for with
filters that its index has (states, stages), of few jobs that are found first and sorted (a batch of 10,000, a tag of
one job in 800, a name), and of a tag that one job in 24 has; in both directions, page 1 and page {LATE:,}. A random
question (`bench/random_questions.py`) has two or three terms of eighteen kinds, two of three with an order; each is
asked once. Of each other kind {ASKED} pages, of slow kinds as many as fit into {ONE_KIND_SECONDS:g} s, at least
{FEWEST}."""


def main() -> None:
    """Measure, print, and write the results down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("jobs", nargs="?", type=int, default=1_000_000)
    parser.add_argument("--database", choices=list(MOST_MS), action="append")
    given = parser.parse_args()
    for name in given.database or MOST_MS:
        load_average, _, _ = os.getloadavg()
        rows: list[Row] = []
        with a_database(name) as url:
            for row in _measured(name, url, given.jobs):
                print(row, flush=True)
                rows.append(row)
        print(table(rows))
        command = f"python -m bench.pages {given.jobs} --database {name}"
        write_results(f"Pages, {name}", command, NOTES, load_average, rows)


def _measured(name: str, url: str, count: int) -> Iterator[Row]:
    database = Database(url, silent_transaction_seconds=600.0)  # a busy machine takes more than 5 s for 10,000 rows
    began = time.monotonic()
    fill(database, count)
    print(f"{name}: {count:,} jobs in {time.monotonic() - began:.0f} s", flush=True)
    client = create_app(load(database_url=url, admin_key=None, log_level="ERROR")).test_client()
    for _ in range(20):  # the first pages of a process load code and schema
        _seconds(client, {})
    spare_what_is_loaded()  # as each process of the API does
    about = f"{name}, {count:,} jobs, "
    yield from _rows(f"{about}filters", _pages(client, _filters()), MOST_MS[name])
    for what, filters, most_ms in (
        ("of an index", BY_AN_INDEX_TOO, MOST_MS[name]), ("of few jobs", OF_FEW, None), ("of a tag", A_TAG, None)
    ):  # fmt: skip
        yield from _rows(f"{about}orders {what}", _pages(client, _orders(database, filters)), most_ms)
    yield from _of_questions(about, client)
    for what, route, parameters, most in _others(count):
        seconds = min(_seconds(client, parameters, route) for _ in range(3))
        yield Row(f"{about}{what}", f"{1000 * seconds:.0f} ms", *_target(seconds, most))
    database.close()


def _target(seconds: float, most_ms: float | None) -> tuple[str, bool | None]:
    return ("-", None) if most_ms is None else (f"<= {most_ms:,.0f} ms", 1000 * seconds <= most_ms)


def _pages(client: FlaskClient, kinds: Mapping[str, Parameters]) -> dict[str, list[float]]:
    return {label: list(_some(client, parameters)) for label, parameters in kinds.items()}


def _some(client: FlaskClient, parameters: Parameters) -> Iterator[float]:
    until = time.monotonic() + ONE_KIND_SECONDS
    for asked in range(ASKED):
        if asked >= FEWEST and time.monotonic() > until:
            return
        yield _seconds(client, parameters)


def _rows(what: str, took: dict[str, list[float]], most_ms: float | None) -> Iterator[Row]:
    slowest = max(took, key=lambda label: float(np.quantile(took[label], 0.99)))
    every = [seconds for each in took.values() for seconds in each]
    for label, seconds in ((f"{what}: all {len(took)}", every), (f"{what}: the slowest: {slowest}", took[slowest])):
        middle, late = 1000 * np.quantile(seconds, [0.5, 0.99])
        target = ("-", None) if most_ms is None else (f"p99 <= {most_ms:g} ms", bool(late <= most_ms))
        yield Row(label, f"p50 {middle:.1f} ms, p99 {late:.1f} ms", *target)


def _of_questions(about: str, client: FlaskClient) -> Iterator[Row]:
    random, took = Random(7), list[tuple[float, str, bool]]()
    for _ in range(QUESTIONS):
        asked = random_list(random)
        began = time.perf_counter()
        answer = client.get("/v1/jobs", query_string=asked | {"limit": "50"})
        seconds = time.perf_counter() - began
        assert answer.json is not None, answer.text
        is_whole = len(answer.json["jobs"]) == 50 or answer.json["next_cursor"] is None
        took.append((seconds, " by ".join(asked.values()), is_whole))
    seconds_of = np.array([seconds for seconds, _, _ in took])
    in_time = np.mean([seconds <= 1 and whole for seconds, _, whole in took])
    middle, late = np.quantile(seconds_of, [0.5, 0.95])
    yield Row(f"{about}{QUESTIONS} random questions", f"p50 {1000 * middle:.0f} ms, p95 {1000 * late:.0f} ms")
    yield Row(f"{about}random questions answered whole within 1 s", f"{in_time:.1%}", ">= 95 %", bool(in_time >= 0.95))
    slowest, text, _ = max(took)
    yield Row(f"{about}the slowest: `{text}`", f"{1000 * slowest:.0f} ms")


def _seconds(client: FlaskClient, params: Parameters, route: str = "/v1/jobs") -> float:
    limit = {"limit": "50"} if route == "/v1/jobs" else {}
    began = time.perf_counter()
    answer = client.get(route, query_string=params | limit)
    seconds = time.perf_counter() - began
    assert answer.status_code == 200, answer.text
    return seconds


def _filters() -> dict[str, Parameters]:
    found: dict[str, Parameters] = {}
    for state, stage in product([None, *State], [None, *STAGES]):
        chosen = {name: str(value) for name, value in (("state", state), ("stage", stage)) if value is not None}
        found[" ".join(chosen.values()) or "all"] = chosen
    batch = {"batch": str(batch_id(0))}
    more: dict[str, Parameters] = {"": {}, ", failed": {"state": "failed"}, ", stage": {"stage": "tensor"},
                                   ", rare stage": {"stage": "dynamic"}}  # fmt: skip
    found |= {f"batch{label}": batch | chosen for label, chosen in more.items()}
    return found | {"tag": {"tag": "course=w3"}, "rare tag": {"tag": "owner=person-7"}, "name": {"name": "run-77"}}


def _orders(database: Database, filters: Mapping[str, Parameters]) -> dict[str, Parameters]:
    """Each order of an index with each filter: its first page and, where it is that long, a late one."""
    found: dict[str, Parameters] = {}
    for name, sign in product(BY_AN_INDEX, ("", "-")):
        by, cursor = f"{sign}{name}", _late_cursor(database, f"{sign}{name}")
        for label, chosen in filters.items():
            found[f"{by} of {label}"] = {"sort": by} | chosen
            if cursor is not None:
                found[f"{by} of {label}, from page {LATE:,}"] = {"sort": by, "cursor": cursor} | chosen
    return found


def _late_cursor(database: Database, by: str) -> str | None:
    """The cursor of a late page of all jobs in an order; None where there are fewer. It is good for every filter."""
    which = Asked(1, order(by))
    with database.read() as connection:
        rows = rows_in_order(connection, which, 50 * (LATE - 1), None).rows
    return cursor_of(which.order, rows[-1].value, rows[-1].job_id) if len(rows) == 50 * (LATE - 1) else None


def _others(count: int) -> Iterator[tuple[str, str, Parameters, float | None]]:
    """What takes longer: what, its route and parameters, and at most how many milliseconds."""
    batch = str(batch_id(0))
    for name in ("learning_rate", "-steps_done", "name"):
        yield f"`sort={name}`, which no index has", "/v1/jobs", {"sort": name}, None
    of_rates, at_most = {"group": "stage", "of": "loss_min"}, 2000 * count / 1_000_000
    yield "summary of all by stage", "/v1/jobs/summary", of_rates, at_most
    for more in ("points", "optimizer.momentum"):
        by_both = of_rates | {"group": f"stage,{more}"}
        yield f"summary of all by stage and {more}", "/v1/jobs/summary", by_both, at_most
    yield "summary of a batch of 10,000", "/v1/jobs/summary", of_rates | {"batch": batch}, 50
    yield "`first_below` of 10,000 curves", "/v1/jobs/count", {"where": "first_below(9) < 50", "batch": batch}, 1000


if __name__ == "__main__":
    main()
