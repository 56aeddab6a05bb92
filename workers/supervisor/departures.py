"""Members leave a pack: their rows are moved, the runner's output is stored for them, and the runner drops them."""

from collections.abc import Callable, Sequence
from typing import Any

import structlog
from sqlalchemy import Connection

from gradyard.jobs.fleet import FleetCounter
from workers.logs import log_finished
from workers.protocol.messages import DropMessage
from workers.supervisor.best_effort_commit import BestEffortCommit
from workers.supervisor.pack import Member, Pack
from workers.supervisor.runners.logs import keep_logs
from workers.supervisor.runners.timeouts import RunnerTimeouts
from workers.supervisor.worker_context import WorkerContext

log = structlog.get_logger()


class Departures:
    """The ways out of one pack."""

    def __init__(
        self, context: WorkerContext, pack: Pack, timeouts: RunnerTimeouts, best_effort: BestEffortCommit
    ) -> None:
        self._context, self._pack, self._timeouts, self._best_effort = context, pack, timeouts, best_effort

    def all(self, move: Callable[[Connection], Any], reason: str) -> None:
        """Move every member that is left by one write, for this reason of the log. The pack is empty afterwards."""
        members = self._pack.in_order()

        def write(connection: Connection) -> None:
            keep_logs(connection, self._pack, members, self._context.runner.output)
            move(connection)

        self._context.commit(write)
        log_finished([member.job for member in members], reason)
        self._pack.remove(members)

    def some(self, members: Sequence[Member], move: Callable[[Connection, Member], Any], reason: str) -> None:
        """Move each of these members and have the runner drop them; later, where the database is away."""

        def write(connection: Connection) -> list[Any]:
            keep_logs(connection, self._pack, members, self._context.runner.output)
            return [move(connection, member) for member in members]

        if members and self._best_effort.commit(write):
            self.left(members, reason)

    def claim_lost(self) -> None:
        """The claim expired and its jobs were queued again: nothing more may be stored for them."""
        members = list(self._pack.members.values())
        self._context.heartbeat.throughput.count(FleetCounter.FENCED_WRITES, len(members))
        for member in members:
            log.warning("fenced", job=str(member.job.id), attempt=member.job.attempt, what="claim lost")
        self.left(members, "claim lost")

    def left(self, members: Sequence[Member], reason: str, *, runner_trains: bool = True) -> None:
        """The rows of these members have moved. A runner that still trains them is told to drop them."""
        log_finished([member.job for member in members], reason)
        self._pack.remove(members)
        if not self._pack.members:
            self._timeouts.emptied()
        if members and runner_trains:
            self._context.runner.send(DropMessage([member.index for member in members]))
