"""What a job has stored, a block at a time: its losses by chunks, its arrays one after another."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, bindparam, select

from gradyard.jobs.errors import NotFound
from gradyard.store.tables import Artifact, LossChunk


def loss_blocks(connection: Connection, job_id: UUID) -> Iterator[bytes]:
    """The bytes of the losses, little-endian, a chunk at a time. Raises NotFound where the job is deleted meanwhile."""
    for start in list(connection.execute(_starts, {"job": job_id}).scalars()):
        block = connection.execute(_losses, {"job": job_id, "start": start}).scalar()
        if block is None:
            raise NotFound(f"the job {job_id} was deleted")
        yield block


def arrays_of(connection: Connection, job_id: UUID) -> Iterator[Any]:
    """The arrays of a job in the order of their names, one in memory at a time: name, dtype, shape, content."""
    for name in list(connection.execute(_names, {"job": job_id}).scalars()):
        found = connection.execute(_array, {"job": job_id, "name": name}).first()
        if found is None:
            raise NotFound(f"the job {job_id} was deleted")
        yield found


# Built once: building such statements costs more than executing them.
_of_losses = LossChunk.job_id == bindparam("job")
_starts = select(LossChunk.start_step).where(_of_losses).order_by(LossChunk.start_step)
_losses = select(LossChunk.losses).where(_of_losses, LossChunk.start_step == bindparam("start"))
_names = select(Artifact.name).where(Artifact.job_id == bindparam("job")).order_by(Artifact.name)
_array = (
    select(Artifact.name, Artifact.dtype, Artifact.shape, Artifact.content)
    .where(Artifact.job_id == bindparam("job"), Artifact.name == bindparam("name"))
)  # fmt: skip
