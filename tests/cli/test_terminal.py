"""Lists on a terminal of any width: no line is longer, what matters stays, and ids still tell the rows apart."""

import io
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

import pytest
from rich.console import Console

from gradyard.cli import terminal
from gradyard.cli.batch_details import best_table
from gradyard.cli.job_details import job_details
from gradyard.cli.output.listing import Listing
from gradyard.cli.output.outcomes import outcomes
from gradyard.cli.tables import batches_table, jobs_table, queues_table, stages_table, workers_table
from gradyard.shapes import BatchSummary, BestJobs, Job, Queue, Stage, Worker

WIDTHS = (40, 60, 80, 120, 200)
IDS = ("01a2081e-7429-7d9c-8bc3-0e0ab1fea600", "01a2081e-7429-7e00-8bc3-0e0ab1fea600")
NOW = datetime.now(UTC).isoformat()
AXES = ["learning_rate", "optimizer.momentum", "dataset.points"]
RESULT: dict[str, Any] = {
    "formula": "y = -0.0052 + 0.8543 x + 0.0009012 x^2 - 0.09123 x^3",
    "coefficients": {},
    "loss": {"first": 900500.25, "last": 8.8173, "min": 8.8, "min_step": 1999, "diverged_at": None},
    "timings": {"queued_seconds": 0.1, "setup_seconds": 0, "train_seconds": 0.25, "steps_per_second": 81234.0,
                "pack_size": 1, "records": 1, "attempts": 1},
    "environment": None,
}  # fmt: skip


def _job(place: int, state: str) -> Job:
    spec = {"learning_rate": 1.234e-5, "optimizer": {"momentum": 0.9}, "dataset": {"points": 2000}, "device": "cpu"}
    return Job.model_validate(
        {"id": IDS[place], "state": state, "stage": "autograd", "name": "a study of the learning rate", "spec": spec,
         "steps": 2000, "steps_done": 1234, "submitted_at": NOW, "result": RESULT if state == "succeeded" else None}
    )  # fmt: skip


def _worker(place: int) -> Worker:
    return Worker.model_validate(
        {"id": str(place), "host": f"trainer-of-the-cluster-{place}", "slot": f"gpu-{place}", "queue": "gpu",
         "state": "drained", "device_name": "NVIDIA H100 80GB HBM3", "device_uuid": "GPU-5f3a1b2c-0000", "pid": 1234,
         "drained": {"since": NOW, "actor": "ada", "reason": "it fell off the bus"}, "heartbeat_at": NOW}
    )  # fmt: skip


JOBS = [_job(0, "succeeded"), _job(1, "cancelled")]
BEST = BestJobs(jobs=tuple(JOBS))
BATCH = {"id": IDS[0], "name": "a nightly sweep", "size": 1200, "submitted_at": NOW, "state": "running",
         "counts": {"queued": 1000, "running": 16, "succeeded": 150, "failed": 30, "cancelled": 4}}  # fmt: skip
QUEUE = {"name": "gpu", "depth": 1200, "oldest_wait_seconds": 6100, "live_slots": 16, "empty_in_seconds": 96,
         "paused": {"since": NOW, "actor": "ada", "reason": "driver upgrade"}}  # fmt: skip
STAGE = {"name": "dynamic", "title": "Control flow and weight sharing", "devices": ["cpu", "gpu"],
         "description": "order 3, 4 or 5, drawn anew each step, sharing e", "defaults": {"steps": 2000}}  # fmt: skip

# Each list, and what of it every terminal shows
LISTS: dict[str, tuple[Callable[[], Listing], Iterable[str]]] = {
    "jobs": (lambda: jobs_table(JOBS), ("succeeded", "cancelled", *(each[:16] for each in IDS))),
    "batches": (lambda: batches_table([BatchSummary.model_validate(BATCH)]), ("running", "1,200", IDS[0][:13])),
    "best": (lambda: best_table(BEST, AXES), ("8.817", "1.234e-05", "0.9", "2000", *(each[:16] for each in IDS))),
    "stages": (lambda: stages_table([Stage.model_validate(STAGE)]), ("dynamic", "drawn")),
    "workers": (lambda: workers_table([_worker(1), _worker(2)]), ("cluster-1", "cluster-2", "gpu-2", "drained")),
    "queues": (lambda: queues_table([Queue.model_validate(QUEUE)]), ("gpu", "1,200", "paused:", "upgrade")),
}


