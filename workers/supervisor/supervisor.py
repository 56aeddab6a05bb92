"""Drives one runner: claims packs, has them trained, and gives the claims up again."""

import time

import structlog

from gradyard.broker import when_to_ring
from gradyard.jobs.errors import GradyardError
from gradyard.store import fleet, lifecycle, queries
from gradyard.store.lifecycle import Claim
from workers.logs import names
from workers.runner_client.errors import DeviceBroken, RunnerDied
from workers.supervisor import failure_policy
from workers.supervisor.attempt import Attempt
from workers.supervisor.pack import Pack
from workers.supervisor.worker_context import WorkerContext

log = structlog.get_logger()


class Supervisor:
    """One worker process's training: `work()` claims and trains until nothing is claimable."""

    def __init__(self, context: WorkerContext) -> None:
        self._at = context

    def work(self) -> bool:
        """Claim and train for `task_seconds`; whether more may be waiting for somebody."""
        until, trained = time.monotonic() + self._at.settings.task_seconds, False
        while time.monotonic() < until:
            if self._at.stopping():
                return trained  # it may just have handed something back
            memory = self._at.runner.free_memory_mib()
            with self._at.database.begin() as connection:
                claim = lifecycle.claim(connection, self._at.worker, self._at.settings.lease_seconds, memory)
            if claim is None:
                return False
            self._train(claim)
            trained = True
        return True

    def another_slot_could(self) -> bool:
        """Whether something waits that an idle slot of this queue could take, now that this one found nothing."""
        with self._at.database.read() as connection:
            return when_to_ring.claimable_by_idle_slot(connection, self._at.worker.queue)

    def end_runner(self) -> None:
        """Whoever has the GPU now needs its memory."""
        self._at.runner.end()

    def close(self) -> None:
        """End the runner and the connections."""
        self._at.runner.close()
        self._at.database.close()

    def _train(self, claim: Claim) -> None:
        at = self._at
        at.heartbeat.throughput.count(fleet.size_counter(len(claim.members)))
        at.heartbeat.throughput.count("pack_members", len(claim.members))
        self._log_claim(claim)
        at.heartbeat.watch_claim(claim.id, claim.start_step)
        alone = names(claim.members) if len(claim.members) == 1 else {}  # all of a pack would make every line long
        with structlog.contextvars.bound_contextvars(claim=str(claim.id), **alone):
            self._try(claim)

    def _try(self, claim: Claim) -> None:
        at, actor = self._at, self._at.actor
        try:
            at.runner.ensure(at.stopping)
            Attempt(at, Pack(claim, at.runner.facts)).run()
        except DeviceBroken as error:
            why = str(error)
            at.commit(lambda connection: failure_policy.device_broken(connection, Pack(claim, {}), why, at.worker))
        except RunnerDied as error:
            words = f"its runner cannot be started: {error}"
            log.error("no runner", error=str(error))
            at.commit(lambda connection: failure_policy.runner_missing(connection, Pack(claim, {}), words, actor=actor))
        except GradyardError:
            at.runner.end()  # nobody knows what it would say next
            raise
        except Exception as error:  # ours or the trainer's: were it not counted, the job would come back for ever
            at.runner.end()
            log.exception("an attempt failed")
            words = f"its supervisor failed: {type(error).__name__}: {error}"
            at.commit(lambda connection: failure_policy.pack_crashed(connection, Pack(claim, {}), words, actor=actor))
        except BaseException:
            at.runner.end()
            raise
        finally:
            at.heartbeat.unwatch_claim()
            self._give_up(claim)

    def _log_claim(self, claim: Claim) -> None:
        log.info("claimed", claim=str(claim.id), **names(claim.members), pack_size=len(claim.members),
                 stage=claim.stage, engine=claim.engine, start_step=claim.start_step)  # fmt: skip

    def _give_up(self, claim: Claim) -> None:
        """Nothing stays claimed, whatever happened; mostly the last record has seen to it."""
        if self._at.ask(lambda connection: queries.claim_exists(connection, claim.id)):
            self._at.commit(lambda connection: lifecycle.release(connection, claim.id, actor=self._at.actor))
