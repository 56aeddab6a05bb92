"""Which jobs an export is of, and which parameters they have: found when it begins, and fixed from then on."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from uuid import UUID

import numpy as np
from sqlalchemy import Connection, Text, cast, func, select

from gradyard.jobs.exports import Holds
from gradyard.jobs.questions.terms import Term
from gradyard.store.queries.questions.conditions import condition
from gradyard.store.queries.questions.curves import asks_for_curves, pruned
from gradyard.store.queries.questions.live_metrics import with_live_metrics
from gradyard.store.tables import JobParameter, JobSummary

AT_ONCE = 10_000  # ids of one fetch
SETS_AT_ONCE = 500


@dataclass(frozen=True)
class AskedJobs:
    """The jobs of an export in the order of their ids, 16 bytes each, and what their specs hold.

    ids: (jobs, 2), the halves of each id. parameters: by name, number or text. all_float32: of their losses. question:
    one that can only be answered by their curves; it is asked when these are read.
    """

    ids: np.ndarray
    parameters: dict[str, Holds] = field(default_factory=dict)
    all_float32: bool = True
    question: Term | None = None

    def __len__(self) -> int:
        return len(self.ids)

    def slices(self, jobs: int) -> Iterator[list[UUID]]:
        """Their ids, so many at once."""
        for start in range(0, len(self.ids), jobs):
            part = self.ids[start : start + jobs].tobytes()
            yield [UUID(bytes=part[at : at + 16]) for at in range(0, len(part), 16)]


def jobs_to_export(
    connection: Connection, project_id: int, question: Term | None = None, batch: UUID | None = None
) -> AskedJobs:
    """The jobs of the project that satisfy a question, of one batch or of all, by one statement: as of one moment.

    Ids alone are kept: of 100,000 jobs they take 1.6 MB.
    """
    question = question and with_live_metrics(connection, project_id, batch, question)
    # As texts, which the database writes: a UUID for each would take ten times as long.
    columns = cast(JobSummary.job_id, Text), cast(JobSummary.parameters_id, Text)
    query = select(*columns).where(JobSummary.project_id == project_id)
    query = query if batch is None else query.where(JobSummary.batch_id == batch)
    query = query if question is None else query.where(condition(pruned(question)))
    ids, sets = bytearray(), set[str | None]()
    for rows in connection.execute(query, execution_options={"yield_per": AT_ONCE}).partitions():
        of_jobs, of_sets = zip(*rows, strict=True)
        ids += bytes.fromhex("".join(of_jobs).replace("-", ""))
        sets.update(of_sets)
    halves = np.frombuffer(ids, dtype=">u8").reshape(-1, 2)
    in_order = halves[np.lexsort((halves[:, 1], halves[:, 0]))]
    known = [UUID(each) for each in sets if each is not None]
    # A job of an older version has no set for a moment; its losses fit into float64 whatever they are.
    all_float32 = len(known) == len(sets) and not _any_float64(connection, known)
    later = question if question is not None and asks_for_curves(question) else None
    return AskedJobs(in_order, _parameters(connection, known), all_float32, later)


def _parameters(connection: Connection, sets: Collection[UUID]) -> dict[str, Holds]:
    """The parameters of these sets by name. One that is a text in some jobs is a text in all."""
    found: dict[str, Holds] = {}
    for part in _parts(sets):
        of_name = select(JobParameter.name, func.count(JobParameter.text)).where(JobParameter.set_id.in_(part))
        for name, texts in connection.execute(of_name.group_by(JobParameter.name)):
            found[name] = Holds.TEXT if texts else found.get(name, Holds.NUMBER)
    return found


def _any_float64(connection: Connection, sets: Collection[UUID]) -> bool:
    other = select(JobParameter.set_id).where(JobParameter.name == "dtype", JobParameter.text != "float32").limit(1)
    return any(connection.execute(other.where(JobParameter.set_id.in_(part))).first() for part in _parts(sets))


def _parts(sets: Iterable[UUID]) -> Iterator[list[UUID]]:
    listed = list(sets)
    for start in range(0, len(listed), SETS_AT_ONCE):
        yield listed[start : start + SETS_AT_ONCE]