def _printed(listing: object, width: int) -> str:
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None, highlight=False)
    console.print(listing)
    return console.file.getvalue()  # type: ignore[attr-defined]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", LISTS)
def test_no_line_is_longer_than_the_terminal_and_what_matters_stays(name: str, width: int) -> None:
    make, kept = LISTS[name]
    printed = _printed(make(), width)
    assert max(len(line.rstrip()) for line in printed.splitlines()) <= width
    assert [word for word in kept if word not in printed] == []


@pytest.mark.parametrize("width", [60, 80, 120, 200])
@pytest.mark.parametrize("name", LISTS)
def test_a_row_of_a_list_without_prose_is_one_line(name: str, width: int) -> None:
    printed = _printed(LISTS[name][0](), width).splitlines()
    rows = [line for line in printed if line.startswith(("01a2081e", "trainer-of", "gpu", "dynamic"))]
    assert len(rows) == (1 if name in ("batches", "stages", "queues") else 2)


def test_ids_are_whole_where_there_is_room_and_else_the_shortest_of_13_letters_or_more() -> None:
    assert all(each in _printed(jobs_table(JOBS), 140) for each in IDS)
    narrow = _printed(jobs_table(JOBS), 80)
    assert IDS[0] not in narrow
    assert [line.split()[0] for line in narrow.splitlines()[2:]] == [each[:16] for each in IDS]
    assert _printed(jobs_table(JOBS[:1]), 80).splitlines()[2].split()[0] == IDS[0][:13]


def test_a_block_a_row_where_the_columns_that_matter_do_not_fit() -> None:
    lines = [line.split() for line in _printed(best_table(BEST, AXES), 40).splitlines()]
    assert ["id", IDS[0][:16]] in lines
    assert lines.count(["optimizer.momentum", "0.9"]) == 2


@pytest.mark.parametrize("width", WIDTHS)
def test_the_results_of_a_demo_fit(width: int) -> None:
    printed = _printed(outcomes(JOBS, width), width)
    assert max(len(line.rstrip()) for line in printed.splitlines()) <= width
    assert "- 0.09123" in " ".join(printed.split())


def test_a_pipe_gets_every_column_and_every_cell_whole(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.print_table(workers_table([_worker(1), _worker(2)]))
    printed = capsys.readouterr().out
    assert len(printed.splitlines()) == 4
    for word in ("trainer-of-the-cluster-1", "NVIDIA H100 80GB HBM3", "it fell off the bus", "1234", "since"):
        assert word in printed
    terminal.print_table(jobs_table(JOBS))
    assert all(each in capsys.readouterr().out for each in IDS[:1])


def test_lines_in_a_pipe_end_where_their_text_ends(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.print_table(jobs_table(JOBS))
    terminal.console().print(job_details(JOBS[0], (), None, terminal.console()))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 8
    assert [line for line in lines if line != line.rstrip()] == []


def test_the_queue_of_jobs_that_wait_for_others_is_shown_where_it_has_any() -> None:
    blocked = {"name": "blocked", "depth": 0, "oldest_wait_seconds": 0.0, "live_slots": 0}
    empty, waiting = (Queue.model_validate(blocked | {"depth": depth}) for depth in (0, 3))
    queue = Queue.model_validate(QUEUE)
    assert "blocked" not in _printed(queues_table([queue, empty]), 80)
    assert "its jobs wait for others" in _printed(queues_table([queue, waiting]), 120)


def test_the_queue_of_jobs_for_any_device_repeats_no_slots_of_the_others() -> None:
    for_any = Queue.model_validate({"name": "any", "depth": 7, "oldest_wait_seconds": 2.0})
    row = _printed(queues_table([Queue.model_validate(QUEUE), for_any]), 120).splitlines()[-1]
    assert row.split() == ["any", "7", "2.0", "s", "-", "-", "-", "-", *("cpu", "and", "gpu", "slots", "take", "them")]
