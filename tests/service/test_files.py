"""Files over HTTP: sent in, listed, shown, fetched, trained on, deleted."""

import hashlib
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from flask.testing import FlaskClient
from pyarrow import parquet

from gradyard.jobs.settings import Settings
from gradyard.store.database import Database
from gradyard.store.files.rows import IN_SQL_BYTES
from tests.actors import claimed, clock_moves, succeeds, worker_of
from tests.service.conftest import AppWith
from tests.service.test_operators_and_members import ADMIN, KeyOf, app, audit_of, key_of

__all__ = ["app", "key_of"]  # the fixtures

CARS = b"speed,dist,maker\n4,2,a\n7,4,b\n8,16,a\n9,10,c\n"
CARS_ID = hashlib.sha256(CARS).hexdigest()
Key = dict[str, str]


def upload(client: FlaskClient, content: bytes = CARS, query: str = "", headers: Key = ADMIN) -> Any:
    sent = {"Content-Type": "application/octet-stream", **headers}
    return client.post(f"/v1/files{query}", data=content, headers=sent)


def submit(client: FlaskClient, headers: Key = ADMIN, stage: str = "nn", **dataset: Any) -> Any:
    spec = {
        "stage": stage,
        "steps": 4,
        "dataset": {"kind": "file", "file": CARS_ID, "x": "speed", "y": "dist"} | dataset,
    }
    return client.post("/v1/jobs", json=spec, headers=headers)


def read(client: FlaskClient, path: str, **query: Any) -> Any:
    return client.get(path, headers=ADMIN, **query).json


def array(points: int) -> bytes:
    """An NPY of two columns."""
    file = BytesIO()
    np.save(file, np.stack([np.linspace(-1, 1, points), np.linspace(2, 3, points)], axis=1))
    return file.getvalue()


def test_a_file_is_known_by_its_content_and_shows_its_columns(client: FlaskClient) -> None:
    answer = upload(client, query="?name=cars.csv")
    assert answer.status_code == 201
    assert answer.headers["Location"].endswith(f"/v1/files/{CARS_ID}")
    file = answer.json
    assert (file["id"], file["name"], file["bytes"], file["format"]) == (CARS_ID, "cars.csv", len(CARS), "csv")
    assert (file["rows"], file["jobs"]) == (4, 0)
    assert [(each["name"], each["is_numeric"]) for each in file["columns"]] == [
        ("speed", True), ("dist", True), ("maker", False)
    ]  # fmt: skip
    assert file["preview"][0] == [4.0, 2.0, "a"]
    assert read(client, f"/v1/files/{CARS_ID[:8]}") == file


def test_the_same_bytes_are_one_file(client: FlaskClient, database: Database) -> None:
    first = upload(client, query="?name=cars.csv").json
    clock_moves(database)
    again = upload(client, query="?name=other.csv")
    assert again.status_code == 200
    assert again.json["name"] == "cars.csv"
    assert again.json["uploaded_at"] > first["uploaded_at"]
    assert len(read(client, "/v1/files")["files"]) == 1


def test_files_are_listed_the_last_uploaded_first_page_by_page(client: FlaskClient, database: Database) -> None:
    ids = []
    for number in (0, 1, 2, 0):
        ids.append(upload(client, b"a,b\n1,%d\n" % number).json["id"])
        clock_moves(database)
    first = read(client, "/v1/files?limit=2")
    assert [each["id"] for each in first["files"]] == [ids[0], ids[2]]
    second = read(client, f"/v1/files?limit=2&cursor={first['next_cursor']}")
    assert [each["id"] for each in second["files"]] == [ids[1]]
    assert second["next_cursor"] is None
    wrong = read(client, "/v1/files?cursor=abc")
    assert wrong["status"] == 422
    assert wrong["errors"][0]["pointer"] == "/cursor"


def test_a_file_is_fetched_as_it_was_sent(client: FlaskClient) -> None:
    upload(client, query="?name=c%C3%A4rs%22.csv")
    fetched = client.get(f"/v1/files/{CARS_ID}/content", headers=ADMIN)
    assert fetched.data == CARS
    assert fetched.headers["Content-Disposition"] == "attachment; filename*=UTF-8''c%C3%A4rs%22.csv"
    assert fetched.headers["X-Content-Type-Options"] == "nosniff"
    tag = fetched.headers["ETag"]
    assert client.get(f"/v1/files/{CARS_ID}/content", headers=ADMIN | {"If-None-Match": tag}).status_code == 304


