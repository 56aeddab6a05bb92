"""What all streams have: a key, a place, a database that may be away, others that read the same, an end."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest
from flask.testing import FlaskClient
from pydantic import SecretStr
from sqlalchemy import event

from gradyard.jobs.errors import DatabaseUnavailable
from gradyard.jobs.settings import Settings
from gradyard.shapes.live import MessageName
from gradyard.store.database import Database
from service.http.errors import TooManyStreams
from service.live import answers
from service.live.messages import Message
from service.live.read_once import ReadOnce
from service.live.stream_places import StreamPlaces
from service.live.subjects import KeySubject
from service.live.tellers.teller import Teller
from tests.actors import claimed, submitted, succeeds, worker_of
from tests.service.conftest import AppWith
from tests.service.live.test_events_of_a_job import path_of, recorded
from tests.service.live.told import STREAM, all_of, messages, next_of, stream
from tests.stack.until import until

ADMIN = {"Authorization": "Bearer s3cret-canary-key"}


def test_a_stream_ends_within_seconds_of_its_key(app_with: AppWith) -> None:
    client = app_with(admin_key=SecretStr("s3cret-canary-key")).test_client()
    made: Any = client.post("/v1/keys", json={"name": "ada", "project": "physics"}, headers=ADMIN).json
    key = {"Authorization": f"Bearer {made['key']}"}
    job: Any = client.post("/v1/jobs", json={"stage": "tensor"}, headers=key).json
    with stream(client, f"/v1/jobs/{job['id']}/events", **key) as told:
        assert next(told).name == "move"
        assert client.delete(f"/v1/keys/{made['id']}", headers=ADMIN).status_code == 204
        problem = next_of(told, "problem").data
        assert list(told) == []
    assert (problem["status"], problem["type"]) == (401, "unauthorized")
    assert "revoked" in problem["detail"]


def test_a_key_that_has_ended_reads_no_more_of_what_is_behind(
    app_with: AppWith, database: Database, settings: Settings
) -> None:
    client = app_with(admin_key=SecretStr("s3cret-canary-key")).test_client()
    made: Any = client.post("/v1/keys", json={"name": "ada"}, headers=ADMIN).json
    job = submitted(database, settings, steps=50_000)
    recorded(database, claimed(database, worker_of(database)).members[0], [1.0] * 50_000)
    path = path_of(job) + "?points=all"
    with stream(client, path, Authorization=f"Bearer {made['key']}") as told:
        next_of(told, "curve")
        assert client.delete(f"/v1/keys/{made['id']}", headers=ADMIN).status_code == 204
        subjects = client.application.extensions["gradyard"].streams._subjects
        (key,) = (each for (kind, _), each in subjects.items() if kind is KeySubject)
        until(lambda: key.is_known and key.head is None)
        assert [each.name for each in told] == ["problem"]


def test_a_process_that_ends_does_not_first_tell_all_that_is_behind(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    job = submitted(database, settings, steps=50_000)
    recorded(database, claimed(database, worker_of(database)).members[0], [1.0] * 50_000)
    with stream(client, path_of(job) + "?points=all") as told:
        next_of(told, "curve")
        client.application.extensions["gradyard"].streams.close()
        assert list(told) == []


def test_no_project_takes_all_places_and_what_ends_frees_its_own(
    app_with: AppWith, database: Database, settings: Settings
) -> None:
    client, job = app_with(max_streams=4).test_client(), submitted(database, settings)
    with stream(client, path_of(job)), stream(client, "/v1/events"):
        assert "gradyard_streams_open 2.0" in client.get("/metrics").get_data(as_text=True)
        refused: Any = client.get(path_of(job), headers=STREAM)
        assert (refused.status_code, refused.json["type"]) == (503, "too_many_streams")
        assert "2 streams of this project" in refused.json["detail"]
        assert "Retry-After" in refused.headers
    with stream(client, path_of(job)) as told:
        assert next(told).name == "move"
    with client.head(path_of(job), headers=STREAM) as head:
        assert head.status_code == 200
    places = client.application.extensions["gradyard"].stream_places
    assert places.taken() == 0


def test_the_streams_of_a_project_are_about_so_many_jobs_at_most() -> None:
    places = StreamPlaces(4)
    places.take(1, 64)
    with pytest.raises(TooManyStreams, match="no more than 80 jobs and batches in streams of this project"):
        places.take(1, 17)
    places.take(1, 16)
    places.take(2, 80)
    assert places.taken() == 3
    places.give_back(1, 64)
    places.take(1, 64)


def test_a_stream_that_waits_holds_no_connection_of_the_database(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    job = submitted(database, settings)
    pool: Any = client.application.extensions["gradyard"].database.engine.pool
    with stream(client, path_of(job)) as told:
        next_of(told, "progress")
        until(lambda: pool.checkedout() == 0)


def test_what_many_streams_tell_at_once_is_read_once(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    job = submitted(database, settings)
    open_ones = [stream(client, path_of(job)) for _ in range(20)]
    told = [each.__enter__() for each in open_ones]
    try:
        for each in told:
            next_of(each, "progress")
        claim = claimed(database, worker_of(database))
        for each in told:
            next_of(each, "progress")
        reads = list[str]()
        engine = client.application.extensions["gradyard"].database.engine
        event.listen(engine, "before_cursor_execute", lambda *about: reads.append(about[2]))
        recorded(database, claim.members[0], [4.0, 3.0])
        assert {tuple(next_of(each, "curve").data["losses"]) for each in told} == {(4, 3)}
        assert sum("FROM loss_chunks" in each and "losses" in each for each in reads) == 1
    finally:
        for one in open_ones:
            one.__exit__(None, None, None)


def test_a_stream_outlives_a_database_that_is_away(
    client: FlaskClient, database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = submitted(database, settings)
    claim = claimed(database, worker_of(database))
    with stream(client, path_of(job)) as told:
        next_of(told, "progress")
        away = Event()
        read = Teller.tell

        def tell(*about: Any) -> Any:
            if not away.is_set():
                away.set()
                raise DatabaseUnavailable("away")
            return read(*about)

        monkeypatch.setattr(Teller, "tell", tell)
        recorded(database, claim.members[0], [4.0])
        assert next_of(told, "curve").data["losses"] == [4]
        assert away.is_set()


def test_a_process_that_ends_ends_its_streams_and_another_goes_on(
    app_with: AppWith, database: Database, settings: Settings
) -> None:
    job = submitted(database, settings)
    claim = claimed(database, worker_of(database))
    first, second = app_with().test_client(), app_with().test_client()
    with stream(first, path_of(job)) as told:
        before = next_of(told, "move")
        first.application.extensions["gradyard"].streams.close()
        assert {each.name for each in told} <= {"move", "progress"}
    succeeds(database, claim)
    after = all_of(second, path_of(job), before.id)
    assert [each.data.get("kind") for each in after if each.name == "move"] == ["claimed", "succeeded"]
    assert after[-1].name == "ended"


def test_a_comment_comes_while_nothing_happens(
    client: FlaskClient, database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "COMMENT_SECONDS", 0.2)
    monkeypatch.setattr(answers, "LOOK_SECONDS", 0.1)
    response = client.get(path_of(submitted(database, settings)), headers=STREAM, buffered=False)
    blocks = response.iter_encoded()
    assert next(blocks) == b"retry: 1000\n\n"
    assert any(block == b":\n\n" for block in blocks)
    response.close()


def test_a_stream_whose_client_has_left_ends(
    client: FlaskClient, database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "LOOK_SECONDS", 0.1)
    left = Event()
    response = client.get(
        path_of(submitted(database, settings)), headers=STREAM, buffered=False,
        environ_overrides={"waitress.client_disconnected": left.is_set},
    )  # fmt: skip
    told = messages(response.iter_encoded())
    next_of(told, "progress")
    left.set()
    assert list(told) == []
    response.close()
    assert client.application.extensions["gradyard"].stream_places.taken() == 0


def test_those_who_wait_for_a_reading_share_its_error() -> None:
    read_once, asked, answers_now = ReadOnce(), list[int](), Event()

    def read() -> list[Message]:
        asked.append(1)
        assert answers_now.wait(60)
        raise DatabaseUnavailable("away")

    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(read_once.messages, 0, read)
        until(lambda: bool(asked))
        rest = [pool.submit(read_once.messages, 0, read) for _ in range(3)]
        until(lambda: all(each.running() for each in rest))
        wait: Any = read_once._under_way[0]._condition  # of a Future
        until(lambda: len(wait._waiters) == 3)
        answers_now.set()
        assert all(isinstance(each.exception(), DatabaseUnavailable) for each in (first, *rest))
    assert len(asked) == 1


def test_what_was_read_is_kept_up_to_a_size_and_read_again_after_an_error() -> None:
    read_once, asked = ReadOnce(), list[int]()

    def read(number: int) -> list[Message]:
        asked.append(number)
        if len(asked) == 1:
            raise DatabaseUnavailable("away")
        return [Message(MessageName.PROGRESS, b"x" * 2**20)]

    with pytest.raises(DatabaseUnavailable):
        read_once.messages(0, lambda: read(0))
    for number in range(10):
        read_once.messages(number, lambda number=number: read(number))  # type: ignore[misc]
    read_once.messages(9, lambda: read(9))
    assert asked == [0, *range(10)]
    read_once.messages(0, lambda: read(0))
    assert asked[-1] == 0
