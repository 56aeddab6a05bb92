"""The spec of a job that is submitted anew, with some of its parameters changed."""

import json
from collections.abc import Mapping
from typing import Any

from gradyard.jobs.errors import FieldProblem, SpecInvalid
from gradyard.jobs.settings import Settings
from gradyard.jobs.specs.files_of_project import Files, NoFiles
from gradyard.jobs.specs.paths import may_hold, parts_around, put
from gradyard.jobs.submission.batch_budget import BatchBudget
from gradyard.jobs.submission.parse import ParsedJob, read_spec, resolved
from gradyard.jobs.validation.json_text import plain_json
from gradyard.jobs.validation.pointers import pointer_of


def parse_changed(
    spec: Mapping[str, Any], changes: Mapping[str, Any], settings: Settings, files: Files = NoFiles,
    budget: BatchBudget | None = None,
) -> ParsedJob:  # fmt: skip
    """Read a stored spec with new values of parameters, by their paths, as a new one.

    Raises SpecInvalid: it points into `set` where a new value is to blame, else into the spec. BudgetExceeded where it
    and others before it exceed the budget.
    """
    try:
        body = json.dumps(_changed(spec, changes), separators=(",", ":")).encode()
        if budget is not None:
            budget.check_stored(len(body))
        # A part without its kind could be the stage's own or that of this job.
        new = read_spec(plain_json(body), settings, files, fill_up=False)
        if budget is not None:
            budget.check_cost(new)
        return resolved(new)
    except SpecInvalid as refusal:
        raise SpecInvalid([_into_changes(each, changes) for each in refusal.problems]) from None


def spec_now(job: Any) -> dict[str, Any]:
    """The spec of a row of `jobs` with the name, tags and priority that the job has by now, for a retry."""
    return {**job.spec, "name": job.name, "tags": job.tags, "priority": job.priority}


def in_words(changes: Mapping[str, Any]) -> str:
    """The changes as one text, which is empty where there are none: an idempotency key stands for it."""
    return f" with {json.dumps(changes, sort_keys=True)}" if changes else ""


def _changed(spec: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of the spec with the changes: a whole part first, then what is changed in it."""
    new: dict[str, Any] = json.loads(json.dumps(spec))
    for path in sorted(changes, key=lambda path: path.count(".")):
        for outer in parts_around(path):
            if not may_hold(new, outer):
                raise SpecInvalid(
                    [FieldProblem("/" + path.replace(".", "/"), f"leads into {outer}, which is no object")]
                )
        put(new, path, changes[path])
    return new


def _into_changes(problem: FieldProblem, changes: Mapping[str, Any]) -> FieldProblem:
    for path in sorted(changes, key=len, reverse=True):
        place = "/" + path.replace(".", "/")
        if problem.pointer == place or problem.pointer.startswith(place + "/"):
            return FieldProblem(pointer_of(("set", path)) + problem.pointer.removeprefix(place), problem.message)
    return problem
