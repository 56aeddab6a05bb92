"""Exports of what a question asks for and of batches, in every form."""

import csv
import io
from base64 import b64decode
from dataclasses import replace
from typing import Any
from uuid import UUID

import duckdb
import numpy as np
import orjson
import polars
import pyarrow as pa
import pytest
from flask.testing import FlaskClient
from pyarrow import parquet

from gradyard.jobs.exports import COLUMNS, CONTENT_TYPES, Form
from gradyard.jobs.settings import Settings
from gradyard.store import lifecycle
from gradyard.store.database import Database
from gradyard.store.lifecycle import Outcome
from service.exports import arrow, loss_lines, slices
from tests.actors import claimed, fails, progress_of, submitted, submitted_to, succeeds, worker_of
from tests.service.conftest import AppWith

SWEEP = {
    "spec": {"stage": "optim", "steps": 4, "tags": {"course": "w3"}, "optimizer": {"name": "sgd"}},
    "grid": {"learning_rate": [0.1, 0.2], "optimizer.momentum": [0.5, 0.9]},
}
WANTED = 'stage == "optim"'
PARAMETERS = ("learning_rate", "optimizer.name", "optimizer.momentum", "batch", "tags")

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def batch(client: FlaskClient, database: Database, settings: Settings) -> str:
    """A sweep of four jobs, two of which have ended, beside a job of another stage."""
    submitted(database, settings, stage="numpy", dtype="float64", name="apart")
    made: Any = client.post("/v1/batches", json=SWEEP).json
    with database.begin() as connection:
        connection.exec_driver_sql("UPDATE jobs SET precedence = 1 WHERE stage = 'optim'")
    succeeds(database, claimed(database, replace(worker_of(database), most_members=2)), [4.0, 3.0, 2.0, 0.1])
    return str(made["id"])


def exported(client: FlaskClient, path: str = "/v1/jobs/export", form: Form = Form.NDJSON, **query: Any) -> bytes:
    answer = client.get(path, query_string=query, headers={"Accept": form.content_type})
    assert (answer.status_code, answer.mimetype) == (200, form.content_type), answer.text
    return answer.data


def rows_of(data: bytes, form: Form) -> list[dict[str, Any]]:
    """The rows of an export, whatever its form."""
    match form:
        case Form.NDJSON:
            return [orjson.loads(line) for line in data.splitlines()]
        case Form.CSV:
            return list(csv.DictReader(io.StringIO(data.decode())))
        case Form.PARQUET:
            rows: list[dict[str, Any]] = parquet.read_table(io.BytesIO(data)).to_pylist()
            return rows
        case Form.ARROW:
            streamed: list[dict[str, Any]] = pa.ipc.open_stream(data).read_all().to_pylist()
            return streamed


@pytest.mark.parametrize("form", list(Form))
def test_every_row_of_every_form_has_the_batch_the_tags_and_the_parameters(
    client: FlaskClient, batch: str, form: Form
) -> None:
    rows = rows_of(exported(client, form=form, where=WANTED), form)
    assert list(rows[0])[: len(COLUMNS)] == list(COLUMNS)
    assert [(float(row["learning_rate"]), float(row["optimizer.momentum"])) for row in rows] == [
        (0.1, 0.5), (0.1, 0.9), (0.2, 0.5), (0.2, 0.9),
    ]  # fmt: skip
    assert {(row["batch"], row["optimizer.name"]) for row in rows} == {(batch, "sgd")}
    tags = [row["tags"] if form is Form.NDJSON else orjson.loads(row["tags"]) for row in rows]
    assert tags == [{"course": "w3"}] * 4
    assert [row["state"] for row in rows] == ["succeeded", "succeeded", "queued", "queued"]
    assert [float(row["loss_min"] or 9) for row in rows] == pytest.approx([0.1, 0.1, 9, 9])
    assert [row["id"] for row in rows] == sorted(row["id"] for row in rows)


