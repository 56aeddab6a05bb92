"""A database or a Redis that answers and takes no writes: what trains goes on, no process dies, no job is blamed."""

import pytest

from gradyard.store.database import Database
from tests.servers import PostgresServer
from tests.stack.conftest import Hurt
from tests.stack.service_processes import slow_spec
from tests.stack.until import until

pytestmark = pytest.mark.stack


def test_workers_outlive_a_redis_that_takes_no_writes(hurt: Hurt) -> None:
    service, client = hurt.service, hurt.service.client
    main = service.worker_main("cpu-0")
    job = client.submit(slow_spec(4.0))
    until(lambda: client.job(job.id).state == "running", [service.pool])
    says_so = hurt.says_from_now_on("listens again when it does")
    hurt.redis.command("REPLICAOF 127.0.0.1 1")
    until(lambda: "takes no bells" in str(client.readiness().redis), [service.pool])
    until(says_so, [service.pool])
    waiting = client.submit(stage="tensor", steps=50)
    assert client.wait(job.id, timeout=300).attempt == 1
    hurt.redis.command("REPLICAOF NO ONE")
    assert client.wait(waiting.id, timeout=300).succeeded
    assert service.worker_main("cpu-0").pid == main.pid
    assert main.is_running()


def test_a_job_trains_on_while_the_database_takes_no_writes(hurt: Hurt, postgres: PostgresServer) -> None:
    service, client = hurt.service, hurt.service.client
    job = client.submit(slow_spec(6.0))
    until(lambda: client.job(job.id).steps_done > 0, [service.pool])
    runner = service.runner_of("cpu")
    assert runner is not None
    goes_on = hurt.says_from_now_on("training goes on")
    with Failover(postgres, hurt.database):
        until(lambda: "takes no writes" in str(client.readiness().database), [service.pool])
        until(goes_on, [service.pool])
    ended = client.wait(job.id, timeout=300)
    assert (ended.state, ended.attempt) == ("succeeded", 1)
    assert runner.is_running()
    assert [event.kind for event in client.events(job.id)] == ["submitted", "claimed", "succeeded"]


class Failover:
    """During the block every session of the database is ended, and a new one takes no writes: as on a standby."""

    def __init__(self, server: PostgresServer, name: str) -> None:
        self._database, self._name = Database(server.url, pool_size=1), name

    def __enter__(self) -> None:
        self._do(f'ALTER DATABASE "{self._name}" SET default_transaction_read_only = on')

    def __exit__(self, *_: object) -> None:
        self._do(f'ALTER DATABASE "{self._name}" RESET default_transaction_read_only')
        self._database.close()

    def _do(self, statement: str) -> None:
        with self._database.begin() as connection:
            connection.exec_driver_sql(statement)
        with self._database.begin() as connection:
            connection.exec_driver_sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                                       (self._name,))  # fmt: skip
