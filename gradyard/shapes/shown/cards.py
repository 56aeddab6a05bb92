"""Answers as HTML for notebooks: no script, every text of others escaped, the colours of the page around it."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from pydantic import ValidationError

from gradyard.jobs.states import State
from gradyard.shapes.base import Answer, origin_of
from gradyard.shapes.batches import BatchSummary
from gradyard.shapes.jobs import Job
from gradyard.shapes.shown.lines import UNSHOWN, cut, facts, number, progress, short
from gradyard.shapes.shown.sparkline import sparkline

POINTS = 100  # of a sparkline
BEST = 3
MOST_ROWS = 50
MOST_COLUMNS = 8
# Okabe and Ito's colours, which most people tell apart, each with a sign of its own
SIGNS = {
    State.QUEUED: ("○", "#E69F00"), State.RUNNING: ("◐", "#56B4E9"), State.SUCCEEDED: ("●", "#009E73"),
    State.FAILED: ("✕", "#D55E00"), State.CANCELLED: ("⊘", "#999999"),
}  # fmt: skip
CELL = "padding:2px 12px 2px 0;text-align:left;vertical-align:top;border:0;background:none"
TABLE = "border:0;color:inherit;font:inherit"
BOX = "display:inline-block;padding:8px 12px;border:1px solid rgba(128,128,128,.4);border-radius:6px;line-height:1.5"


def card_of(answer: Answer) -> str:
    """The card of a job, of a batch, or of any other answer."""
    if isinstance(answer, Job):
        return _card(_job_heading(answer), _job_rows(answer), _curve_of(answer))
    if isinstance(answer, BatchSummary):
        heading = f"<b>batch</b> {escape(cut(answer.name or ''))} {_id(answer.id)}<br>{escape(progress(answer))}"
        return _card(heading + _bar(answer), _batch_rows(answer), _best_of(answer))
    rows = [(name, value) for name, value in answer if name not in UNSHOWN and value not in (None, "", (), [], {})]
    return _card(f"<b>{escape(type(answer).__name__)}</b>", [(escape(name), _text(value)) for name, value in rows], "")


def table_of(answers: Sequence[Answer]) -> str:
    """Answers of a list as a table: of jobs with their curves, of others the fields that say something."""
    shown = answers[:MOST_ROWS]
    left = f"<div>… and {len(answers) - MOST_ROWS:,} more</div>" if len(answers) > MOST_ROWS else ""
    if shown and all(isinstance(each, Job) for each in shown):
        return _jobs_table([each for each in shown if isinstance(each, Job)]) + left
    names = [name for name in _names(shown) if any(_says(getattr(each, name, None)) for each in shown)][:MOST_COLUMNS]
    return _table(names, [[_text(getattr(each, name, None)) for name in names] for each in shown]) + left


def _jobs_table(jobs: Sequence[Job]) -> str:
    curves = _curves_of(jobs)
    rows = [
        [_id(job.id), escape(cut(job.stage)), escape(cut(job.name or "")), _state(job.state),
         f"{job.steps_done:,}", number(job.loss.get("last")), curves.get(job.id, "")]
        for job in jobs
    ]  # fmt: skip
    return _table(["id", "stage", "name", "state", "steps", "last loss", "curve"], rows)


def _job_heading(job: Job) -> str:
    name = f" {escape(cut(job.name))}" if job.name else ""
    return f"{_state(job.state)} <b>{escape(cut(job.stage))}</b>{name} {_id(job.id)}"


def _job_rows(job: Job) -> list[tuple[str, str]]:
    rows = [("", escape(", ".join(facts(job))))]
    if job.formula:
        rows.append(("formula", f"<code>{escape(cut(job.formula, 200))}</code>"))
    if job.timings:
        rows.append(("trained", f"{number(job.timings.get('train_seconds'))} s"))
    if job.tags:
        rows.append(("tags", escape(cut(", ".join(f"{key}={value}" for key, value in job.tags.items()), 120))))
    return rows + [("warning", escape(cut(f"{each['pointer']}: {each['message']}", 200))) for each in job.warnings]


def _batch_rows(batch: BatchSummary) -> list[tuple[str, str]]:
    rows = [(_state(state), f"{batch.counts[state]:,}") for state in State if batch.counts.get(state)]
    failures: Iterable[Any] = getattr(batch, "failures", ())
    told = [f"{each['count']:,} x {cut(each['reason'])}: {cut(each['message'] or '', 120)}" for each in failures]
    return rows + [("failed", escape(line)) for line in told]


def _bar(batch: BatchSummary) -> str:
    """The states of a batch side by side, each as wide as its share."""
    parts, at, whole = "", 0.0, max(batch.size, sum(batch.counts.values()), 1)
    for state in (State.SUCCEEDED, State.FAILED, State.CANCELLED, State.RUNNING, State.QUEUED):
        width = 300 * batch.counts.get(state, 0) / whole
        fill = f'fill="{SIGNS[state][1]}"' + (' fill-opacity=".3"' if state is State.QUEUED else "")
        parts += f'<rect x="{at:.1f}" width="{width:.1f}" height="8" {fill}/>' if width else ""
        at += width
    return f'<br><svg role="img" width="300" height="8" viewBox="0 0 300 8">{parts}</svg>'


def _best_of(batch: BatchSummary) -> str:
    origin = origin_of(batch)
    if origin is None or not batch.counts.get(State.SUCCEEDED):
        return ""
    answer = origin.look(f"/v1/batches/{batch.id}/best", {"limit": BEST})
    try:
        jobs = [origin.read(Job, each) for each in (answer or {}).get("jobs", ())]
    except ValidationError:  # no answer of ours: the card goes without
        return ""
    return f"<div>best</div>{_jobs_table(jobs)}" if jobs else ""


def _curve_of(job: Job) -> str:
    return _curves_of([job]).get(job.id, "")


def _curves_of(jobs: Sequence[Job]) -> dict[str, str]:
    """The sparkline of each job that has one; one request for all. None where the service is away."""
    begun = [job.id for job in jobs if job.steps_done]
    origin = origin_of(jobs[0]) if begun else None
    answer = origin.look("/v1/losses", {"job": begun, "points": POINTS}) if origin is not None else None
    try:
        return {each["job"]: sparkline(each["steps"], each["losses"]) for each in (answer or {}).get("curves", ())}
    except (KeyError, TypeError, ValueError):
        return {}


def _state(state: State) -> str:
    sign, colour = SIGNS[state]
    return f'<span style="white-space:nowrap"><span style="color:{colour}">{sign}</span> {state}</span>'


def _id(identifier: str) -> str:
    return (
        f'<code title="{escape(identifier)}" style="opacity:.7;white-space:nowrap">{escape(short(identifier))}</code>'
    )


def _says(value: Any) -> bool:
    return value not in (None, "", (), [], {})


def _names(answers: Sequence[Answer]) -> list[str]:
    return [name for name in (type(answers[0]).model_fields if answers else ()) if name not in UNSHOWN]


def _text(value: Any) -> str:
    if isinstance(value, tuple | list | dict):
        return f"{len(value):,}"
    return number(value) if isinstance(value, float) else escape(cut(str(value), 80)) if _says(value) else ""


def _card(heading: str, rows: Iterable[tuple[str, str]], below: str) -> str:
    cells = "".join(
        f'<tr style="background:none"><td style="{CELL};opacity:.7">{name}</td><td style="{CELL}">{value}</td></tr>'
        for name, value in rows
    )
    return f'<div style="{BOX}">{heading}<table style="{TABLE};margin:4px 0">{cells}</table>{below}</div>'


def _table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f'<th style="{CELL};white-space:nowrap">{escape(name)}</th>' for name in names)
    body = "".join("<tr>" + "".join(f'<td style="{CELL}">{each}</td>' for each in row) + "</tr>" for row in rows)
    return f'<table style="{TABLE}"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
