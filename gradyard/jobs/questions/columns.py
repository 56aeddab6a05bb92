"""The names that a question may use: fields of a job, parameters of every stage's spec, tags and metrics."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from gradyard.jobs.fleet import WORKER_QUEUES
from gradyard.jobs.questions.terms import Column, Kind, Source
from gradyard.jobs.stages.registry import STAGES
from gradyard.jobs.states import Reason, State
from gradyard.jobs.submission.parameters import NO_PARAMETERS

FIELDS: dict[str, Kind] = {
    **dict.fromkeys(("state", "reason", "stage", "name", "queue", "batch", "retry_of", "recheck_of"), Kind.TEXT),
    **dict.fromkeys(("submitted_at", "started_at", "finished_at"), Kind.TIME),
    **dict.fromkeys(
        (
            "steps", "points", "degree", "seed", "learning_rate", "attempt", "steps_done", "loss_first", "loss_last",
            "loss_min", "loss_min_step", "diverged_at", "setup_seconds", "train_seconds", "records", "pack_size",
            "priority", "pinned",
        ), Kind.NUMBER,
    ),
}  # fmt: skip
"""What every job has, and what each is."""

WORDS: dict[str, tuple[str, ...]] = {
    "state": tuple(State), "reason": tuple(Reason), "queue": tuple(WORKER_QUEUES), "stage": tuple(STAGES),
}  # fmt: skip
"""The values of fields that have few."""

SAME = {"dataset.points": "points"}
"""Parameters that are fields under another name."""

FIGURES = ("last", "last_step", "min", "min_step", "max", "max_step")
"""Of a metric: `metrics.accuracy.max`."""


def column(parts: tuple[str, ...]) -> Column | None:
    """The column of a dotted name, by its parts; None where there is none."""
    name = SAME.get(".".join(parts), ".".join(parts))
    if name in FIELDS:
        return Column(Source.FIELD, name, FIELDS[name])
    if parts[0] == "tags" and len(parts) == 2:
        return Column(Source.TAG, parts[1], Kind.TEXT)
    if parts[0] == "metrics" and len(parts) == 3 and parts[2] in FIGURES:
        return Column(Source.METRIC, parts[1], Kind.NUMBER, parts[2])
    if name in parameter_names() or (len(parts) > 1 and f"{parts[0]}." in parameter_names()):
        return Column(Source.PARAMETER, name, Kind.ANY)
    return None


def first_below(loss: float) -> Column:
    """The first step whose loss is below this one."""
    return Column(Source.CURVE, "first_below", Kind.NUMBER, below=loss)


def known_names() -> list[str]:
    """Every name, to suggest the nearest one of."""
    parameters = (name for name in parameter_names() if not name.endswith("."))
    return [*FIELDS, *parameters, "tags.", "metrics.", "first_below(9)"]


@cache
def parameter_names() -> frozenset[str]:
    """The parameters of all stages by their dotted names. One that ends with a dot may have any name after it."""
    names: set[str] = set()
    for stage in STAGES.values():
        schema = stage.spec.model_json_schema()
        names.update(_names_in(schema, schema.get("$defs", {}), ""))
    return frozenset(name for name in names if name not in FIELDS and name.partition(".")[0] not in NO_PARAMETERS)


def _names_in(schema: Mapping[str, Any], defined: Mapping[str, Any], before: str) -> Iterator[str]:
    """The names of a schema's values, and of those in it."""
    if schema.get("type") == "array":
        return
    if "$ref" in schema:
        schema = defined[schema["$ref"].rpartition("/")[2]]
    for form in (*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ())):
        yield from _names_in(form, defined, before)
    for name, value in schema.get("properties", {}).items():
        yield from _names_in(value, defined, f"{before}{name}.")
    if isinstance(schema.get("additionalProperties"), Mapping):
        yield before
    if before and "properties" not in schema:
        yield before.rstrip(".")
