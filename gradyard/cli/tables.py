"""Lists as tables of text."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from gradyard.cli import text
from gradyard.jobs.states import State
from gradyard.shapes import ApiKey, Artifact, BatchSummary, Job, Queue, RefusedPlugin, Stage, Worker

WIDTH_WITH_FORMULA = 150
KEY_STYLES = {"live": "green", "expired": "yellow", "revoked": "red"}
WORKER_STYLES = {"idle": "green", "busy": "cyan", "draining": "yellow", "drained": "yellow", "dead": "red"}


def state_text(state: State) -> Text:
    """The state in the colour of its kind."""
    return Text(str(state), style=text.STATE_STYLES.get(state, ""))


def jobs_table(jobs: Iterable[Job]) -> Table:
    """One line for each job, with the whole id, so that it can be copied."""
    table = _table("id", "stage", "state", "steps>", "last loss>", "submitted>", "name")
    for job in jobs:
        steps = text.count(job.steps) if job.succeeded else f"{job.steps_done:,} / {job.steps:,}"
        last = text.number(job.loss.get("last"))
        table.add_row(
            job.id,
            job.stage,
            state_text(job.state),
            steps,
            last,
            text.ago(job.submitted_at),
            text.printable(job.name or ""),
        )
    return table


def batches_table(batches: Iterable[BatchSummary]) -> Table:
    """One line for each batch, with the number of its jobs in each state."""
    states = [str(state) for state in State]
    table = _table("id", "state", "jobs>", *(f"{state}>" for state in states), "submitted>", "name")
    for batch in batches:
        counts = [text.count(batch.counts.get(state, 0)) for state in states]
        name = text.printable(batch.name or "")
        table.add_row(batch.id, batch.state, text.count(batch.size), *counts, text.ago(batch.submitted_at), name)
    return table


def best_table(jobs: Iterable[Job], axes: Sequence[str]) -> Table:
    """One line for each job: its last loss, and the values of the parameters that a sweep varied."""
    table = _table("id", "last loss>", *(f"{axis}>" for axis in axes))
    for job in jobs:
        values = [_at(job.spec, axis) for axis in axes]
        table.add_row(job.id, text.number(job.loss.get("last")), *values)
    return table


def _at(spec: Any, path: str) -> str:
    for name in path.split("."):
        spec = spec.get(name) if isinstance(spec, Mapping) else None
    return f"{spec:g}" if isinstance(spec, float) else text.printable(str(spec))


def stages_table(stages: Iterable[Stage]) -> Table:
    """One line for each stage."""
    table = _table("stage", "title", "what it shows", "devices", "dtype", "steps>", "learning rate>")
    for stage in stages:
        rate = stage.defaults.get("learning_rate")
        rate = f"{rate:g}" if isinstance(rate, int | float) else str(rate or "-")
        steps = text.count(stage.defaults.get("steps"))
        dtype = stage.dtype or str(stage.defaults.get("dtype", "-"))
        table.add_row(stage.name, stage.title, stage.description, ", ".join(stage.devices), dtype, steps, rate)
    return table


def refused_text(refused: Iterable[RefusedPlugin]) -> Text:
    """The plug-in stages that are not offered, one line each with the reason."""
    lines = (f"not offered: {each.name} of {each.package}: {each.reason}" for each in refused)
    return Text("\n".join(text.printable(line) for line in lines), style="yellow")


def artifacts_table(artifacts: Iterable[Artifact]) -> Table:
    """One line for each array."""
    table = _table("name", "dtype", "shape>")
    for artifact in artifacts:
        table.add_row(artifact.name, artifact.dtype, text.shape(artifact.shape))
    return table


def workers_table(workers: Iterable[Worker]) -> Table:
    """One line for each slot, the dead ones last; the reason of a drain is on the line below."""
    found = sorted(workers, key=lambda worker: worker.state == "dead")
    on_gpus = any(worker.device_uuid for worker in found)
    table = _table("host", "slot", "queue", "device", *(["UUID", "GPU>"] if on_gpus else []), "state", "pack>",
                   "steps/s>", "pool", "version", "pid>", "last heartbeat>", "since>")  # fmt: skip
    for worker in found:
        state = Text(worker.state, style=WORKER_STYLES.get(worker.state, ""))
        device = worker.device_name or worker.queue
        gpu = [text.short_uuid(worker.device_uuid), text.gpu(worker)] if on_gpus else []
        pack, speed = (text.count(each) if worker.pack_size else "-"
                       for each in (worker.pack_size, worker.steps_per_second))  # fmt: skip
        table.add_row(worker.host, worker.slot, worker.queue, device, *gpu, state, pack, speed, worker.pool or "-",
                      str((worker.versions or {}).get("gradyard", "-")), str(worker.pid or "-"),
                      text.ago(worker.heartbeat_at), text.ago(worker.started_at))  # fmt: skip
        if worker.drained and worker.drained.reason:
            table.add_row("", "", "", Text(text.printable(worker.drained.reason), style="yellow"))
    return table


def queues_table(queues: Iterable[Queue]) -> Table:
    """One line for each queue."""
    table = _table("queue", "waiting>", "oldest waits>", "idle slots>", "live slots>", "jobs/s>", "empty in>", "state")
    for queue in queues:
        oldest = text.duration(queue.oldest_wait_seconds) if queue.depth else "-"
        empty = text.duration(queue.empty_in_seconds) if queue.depth and queue.empty_in_seconds else "-"
        row = [text.count(value) for value in (queue.depth, queue.idle_slots, queue.live_slots)]
        table.add_row(queue.name, row[0], oldest, *row[1:], text.number(queue.jobs_per_second), empty, _hold(queue))
    return table


def keys_table(keys: Iterable[ApiKey]) -> Table:
    """One line for each key."""
    table = _table("id", "project", "name", "key", "scopes", "state", "made>", "expires>")
    for key in keys:
        state = Text(key.state, style=KEY_STYLES.get(key.state, ""))
        expires = f"{key.expires_at:%Y-%m-%d %H:%M} UTC" if key.expires_at else "never"
        table.add_row(key.id, key.project, key.name, f"{key.hint}…", ", ".join(key.scopes), state,
                      text.ago(key.created_at), expires)  # fmt: skip
    return table


def _hold(queue: Queue) -> Text:
    if queue.paused is None:
        return Text("open", style="green")
    reason = f": {text.printable(queue.paused.reason)}" if queue.paused.reason else ""
    return Text(f"paused{reason}", style="yellow")


def outcomes(jobs: Sequence[Job], width: int) -> RenderableType:
    """The results of jobs; the formula is a column if `width` allows it, else a list below the table."""
    with_formula = width >= WIDTH_WITH_FORMULA
    names = ("stage", "state", "first loss>", "last loss>", "train s>", "steps/s>", "queue", "formula")
    table = _table(*(names if with_formula else names[:-1]))
    formulas = Table.grid(padding=(0, 2))
    for job in jobs:
        speed, seconds = job.timings.get("steps_per_second"), job.timings.get("train_seconds")
        row = [text.number(job.loss.get("first")), text.number(job.loss.get("last"))]
        row += ["-" if seconds is None else f"{seconds:.2f}", text.count(speed), str(job.spec.get("device", "-"))]
        formula = Text(short(text.outcome(job)))
        table.add_row(job.stage, state_text(job.state), *row, *([formula] if with_formula else []))
        formulas.add_row(job.stage, formula)
    return table if with_formula else Group(table, formulas)


def short(formula: str) -> str:
    """The formula with four significant digits for each coefficient, for reading."""
    import re

    return re.sub(r"\d+\.\d+(e[+-]?\d+)?|\d+e[+-]?\d+", lambda found: f"{float(found.group()):.4g}", formula)


def _table(*names: str) -> Table:
    """A table without vertical lines. A name that ends in `>` heads a column aligned to the right."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), header_style="bold")
    for name in names:
        whole = name.endswith(">") or name in ("id", "stage", "state", "name")
        table.add_column(name.rstrip(">"), justify="right" if name.endswith(">") else "left", no_wrap=whole)
    return table
