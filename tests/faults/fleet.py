"""The service under test: servers, API, worker hosts. Faults hit one part at a time; `tend` restarts what has ended."""

import json
import os
import signal
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import urlopen

import psutil

import migrations
from gradyard.jobs.settings import Settings
from gradyard.local.launch import api_command, pool_command
from gradyard.processes.children import Child, stop_in_order
from gradyard.store.database import Database
from tests.faults import network
from tests.faults.canaries import ADMIN_KEY
from tests.faults.clock import UnsteadyHost
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
    """One worker host: its pool, and its network namespace if it has one."""

    name: str
    pool: Child
    namespace: Namespace | None = None


@dataclass(frozen=True)
class Build:
    """Which service to start: its database, settings, hosts, disk and clock."""

    database: str  # sqlite or postgresql
    settings: dict[str, str] = field(default_factory=dict)
    apart: bool = False  # two worker hosts, each in a network namespace of its own
    small_disk: bool = False
    clock: dict[str, str] = field(default_factory=dict)  # environment variables that set the last host's clock wrong
    host: UnsteadyHost | None = None  # on which every process of the service runs
    first_network: int = 1  # the network number of the first host on this machine; the others follow


class Fleet:
    """All parts of one service, with their files in one temporary folder."""

    def __init__(self, build: Build) -> None:
        self.build = build
        # a short path, which the operating system's user of PostgreSQL can enter
        self.folder = Path(tempfile.mkdtemp(prefix="gyfaults-", dir="/tmp"))
        self.folder.chmod(0o755)
        self.scratch = self.folder / "tmp"
        self.scratch.mkdir()
        self.files = self.folder / "files"
        self.disk = SmallDisk(self.folder / "disk", DISK_MEBIBYTES) if build.small_disk else None
        numbered = enumerate("ab" if build.apart else "", build.first_network)
        self.namespaces = [Namespace(f"gy{os.getpid() % 10_000}{letter}", number) for number, letter in numbered]
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.postgres: Postgres | None = None
        self._stopping, self._tending = False, threading.Lock()
        self._seen: set[psutil.Process] = set()

    def start(self) -> None:
        """Start all parts. Returns when every slot has a worker."""
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
        environment = self.environment() | {"GRADYARD_ADMIN_KEY": ADMIN_KEY}
        self.api = Child(
            "api", api_command(Settings(host="127.0.0.1", port=self.port)), environment, self.folder / "api.log"
        )
        self.hosts = self._make_hosts()
        self.api.start()
        for host in self.hosts:
            host.pool.start()
        self._wait_until_ready()

    def environment(self, namespace: Namespace | None = None) -> dict[str, str]:
        """The environment variables of this service's processes on that host (None: the machine itself)."""
        redis_at = namespace.addresses[network.REDIS] if namespace else "127.0.0.1"
        database = self.database_url
        if namespace and self.postgres:
            database = self.postgres.url(namespace.addresses[network.DATABASE])
        import_path = filter(None, (f"{BAD_TRAINERS}", f"{ROOT}", os.environ.get("PYTHONPATH")))
        ours = {"DATABASE_URL": database, "REDIS_URL": self.redis.url(redis_at), "PORT": str(self.port),
                "GRADYARD_STATE_DIR": str(self.folder / "state"), "TMPDIR": str(self.scratch),
                "GRADYARD_FILES_URL": str(self.files),
                "PYTHONPATH": os.pathsep.join(import_path),
                "GRADYARD_MAX_QUEUED_JOBS": "1000000", "GRADYARD_WEBHOOK_ALLOW": "127.0.0.0/8,http"}  # fmt: skip
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GRADYARD_")}
        return kept | ours | self.build.settings | (self.build.host.environment if self.build.host else {})

    def tend(self) -> None:
        """Start again each part that has ended, as a service manager does."""
        with self._tending:  # two threads that find the API dead at once would start it twice
            for child in [] if self._stopping else [self.api, *(host.pool for host in self.hosts)]:
                if child.returncode() is not None:
                    child.start()

    def log(self, host: Host) -> str:
        """The log of a host's pool."""
        path = host.pool.log_path
        return path.read_text(errors="replace") if path is not None and path.exists() else ""

    def processes(self) -> list[psutil.Process]:
        """All live processes of this service, recognized by TMPDIR in their environment, or by their parents.

        Those that hold secrets show their environment to root alone.
        """
        live = []
        for process in psutil.process_iter():
            try:
                if self._is_ours(process) and process.status() != psutil.STATUS_ZOMBIE:
                    live.append(process)
            except psutil.NoSuchProcess:
                continue
        return live

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            ours = process.environ().get("TMPDIR") == str(self.scratch)
        except psutil.AccessDenied:
            begun = {each.pid for each in (self.api, *(host.pool for host in self.hosts)) if each.pid}
            ours = process in self._seen or process.ppid() in {each.pid for each in self._seen} | begun
        if ours:
            self._seen.add(process)
        return ours

    def runners(self) -> list[psutil.Process]:
        """All live runners of this service, spares included."""
        return [each for each in self.processes() if "workers.runner" in " ".join(command_of(each))]

    def stop(self) -> None:
        """Stop the pools, then the API. The database and Redis stay up for the checker."""
        with self._tending:
            self._stopping = True
        for host in self.hosts:
            host.pool.terminate()
        stop_in_order([*(host.pool for host in self.hosts), self.api], 15.0)

    def remove(self) -> None:
        """Kill all processes that are left, and remove disks and networks. The logs stay in the folder."""
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

    def _make_hosts(self) -> list[Host]:
        slots = SLOTS // max(1, len(self.namespaces))
        command = pool_command(slots, "none")
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
    """The command line of a process; empty where it has ended."""
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []
