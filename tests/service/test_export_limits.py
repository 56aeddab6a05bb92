"""What an answer that is streamed takes: memory, places, threads; and what it needs of the connection."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pytest
from flask.testing import FlaskClient
from sqlalchemy import event

from gradyard.jobs.exports import Form
from gradyard.jobs.settings import Settings
from gradyard.store.database import Database
from service.exports import loss_lines
from service.http.errors import TooManyExports
from service.places import Places
from tests.actors import submitted
from tests.service.conftest import AppWith
from tests.service.gunicorn_process import HOST, GunicornProcess
from tests.service.test_best import ended
from tests.service.test_exports import exported, rows_of

CSV = {"Accept": "text/csv"}
LARGE_TAGS = {f"{number:064}": "☃" * 256 for number in range(32)}  # 27 KB

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def test_a_block_of_long_lines_is_no_larger_than_others() -> None:
    begin, losses = b"x" * 60_000, np.arange(1000, dtype=np.float32)
    blocks = list(loss_lines.loss_lines(losses, begin, b",", b"\n"))
    assert max(map(len, blocks)) < 1.1 * loss_lines.BLOCK_BYTES
    assert [line.removeprefix(begin) for line in b"".join(blocks).splitlines()] == [
        b"%d,%.1f" % (step, step) for step in range(1000)
    ]
    assert len(list(loss_lines.loss_lines(losses, b"x" * 2**21, b",", b"\n"))) == 1000
    assert len(list(loss_lines.loss_lines(losses, b"x" * 40, b",", b"\n"))) == 1


@on_sqlite
def test_tables_of_arrow_hold_so_much_text_however_large_the_tags_are(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    losses = list(map(float, range(1000)))
    ended(database, settings, losses, tags=LARGE_TAGS)
    ended(database, settings, losses)
    batches = list(pa.ipc.open_stream(exported(client, form=Form.ARROW, curves="long")))
    assert max(batch.nbytes for batch in batches) < 2 * 2**23
    assert [loss for batch in batches for loss in batch.column("loss").to_pylist()] == losses * 2
    [large, small] = {batch.column("tags")[-1].as_py(): None for batch in batches}
    assert (orjson.loads(large), orjson.loads(small)) == (LARGE_TAGS, {})


@on_sqlite
def test_a_batch_is_exported_without_reading_specs(client: FlaskClient, database: Database) -> None:
    batch = client.post("/v1/batches", json={"jobs": [{"stage": "tensor"}]}).json["id"]  # type: ignore[index]
    statements = list[str]()
    engine = client.application.extensions["gradyard"].database.engine
    event.listen(engine, "before_cursor_execute", lambda *about: statements.append(about[2]))
    [row] = rows_of(exported(client, f"/v1/batches/{batch}/export"), Form.NDJSON)
    assert row["state"] == "queued"
    assert "spec" not in row
    columns = {word.strip(",") for statement in statements for word in statement.split()}
    assert "jobs.resolved" in columns  # it has the attainable loss
    assert not {"jobs.spec", "jobs.warnings"} & columns


def test_a_project_has_half_of_the_places() -> None:
    places = Places(5, "exports", TooManyExports)
    for _ in range(2):
        places.take(1)
    with pytest.raises(TooManyExports, match="2 exports of this project"):
        places.take(1)
    places.take(2)
    places.take(2)
    places.take(3)
    with pytest.raises(TooManyExports, match="5 exports"):
        places.take(4)
    places.give_back(1)
    places.take(1)
    Places(1, "exports", TooManyExports).take(1)


@on_sqlite
@pytest.mark.parametrize("path", ["/v1/losses?job={}", "/v1/metrics/accuracy?job={}"])
def test_whole_curves_of_many_as_csv_have_a_place_among_the_exports(
    app_with: AppWith, database: Database, settings: Settings, path: str
) -> None:
    client, job = app_with(max_exports=1).test_client(), submitted(database, settings)
    path = path.format(job)
    with client.get(path, headers=CSV, buffered=False):
        refused: Any = client.get(path, headers=CSV)
        assert (refused.status_code, refused.json["type"]) == (503, "too_many_exports")
        assert client.get(f"{path}&points=100", headers=CSV).status_code == 200  # it has an end that is near
        assert client.get(path).status_code == 200
    assert client.get(path, headers=CSV).status_code == 200


@on_sqlite
@pytest.mark.parametrize("query", ["", "&points=100"])
def test_a_client_that_takes_curves_slowly_lends_its_thread(
    client: FlaskClient, database: Database, settings: Settings, query: str
) -> None:
    lent = list[bool]()

    @contextmanager
    def lend() -> Iterator[None]:
        lent.append(True)
        yield
        lent.pop()

    client.application.extensions["gradyard"].waiting_room.lend = lend
    job = ended(database, settings, [2.0, 1.0])
    parts: Any = iter(client.get(f"/v1/losses?job={job}{query}", headers=CSV, buffered=False).response)
    assert next(parts) == f"job,step,loss\n{job},0,2.0\n{job},1,1.0\n".encode()
    assert lent == [True]
    assert list(parts) == lent == []


@on_sqlite
@pytest.mark.parametrize("path", ["/v1/jobs/export", "/v1/losses?job={}", "/v1/losses?job={}&points=9"])
def test_an_answer_whose_end_could_not_be_told_is_refused(
    client: FlaskClient, database: Database, settings: Settings, path: str
) -> None:
    asked: Any = {"headers": CSV, "environ_overrides": {"SERVER_PROTOCOL": "HTTP/1.0"}}
    refused: Any = client.get(path.format(submitted(database, settings)), **asked)
    assert (refused.status_code, refused.json["type"]) == (505, "http_version_not_supported")
    assert "proxy_http_version 1.1" in refused.json["detail"]
    assert client.get("/v1/jobs", **asked).status_code == 200


def test_each_server_says_by_which_version_it_was_asked(gunicorn: GunicornProcess) -> None:
    for version, status in ((b"1.0", 505), (b"1.1", 200)):
        asked = b"GET /v1/jobs/export HTTP/" + version + b"\r\n" + HOST + b"Connection: close\r\n\r\n"
        assert gunicorn.asked(asked).status == status
