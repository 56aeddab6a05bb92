"""Stored jobs that are submitted anew together, with changes: within the limits of a batch."""

import json
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from gradyard.jobs.errors import FieldProblem, SpecInvalid
from gradyard.jobs.settings import Settings
from gradyard.jobs.specs.files_of_project import Files, NoFiles
from gradyard.jobs.submission.batch_budget import BatchBudget, BudgetExceeded
from gradyard.jobs.submission.changed_specs import parse_changed, spec_now
from gradyard.jobs.submission.large import are_large
from gradyard.jobs.submission.parse import ParsedJob
from gradyard.jobs.submission.shared_points import SharedPoints


def is_large_retry(count: int, stored_bytes: int, changes: Mapping[str, Any], settings: Settings) -> bool:
    """Whether a retry of so many jobs is large. stored_bytes: of their specs together.

    To be asked before any of them is read. Raises SpecInvalid where they have more bytes than a batch may have.
    """
    changed_bytes = count * len(json.dumps(changes))
    budget = BatchBudget(settings)
    try:
        budget.check_stored(max(stored_bytes, changed_bytes), count)
    except BudgetExceeded as error:
        raise _refusal(error, changes) from None
    return are_large(count, stored_bytes + changed_bytes)


def parse_again(
    members: Iterable[Any], changes: Mapping[str, Any], settings: Settings, files: Files = NoFiles
) -> dict[UUID, ParsedJob]:  # fmt: skip
    """The specs of rows of `jobs` with these changes, by their ids, checked as those of a new batch.

    Raises SpecInvalid: it names the job, or says what all of them together have too much of.
    """
    parsed: dict[UUID, ParsedJob] = {}
    budget, points = BatchBudget(settings), SharedPoints()
    for member in members:
        try:
            parsed[member.id] = points.shared(parse_changed(spec_now(member), changes, settings, files, budget))
        except BudgetExceeded as error:
            raise _refusal(error, changes) from None
        except SpecInvalid as error:
            named = [FieldProblem(each.pointer, f"{each.message} (job {member.id})") for each in error.problems]
            raise SpecInvalid(named) from None
    return parsed


def _refusal(error: BudgetExceeded, changes: Mapping[str, Any]) -> SpecInvalid:
    return SpecInvalid([FieldProblem("/set" if changes else "", f"{error}; retry fewer at once")])
