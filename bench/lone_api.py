"""One API process without workers and Redis, for measurements of it alone."""

import json
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

import migrations
from gradyard.jobs.settings import load
from gradyard.local import launch
from tests.servers import free_port


@dataclass(frozen=True)
class LoneApi:
    """A running API: its address, its database, and its process that answers."""

    address: str
    database_url: str
    process: psutil.Process

    def send(self, data: bytes) -> socket.socket:
        """A connection of its own on which these bytes were sent."""
        connection = socket.create_connection(("127.0.0.1", int(self.address.rpartition(":")[2])), timeout=60)
        connection.sendall(data)
        return connection

    def submit(self, jobs: int) -> list[str]:
        """Submit a batch of so many small jobs. Returns their ids."""
        body = json.dumps({"spec": {"stage": "tensor", "steps": 5}, "grid": {"seed": {"stop": jobs}}})
        ids: list[str] = []
        with httpx.Client(base_url=self.address, trust_env=False, timeout=60) as client:
            posted = client.post("/v1/batches", content=body, headers={"Content-Type": "application/json"})
            asked = {"batch": posted.raise_for_status().json()["id"], "limit": "200"}
            while len(ids) < jobs:
                page = client.get("/v1/jobs", params=asked).raise_for_status().json()
                ids += [job["id"] for job in page["jobs"]]
                asked["cursor"] = page["next_cursor"]
        return ids

    def mib(self) -> float:
        """The resident set of the process."""
        return float(self.process.memory_info().rss) / 2**20

    def seconds(self) -> float:
        """The processor time of the process."""
        times = self.process.cpu_times()
        return float(times.user + times.system)


@contextmanager
def lone_api(database_url: str | None = None, worker_class: str | None = None) -> Iterator[LoneApi]:
    """Start an API as `gradyard up` does.

    database_url: None for a SQLite file. worker_class: another one of gunicorn.
    """
    with tempfile.TemporaryDirectory(prefix="gradyard-bench-") as folder:
        url = database_url or f"sqlite:///{folder}/gradyard.db"
        migrations.upgrade(url)
        where = {
            "database_url": url,
            "redis_url": "redis://127.0.0.1:1",
            "state_dir": Path(folder),
            "port": free_port(),
        }
        settings = load(**where, admin_key=None)
        command = launch.api_command(settings)
        if worker_class:
            command[command.index("--worker-class") + 1] = worker_class
        with (Path(folder) / "api.log").open("wb") as log:
            environment = launch.api_environment(settings)
            process = subprocess.Popen(command, env=environment, cwd=launch.API_FOLDER, stdout=log, stderr=log)
        try:
            address = f"http://127.0.0.1:{settings.port}"
            _until_it_answers(address)
            yield LoneApi(address, url, psutil.Process(process.pid).children()[0])
        finally:
            process.terminate()
            process.wait()


def _until_it_answers(address: str) -> None:
    while True:
        try:
            httpx.get(f"{address}/healthz", trust_env=False, timeout=1.0).raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.05)
        else:
            return
