"""Makes some jobs fail or rest, and removes safeguards. Every Python process of a fleet under test loads this first.

The name of a job decides what it does at its first step: `kills its runner` kills its process, `raises` prints a line
and raises, `breaks CUDA` raises an error of CUDA, `native` computes for seconds in C and reads no message meanwhile.
Packs with a job of the tag `pace: slow` rest before each step: such a job runs for seconds and takes no core for it.
GRADYARD_MUTANT (`no-fence`, `no-resume`, `no-place`, `no-machine`, `no-silence-limit`, `no-codes`, `no-clock-watch`,
`no-condition`, `no-marker`) removes a safeguard; the checker must notice.
"""

import importlib.abc
import importlib.util
import os
import signal
import sys
import time
from typing import Any

PRODUCT_SECONDS = 5.0
REST_SECONDS = 0.002


def _spoil_training(module: Any) -> None:
    make = module.Training._trainer

    def spoiled(self: Any, members: list[int], state: Any) -> Any:
        trainer = make(self, members, state)
        names = {self._specs[member].get("name") for member in members}
        if names & {"kills its runner", "native", "raises", "breaks CUDA"}:
            trainer.step = _spoiled_step(trainer.step, names)
        if any("pace" in (self._specs[member].get("tags") or {}) for member in members):
            trainer.step = _rested_step(trainer.step)
        return trainer

    module.Training._trainer = spoiled


def _spoiled_step(step: Any, names: set[Any]) -> Any:
    def spoiled(t: int) -> Any:
        _misbehave(names)
        return step(t)

    return spoiled


def _rested_step(step: Any) -> Any:
    def rested(t: int) -> Any:
        time.sleep(REST_SECONDS)
        return step(t)

    return rested


def _misbehave(names: set[Any]) -> None:
    if "kills its runner" in names:
        os.kill(os.getpid(), signal.SIGKILL)
    if "raises" in names:
        print("a line before the error")
        raise RuntimeError("this trainer raises on purpose")
    if "breaks CUDA" in names:
        raise RuntimeError("CUDA error: an uncorrectable ECC error was encountered")
    import numpy as np

    def product(size: int) -> None:
        whole = np.ones((size, size), dtype=np.int64)  # slower than floats, so a smaller product suffices
        whole @ whole

    size, began = 300, time.perf_counter()
    product(size)
    took = time.perf_counter() - began
    product(int(size * (PRODUCT_SECONDS / max(took, 1e-3)) ** (1 / 3)))  # a product of n x n takes n^3


def _remove_fence(module: Any) -> None:
    """Make every guarded move and record ignore the attempt, the claim, and where the last record ended."""
    from sqlalchemy import bindparam, update

    from gradyard.jobs.states import State
    from gradyard.store.tables import Job

    name = module.__name__
    if name == "gradyard.store.lifecycle.moves":
        guarded, running = module._guarded, module._running_of
        module._guarded = lambda to, fenced, *rest: guarded(to, False, *rest)

        def still_running(connection: Any, fences: Any) -> dict[Any, Any]:
            rows = connection.execute(running, {"of_jobs": [each.job_id for each in fences]})
            return {row.id: module.Running(row.steps_done, row.project_id) for row in rows}

        def unfenced(to: State) -> Any:
            theirs = update(Job).where(Job.id.in_(module._these), Job.state == State.RUNNING)
            return theirs.values(state=to, **module.consequences(to))

        module.still_running, module._guarded_many = still_running, unfenced
    if name == "gradyard.store.lifecycle.record":
        _remove_place(module)
        module._running = update(Job).where(Job.id == bindparam("of_job"), Job.state == State.RUNNING)


def _remove_place(module: Any) -> None:
    """Make every record count as one that goes on where the last one ended."""
    module._goes_on = lambda connection, progress, recorded_to: True


def _remove_claim_check(module: Any) -> None:
    """Make every heartbeat report that its claim is still held."""
    module.Heartbeat.claim_is_lost = lambda self: False


def _remove_resume(module: Any) -> None:
    """Make every checkpoint count as unusable."""
    module._usable = lambda pack, database, job: {}


def _remove_machine(module: Any) -> None:
    """Make hosts of one name count as one machine."""
    module._on_same_machine = lambda worker: module.Worker.host == worker.host
    module.namesake = lambda connection, worker: None