def test_a_job_is_trained_on_two_columns(client: FlaskClient) -> None:
    upload(client)
    answer = submit(client)
    assert answer.status_code == 202
    assert answer.json["spec"]["dataset"] == {
        "kind": "file", "file": CARS_ID, "x": "speed", "y": "dist", "points": 4
    }  # fmt: skip
    assert read(client, f"/v1/files/{CARS_ID}")["jobs"] == 1
    inline = {"kind": "inline", "x": [4, 7, 8, 9], "y": [2, 4, 16, 10]}
    same: Any = client.post("/v1/jobs", json={"stage": "nn", "steps": 4, "dataset": inline}, headers=ADMIN).json
    assert answer.json["resolved"] == same["resolved"]
    assert answer.json["warnings"] == same["warnings"]
    found = read(client, "/v1/jobs", query_string={"where": f'dataset.file == "{CARS_ID}"'})["jobs"]
    assert [each["id"] for each in found] == [answer.json["id"]]


def written(form: str) -> bytes:
    """CARS without its makers, in another form."""
    columns = {"speed": np.array([4.0, 7, 8, 9]), "dist": np.array([2.0, 4, 16, 10])}
    file = BytesIO()
    if form == "npz":
        np.savez_compressed(file, **columns)  # type: ignore[arg-type]
    else:
        parquet.write_table(pa.table(columns), file)
    return file.getvalue()


@pytest.mark.parametrize("form", ["npz", "parquet"])
def test_the_form_of_a_file_changes_nothing_of_a_job(client: FlaskClient, form: str) -> None:
    upload(client)
    other: Any = upload(client, written(form)).json
    assert (other["format"], other["rows"]) == (form, 4)
    jobs = [submit(client, file=each).json for each in (CARS_ID, other["id"])]
    assert jobs[0]["resolved"] == jobs[1]["resolved"]


@pytest.mark.parametrize(
    ("dataset", "pointer", "said"),
    [
        ({"file": "0" * 64}, "/dataset/file", "is no file of this project"),
        ({"file": "cars.csv"}, "/dataset/file", ""),
        ({"x": "sped"}, "/dataset/x", 'did you mean "speed"?'),
        ({"y": "maker"}, "/dataset/y", "maker is a column of text, not of numbers"),
        ({"points": 5}, "/dataset/points", "the file has 4 rows"),
        ({"z": "speed"}, "/dataset/z", ""),
    ],
)
def test_what_is_wrong_with_a_data_set_is_told_where_it_is(
    client: FlaskClient, dataset: dict[str, Any], pointer: str, said: str
) -> None:
    upload(client)
    answer = submit(client, **dataset)
    assert answer.status_code == 422
    assert [each["pointer"] for each in answer.json["errors"]] == [pointer]
    assert said in answer.json["errors"][0]["message"]


def test_missing_values_are_told_where_a_job_names_their_column(client: FlaskClient) -> None:
    gaps = b"x,y\n1,2\n2,\n3,NaN\n"
    upload(client, gaps)
    answer = submit(client, file=hashlib.sha256(gaps).hexdigest(), x="x", y="y")
    (problem,) = answer.json["errors"]
    assert problem["pointer"] == "/dataset/y"
    assert "2 values of 3 missing or not finite" in problem["message"]


def test_bytes_that_are_no_table_are_kept_and_cannot_be_trained_on(client: FlaskClient) -> None:
    other = b"\x00\x01\x02"
    assert upload(client, other).json["format"] == "bytes"
    answer = submit(client, file=hashlib.sha256(other).hexdigest())
    assert [each["pointer"] for each in answer.json["errors"]] == ["/dataset/file"]


def test_a_broken_table_and_an_empty_body_are_refused(client: FlaskClient) -> None:
    broken = upload(client, array(10)[:-8])
    assert (broken.status_code, broken.json["type"]) == (422, "file_invalid")
    empty = upload(client, b"")
    assert empty.status_code == 400
    assert read(client, "/v1/files")["files"] == []


def test_a_sweep_over_a_file_is_one_pack(client: FlaskClient, database: Database) -> None:
    upload(client)
    dataset = {"kind": "file", "file": CARS_ID, "x": "speed", "y": "dist"}
    sweep = {"spec": {"stage": "nn", "steps": 4, "dataset": dataset}, "grid": {"seed": {"stop": 6}}}
    assert client.post("/v1/batches", json=sweep, headers=ADMIN).status_code == 202
    assert read(client, f"/v1/files/{CARS_ID}")["jobs"] == 6
    assert len(claimed(database, worker_of(database)).members) == 6


def test_a_file_that_a_job_needs_stays_until_the_job_is_deleted(client: FlaskClient, database: Database) -> None:
    upload(client, query="?name=cars.csv")
    job = submit(client).json["id"]
    refused: Any = client.delete(f"/v1/files/{CARS_ID}", headers=ADMIN).json
    assert refused["status"] == 409
    assert "1 job is trained on the file" in refused["detail"]
    succeeds(database, claimed(database, worker_of(database)))
    assert client.delete(f"/v1/files/{CARS_ID}", headers=ADMIN).status_code == 409
    assert client.delete(f"/v1/jobs/{job}", headers=ADMIN).status_code == 204
    assert client.delete(f"/v1/files/{CARS_ID}", headers=ADMIN).status_code == 204
    assert client.get(f"/v1/files/{CARS_ID}", headers=ADMIN).status_code == 404
    assert audit_of(client)[-1] == ("file_deleted", "api", CARS_ID)


