"""Drives one runner: claims packs, has them trained, and gives the claims up."""

import time

import structlog

from gradyard.jobs.errors import GradyardError
from gradyard.jobs.fleet import FleetCounter
from gradyard.jobs.stages.registry import stage_named
from gradyard.store import fleet, lifecycle, queries
from gradyard.store.lifecycle import Claim
from workers.logs import log_finished, names
from workers.runner_client.errors import DeviceBroken, RunnerDied, WorkerStops
from workers.runner_client.loads import needs_optim
from workers.supervisor import failure_policy
from workers.supervisor.attempt import Attempt
from workers.supervisor.followers import release_followers
from workers.supervisor.pack import Pack
from workers.supervisor.worker_context import WorkerContext

log = structlog.get_logger()


class Supervisor:
    """The training of one worker process: `work()` claims and trains until nothing is claimable."""

    def __init__(self, context: WorkerContext) -> None:
        self._context = context

    def work(self) -> bool:
        """Claim and train for `task_seconds`. Return whether more work may be waiting."""
        context = self._context
        until, trained = time.monotonic() + context.settings.task_seconds, False
        while time.monotonic() < until:
            if context.stopping():
                return trained  # it may just have handed jobs back
            memory = context.runner.free_memory_mib()
            with context.database.begin() as connection:
                claim = lifecycle.claim(connection, context.worker, context.settings.lease_seconds, memory)
            if claim is None:
                return False
            self._train(claim)
            trained = True
        return True

    def another_slot_could_claim(self) -> bool:
        """Whether work waits that an idle slot of this queue could take, now that this slot found none."""
        with self._context.database.snapshot() as connection:
            return fleet.claimable_by_idle_slot(connection, self._context.worker.queue)

    def end_runner(self) -> None:
        """End the runner: another process has the GPU now, and needs its memory."""
        self._context.runner.end()

    def close(self) -> None:
        """End the runner and close the connections."""
        self._context.runner.close()
        self._context.database.close()

    def _train(self, claim: Claim) -> None:
        heartbeat = self._context.heartbeat
        heartbeat.throughput.count(fleet.pack_counter(len(claim.members)))
        heartbeat.throughput.count(FleetCounter.PACK_MEMBERS, len(claim.members))
        waited = (member.waited_seconds for member in claim.members)
        heartbeat.throughput.count_all(fleet.WAITING.counts(seconds for seconds in waited if seconds is not None))
        log.info("claimed", claim=str(claim.id), **names(claim.members), pack_size=len(claim.members),
                 stage=claim.stage, engine=claim.engine, start_step=claim.start_step)  # fmt: skip
        heartbeat.watch_claim(claim.id, claim.start_step)
        alone = names(claim.members) if len(claim.members) == 1 else {}  # all of a pack would make every line long
        with structlog.contextvars.bound_contextvars(claim=str(claim.id), **alone):
            self._try(claim)
        release_followers(self._context)

    def _try(self, claim: Claim) -> None:
        context = self._context
        try:
            trainer = stage_named(claim.stage).trainer_of(claim.engine)
            context.runner.ensure(context.stopping, optim=needs_optim(trainer))
            Attempt(context, Pack(claim, context.runner.hello)).run()
        except DeviceBroken as error:
            cause = str(error)
            context.commit(lambda c: failure_policy.device_failed(c, Pack(claim), cause, context.worker))
        except RunnerDied as error:
            self._not_begun(claim, error)
        except GradyardError:
            context.runner.end()  # it still trains a pack that this process has given up
            raise
        except Exception as error:
            self._crashed(claim, error)
        except BaseException:
            context.runner.end()
            raise
        finally:
            context.heartbeat.unwatch_claim()
            self._release(claim)

    def _not_begun(self, claim: Claim, error: RunnerDied) -> None:
        """No runner was had, as this host has none or as the worker must stop: it counts against no job."""
        cause, policy = f"its runner cannot be started: {error}", failure_policy.runner_not_started
        if isinstance(error, WorkerStops):
            cause, policy = str(error), failure_policy.worker_stops
            log_finished(claim.members, cause)
        else:
            log.error("no runner", error=cause)
        self._context.commit(lambda c: policy(c, Pack(claim), cause, actor=self._context.actor))

    def _crashed(self, claim: Claim, error: Exception) -> None:
        """An error of ours or of the trainer: it counts as a crash, else the job would be retried for ever."""
        context = self._context
        context.runner.end()
        log.exception("attempt failed")
        cause = f"its supervisor failed: {type(error).__name__}: {error}"
        context.commit(lambda c: failure_policy.pack_crashed(c, Pack(claim), cause, actor=context.actor))

    def _release(self, claim: Claim) -> None:
        """Give the claim up, however the attempt ended; in most cases its last record has done so."""
        if self._context.read(lambda connection: queries.claim_exists(connection, claim.id)):
            self._context.commit(lambda connection: lifecycle.release(connection, claim.id, actor=self._context.actor))
