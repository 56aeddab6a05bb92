"""So many requests of a key and of a project, on a real Redis that freezes, dies and takes nothing."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from pydantic import SecretStr
from redis import Redis

from service.http.limits import shared_counters
from tests.service.conftest import AppWith
from tests.service.redis_for_tests import RedisForTests
from tests.stack.until import until

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

SECRET = "s3cret-canary-key"
ADMIN = {"Authorization": f"Bearer {SECRET}"}
LIMITED = {"admin_key": SecretStr(SECRET), "max_key_requests": 5, "max_project_requests": 8}
UNLIMITED = ("/healthz", "/readyz", "/openapi.json", "/docs", "/metrics")


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisForTests]:
    with RedisForTests.running() as server:
        yield server


def key_of(client: FlaskClient, name: str, project: str = "physics", **more: Any) -> dict[str, str]:
    answer = client.post("/v1/keys", json={"name": name, "project": project, **more}, headers=ADMIN)
    assert answer.status_code == 201, answer.text
    return {"Authorization": f"Bearer {answer.json['key']}"}  # type: ignore[index]


def statuses(client: FlaskClient, headers: dict[str, str], count: int, path: str = "/v1/jobs") -> list[int]:
    return [client.get(path, headers=headers).status_code for _ in range(count)]


def test_a_key_that_asks_too_often_is_told_when_to_come_again(app_with: AppWith) -> None:
    client = app_with(**LIMITED).test_client()
    ada = key_of(client, "ada")
    assert statuses(client, ada, 5) == [200] * 5
    refused = client.get("/v1/jobs", headers=ada)
    assert (refused.status_code, refused.content_type) == (429, "application/problem+json")
    assert refused.json["type"] == "too_many_requests"  # type: ignore[index]
    assert "this key may send 5 requests in 10 seconds" in refused.json["detail"]  # type: ignore[index]
    assert 1 <= int(refused.headers["Retry-After"]) <= 11


def test_a_key_whose_jobs_wait_is_told_when_to_come_again(app_with: AppWith) -> None:
    client = app_with(admin_key=SecretStr(SECRET), max_key_queued_jobs=2).test_client()
    ada, grace, job = key_of(client, "ada"), key_of(client, "grace"), {"stage": "tensor"}
    first = client.post("/v1/batches", json={"jobs": [job, job]}, headers=ada)
    assert first.status_code == 202
    for path, body in (("/v1/jobs", job), ("/v1/batches", {"jobs": [job]}), ("/v1/jobs", job | {"depends_on": []})):
        refused: Any = client.post(path, json=body, headers=ada)
        assert (refused.status_code, refused.json["type"], refused.headers["Retry-After"]) == (429, "queue_full", "5")
        assert "2 jobs submitted by api:ada@physics are waiting already" in refused.json["detail"]
    assert client.post("/v1/jobs", json=job, headers=grace).status_code == 202
    assert client.post(f"{first.headers['Location']}/cancel", headers=ada).status_code == 200
    again = client.post(f"{first.headers['Location']}/retry", json={"states": ["cancelled"]}, headers=ada)
    assert again.status_code == 202, again.text
    action = {"action": "retry", "where": "state == 'cancelled'"}
    for path, body in (("/v1/jobs/actions", action), ("/v1/jobs", job)):
        refused = client.post(path, json=body, headers=ada)
        assert (refused.status_code, refused.json["type"]) == (429, "queue_full"), refused.text


def test_the_jobs_of_a_key_wait_for_its_successor_too(app_with: AppWith) -> None:
    client = app_with(admin_key=SecretStr(SECRET), max_key_queued_jobs=1).test_client()
    made: Any = client.post("/v1/keys", json={"name": "ada", "project": "physics"}, headers=ADMIN).json
    old = {"Authorization": f"Bearer {made['key']}"}
    new: Any = client.post(f"/v1/keys/{made['id']}/rotate", json={"overlap_hours": 1}, headers=ADMIN).json
    assert client.post("/v1/jobs", json={"stage": "tensor"}, headers=old).status_code == 202
    refused = client.post("/v1/jobs", json={"stage": "tensor"}, headers={"Authorization": f"Bearer {new['key']}"})
    assert refused.status_code == 429


def test_every_answer_says_what_is_left(app_with: AppWith) -> None:
    client = app_with(**LIMITED).test_client()
    ada = key_of(client, "ada")
    for left in (4, 3):
        answer = client.get("/v1/jobs", headers=ada)
        assert answer.headers["RateLimit"].startswith(f'"key";r={left};t=')
        assert answer.headers["RateLimit-Policy"] == '"key";q=5;w=10, "project";q=8;w=10'
    assert client.post("/v1/jobs", json={}, headers=ada).headers["RateLimit"].startswith('"key";r=2;')  # a 422 as well


def test_the_keys_of_a_project_share_its_limit_and_those_of_another_do_not(app_with: AppWith) -> None:
    client = app_with(**LIMITED).test_client()
    ada, grace, other = key_of(client, "ada"), key_of(client, "grace"), key_of(client, "ada", "biology")
    assert statuses(client, ada, 5) + statuses(client, grace, 4) == [200] * 8 + [429]
    refused = client.get("/v1/jobs", headers=grace)
    assert "the keys of this project may send 8 requests" in refused.json["detail"]  # type: ignore[index]
    assert refused.headers["RateLimit"].startswith('"project";r=0;')
    assert statuses(client, other, 5) == [200] * 5


def test_the_flood_of_a_project_locks_no_operator_out(app_with: AppWith) -> None:
    client = app_with(**LIMITED).test_client()
    ada, grace = key_of(client, "ada"), key_of(client, "grace")
    operator = key_of(client, "operator", scopes=["operator", "jobs:read"])
    assert statuses(client, ada, 5) + statuses(client, grace, 4) == [200] * 8 + [429]
    for headers, path in ((operator, "/v1/jobs"), (operator, "/v1/jobs?project=physics"), (ADMIN, "/v1/jobs")):
        assert client.get(path, headers=headers).status_code == 200


def test_health_metrics_and_documentation_are_never_limited(app_with: AppWith) -> None:
    client = app_with(**LIMITED).test_client()
    for path in UNLIMITED:
        answers = [client.get(path, headers=ADMIN) for _ in range(10)]
        assert not [each for each in answers if each.status_code == 429 or "RateLimit" in each.headers], path


def test_a_long_poll_counts_once(app_with: AppWith) -> None:
    client = app_with(**LIMITED).test_client()
    ada = key_of(client, "ada")
    job = client.post("/v1/jobs", json={"stage": "tensor"}, headers=ada).json["id"]  # type: ignore[index]
    held = client.get(f"/v1/jobs/{job}?wait=0.5", headers=ada)
    assert held.headers["RateLimit"].startswith('"key";r=3;')


def test_without_keys_nothing_is_limited_unless_a_setting_says_so(app_with: AppWith) -> None:
    answer = app_with().test_client().get("/v1/jobs")
    assert "RateLimit" not in answer.headers
    limited = app_with(max_key_requests=2).test_client()
    assert statuses(limited, {}, 3) == [200, 200, 429]


def test_with_keys_there_are_limits_unless_the_settings_are_zero(app_with: AppWith) -> None:
    answer = app_with(admin_key=SecretStr(SECRET)).test_client().get("/v1/jobs", headers=ADMIN)
    assert answer.headers["RateLimit-Policy"] == '"key";q=1000;w=10'
    unlimited = app_with(admin_key=SecretStr(SECRET), max_key_requests=0, max_project_requests=0).test_client()
    assert "RateLimit" not in unlimited.get("/v1/jobs", headers=ADMIN).headers


def on(redis: RedisForTests, **more: Any) -> dict[str, Any]:
    return LIMITED | {"redis_url": SecretStr(redis.url)} | more


@pytest.mark.server
def test_processes_of_the_api_count_together(
    app_with: AppWith, redis: RedisForTests, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_counters, "ANSWER_SECONDS", 30.0)
    one, other = (app_with(**on(redis)).test_client() for _ in range(2))
    ada = key_of(one, "ada")
    answered = [*statuses(one, ada, 3), *statuses(other, ada, 3)]
    assert answered == [200] * 5 + [429]
    redis.flush()
    assert statuses(other, ada, 1) == [200]


@pytest.fixture
def asked_by(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the threads that sent Redis a command, one for each command."""
    threads: list[str] = []
    send = Redis.execute_command

    def noted(redis: Redis, *words: Any, **options: Any) -> Any:
        threads.append(threading.current_thread().name)
        return send(redis, *words, **options)

    monkeypatch.setattr(Redis, "execute_command", noted)
    return threads


