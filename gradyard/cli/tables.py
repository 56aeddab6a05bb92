"""Lists of the service's things, as tables of text that fit their terminal."""

from collections.abc import Iterable, Sequence

from rich.text import Text

from gradyard.cli import text
from gradyard.cli.output.listing import Column, Listing, telling_apart
from gradyard.jobs.fleet import Queue as QueueName
from gradyard.jobs.states import State
from gradyard.jobs.visible_text import one_line
from gradyard.shapes import (
    ApiKey,
    Artifact,
    AuditEntry,
    BatchSummary,
    Job,
    JobValues,
    Queue,
    RefusedPlugin,
    Stage,
    Worker,
)

WITHOUT_SLOTS = {"any": "cpu and gpu slots take them", "blocked": "its jobs wait for others"}
KEY_STYLES = {"live": "green", "expired": "yellow", "revoked": "red"}
WORKER_STYLES = {"idle": "green", "busy": "cyan", "draining": "yellow", "drained": "yellow", "dead": "red"}


def state_text(state: State) -> Text:
    """The state in the colour of its kind."""
    return Text(str(state), style=text.STATE_STYLES.get(state, ""))


def jobs_table(jobs: Iterable[Job]) -> Listing:
    """One line for each job. An id that was cut is still a beginning that the service understands."""
    listing = Listing(
        Column("id", kind="id"), Column("stage", 1), Column("state"), Column("steps", 4, right=True),
        Column("last loss", 3, right=True), Column("submitted", 5, right=True), Column("name", 2, kind="text"),
    )  # fmt: skip
    for job in jobs:
        steps = text.count(job.steps) if job.succeeded else f"{job.steps_done:,} / {job.steps:,}"
        listing.add(
            job.id,
            job.stage,
            state_text(job.state),
            steps,
            text.number(job.loss.get("last")),
            text.ago(job.submitted_at),
            job.name or "",
        )
    return listing


def values_table(jobs: Sequence[JobValues]) -> Listing:
    """One line for each job: its id, and a column for each value."""
    names = list(jobs[0].values)
    is_text = {name: any(isinstance(job.values[name], str) for job in jobs) for name in names}
    listing = Listing(
        Column("id", kind="id"), *(Column(one_line(name), 2 + place, right=not is_text[name])
                                   for place, name in enumerate(names)),
    )  # fmt: skip
    for job in jobs:
        listing.add(job.id, *(_value(job.values[name]) for name in names))
    return listing


def _value(value: float | str | None) -> str:
    return one_line(value) if isinstance(value, str) else str(value) if isinstance(value, int) else text.number(value)


def batches_table(batches: Iterable[BatchSummary]) -> Listing:
    """One line for each batch, with the number of its jobs in each state."""
    drops = {State.FAILED: 1, State.SUCCEEDED: 2, State.RUNNING: 4, State.QUEUED: 5, State.CANCELLED: 6}
    listing = Listing(
        Column("id", kind="id"), Column("state"), Column("jobs", right=True),
        *(Column(str(state), drops[state], right=True) for state in State),
        Column("submitted", 7, right=True), Column("name", 3, kind="text"),
    )  # fmt: skip
    for batch in batches:
        counts = [text.count(batch.counts.get(str(state), 0)) for state in State]
        name = batch.name or ""
        listing.add(batch.id, batch.state, text.count(batch.size), *counts, text.ago(batch.submitted_at), name)
    return listing


def stages_table(stages: Iterable[Stage]) -> Listing:
    """One line for each stage."""
    listing = Listing(
        Column("stage"), Column("title", 2, kind="text", least=16), Column("what it shows", 1, kind="prose", least=30),
        Column("devices", 3), Column("dtype", 6), Column("steps", 5, right=True),
        Column("learning rate", 4, right=True, brief="learning\nrate"),
    )  # fmt: skip
    for stage in stages:
        rate = stage.defaults.get("learning_rate")
        rate = f"{rate:g}" if isinstance(rate, int | float) else str(rate or "-")
        steps = text.count(stage.defaults.get("steps"))
        dtype = stage.dtype or str(stage.defaults.get("dtype", "-"))
        listing.add(stage.name, stage.title, stage.description, ", ".join(stage.devices), dtype, steps, rate)
    return listing


def refused_text(refused: Iterable[RefusedPlugin]) -> Text:
    """The plug-in stages that are not offered, one line each with the reason."""
    lines = (f"not offered: {each.name} of {each.package}: {each.reason}" for each in refused)
    return Text("\n".join(one_line(line) for line in lines), style="yellow")


def artifacts_table(artifacts: Iterable[Artifact]) -> Listing:
    """One line for each array."""
    listing = Listing(Column("name", kind="text"), Column("dtype"), Column("shape", right=True))
    for artifact in artifacts:
        listing.add(artifact.name, artifact.dtype, text.shape(artifact.shape))
    return listing


