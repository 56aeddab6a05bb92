"""The message that says how many jobs of a batch are in each state, and which is the best so far."""

from uuid import UUID

from gradyard import shapes
from gradyard.jobs.states import State
from gradyard.shapes.live import MessageName
from gradyard.store.database import Database
from gradyard.store.queries import BatchHead
from service.best import Choice, best_so_far
from service.live.messages import Message
from service.representation.batches import batch_state


def read_counts(database: Database, project_id: int, batch_id: UUID, head: BatchHead) -> list[Message]:
    """One message: the counts of that head, and the best of the jobs that have succeeded by now. It has no position."""
    counts = dict(zip(map(str, State), head.counts, strict=True))
    best = None
    if counts[State.SUCCEEDED]:
        with database.read() as connection:
            best = best_so_far(Choice(connection, project_id, {"batch": batch_id, "question": None}))
    state = batch_state(head.size, counts)
    answer = shapes.BatchNow.of(batch=batch_id, state=state, size=head.size, counts=counts, best=best)
    return [Message.of(MessageName.COUNTS, answer)]