@pytest.mark.parametrize("form", list(Form))
def test_an_export_of_a_batch_is_that_of_a_question_about_it(client: FlaskClient, batch: str, form: Form) -> None:
    of_batch = rows_of(exported(client, f"/v1/batches/{batch}/export", form, curves="list"), form)
    assert of_batch == rows_of(exported(client, form=form, where=WANTED, curves="list"), form)
    assert of_batch == rows_of(exported(client, form=form, batch=batch[:30], curves="list"), form)
    narrowed = exported(client, f"/v1/batches/{batch}/export", form, where="learning_rate > 0.15", curves="list")
    assert rows_of(narrowed, form) == of_batch[2:]


def losses_in(row: dict[str, Any]) -> list[float]:
    losses = row["losses"]
    return list(orjson.loads(losses) if isinstance(losses, str) else losses)


@pytest.mark.parametrize("form", list(Form))
def test_curves_come_as_lists_or_long_with_every_loss_exactly(client: FlaskClient, batch: str, form: Form) -> None:
    exact = np.array([4.0, 3.0, 2.0, 0.1], dtype=np.float32)
    lists = rows_of(exported(client, form=form, where=WANTED, curves="list"), form)
    assert [np.array(losses_in(row), np.float32).tolist() for row in lists] == [exact.tolist()] * 2 + [[]] * 2
    long = rows_of(exported(client, form=form, where=WANTED, curves="long"), form)
    assert [int(row["step"]) for row in long] == [0, 1, 2, 3] * 2
    assert np.array([float(row["loss"]) for row in long], np.float32).tolist() == exact.tolist() * 2
    assert [row["id"] for row in long] == [row["id"] for row in lists[:2] for _ in range(4)]
    assert all({name: row[name] for name in PARAMETERS} == {name: lists[0][name] for name in PARAMETERS}
               for row in long[:4])  # fmt: skip


def test_losses_are_of_the_dtype_that_was_trained(client: FlaskClient, database: Database, batch: str) -> None:
    arrow_of = {where: pa.ipc.open_stream(exported(client, form=Form.ARROW, where=where, curves="list")).schema
                for where in (WANTED, "seed >= 0")}  # fmt: skip
    assert [str(schema.field("losses").type.value_type) for schema in arrow_of.values()] == ["float", "double"]
    packed = rows_of(exported(client, where=WANTED, curves="list", losses="base64"), Form.NDJSON)
    assert np.frombuffer(b64decode(packed[0]["losses"]), "<f4").tolist()[:3] == [4.0, 3.0, 2.0]
    assert packed[0]["dtype"] == "float32"


@on_sqlite
def test_a_browser_chooses_by_a_parameter_and_gets_a_file(client: FlaskClient, batch: str) -> None:
    answer = client.get("/v1/jobs/export?format=parquet", headers={"Accept": "text/html,*/*;q=0.8"})
    assert answer.mimetype == Form.PARQUET.content_type
    assert answer.headers["Content-Disposition"] == "attachment; filename=jobs.parquet"
    assert len(parquet.read_table(io.BytesIO(answer.data))) == 5
    assert client.get("/v1/jobs/export", headers={"Accept": "text/html,*/*;q=0.8"}).mimetype == "application/x-ndjson"
    refused = client.get("/v1/jobs/export", headers={"Accept": "image/png"})
    assert refused.status_code == 406
    assert all(each in refused.text for each in CONTENT_TYPES.values())


@on_sqlite
def test_other_programs_read_parquet(client: FlaskClient, batch: str, tmp_path: Any) -> None:
    file = tmp_path / "jobs.parquet"
    file.write_bytes(exported(client, form=Form.PARQUET, where=WANTED, curves="list"))
    query = f"""SELECT "optimizer.momentum", tags->>'course', losses[4] FROM '{file}' WHERE loss_min < 9 ORDER BY id"""
    found = duckdb.sql(query)
    assert found is not None
    assert found.fetchall() == [(0.5, "w3", np.float32(0.1)), (0.9, "w3", np.float32(0.1))]
    frame = polars.read_parquet(file)
    assert frame["submitted_at"].dtype == polars.Datetime("us", "UTC")
    assert frame["losses"].list.len().to_list() == [4, 4, 0, 0]


