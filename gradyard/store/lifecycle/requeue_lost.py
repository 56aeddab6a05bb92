"""A job whose worker never said what became of it: queued again, until it must be the job's own fault."""

from typing import Any

from sqlalchemy import Connection

from gradyard.store.lifecycle.finish import fail, hand_back
from gradyard.jobs.states import Reason

LOSSES_ALONE = 10  # nobody reported: that often alone, the job itself is to blame


def lose(connection: Connection, job: Any, width: int, detail: str, *, actor: str) -> bool:
    """Move one member (a row with id, attempt, losses) of a pack of that width; False where it has moved on.

    Blame needs solitude: in company the next pack is half as wide, and nothing is counted.
    """
    if width > 1:
        return hand_back(connection, job.id, job.attempt, actor=actor, detail=detail, max_pack=width // 2)
    if job.losses + 1 >= LOSSES_ALONE:
        message = f"its worker vanished {LOSSES_ALONE} times while it trained this job alone"
        return fail(connection, job.id, job.attempt, Reason.POISON, message, actor=actor, losses=job.losses + 1)
    return hand_back(connection, job.id, job.attempt, actor=actor, detail=detail, lost=True)
