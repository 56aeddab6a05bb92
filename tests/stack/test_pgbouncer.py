"""A service that reaches PostgreSQL through PgBouncer alone, in transaction mode, by two sessions of the server."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from gradyard.store.database import Database
from tests.servers import PostgresServer, RedisServer, free_port
from tests.stack.service_processes import Service, slow_spec
from tests.stack.until import until

PGBOUNCER = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
SESSIONS = 2  # of the server, which all processes share
SETTINGS = """
[databases]
{name} = {server} dbname={name}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {sessions}
"""

pytestmark = [pytest.mark.stack, pytest.mark.skipif(PGBOUNCER is None, reason="there is no pgbouncer here")]


@pytest.fixture
def bouncer(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a migrated database of its own, through a PgBouncer."""
    name, port, server = f"test_{uuid4().hex}", free_port(), postgres.admin.info
    postgres.clone(name)
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    folder.chmod(0o755)
    file = folder / "pgbouncer.ini"
    to_server = f"host={server.host} port={server.port} user={server.user} password={server.password}"
    file.write_text(SETTINGS.format(name=name, server=to_server, port=port, sessions=SESSIONS))
    socket = Path(server.host)  # PgBouncer refuses to be root, and the folder of the socket may be its owner's alone
    owner = socket.stat().st_uid if socket.is_absolute() else None
    process = subprocess.Popen([str(PGBOUNCER), "-q", str(file)], user=owner, stderr=subprocess.DEVNULL)
    yield f"postgresql://{server.user}@127.0.0.1:{port}/{name}?pgbouncer=true"
    process.terminate()
    process.wait()
    shutil.rmtree(folder)
    postgres.drop(name)


def test_jobs_train_and_are_cancelled_and_followed_through_it(
    bouncer: str, redis_server: RedisServer, tmp_path: Path
) -> None:
    until(lambda: answers(bouncer))
    service = Service(bouncer, redis_server.of(9), tmp_path)
    try:
        service.start()
        client = service.client
        batch = client.sweep({"stage": "nn", "steps": 200}, grid={"seed": range(8)})
        long = client.submit(slow_spec(600.0))
        assert client.wait_batch(batch, timeout=300).counts["succeeded"] == 8
        until(lambda: client.job(long).state == "running")
        assert client.wait(client.cancel(long), timeout=60).state == "cancelled"
        assert {len(client.losses(job)) for job in client.jobs(batch=batch)} == {200}
        assert client.jobs.count(batch=batch, where="loss_last < 1e9") == 8
    finally:
        service.stop()


def answers(url: str) -> bool:
    """Whether the server is reached through PgBouncer."""
    database = Database(url)
    try:
        return database.takes_writes()
    except Exception:
        return False
    finally:
        database.close()
