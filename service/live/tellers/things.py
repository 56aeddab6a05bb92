"""Tellers of a job, of a batch, and of a whole project."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from sqlalchemy import Row

from gradyard import shapes
from gradyard.jobs.states import FINISHED, State
from gradyard.shapes.live import MessageName
from gradyard.store import queries
from gradyard.store.queries import BatchHead, JobHead, ProjectHead
from service.live.messages import Message
from service.live.positions import BatchPosition, JobPosition
from service.live.subjects import BatchSubject, JobSubject, ProjectSubject
from service.live.tellers.counts_of_batches import read_counts
from service.live.tellers.moves_of_members import read_moves
from service.live.tellers.teller import Teller
from service.live.tellers.told_of_jobs import STEPS_OF_A_MESSAGE, read_messages
from service.representation.batches import batch_answer, batch_state


@dataclass
class JobTeller(Teller):
    """Tells the moves of a job, its curve, how far it is, and its end."""

    position: JobPosition
    points: int | None = STEPS_OF_A_MESSAGE  # in one message; None: every loss
    shown: Any = None  # how far it was, as of the last message

    kind, subject = "job", JobSubject

    def news(self, head: JobHead | None) -> Iterator[Message]:
        """The messages that are due."""
        if head is not None and head.sequence < self.position.sequence:  # the database lost its last commits
            self.position = replace(self.position, sequence=head.sequence)
        yield from self._recorded(head)
        if head is None or self.position.ended or head.state in FINISHED:
            return
        progress = shapes.Progress.of(
            job=self.id, state=head.state, attempt=head.attempt, steps=head.steps, steps_done=head.steps_done
        )
        if progress != self.shown:
            self.shown = progress
            yield Message.of(MessageName.PROGRESS, progress)

    def _recorded(self, head: JobHead | None) -> Iterator[Message]:
        """What is recorded, in parts. A head is not read again once it is told, nor one that is behind."""
        more = head is None or self._is_behind(head)
        while more:
            about = (self.project_id, self.id, self.position, self.points)
            read = partial(read_messages, self.services.database, *about)
            found = self.services.read_once.messages((*about, head), read)
            yield from found
            more = bool(found) and head is not None and self._is_behind(head)

    def _is_behind(self, head: JobHead) -> bool:
        told = self.position.sequence, self.position.steps
        return not self.position.ended and (head.state in FINISHED or told != (head.sequence, head.recorded))


@dataclass
class BatchTeller(Teller):
    """Tells the moves of a batch's jobs, how many of them are in each state, the best so far, and its end."""

    position: BatchPosition
    moves: bool = True
    moves_told: BatchHead | None = None  # as of where it stood then

    kind, subject = "batch", BatchSubject

    def news(self, head: BatchHead | None) -> Iterator[Message]:
        """The messages that are due."""
        if head is None:
            with self.services.database.read() as connection:
                queries.batch_by_id(connection, self.project_id, self.id)
            return
        if self.moves and head != self.moves_told:
            yield from self._moves(head)
        state = batch_state(head.size, dict(zip(map(str, State), head.counts, strict=True)))
        if head.counts != self.position.counts:
            about = self.project_id, self.id, head
            read = partial(read_counts, self.services.database, *about)
            for each in self.services.read_once.messages((*about, MessageName.COUNTS), read):
                yield replace(each, position=replace(self.position, counts=head.counts))
        if state == "finished":
            yield from self.services.read_once.messages((self.project_id, self.id, head), partial(self._end, head))

    def _moves(self, head: BatchHead) -> Iterator[Message]:
        more = True
        while more:
            about = self.project_id, self.id, self.position
            read = partial(read_moves, self.services.database, *about)
            found = self.services.read_once.messages((*about, head), read)
            yield from found
            more = any(each.more for each in found)
        self.moves_told = head

    def _end(self, head: BatchHead) -> list[Message]:
        """The end; nothing where its failures are tried again by now, and other moves are to be told before it."""
        with self.services.database.snapshot() as connection:
            batch = queries.batch_by_id(connection, self.project_id, self.id)
            if queries.batch_heads(connection, [(self.project_id, self.id)]).get((self.project_id, self.id)) != head:
                return []
            counts = dict(zip(map(str, State), head.counts, strict=True))
            answer = batch_answer(batch, counts, queries.failures_of_batch(connection, self.id))
        return [Message.of(MessageName.BATCH_ENDED, answer, BatchPosition(head.counts, ended=True))]


@dataclass
class ProjectTeller(Teller):
    """Tells how many jobs of a project are in each state, and which of them run. It has no memory."""

    position: BatchPosition
    told: ProjectHead | None = None

    kind, subject = "project", ProjectSubject

    @property
    def which(self) -> tuple[type[ProjectSubject], int]:
        """The subject of which it tells."""
        return ProjectSubject, self.project_id

    def news(self, head: ProjectHead | None) -> Iterator[Message]:
        """The message that is due."""
        if head is None or head == self.told:
            return
        left = (self.told.ids if self.told else frozenset()) - head.ids
        if head.more:  # the older ones run on, or have ended: this head does not say which
            left = frozenset(each for each in left if each > min(head.ids))
        self.told = head
        yield Message.of(MessageName.PROJECT, shapes.ProjectNow.of(
            counts=head.counts, running=[_running(row) for row in head.running], more=head.more, ended=sorted(left)
        ))  # fmt: skip


def _running(row: Row[Any]) -> shapes.RunningJob:
    return shapes.RunningJob.of(
        job=row.id, state=row.state, attempt=row.attempt, steps=row.steps,
        steps_done=max(row.steps_done, row.claim_steps_done or 0), stage=row.stage, name=row.name, batch=row.batch_id,
        loss_last=row.loss_last,
    )  # fmt: skip
