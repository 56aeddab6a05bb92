"""Files from Python: sent in as a path, as bytes or as an open file, listed, fetched, deleted."""

from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from gradyard import Client, File, RefusedByService
from tests.client.service_for_tests import Asked, FakeService, Said, problem

ID = "3f0c" + "7" * 60
FILE: dict[str, Any] = {
    "id": ID, "name": "cars.csv", "bytes": 9, "format": "csv", "rows": 2, "jobs": 1, "uploaded_by": "api",
    "columns": [{"name": "speed", "type": "number", "is_numeric": True, "missing": 0}], "preview": [[1.0]],
    "uploaded_at": "2026-11-29T03:00:00Z",
}  # fmt: skip


def respond(asked: Asked) -> Said:
    if asked.path.endswith("/content"):
        return Said(200, b"x,y\n1,2\n")
    if asked.method == "DELETE":
        return problem(409, "no", "1 job is trained on the file") if "used" in asked.path else Said(204, b"")
    if asked.method == "GET" and asked.path == "/v1/files":
        return Said(200, {"files": [FILE], "next_cursor": None})
    return Said(201 if asked.method == "POST" else 200, FILE)


@pytest.mark.parametrize("kind", ["path", "text", "bytes", "file"])
def test_a_file_is_sent_in_as_it_is(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "cars.csv"
    path.write_bytes(b"x,y\n1,2\n")
    given: Any = {"path": path, "text": str(path), "bytes": b"x,y\n1,2\n", "file": BytesIO(b"x,y\n1,2\n")}[kind]
    with FakeService(respond).running() as service, Client(service.url) as client:
        file = client.upload(given)
    assert file == File.model_validate(FILE)
    (asked,) = service.asked
    assert (asked.method, asked.path, asked.body) == ("POST", "/v1/files", b"x,y\n1,2\n")
    assert asked.params == ({"name": "cars.csv"} if kind in ("path", "text") else {})


def test_a_file_names_the_data_of_a_job() -> None:
    dataset = File.model_validate(FILE).dataset(x="speed", y="dist")
    assert dataset == {"kind": "file", "file": ID, "x": "speed", "y": "dist"}


def test_a_file_that_is_not_there_is_told_before_anything_is_sent(tmp_path: Path) -> None:
    with FakeService(respond).running() as service, Client(service.url) as client, pytest.raises(FileNotFoundError):
        client.upload(tmp_path / "none.csv")
    assert service.asked == []


def test_files_are_listed_fetched_and_deleted_by_object_or_id() -> None:
    with FakeService(respond).running() as service, Client(service.url) as client:
        (file,) = client.files(limit=5)
        assert client.files.get(ID[:8]) == file
        assert client.files.content(file) == b"x,y\n1,2\n"
        client.files.delete(file)
        with pytest.raises(RefusedByService, match="1 job is trained on the file"):
            client.delete_file("used")
    assert [(each.method, each.path) for each in service.asked] == [
        ("GET", "/v1/files"), ("GET", f"/v1/files/{ID[:8]}"), ("GET", f"/v1/files/{ID}/content"),
        ("DELETE", f"/v1/files/{ID}"), ("DELETE", "/v1/files/used"),
    ]  # fmt: skip