def test_files_belong_to_a_project(client: FlaskClient, key_of: KeyOf) -> None:
    ada = key_of("ada", "physics", "jobs:read", "jobs:write", "files:write")
    upload(client)
    assert client.get(f"/v1/files/{CARS_ID}", headers=ada).status_code == 404
    assert client.get(f"/v1/files/{CARS_ID}/content", headers=ada).status_code == 404
    assert client.delete(f"/v1/files/{CARS_ID}", headers=ada).status_code == 404
    assert client.get(f"/submit?file={CARS_ID}", headers=ada).status_code == 404
    assert submit(client, ada).status_code == 422
    assert upload(client, headers=ada).status_code == 201
    assert submit(client, ada).status_code == 202


def test_to_send_in_takes_a_scope(client: FlaskClient, key_of: KeyOf) -> None:
    reader = key_of("ada", "physics", "jobs:read", "jobs:write")
    assert upload(client, headers=reader).status_code == 403
    assert client.get("/v1/files", headers=reader).status_code == 200


def test_a_file_over_the_limit_is_refused(app_with: AppWith) -> None:
    client = app_with(max_file_bytes=20).test_client()
    assert upload(client, headers={}).status_code == 413


def test_a_service_without_a_place_for_larger_files_says_so(client: FlaskClient) -> None:
    large = array(IN_SQL_BYTES // 16)
    answer = upload(client, large)
    assert answer.status_code == 413
    assert "GRADYARD_FILES_URL" in answer.json["detail"]


@pytest.fixture
def larger(app_with: AppWith, tmp_path: Path) -> FlaskClient:
    """A client of a service that keeps larger files in a folder."""
    (tmp_path / "files").mkdir()
    return app_with(files_url=str(tmp_path / "files")).test_client()


def kept(folder: Path) -> list[Path]:
    return [each for each in (folder / "files").rglob("*") if each.is_file() and len(each.name) > 64]


def test_a_larger_file_is_kept_beside_the_database(larger: FlaskClient, tmp_path: Path) -> None:
    large = array(IN_SQL_BYTES // 16)
    file = upload(larger, large, headers={}).json
    assert (file["rows"], [each["name"] for each in file["columns"]]) == (IN_SQL_BYTES // 16, ["0", "1"])
    assert [each.read_bytes() for each in kept(tmp_path)] == [large]
    assert upload(larger, large, headers={}).status_code == 200
    assert len(kept(tmp_path)) == 1
    assert larger.get(f"/v1/files/{file['id']}/content").data == large
    assert submit(larger, {}, file=file["id"], x="0", y="1").status_code == 202


def test_a_deleted_file_leaves_nothing(larger: FlaskClient, tmp_path: Path) -> None:
    file = upload(larger, array(IN_SQL_BYTES // 16), headers={}).json
    assert larger.delete(f"/v1/files/{file['id']}").status_code == 204
    assert kept(tmp_path) == []


def test_content_that_is_no_longer_what_it_was_is_never_sent_and_is_healed_by_the_same_upload(
    larger: FlaskClient, tmp_path: Path
) -> None:
    large = array(IN_SQL_BYTES // 16 + 1)  # of which this process has read no column yet
    file = upload(larger, large, headers={}).json
    for altered in (large[:-1] + b"x", None):
        place = next(each for each in kept(tmp_path) if each.read_bytes() == large)
        place.unlink()
        if altered is not None:
            place.write_bytes(altered)
        changed: Any = larger.get(f"/v1/files/{file['id']}/content").json
        assert (changed["status"], changed["type"]) == (409, "content_missing")
        refused = submit(larger, {}, file=file["id"], x="0", y="1", points=0)
        assert refused.json["errors"][0]["pointer"] == "/dataset/file"
        assert "upload it once more" in refused.json["errors"][0]["message"]
        assert upload(larger, large, headers={}).status_code == 200
        assert larger.get(f"/v1/files/{file['id']}/content").data == large


def test_a_project_over_its_limit_takes_no_more_files(app_with: AppWith) -> None:
    client = app_with(max_stored_bytes=len(CARS) + 10).test_client()
    assert upload(client, headers={}).status_code == 201
    refused = upload(client, b"a,b\n1,2\n3,4\n5,6\n", headers={})
    assert (refused.status_code, refused.json["type"]) == (403, "storage_quota_exceeded")
    assert upload(client, headers={}).status_code == 200, "it stores nothing new"


def test_storage_tells_of_files(client: FlaskClient, settings: Settings) -> None:
    upload(client)
    (project,) = read(client, "/v1/storage")["projects"]
    files = [(each["bytes"], each["rows"]) for each in project["kinds"] if each["kind"] == "files"]
    assert files == [(len(CARS), 1)]
    assert project["bytes"] >= len(CARS)
