"""Everything on one machine: Redis, the tables, the API and the workers, each ready before the next is started."""

import os
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass

from pydantic import SecretStr

from gradyard.client.client import Client
from gradyard.client.errors import GradyardClientError
from gradyard.jobs.settings import Settings
from gradyard.local import embedded_redis, launch
from gradyard.local.database_upgrade import upgrade_tables
from gradyard.local.errors import CannotStart, StartInterrupted
from gradyard.local.stack_process import StackProcess
from gradyard.local.state_folder import StateFolder
from gradyard.processes.children import Child, stop_in_order

REDIS_SECONDS = 10.0
API_SECONDS = 30.0
WORKERS_SECONDS = 60.0
LEFTOVERS_SECONDS = 12.0  # what a killed stack leaves ends within 10
STOP_SECONDS = 12.0  # workers hand back within 2 s, or 8 where a runner is silent
ORPHAN_GRACE_SECONDS = 4.0  # the pool's own children need as long again


@dataclass(frozen=True)
class StackOptions:
    """What one stack is to be. `settings.port` 0: any free port; None leaves the workers' own defaults."""

    settings: Settings
    cpu_slots: int | None = None
    gpus: str | None = None
    api_only: bool = False


class Stack:
    """The processes of one `gradyard up`, as a library: `start`, then `mend` now and then, then `stop`.

    say: gets one line for each thing a person should know. interrupted: looked at while starting; once it is true,
    `start` gives up. Whoever called `start` calls `stop`, also when `start` raised.
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
        self._parts: list[StackProcess] = []
        self.url = ""

    def start(self) -> str:
        """Starts everything; returns the URL at which jobs can be submitted. CannotStart says what went wrong."""
        launch.refuse_open_door(self._settings)
        self._wait_for_leftovers(self._folder.take())
        port = _free_port(self._settings.host, self._settings.port)
        self._settings = self._settings.model_copy(update={"port": port, "state_dir": self._folder.path})
        self.url = launch.address(self._settings.host, port)
        try:
            self._start_redis()
            upgrade_tables(launch.absolute(self._settings.database))
            self._start_api()
            if not self._options.api_only:
                self._start_workers()
            self._folder.announce(self.url)
        except OSError as error:
            raise CannotStart(f"{error.filename or self._folder.path}: {error.strerror or error}") from None
        return self.url

    def mend(self) -> None:
        """Starts again what has died; to be called a few times a second."""
        mended = [part.mend(self._say) for part in self._parts]
        if any(mended):
            self._note()

    def stop(self, hurry: Callable[[], bool] = lambda: False) -> None:
        """Stops the workers, the API and Redis, in this order; nothing runs afterwards. `hurry`: no more grace."""
        self._folder.withdraw()
        stop_in_order([part.child for part in reversed(self._parts)], STOP_SECONDS, hurry)
        self._parts.clear()
        self._folder.leave()

    def _wait_for_leftovers(self, processes: list[int]) -> None:
        import psutil

        def ending(pid: int) -> bool:
            try:
                return any(argument.endswith("tether.py") for argument in psutil.Process(pid).cmdline())
            except psutil.Error:
                return False

        give_up_at = time.monotonic() + LEFTOVERS_SECONDS
        if left := [pid for pid in processes if ending(pid)]:
            self._say("the last stack here was killed; waiting until what it left has ended")
        while left and time.monotonic() < give_up_at and not self._interrupted():
            time.sleep(0.1)
            left = [pid for pid in left if ending(pid)]

    def _start_redis(self) -> None:
        if "redis_url" in self._settings.model_fields_set and self._settings.broker:
            why_not = embedded_redis.ask(self._settings.broker, 3.0)
            if why_not is not None:
                raise CannotStart(
                    f"REDIS_URL: {why_not}; start that Redis, correct the URL, or unset it for one of our own"
                )
            return
        redis = embedded_redis.EmbeddedRedis(self._folder.path / "redis")
        try:
            self._start_own_redis(redis)
        except StartInterrupted:
            raise
        except CannotStart:  # what it had stored is damaged, or somebody was faster to take the port
            self._parts.pop().child.kill()
            redis.set_aside()
            self._start_own_redis(redis)

    def _start_own_redis(self, redis: embedded_redis.EmbeddedRedis) -> None:
        command = redis.configure()
        self._settings = self._settings.model_copy(update={"redis_url": SecretStr(redis.url)})
        self._start("redis", command, lambda: embedded_redis.ask(redis.url, 0.5), REDIS_SECONDS)

    def _start_api(self) -> None:
        command = launch.api_command(self._settings, working_folder=self._folder.path)
        self._start("api", command, lambda: _why_not_healthy(self.url), API_SECONDS)

    def _start_workers(self) -> None:
        command = launch.pool_command(self._options.cpu_slots, self._options.gpus)
        with Client(self.url, retry_seconds=0.0) as client:

            def why_not() -> str | None:
                return None if sum(client.readiness().workers.values()) > 0 else "no worker has reported"

            self._start("workers", command, why_not, WORKERS_SECONDS)

    def _start(self, name: str, command: list[str], why_not: Callable[[], str | None], deadline: float) -> None:
        if self._interrupted():
            raise StartInterrupted("interrupted")
        child = Child(
            name,
            command,
            launch.environment(self._settings),
            self._folder.log(name),
            orphan_grace_seconds=ORPHAN_GRACE_SECONDS,
        )

        def ready() -> str | None:
            try:
                return why_not()
            except GradyardClientError as error:
                return str(error)

        self._parts.append(StackProcess(child, ready, deadline))
        self._parts[-1].start()
        self._note()
        self._parts[-1].wait_until_ready(self._interrupted)

    def _note(self) -> None:
        self._folder.note(self.url, [part.child.pid for part in self._parts if part.child.pid is not None])


def _why_not_healthy(url: str) -> str | None:
    import httpx

    try:
        answer = httpx.get(url + "/healthz", timeout=1.0, trust_env=False)
    except httpx.TransportError as error:
        return str(error) or type(error).__name__
    return None if answer.is_success else f"/healthz says {answer.status_code}"


def _free_port(host: str, port: int) -> int:
    """`port` itself if nobody listens there, for 0 any free one; CannotStart says why it cannot be had."""
    try:
        family, _, _, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(place)
            probe.listen(1)
            free: int = probe.getsockname()[1]
            return free
    except socket.gaierror as error:
        raise CannotStart(f"--host {host} is no address ({error.strerror})") from None
    except OSError as error:
        reason = os.strerror(error.errno).lower() if error.errno else str(error)
        raise CannotStart(
            f"port {port} of {host} cannot be had ({reason}); choose another with --port, 0 for any free one"
        ) from None