@pytest.mark.server
def test_a_frozen_redis_is_waited_for_once_and_then_each_process_counts_for_itself(
    app_with: AppWith, asked_by: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_counters, "ANSWER_SECONDS", 1.0)
    with RedisForTests.running() as redis:
        client = app_with(**on(redis, max_key_requests=40, max_project_requests=0)).test_client()
        assert statuses(client, ADMIN, 3) == [200] * 3
        redis.freeze()
        asked_by.clear()

        def asked_three_times() -> bool:  # the breaker was half open twice
            assert client.get("/v1/stages/tensor", headers=ADMIN).status_code in (200, 429)
            return len(asked_by) >= 3

        until(asked_three_times)
        assert asked_by.count(threading.current_thread().name) == 1
        assert set(asked_by) == {threading.current_thread().name, "ask for Redis again"}
        assert 429 in statuses(client, ADMIN, 41)
        redis.thaw()
        until(lambda: counted_in(redis, client))


@pytest.mark.server
@pytest.mark.parametrize("trouble", ["replicaof 127.0.0.1 1", "config set maxmemory 1"])
def test_a_redis_that_takes_nothing_hurts_no_request(app_with: AppWith, trouble: str) -> None:
    with RedisForTests.running() as redis:
        redis.command(trouble)
        client = app_with(**on(redis)).test_client()
        assert statuses(client, ADMIN, 6) == [200] * 5 + [429]


@pytest.mark.server
def test_a_redis_that_was_killed_counts_again_when_it_is_back(app_with: AppWith) -> None:
    with RedisForTests.running() as redis:
        client = app_with(**on(redis, max_key_requests=1000)).test_client()
        assert statuses(client, ADMIN, 2) == [200] * 2
        redis.kill()
        assert statuses(client, ADMIN, 2) == [200] * 2
        redis.start()
        until(lambda: counted_in(redis, client))


def counted_in(redis: RedisForTests, client: FlaskClient) -> bool:
    redis.flush()
    client.get("/v1/jobs", headers=ADMIN)
    return redis.has_keys("gradyard:limits:LIMITER/*")