@on_sqlite
def test_an_export_of_no_job_has_its_columns(client: FlaskClient) -> None:
    for form in (Form.PARQUET, Form.ARROW):
        for curves in ("none", "long", "list"):
            data = exported(client, form=form, curves=curves)
            assert rows_of(data, form) == []
    assert exported(client) == b""
    assert exported(client, form=Form.CSV).decode().strip().split(",") == list(COLUMNS)


@on_sqlite
def test_a_question_that_cannot_be_read_is_refused(client: FlaskClient) -> None:
    answer: Any = client.get("/v1/jobs/export?where=los_min<9")
    assert (answer.status_code, answer.json["type"]) == (422, "parameters_invalid")
    assert answer.json["errors"][0]["pointer"] == "/where"
    assert "/curves" in client.get("/v1/jobs/export?curves=all").text
    assert client.get("/v1/jobs/export?batch=00000000-0000-0000-0000-000000000001").status_code == 404


def test_jobs_that_are_named_are_exported_alone(client: FlaskClient, database: Database, settings: Settings) -> None:
    jobs = [submitted(database, settings) for _ in range(3)]
    rows = rows_of(exported(client, job=[str(jobs[2]), jobs[0].hex[:20]]), Form.NDJSON)
    assert [row["id"] for row in rows] == [str(jobs[0]), str(jobs[2])]
    both = exported(client, job=[str(each) for each in jobs], where='name == "none" or first_below(0) is None')
    assert [row["id"] for row in rows_of(both, Form.NDJSON)] == [str(each) for each in jobs]
    assert exported(client, job=str(jobs[0]), where='stage == "dynamic"') == b""
    unknown = client.get(f"/v1/jobs/export?job={UUID(int=5)}")
    assert unknown.status_code == 404
    assert client.get("/v1/jobs/export?" + "&".join(f"job={each}" for each in jobs * 67)).status_code == 422


@on_sqlite
def test_other_projects_are_in_no_export(client: FlaskClient, database: Database, settings: Settings) -> None:
    client.post("/v1/keys", json={"name": "ada", "project": "physics"})
    submitted_to(2, database, settings)
    assert exported(client) == b""


@on_sqlite
def test_no_cell_of_a_table_is_a_formula(client: FlaskClient, database: Database, settings: Settings) -> None:
    for name in ("=1+1", "+1", "-1", "@x", "fine", 'a,"b"\n'):
        submitted(database, settings, name=name, learning_rate=1e-7)
    rows = rows_of(exported(client, form=Form.CSV), Form.CSV)
    assert [row["name"] for row in rows] == ["'=1+1", "'+1", "'-1", "'@x", "fine", 'a,"b"\n']
    assert rows_of(exported(client), Form.NDJSON)[0]["name"] == "=1+1"


def test_metrics_coefficients_and_reasons_are_there(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    submitted(database, settings, name="measured")
    claim = claimed(database, worker_of(database))
    progress = progress_of(claim.members[0], [4.0, 3.0, 2.0, 1.0])
    progress.metrics["accuracy"] = np.array([0.5, 0.9, 0.7, 0.8])
    with database.begin() as connection:
        assert lifecycle.record(connection, progress)
        assert lifecycle.succeed(connection, claim.members[0].held, Outcome({"a": 1.5}, "y = 1.5", {}), actor="w")
        lifecycle.release(connection, claim.id, actor="w")
    submitted(database, settings)
    fails(database, claimed(database, worker_of(database)))
    good, bad = rows_of(exported(client), Form.NDJSON)
    assert (good["metrics"]["accuracy"]["max"], good["coefficients"], good["formula"]) == (0.9, {"a": 1.5}, "y = 1.5")
    assert (bad["reason"], bad["message"], bad["metrics"], bad["coefficients"]) == ("error", "it broke", None, None)


def test_jobs_that_come_later_are_not_in_it_and_each_is_there_once(
    client: FlaskClient, database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slices, "SLICE_JOBS", 2)
    monkeypatch.setattr("service.streamed.BLOCK_BYTES", 1)
    there = [submitted(database, settings) for _ in range(6)]
    parts: Any = iter(client.get("/v1/jobs/export", buffered=False).response)
    first = next(parts)
    succeeds(database, claimed(database, replace(worker_of(database), most_members=3)))
    with database.begin() as connection:
        assert lifecycle.delete_job(connection, 1, there[2])
    submitted(database, settings)
    rows = rows_of(first + b"".join(parts), Form.NDJSON)
    assert [row["id"] for row in rows] == [str(each) for each in there if each != there[2]]
    assert [row["state"] for row in rows] == ["queued"] * 5  # as they were when their parts were read


def test_an_export_holds_no_transaction_while_its_client_reads(
    client: FlaskClient, database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slices, "SLICE_JOBS", 1)
    monkeypatch.setattr("service.streamed.BLOCK_BYTES", 1)
    for _ in range(3):
        submitted(database, settings)
    parts: Any = iter(client.get("/v1/jobs/export", buffered=False).response)
    next(parts)
    services = client.application.extensions["gradyard"]
    assert services.database.engine.pool.checkedout() == 0
    assert len(list(parts)) >= 2


@on_sqlite
def test_only_so_many_exports_are_under_way(app_with: AppWith) -> None:
    client = app_with(max_exports=1).test_client()
    with client.get("/v1/jobs/export", buffered=False):
        refused: Any = client.get("/v1/jobs/export")
        assert (refused.status_code, refused.json["type"]) == (503, "too_many_exports")
        assert refused.headers["Retry-After"]
    assert client.head("/v1/jobs/export", buffered=True).status_code == 200
    assert client.get("/v1/jobs/export?where=x").status_code == 422
    assert client.get("/v1/jobs/export").status_code == 200


@on_sqlite
def test_a_long_curve_is_written_in_pieces(client: FlaskClient, batch: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = {form: exported(client, form=form, where=WANTED, curves="long") for form in Form}
    monkeypatch.setattr(loss_lines, "LINES_AT_ONCE", 3)
    monkeypatch.setattr(arrow, "ROWS_AT_ONCE", 3)
    for form, data in whole.items():
        assert rows_of(exported(client, form=form, where=WANTED, curves="long"), form) == rows_of(data, form)


@on_sqlite
def test_without_pyarrow_the_extra_is_named(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow.parquet", None)
    answer = client.get("/v1/jobs/export?format=parquet")
    assert answer.status_code == 406
    assert "install gradyard[arrow]" in answer.text
    assert client.get("/v1/jobs/export?format=csv").status_code == 200


@on_sqlite
def test_a_parameter_that_is_a_text_in_some_jobs_is_one_in_all(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    submitted(database, settings)
    submitted(database, settings, init={"a": 0.5, "b": 0, "c": 0, "d": 1})
    rows = rows_of(exported(client, form=Form.PARQUET), Form.PARQUET)
    assert [(row["init"], row["init.a"]) for row in rows] == [("default", None), (None, 0.5)]


@on_sqlite
def test_a_question_about_whole_curves_is_asked_slice_by_slice(
    client: FlaskClient, batch: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slices, "SLICE_JOBS", 1)
    for question, found in (("first_below(3.5) == 1", 2), ("first_below(3.5) == 2", 0), ("not first_below(3) < 9", 3)):
        assert len(rows_of(exported(client, where=question), Form.NDJSON)) == found
