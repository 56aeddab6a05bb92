"""The service under test: servers, API, worker hosts; each part can be hurt by itself and is kept up otherwise."""

import json
import os
import signal
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import urlopen

import psutil

import migrations
from gradyard.processes.children import Child, stop_in_order
from gradyard.store.database import Database
from tests.faults import network
from tests.faults.network import Namespace
from tests.faults.servers import Postgres, Redis
from tests.faults.small_disk import SmallDisk
from tests.servers import free_port

ROOT = Path(__file__).parents[2]
BAD_TRAINERS = Path(__file__).parent / "bad_trainers"
READY_SECONDS = 90.0
DISK_MEBIBYTES = 3000
SLOTS = 2


@dataclass
class Host:
    """One worker host: its pool, and what is its own about network and clock."""

    name: str
    pool: Child
    namespace: Namespace | None = None


@dataclass(frozen=True)
class Build:
    """What is put together: the database, the settings of all parts, hosts apart or one, a small disk or none."""

    database: str  # sqlite or postgresql
    settings: dict[str, str] = field(default_factory=dict)
    apart: bool = False  # each worker host in a network namespace of its own
    small_disk: bool = False
    clock: dict[str, str] = field(default_factory=dict)  # the environment of the last host's wrong clock
    first_network: int = 1  # its hosts' numbers among the networks of this machine, from here on


class Fleet:
    """Everything of one service, in a folder of its own."""

    def __init__(self, build: Build) -> None:
        self.build = build
        # a short path: PostgreSQL's own user must be able to walk it
        self.folder = Path(tempfile.mkdtemp(prefix="gyfaults-", dir="/tmp"))
        self.folder.chmod(0o755)
        self.scratch = self.folder / "tmp"
        self.scratch.mkdir()
        self.disk = SmallDisk(self.folder / "disk", DISK_MEBIBYTES) if build.small_disk else None
        numbered = enumerate("ab" if build.apart else "", build.first_network)
        self.namespaces = [Namespace(f"gy{os.getpid() % 10_000}{letter}", number) for number, letter in numbered]
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.postgres: Postgres | None = None
        self._stopping, self._tending = False, threading.Lock()

    def start(self) -> None:
        """Start all parts; return when the workers are there."""
        for namespace in self.namespaces:
            namespace.make()
        storage = self.folder / "disk"
        storage.mkdir()
        if self.disk is not None:
            self.disk.mount()
        ours = ["127.0.0.1"]
        self.redis = Redis(self.folder / "redis", ours + [n.addresses[network.REDIS] for n in self.namespaces])
        self.redis.start()
        if self.build.database == "postgresql":
            self.postgres = Postgres(storage / "data", ours + [n.addresses[network.DATABASE] for n in self.namespaces])
            self.postgres.start()
            self.database_url = self.postgres.url()
        else:
            self.database_url = f"sqlite:///{storage / 'gradyard.db'}"
        migrations.upgrade(self.database_url)
        self.database = Database(self.database_url, lock_timeout_seconds=5.0, pool_size=4)
        self.api = Child("api", self._api_command(), self.environment(), self.folder / "api.log")
        self.hosts = self._make_hosts()
        self.api.start()
        for host in self.hosts:
            host.pool.start()
        self._wait_until_ready()

    def environment(self, namespace: Namespace | None = None) -> dict[str, str]:
        """What a part of this service finds in its environment, on that host."""
        redis_at = namespace.addresses[network.REDIS] if namespace else "127.0.0.1"
        database = self.database_url
        if namespace and self.postgres:
            database = self.postgres.url(namespace.addresses[network.DATABASE])
        import_path = filter(None, (f"{BAD_TRAINERS}", f"{ROOT}", os.environ.get("PYTHONPATH")))
        ours = {"DATABASE_URL": database, "REDIS_URL": self.redis.url(redis_at), "PORT": str(self.port),
                "GRADYARD_STATE_DIR": str(self.folder / "state"), "TMPDIR": str(self.scratch),
                "PYTHONPATH": os.pathsep.join(import_path),
                "GRADYARD_MAX_QUEUED_JOBS": "1000000"}  # fmt: skip
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GRADYARD_")}
        return kept | ours | self.build.settings

    def tend(self) -> None:
        """What a service manager does: start again what has ended."""
        with self._tending:  # two who find the API dead at once would start two
            for child in [] if self._stopping else [self.api, *(host.pool for host in self.hosts)]:
                if child.returncode() is not None:
                    child.start()

    def log(self, host: Host) -> str:
        """What a host's pool has written."""
        path = host.pool.log_path
        return path.read_text(errors="replace") if path is not None and path.exists() else ""

    def processes(self) -> list[psutil.Process]:
        """Every live process of this service, by its environment."""
        found = []
        for process in psutil.process_iter():
            try:
                mine = process.environ().get("TMPDIR") == str(self.scratch)
                if mine and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
        return found

    def runners(self) -> list[psutil.Process]:
        """Every live runner of this service; they keep TMPDIR, and so are known by it."""
        return [each for each in self.processes() if "workers.runner" in " ".join(command_of(each))]

    def stop(self) -> None:
        """Stop the pools, then the API; the servers stay up for the checker."""
        with self._tending:
            self._stopping = True
        for host in self.hosts:
            host.pool.terminate()
        stop_in_order([*(host.pool for host in self.hosts), self.api], 15.0)

    def remove(self) -> None:
        """End whatever is left; of its folder, the logs stay."""
        for process in self.processes():
            try:
                process.send_signal(signal.SIGCONT)
                process.kill()
            except psutil.NoSuchProcess:
                pass
        if hasattr(self, "database"):
            self.database.close()
        if self.postgres is not None:
            self.postgres.remove()
        if hasattr(self, "redis"):
            self.redis.kill()
        if self.disk is not None:
            self.disk.unmount()
        for namespace in self.namespaces:
            namespace.remove()

    def _api_command(self) -> list[str]:
        return [sys.executable, "-m", "gunicorn", "-k", "gthread", "--threads", "64", "-b", f"127.0.0.1:{self.port}",
                "--graceful-timeout", "3", "--no-control-socket", "service.app:create_app()"]  # fmt: skip

    def _make_hosts(self) -> list[Host]:
        slots = SLOTS // max(1, len(self.namespaces))
        command = [sys.executable, "-m", "workers.pool", "--cpu-slots", str(slots), "--gpus", "none"]
        places: list[Namespace | None] = list(self.namespaces) or [None]
        hosts, cores = [], sorted(os.sched_getaffinity(0))
        for number, namespace in enumerate(places):
            name = namespace.name if namespace else "host"
            environment = self.environment(namespace)
            if number == len(places) - 1:
                environment |= self.build.clock
            pinned = ["taskset", "-c", str(cores[number % len(cores)]), *command]
            there = namespace.command(pinned) if namespace else command
            hosts.append(Host(name, Child(name, there, environment, self.folder / f"{name}.log"), namespace))
        return hosts

    def _wait_until_ready(self) -> None:
        give_up_at = time.monotonic() + READY_SECONDS
        while time.monotonic() < give_up_at:
            try:
                with urlopen(f"{self.url}/readyz", timeout=2) as answer:
                    if json.load(answer)["workers"].get("cpu", 0) >= SLOTS:
                        return
            except OSError:
                pass
            self.tend()
            time.sleep(0.2)
        tails = [*self.api.tail(10), *(line for host in self.hosts for line in host.pool.tail(20))]
        raise RuntimeError("the service did not become ready:\n" + "\n".join(tails))


def command_of(process: psutil.Process) -> list[str]:
    """Its command line; empty where it is gone."""
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []
