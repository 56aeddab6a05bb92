"""Everything on one machine: Redis, the tables, the API and the workers, each ready before the next is started."""

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr

from gradyard.client.client import Client
from gradyard.client.errors import GradyardClientError
from gradyard.jobs.settings import Settings
from gradyard.local import embedded_redis, launch
from gradyard.local.database_upgrade import upgrade_tables
from gradyard.local.errors import CannotStart, StartInterrupted
from gradyard.local.interruptible import unless_interrupted
from gradyard.local.log_rotation import rotate
from gradyard.local.network_disk import refuse_network_disk
from gradyard.local.ports import free_port
from gradyard.local.stack_process import StackProcess
from gradyard.local.state_folder import StateFolder
from gradyard.processes.children import Child, stop_in_order

REDIS_SECONDS = 10.0
API_SECONDS = 30.0
WORKERS_SECONDS = 60.0
LEFTOVERS_SECONDS = 12.0  # the processes of a killed stack end within 10
STOP_SECONDS = 12.0  # workers hand back within 2 s, or 8 where a runner is silent
ORPHAN_GRACE_SECONDS = 4.0  # the pool's own children need another 4 s


@dataclass(frozen=True)
class StackOptions:
    """How to start a stack. Port 0 in `settings` means any free port; None means the workers' own default."""

    settings: Settings
    cpu_slots: int | None = None
    gpus: str | None = None
    slots_per_gpu: int | None = None
    api_only: bool = False


class Stack:
    """The processes of one `gradyard up`: call `start`, then `mend` a few times a second, then `stop`.

    say: receives each line that the user should read. interrupted: asked while the stack starts; once it is true,
    `start` raises StartInterrupted. Call `stop` also when `start` raised.
    """

    def __init__(
        self,
        options: StackOptions,
        say: Callable[[str], None] = print,
        interrupted: Callable[[], bool] = lambda: False,
    ) -> None:
        self._options = options
        self._settings = options.settings
        self._say = say
        self._interrupted = interrupted
        self._folder = StateFolder(options.settings.state_dir)
        self._processes: list[StackProcess] = []
        self.url = ""

    def start(self) -> str:
        """Starts everything; returns the URL of the API. Raises CannotStart with the cause."""
        launch.refuse_open_door(self._settings)
        refuse_network_disk(self._settings)
        self._wait_for_leftovers(self._folder.take())
        port = free_port(self._settings.host, self._settings.port)
        self._settings = launch.settled(self._settings, port, self._folder.path)
        self.url = launch.address(self._settings.host, port)
        try:
            self._start_redis()
            self._upgrade_tables()
            self._start_api()
            if not self._options.api_only:
                self._start_workers()
            self._folder.announce(self.url)
        except OSError as error:
            raise self._folder.not_writable(error) from None
        return self.url

    def mend(self) -> None:
        """Restarts the processes that have ended, and sets the lines of long logs aside."""
        for process in self._processes:
            if process.child.log_path is not None:
                rotate(process.child.log_path)
        mended = [process.mend(self._say) for process in self._processes]
        if any(mended):
            with contextlib.suppress(OSError):  # the disk may be full; the note matters after a kill -9 alone
                self._note()

    def stop(self, hurry: Callable[[], bool] = lambda: False) -> None:
        """Stops the workers, the API and Redis, in this order. Once `hurry()` is true, kills what still runs."""
        self._folder.withdraw()
        stop_in_order([process.child for process in reversed(self._processes)], STOP_SECONDS, hurry)
        self._processes.clear()
        self._folder.leave()

    def _wait_for_leftovers(self, processes: list[int]) -> None:
        give_up_at = time.monotonic() + LEFTOVERS_SECONDS
        if left := [pid for pid in processes if _is_tether(pid)]:
            self._say("the last stack in this state folder was killed; waiting until its processes have ended")
        while left and time.monotonic() < give_up_at and not self._interrupted():
            time.sleep(0.1)
            left = [pid for pid in left if _is_tether(pid)]

    def _upgrade_tables(self) -> None:
        url = launch.absolute(self._settings.database)
        unless_interrupted(lambda: upgrade_tables(url), self._interrupted)

    def _start_redis(self) -> None:
        if "redis_url" in self._settings.model_fields_set and self._settings.broker:
            why_not = embedded_redis.ask(self._settings.broker, 3.0)
            if why_not is not None:
                raise CannotStart(
                    f"REDIS_URL: {why_not}; start that Redis, correct the URL, or unset it to use a built-in server"
                )
            return
        redis = embedded_redis.EmbeddedRedis(self._folder.path / "redis")
        try:
            self._start_own_redis(redis)
        except StartInterrupted:
            raise
        except CannotStart:  # its files are damaged, or another process took the port in the meantime
            if self._interrupted():
                raise
            self._processes.pop().child.kill()
            redis.set_aside()
            self._start_own_redis(redis)

    def _start_own_redis(self, redis: embedded_redis.EmbeddedRedis) -> None:
        command = redis.configure()
        self._settings = self._settings.model_copy(update={"redis_url": SecretStr(redis.url)})
        child = self._child("redis", command, launch.redis_environment(), input_path=redis.configuration)
        self._start(child, lambda: embedded_redis.ask(redis.url, 0.5), REDIS_SECONDS)

    def _start_api(self) -> None:
        environment = launch.api_environment(self._settings)
        child = self._child("api", launch.api_command(self._settings), environment, folder=launch.API_FOLDER)
        self._start(child, lambda: _why_not_healthy(self.url), API_SECONDS)

    def _start_workers(self) -> None:
        options = self._options
        command = launch.pool_command(options.cpu_slots, options.gpus, slots_per_gpu=options.slots_per_gpu)
        child = self._child("workers", command, launch.worker_environment(self._settings))
        with Client(self.url, retry_seconds=0.0) as client:

            def why_not() -> str | None:
                try:
                    return None if sum(client.readiness().workers.values()) > 0 else "no worker has reported"
                except GradyardClientError as error:
                    return str(error)

            self._start(child, why_not, WORKERS_SECONDS)

    def _child(self, name: str, command: list[str], environment: dict[str, str], **files: Path) -> Child:
        log = self._folder.log(name)
        return Child(name, command, environment, log, orphan_grace_seconds=ORPHAN_GRACE_SECONDS, **files)

    def _start(self, child: Child, why_not: Callable[[], str | None], deadline_seconds: float) -> None:
        if self._interrupted():
            raise StartInterrupted("interrupted")
        process = StackProcess(child, why_not, deadline_seconds)
        self._processes.append(process)
        process.start()
        self._note()
        process.wait_until_ready(self._interrupted)

    def _note(self) -> None:
        pids = [process.child.pid for process in self._processes]
        self._folder.note(self.url, [pid for pid in pids if pid is not None])


def _is_tether(pid: int) -> bool:
    import psutil

    try:
        return any(argument.endswith("tether.py") for argument in psutil.Process(pid).cmdline())
    except psutil.Error:
        return False


def _why_not_healthy(url: str) -> str | None:
    # Not by httpx, which reads all certificates of this machine for each request: 30 ms of a processor, in a loop that
    # asks every 30 ms while the API needs it to start.
    address = urlsplit(url)
    connection = HTTPConnection(address.hostname or "", address.port, timeout=1.0)
    try:
        connection.request("GET", "/healthz")
        status = connection.getresponse().status
    except (OSError, HTTPException) as error:
        return str(error) or type(error).__name__
    finally:
        connection.close()
    return None if status == HTTPStatus.OK else f"/healthz answers {status}"
