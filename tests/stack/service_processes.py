"""Starts the whole service as processes (gunicorn, Celery workers, runners, maintenance) on real servers."""

import contextlib
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import psutil

from gradyard import Client, Job
from gradyard.client.errors import RefusedByService, Unreachable
from gradyard.jobs.settings import Settings
from gradyard.local.launch import api_command, pool_command
from gradyard.processes.children import Child, stop_in_order
from tests.faults.arena import is_runner
from tests.servers import free_port
from tests.stack.until import READY_SECONDS, until

BAD_TRAINERS = Path(__file__).parents[1] / "faults" / "bad_trainers"  # fails and rests jobs
RESTING_STEPS_PER_SECOND = 400
# Seconds of jobs that a test acts on before they end: where a busy machine is too late for one, it tries the next.
LONGER_AND_LONGER = 2.0, 8.0, 32.0


class Service:
    """An API, and a pool with one CPU slot and one simulated GPU, whose runner computes on the CPU."""

    def __init__(self, database_url: str, redis_url: str, folder: Path, *pool_options: str, **settings: str) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.folder = folder
        import_path = [settings.pop("PYTHONPATH", f"{BAD_TRAINERS}"), os.environ.get("PYTHONPATH", "")]
        self.environment = dict(os.environ) | {
            "DATABASE_URL": database_url, "REDIS_URL": redis_url, "GRADYARD_STATE_DIR": str(folder),
            "GRADYARD_FILES_URL": str(folder / "files"),
            "GRADYARD_FAKE_GPUS": '["Fake GPU"]', "PORT": str(port),
            "CANARY_SECRET": "do-not-tell-the-runner", "PYTHONPATH": os.pathsep.join(filter(None, import_path)),
            "GRADYARD_HEARTBEAT_SECONDS": "0.5",  # so that progress is seen soon, and jobs can be short
        } | settings  # fmt: skip
        self.environment.pop("GRADYARD_ADMIN_KEY", None)
        api = api_command(Settings(host="127.0.0.1", port=port))
        pool = [*pool_command(1, None), *pool_options]
        self.api = Child("api", api, self.environment, folder / "api.log")
        self.pool = Child("pool", pool, self.environment, folder / "pool.log")
        self.client = Client(self.url)

    def start(self) -> None:
        """Start API and pool, and wait until a CPU worker and a GPU worker are registered."""
        self.api.start()
        self.pool.start()
        give_up_at = time.monotonic() + READY_SECONDS
        while time.monotonic() < give_up_at:
            if self.api_answers() and all(self.client.readiness().workers.get(queue) for queue in ("cpu", "gpu")):
                return
            time.sleep(0.1)
        raise AssertionError(f"not ready: {self.api.tail(20)} {self.pool.tail(20)}")

    def api_answers(self) -> bool:
        """Whether the API answers yet. Fails the test where its process has ended."""
        try:
            return bool(self.client.readiness())
        except Unreachable:
            assert self.api.returncode() is None, self.api.tail(20)
            return False

    def cancel_all(self) -> None:
        """Cancel every job that is queued or running."""
        for job in [*self.client.jobs(state="queued"), *self.client.jobs(state="running")]:
            with contextlib.suppress(RefusedByService):  # the job ended meanwhile
                self.client.cancel(job.id)

    def stop(self) -> None:
        """Stop the pool, then the API."""
        self.client.close()
        stop_in_order([self.pool, self.api], 60.0)

    def processes(self, words: str) -> list[psutil.Process]:
        """The live processes of the pool with these words in their command line."""
        assert self.pool.pid is not None
        family = psutil.Process(self.pool.pid).children(recursive=True)
        return [each for each in family if words in " ".join(_command_line(each))]

    def runner_of(self, device_name: str) -> psutil.Process | None:
        """The runner (not the process that forked it) of the slot with that device; None where there is none."""
        return next((each for each in self.processes(f"--device-name {device_name}") if is_runner(each)), None)

    def worker_main(self, slot: str) -> psutil.Process:
        """The Celery main process of a slot. The one that forked it and its child have the same command line."""
        of_slot = [each for each in self.processes(f"-n {slot}@") if "tether.py" not in " ".join(_command_line(each))]
        pids = {each.pid for each in of_slot}
        loaded = next(each.pid for each in of_slot if each.ppid() not in pids)
        return next(each for each in of_slot if each.ppid() == loaded)

    def kill_worker(self, slot: str) -> None:
        """Kill the Celery main process of a slot with SIGKILL."""
        os.kill(self.worker_main(slot).pid, signal.SIGKILL)


def slow_spec(seconds: float = 20.0, **more: object) -> dict[str, object]:
    """The spec of a job that trains for about that long, and alone, since no other has its number of steps.

    It rests between two steps, so it takes no core. `at_once` makes the same job of it without the rests.
    """
    steps = int(seconds * RESTING_STEPS_PER_SECOND) + uuid4().int % 97
    return {"stage": "autograd", "steps": steps, "seed": 3, "tags": {"pace": "slow"}} | more


def at_once(spec: dict[str, object]) -> dict[str, object]:
    """The spec of a job that gets the same bits as a slow one, as soon as it can."""
    return spec | {"tags": {}}


def disturbed(client: Client, disturb: Callable[[], object]) -> tuple[dict[str, object], Job]:
    """Disturb a slow job that has recorded losses. Return its spec, and the job as it ended in a later attempt."""
    for seconds in LONGER_AND_LONGER:
        spec = slow_spec(seconds)
        job_id = client.submit(spec).id
        until(lambda job_id=job_id: client.job(job_id).steps_done)  # type: ignore[misc]
        disturb()
        ended = client.wait(job_id, timeout=300)
        if ended.attempt > 1:
            return spec, ended
    raise AssertionError(f"it ended in its first attempt: {ended}")


def _command_line(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []
