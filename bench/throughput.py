"""Many jobs at once, against a Celery task for each: how fast they are accepted, and how fast they are done.

python -m bench.throughput
"""

import json
import os
import threading
import time
from collections.abc import Callable, Sequence
from statistics import mean, median
from typing import Any

import httpx

from bench.floor import floor
from bench.peers.celery_worker import SLOTS, CeleryWorker, celery_worker
from bench.report import Row, table, write_results
from bench.scripts import FIXED_START, START
from bench.service import service
from gradyard import Client
from gradyard.jobs.stages.registry import stage_named

JOBS = 1000
ROUNDS = 5
PEER_JOBS = 100  # trainings of the peer: a thousand would take minutes, and exactly ten times as long
CLIENTS = 8
NOTHING: dict[str, Any] = {"stage": "tensor", "steps": 1, "dataset": {"points": 3}}
TRAINED = [("autograd", "eager", 15), ("optim", "eager", 15), ("module", "eager", 15)]
TRAINED += [("autograd", "compiled", 100), ("optim", "compiled", 100)]
NOTES = f"""{SLOTS} CPU slots on SQLite against `celery worker -c {SLOTS}` with a Redis that writes nothing to disk.
Both run in turn; median (least-most) of {ROUNDS} rounds, 3 for trainings. Accepted: a POST of {JOBS:,} jobs in a list,
against `group(...).apply_async()` of as many prepared signatures, without a worker. No work: {JOBS:,} jobs of one step
on three points, every result and loss stored in SQL, against {JOBS:,} tasks that increment a counter in Redis. The same
statements, nothing else: gradyard's SQL statements for these jobs, executed by Python's sqlite3 in a new file with the
same commits. No program that stores the same rows can be faster. Trained: {JOBS:,} jobs with the stage's defaults
except the seed, from the POST of a batch until every loss was read over HTTP, against the tutorial's loop in a task,
until its losses were read from Celery's result backend. The peer trains {PEER_JOBS}, and its time is multiplied by
{JOBS // PEER_JOBS}. One by one: {CLIENTS} clients submit {JOBS:,} jobs singly, against the same service with
GRADYARD_MAX_PACK=1."""


def main() -> None:
    """Measure, print, and write the results down."""
    load, _, _ = os.getloadavg()
    with service(cpu_slots=SLOTS) as client, celery_worker() as peer:
        least = floor(_a_list(NOTHING))
        rows = _beside_floor(*_taken(client, peer), least.taken)
        peer.start_worker()
        rows += _beside_floor(*_nothing(client, peer), least.done)
        rows += [_trained(client, peer, *each) for each in TRAINED]
    rows.append(_one_by_one())
    print(table(rows))
    write_results("Many jobs", "python -m bench.throughput", NOTES, load, rows)


def _ratio(what: str, pairs: Sequence[tuple[float, float]], least: float) -> Row:
    """The row of a comparison. pairs: seconds of gradyard and of the peer, measured in turn."""
    ratios = [their / our for our, their in pairs]
    ours, theirs = zip(*pairs, strict=True)
    rate = JOBS / median(ours)
    measured = (
        f"{median(ratios):,.1f}x ({min(ratios):,.1f}-{max(ratios):,.1f}): "
        f"{median(theirs):.2f} s by {median(ours):.3f} s, {rate:,.0f} jobs/s"
    )
    return Row(what, measured, f">= {least:g}x", median(ratios) >= least)


def _beside_floor(row: Row, peer_seconds: float, floor_seconds: float) -> list[Row]:
    """The row, and a second one with the best ratio that is possible, since SQLite alone takes that long."""
    at_most = f"{peer_seconds / floor_seconds:.1f}x at the most: {floor_seconds:.3f} s of SQLite alone"
    return [row, Row("the same statements, nothing else", at_most)]


def _a_list(spec: dict[str, Any]) -> bytes:
    return json.dumps({"jobs": [spec | {"seed": seed} for seed in range(JOBS)]}).encode()


def _taken(client: httpx.Client, peer: CeleryWorker) -> tuple[Row, float]:
    from celery import group

    body = _a_list(NOTHING | {"pool": "without-workers"})
    headers = {"Content-Type": "application/json"}

    def ours() -> float:
        began = time.perf_counter()
        answer = client.post("/v1/batches", content=body, headers=headers)
        seconds = time.perf_counter() - began
        client.post(f"{answer.raise_for_status().headers['Location']}/cancel").raise_for_status()
        return seconds

    def theirs() -> float:
        tasks = group(peer.tasks.nothing.s() for _ in range(JOBS))
        began = time.perf_counter()
        tasks.apply_async()
        seconds = time.perf_counter() - began
        peer.tasks.app.control.purge()
        return seconds

    ours(), theirs()  # warm
    pairs = [(ours(), theirs()) for _ in range(ROUNDS)]
    return _ratio(f"{JOBS:,} jobs accepted", pairs, least=15), median(their for _, their in pairs)


