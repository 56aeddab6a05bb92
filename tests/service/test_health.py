"""Alive is not ready, and degraded says what is missing."""

import subprocess
import time
from contextlib import ExitStack
from importlib.metadata import version
from typing import Any

import pytest
from flask.testing import FlaskClient
from pydantic import SecretStr

from gradyard.store.database import Database
from tests.actors import worker_of
from tests.servers import RedisServer
from tests.service.conftest import AppWith
from tests.service.redis_for_tests import RedisForTests

on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def ready(client: FlaskClient, status: int = 200) -> Any:
    response = client.get("/readyz")
    assert response.status_code == status
    return response.json


def test_with_workers_and_redis_it_is_ready(app_with: AppWith, database: Database, redis_server: RedisServer) -> None:
    client = app_with(redis_url=SecretStr(redis_server.url), bell_timeout_seconds=60.0).test_client()
    answers = {"database": "ok", "redis": "ok", "version": version("gradyard"),
               "database_kind": "SQLite" if database.is_sqlite else "PostgreSQL", "watcher_age_seconds": 0}  # fmt: skip
    assert ready(client) == {"status": "degraded", "workers": {"cpu": 0, "gpu": 0}, **answers}
    worker_of(database)
    assert ready(client) == {"status": "ready", "workers": {"cpu": 1, "gpu": 0}, **answers}


@on_sqlite
def test_without_redis_it_is_degraded(client: FlaskClient, database: Database) -> None:
    worker_of(database)
    body = ready(client)
    assert (body["status"], body["database"]) == ("degraded", "ok")
    assert body["redis"].startswith("does not answer")


@on_sqlite
def test_a_frozen_redis_is_noticed_within_a_second(app_with: AppWith) -> None:
    redis = RedisForTests()
    redis.start()
    try:
        client = app_with(redis_url=SecretStr(redis.url)).test_client()
        redis.freeze()
        begin = time.monotonic()
        assert ready(client)["redis"].startswith("does not answer")
        assert time.monotonic() - begin < 60
    finally:
        redis.kill()


@on_sqlite
@pytest.mark.parametrize("url", ["sqlite:////missing/x.db", "postgresql://unknown:canary@127.0.0.1:1/x"])
def test_without_its_database_it_is_unavailable(app_with: AppWith, url: str) -> None:
    client = app_with(database_url=SecretStr(url)).test_client()
    body = ready(client, 503)
    assert (body["status"], body["database"]) == ("unavailable", "does not answer")
    assert client.get("/readyz").headers["Retry-After"] == "1"
    assert client.get("/healthz").json == {"status": "ok"}


@on_sqlite
def test_a_database_without_our_tables_is_unavailable(app_with: AppWith, tmp_path: Any) -> None:
    client = app_with(database_url=SecretStr(f"sqlite:///{tmp_path}/empty.db")).test_client()
    assert "gradyard db upgrade" in ready(client, 503)["database"]


def shut_writes_out(database: Database) -> None:
    """From now on its sessions take no writes: those that are there, and new ones."""
    with database.engine.connect() as connection:
        name = connection.exec_driver_sql("SELECT current_database()").scalar_one()
        connection.exec_driver_sql(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
        connection.commit()


@on_postgresql
def test_a_standby_is_unavailable_and_says_why(app_with: AppWith, database: Database) -> None:
    shut_writes_out(database)
    client = app_with().test_client()
    body = ready(client, 503)
    assert body["status"] == "unavailable"
    assert body["database"].startswith("takes no writes")
    response: Any = client.post("/v1/jobs", json={"stage": "nn"})
    assert (response.status_code, response.json["type"]) == (503, "database_unavailable")
    assert "takes no writes" in response.json["detail"]
    assert response.headers["Retry-After"] == "1"


@on_postgresql
def test_a_connection_that_takes_no_more_writes_is_left_for_a_new_one(app: Any, client: FlaskClient) -> None:
    engine = app.extensions["gradyard"].database.engine

    def fall_back() -> None:
        with ExitStack() as all_of_the_pool:  # as after a failover behind a fixed address
            for _ in range(max(1, engine.pool.checkedin())):
                connection = all_of_the_pool.enter_context(engine.connect())
                connection.exec_driver_sql("SET default_transaction_read_only = on")
                connection.commit()

    assert client.post("/v1/jobs", json={"stage": "nn"}).status_code == 202
    fall_back()
    response: Any = client.post("/v1/jobs", json={"stage": "nn"})
    assert (response.status_code, response.json["type"]) == (503, "database_unavailable")
    assert client.post("/v1/jobs", json={"stage": "nn"}).status_code == 202
    fall_back()
    assert ready(client, 503)["database"].startswith("takes no writes")
    assert ready(client)["database"] == "ok"


@on_sqlite
def test_a_file_that_may_not_be_written_is_unavailable(client: FlaskClient, database: Database) -> None:
    file = str(database.engine.url.database)
    if subprocess.run(["chattr", "+i", file], capture_output=True).returncode:
        pytest.skip("this file system or user cannot protect a file from root")
    try:
        assert ready(client, 503)["database"].startswith("takes no writes")
    finally:
        subprocess.run(["chattr", "-i", file], check=True)
    assert ready(client)["database"] == "ok"


@on_sqlite
def test_a_redis_that_takes_no_bells_is_degraded(app_with: AppWith, database: Database) -> None:
    worker_of(database)
    redis = RedisForTests()
    redis.start()
    try:
        client = app_with(redis_url=SecretStr(redis.url), bell_timeout_seconds=60.0).test_client()
        assert ready(client)["status"] == "ready"
        redis.command("REPLICAOF 127.0.0.1 1")
        body = ready(client)
        assert body["status"] == "degraded"
        assert body["redis"].startswith("takes no bells, as it is a read-only replica; jobs are accepted")
    finally:
        redis.kill()