def _remove_silence_limit(module: Any) -> None:
    """Make every transaction wait for others, and none be ended because its process is silent."""
    if module.__name__ == "gradyard.store.engines":
        make = module._postgresql_engine
        module._postgresql_engine = lambda url, timeouts, size, options: make(
            url, timeouts | {"idle_in_transaction_session_timeout": 0}, size, options
        )
    if module.__name__ == "gradyard.store.silent":
        module._end_silent = module.text("SELECT CAST(:jobs AS uuid[]), CAST(:batch AS uuid), :seconds")
    if module.__name__ == "gradyard.store.lifecycle.expire":
        module._free_jobs = module._free_jobs.with_for_update()
    if module.__name__ == "workers.stopped_writer":
        module.StoppedWriter.watch = lambda self: None


def _remove_clock_watch(module: Any) -> None:
    """Judge leases by every clock, also by one that was just set."""
    module.ClockWatch.is_even = lambda self, moment: True


def _remove_codes(module: Any) -> None:
    """Take a database that takes no writes for an error of the statement."""
    module.LATER = ("no such code",)
    module.takes_no_writes = lambda error: False


def _remove_condition(module: Any) -> None:
    """Take every end of what others wait for as one that they asked for."""
    module.Target.met = lambda self, condition: True if self.has_ended else None


def _remove_marker(module: Any) -> None:
    """Take a folder that is away for one that has no content."""
    import contextlib

    whole = module.FolderContents._root

    @contextlib.contextmanager
    def root(self: Any) -> Any:
        try:
            with whole(self) as found:
                yield found
        except module.ContentUnavailable as error:
            raise module.ContentMissing(str(error)) from None

    module.FolderContents._root = root


_SPOILERS = {"workers.runner.training": [_spoil_training]}
if os.environ.get("GRADYARD_MUTANT") == "no-fence":
    _SPOILERS |= {"gradyard.store.lifecycle.moves": [_remove_fence], "gradyard.store.lifecycle.record": [_remove_fence]}
    _SPOILERS |= {"workers.supervisor.heartbeat": [_remove_claim_check]}
if os.environ.get("GRADYARD_MUTANT") == "no-place":
    _SPOILERS |= {"gradyard.store.lifecycle.record": [_remove_place]}
if os.environ.get("GRADYARD_MUTANT") == "no-resume":
    _SPOILERS |= {"workers.supervisor.resume": [_remove_resume]}

if os.environ.get("GRADYARD_MUTANT") == "no-machine":
    _SPOILERS |= {"gradyard.store.fleet.leases": [_remove_machine]}
if os.environ.get("GRADYARD_MUTANT") == "no-silence-limit":
    _modules = ("gradyard.store.engines", "gradyard.store.silent", "gradyard.store.lifecycle.expire")
    _SPOILERS |= {name: [_remove_silence_limit] for name in (*_modules, "workers.stopped_writer")}
if os.environ.get("GRADYARD_MUTANT") == "no-clock-watch":
    _SPOILERS |= {"workers.clock_watch": [_remove_clock_watch]}
if os.environ.get("GRADYARD_MUTANT") == "no-codes":
    _SPOILERS |= {"gradyard.store.driver_errors": [_remove_codes]}

if os.environ.get("GRADYARD_MUTANT") == "no-marker":
    _SPOILERS |= {"gradyard.store.files.folder": [_remove_marker]}
if os.environ.get("GRADYARD_MUTANT") == "no-condition":
    _SPOILERS |= {"gradyard.store.queries.dependencies.targets": [_remove_condition]}


class _Finder(importlib.abc.MetaPathFinder):
    """Loads a module unchanged, then applies its spoilers."""

    def find_spec(self, name: str, path: Any, target: Any = None) -> Any:
        if name not in _SPOILERS:
            return None
        spoilers = _SPOILERS.pop(name)
        spec = importlib.util.find_spec(name)
        if spec is None or spec.loader is None:
            return None
        loader, load = spec.loader, spec.loader.exec_module

        def load_and_spoil(module: Any) -> None:
            load(module)
            for spoil in spoilers:
                spoil(module)

        loader.exec_module = load_and_spoil  # type: ignore[method-assign]
        return spec


sys.meta_path.insert(0, _Finder())