def _nothing(client: httpx.Client, peer: CeleryWorker) -> tuple[Row, float]:
    def theirs() -> float:
        before = int(peer.tasks.counter().get("done"))
        began = time.perf_counter()
        for _ in range(JOBS):
            peer.tasks.nothing.delay()
        _until(lambda: int(peer.tasks.counter().get("done")) - before >= JOBS)
        return time.perf_counter() - began

    seconds_of_batch(client, NOTHING), theirs()  # warm
    pairs = [(seconds_of_batch(client, NOTHING)[0], theirs()) for _ in range(ROUNDS)]
    return _ratio(f"{JOBS:,} jobs of no work", pairs, least=20), median(their for _, their in pairs)


def _trained(client: httpx.Client, peer: CeleryWorker, stage: str, execution: str, least: float) -> Row:
    defaults = stage_named(stage).defaults()
    start = FIXED_START.get(stage, START)

    def ours() -> float:
        seconds, batch = seconds_of_batch(client, {"stage": stage, "execution": execution})
        with Client(str(client.base_url)) as reader:
            began = time.perf_counter()
            curves = [losses for _, losses in reader.export_jobs(batch)]
            seconds += time.perf_counter() - began
        assert [len(losses) for losses in curves] == [defaults["steps"]] * JOBS
        return seconds

    def theirs() -> float:
        began = time.perf_counter()
        call = (stage, start, defaults["steps"], defaults["learning_rate"])
        asked = [peer.tasks.train_stage.delay(*call) for _ in range(PEER_JOBS)]
        assert all(len(each.get()["losses"]) == defaults["steps"] for each in asked)
        return (time.perf_counter() - began) * JOBS / PEER_JOBS

    ours(), theirs()  # warm: imports, and a compiler
    pairs = [(ours(), theirs()) for _ in range(3)]
    return _ratio(f"{JOBS:,} jobs of {stage}, {execution}", pairs, least=least)


def seconds_of_batch(client: httpx.Client, spec: dict[str, Any]) -> tuple[float, str]:
    """Seconds from the POST of a sweep over seeds until all its jobs have finished, and its id."""
    began = time.perf_counter()
    sweep = {"spec": spec, "grid": {"seed": {"stop": JOBS}}}
    location = client.post("/v1/batches", json=sweep).raise_for_status().headers["Location"]
    _until(lambda: client.get(location).json()["state"] == "finished")
    seconds = time.perf_counter() - began
    batch = client.get(location).json()
    assert batch["counts"]["succeeded"] == JOBS, batch
    return seconds, str(batch["id"])


def _one_by_one() -> Row:
    """A thousand jobs that several clients submit singly, with packs and without."""
    packed, alone = _singly({}), _singly({"GRADYARD_MAX_PACK": "1"})
    ratio = alone[0] / packed[0]
    measured = (
        f"{ratio:.1f}x: {alone[0]:.1f} s by {packed[0]:.1f} s; mean pack_size {packed[1]:.0f} "
        f"(alone {alone[1]:.0f}), of the jobs"
    )
    return Row(f"{JOBS:,} autograd jobs one by one", measured, ">= 5x, pack_size >= 16", ratio >= 5 and packed[1] >= 16)


def _singly(environment: dict[str, str]) -> tuple[float, float]:
    """Seconds until all jobs have finished, and the mean pack_size."""
    with service(cpu_slots=SLOTS, environment=environment) as http:
        url = str(http.base_url)
        with Client(url) as client:
            client.wait(client.submit(stage="autograd", steps=10).id)  # warm
            began = time.perf_counter()
            threads = [threading.Thread(target=_submit_some, args=(url, number)) for number in range(CLIENTS)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            _until(lambda: all(queue.depth == 0 for queue in client.queues()))
            _until(lambda: not list(client.jobs(state="running", limit=1)))
            seconds = time.perf_counter() - began
            jobs = [job for job in client.jobs(limit=JOBS) if job.succeeded]
            assert len(jobs) == JOBS
            return seconds, mean(job.timings["pack_size"] for job in jobs)


def _submit_some(url: str, number: int) -> None:
    with Client(url) as client:
        for index in range(JOBS // CLIENTS):
            client.submit(stage="autograd", seed=number * JOBS + index)


def _until(done: Callable[[], bool]) -> None:
    """Wait until `done` is true. The pauses grow, since each check takes a core from the workers."""
    began = time.perf_counter()
    while not done():
        time.sleep(max(0.01, 0.01 * (time.perf_counter() - began)))


if __name__ == "__main__":
    main()