def workers_table(workers: Iterable[Worker]) -> Listing:
    """One line for each slot, the dead ones last. GPUs and drains have columns where there are any."""
    found = sorted(workers, key=lambda worker: worker.state == "dead")
    on_gpus = any(worker.device_uuid for worker in found)
    drained = any(worker.drained and worker.drained.reason for worker in found)
    host = telling_apart((worker.host for worker in found), least=10) + len("…")
    listing = Listing(
        Column("host", kind="text", least=host), Column("slot"), Column("state"), Column("queue", 7),
        *([Column("reason", 1, kind="prose", least=14)] if drained else []), Column("device", 2, kind="text"),
        *([Column("UUID", 8)] if on_gpus else []), Column("load", 5, right=True),
        Column("pack", 3, right=True), Column("steps/s", 4, right=True), Column("pool", 9, kind="text"),
        Column("version", 10), Column("pid", 11, right=True),
        Column("last heartbeat", 6, right=True, brief="heard"), Column("since", 12, right=True),
    )  # fmt: skip
    for worker in found:
        listing.add(*_worker_cells(worker, on_gpus, drained))
    return listing


def _worker_cells(worker: Worker, on_gpus: bool, drained: bool) -> list[str | Text]:
    state = Text(worker.state, style=WORKER_STYLES.get(worker.state, ""))
    reason = (worker.drained.reason or "") if worker.drained else ""
    pack, speed = (text.count(each) if worker.pack_size else "-"
                   for each in (worker.pack_size, worker.steps_per_second))  # fmt: skip
    return [
        worker.host, worker.slot, state, worker.queue, *([Text(reason, style="yellow")] if drained else []),
        worker.device_name or worker.queue,
        *([text.short_uuid(worker.device_uuid)] if on_gpus else []), text.load(worker),
        pack, speed, worker.pool or "-", str((worker.versions or {}).get("gradyard", "-")), str(worker.pid or "-"),
        text.ago(worker.heartbeat_at), text.ago(worker.started_at),
    ]  # fmt: skip


def queues_table(queues: Iterable[Queue]) -> Listing:
    """One line for each queue; for that of jobs that wait for others where there are any."""
    listing = Listing(
        Column("queue"), Column("waiting", right=True), Column("oldest waits", 2, right=True, brief="oldest"),
        Column("idle slots", 1, right=True, brief="idle\nslots"),
        Column("live slots", 3, right=True, brief="live\nslots"), Column("jobs/s", 5, right=True),
        Column("empty in", 4, right=True), Column("state", kind="prose"),
    )  # fmt: skip
    for queue in (each for each in queues if each.name != QueueName.BLOCKED or each.depth):
        oldest = text.duration(queue.oldest_wait_seconds) if queue.depth else "-"
        empty = text.duration(queue.empty_in_seconds) if queue.depth and queue.empty_in_seconds else "-"
        slots = text.count(queue.idle_slots), text.count(queue.live_slots), text.number(queue.jobs_per_second)
        own = ("-", "-", "-") if queue.name in WITHOUT_SLOTS else slots
        listing.add(queue.name, text.count(queue.depth), oldest, *own, empty, _hold(queue))
    return listing


def keys_table(keys: Iterable[ApiKey]) -> Listing:
    """One line for each key, with its whole id."""
    listing = Listing(
        Column("id"), Column("project", 2, kind="text"), Column("name", kind="text", least=8), Column("key", 3),
        Column("scopes", 4, kind="prose"), Column("state", 1), Column("made", 6, right=True),
        Column("expires", 5, right=True),
    )  # fmt: skip
    for key in keys:
        state = Text(key.state, style=KEY_STYLES.get(key.state, ""))
        expires = f"{key.expires_at:%Y-%m-%d %H:%M} UTC" if key.expires_at else "never"
        listing.add(key.id, key.project, key.name, f"{key.hint}…", ", ".join(key.scopes), state,
                    text.ago(key.created_at), expires)  # fmt: skip
    return listing


def audit_table(entries: Iterable[AuditEntry]) -> Listing:
    """One line for each entry of the audit."""
    listing = Listing(
        Column("done", right=True), Column("action"), Column("target", kind="text", least=12),
        Column("actor", 1, kind="text"), Column("project", 3, kind="text"), Column("detail", 2, kind="prose"),
    )  # fmt: skip
    for each in entries:
        detail = one_line(each.detail or "")
        listing.add(text.ago(each.at), str(each.action), each.target, each.actor, each.project, detail)
    return listing


def _hold(queue: Queue) -> Text:
    if queue.name in WITHOUT_SLOTS:
        return Text(WITHOUT_SLOTS[queue.name])
    if queue.paused is None:
        return Text("open", style="green")
    reason = f": {one_line(queue.paused.reason)}" if queue.paused.reason else ""
    return Text(f"paused{reason}", style="yellow")
