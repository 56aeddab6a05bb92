"""The jobs and batches that requests name, by their ids or by beginnings of them.

A full id costs one read, that of the row. What is said of others is looked up only where that read finds nothing.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row

from gradyard.jobs.errors import AmbiguousId, Candidate, Gone, NotFound
from gradyard.jobs.identifiers import SHORTEST_BEGINNING, ids_beginning_with
from gradyard.store import queries
from gradyard.store.files.listed import files_beginning_with
from service.http.access.callers import current_caller
from service.http.other_kind import OTHER_KIND, is_other_kind
from service.http.other_kind import Kind as Kind
from service.representation.batches import batch_state

MOST_CANDIDATES = 10


def parse_id(text: str, what: str) -> UUID:
    """The full id of a `what` in a path. Raises NotFound where the text is no UUID."""
    try:
        parsed = UUID(text)
    except ValueError:
        parsed = None
    if parsed is None or str(parsed) != text.lower():
        raise NotFound(f"there is no {what} {text}")
    return parsed


def find_job(connection: Connection, text: str) -> Row[Any]:
    """The caller's job of that id, or of the only id that begins like that.

    Raises NotFound where there is none, Gone where it was deleted, AmbiguousId where several ids begin like that.
    """
    job_id = find_id(connection, text, "job")
    try:
        return queries.job_by_id(connection, current_caller().project_id, job_id)
    except Gone:
        raise
    except NotFound:
        _refuse_other_kind(connection, job_id, "job")
        raise


def find_jobs(connection: Connection, texts: Sequence[str]) -> list[Row[Any]]:
    """The caller's jobs of those ids, or of beginnings of them, in that order. Raises what `find_job` does."""
    ids = [find_id(connection, text, "job") for text in texts]
    found = {row.id: row for row in queries.jobs_by_ids(connection, current_caller().project_id, ids)}
    return [found[each] if each in found else find_job(connection, str(each)) for each in ids]


def find_batch(connection: Connection, text: str) -> Row[Any]:
    """The caller's batch of that id, or of the only id that begins like that.

    Raises NotFound where there is none, Gone where it was deleted, AmbiguousId where several ids begin like that.
    """
    batch_id = find_id(connection, text, "batch")
    try:
        return queries.batch_by_id(connection, current_caller().project_id, batch_id)
    except Gone:
        raise
    except NotFound:
        _refuse_other_kind(connection, batch_id, "batch")
        raise


def find_id(connection: Connection, text: str, kind: Kind) -> UUID:
    """The id of a job or batch in the text. A full one is not looked up; a beginning must be that of one alone."""
    ids = ids_beginning_with(text)
    if ids is None:
        raise NotFound(f"there is no {kind} {text}")
    return ids[0] if ids[0] == ids[1] else _complete(connection, text, ids, kind)


def _complete(connection: Connection, text: str, ids: tuple[UUID, UUID], kind: Kind) -> UUID:
    """The one id of the caller's jobs (or batches) within `ids`, all that begin with the text.

    Raises AmbiguousId where there are several, NotFound where there is none, Gone where one was deleted.
    """
    project, between = current_caller().project_id, {"job": queries.jobs_between, "batch": queries.batches_between}
    found = between[kind](connection, project, *ids, MOST_CANDIDATES + 1)
    if len(found) > 1:
        shown = found[:MOST_CANDIDATES]
        candidates = _jobs(shown) if kind == "job" else _batches(connection, shown)
        raise AmbiguousId(text, kind, candidates, more=len(found) > len(shown))
    if found:
        complete: UUID = found[0].id
        return complete
    deleted = queries.deleted_jobs_between if kind == "job" else queries.deleted_batches_between
    if len(gone := deleted(connection, project, *ids, 2)) == 1:
        raise Gone(f"the {kind} {gone[0]} was deleted")
    others = between[OTHER_KIND[kind]](connection, project, *ids, 2)
    raise is_other_kind(others[0].id, kind) if len(others) == 1 else NotFound(f"there is no {kind} {text}")


def _refuse_other_kind(connection: Connection, wanted: UUID, kind: Kind) -> None:
    """Raise NotFound with the right route and command, where the caller has a thing of the other kind of that id."""
    between = queries.batches_between if kind == "job" else queries.jobs_between
    if between(connection, current_caller().project_id, wanted, wanted, 1):
        raise is_other_kind(wanted, kind)


def _jobs(found: list[Row[Any]]) -> list[Candidate]:
    return [Candidate(each.id, each.stage, each.name, each.state) for each in found]


def _batches(connection: Connection, found: list[Row[Any]]) -> list[Candidate]:
    counts = queries.counts_of_batches(connection, [each.id for each in found])
    return [Candidate(each.id, None, each.name, batch_state(each.size, counts[each.id])) for each in found]


def find_file(connection: Connection, text: str) -> Row[Any]:
    """The caller's file of that id, or the only one whose id begins like that.

    Raises NotFound where there is none, AmbiguousId where several ids begin like that.
    """
    project_id, begins = current_caller().project_id, text.lower()
    if not re.fullmatch(rf"[0-9a-f]{{{SHORTEST_BEGINNING},64}}", begins):
        raise NotFound(f"there is no file {text}")
    found = files_beginning_with(connection, project_id, begins, MOST_CANDIDATES + 1)
    if len(found) > 1:
        candidates = [Candidate(row.sha256, None, row.name, row.format) for row in found[:MOST_CANDIDATES]]
        raise AmbiguousId(text, "file", candidates, more=len(found) > MOST_CANDIDATES)
    if not found:
        raise NotFound(f"there is no file {text}")
    return found[0]


def whole_id(
    text: str, what: str, between: Callable[[UUID, UUID, int], list[Row[Any]]], shown: Callable[[Row[Any]], Candidate]
) -> UUID:
    """The full id of a `what` that the text begins, such as a key. `between`: those of a range that may be seen.

    Raises NotFound where there is none, AmbiguousId where several ids begin like that.
    """
    ids = ids_beginning_with(text)
    if ids is None:
        raise NotFound(f"there is no {what} {text}")
    if ids[0] == ids[1]:
        return ids[0]
    found = between(*ids, MOST_CANDIDATES + 1)
    if len(found) > 1:
        candidates = [shown(row) for row in found[:MOST_CANDIDATES]]
        raise AmbiguousId(text, what, candidates, more=len(found) > MOST_CANDIDATES)
    if not found:
        raise NotFound(f"there is no {what} {text}")
    complete: UUID = found[0].id
    return complete
