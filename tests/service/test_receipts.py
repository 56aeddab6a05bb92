"""A receipt is checked by the script of the docs, which knows nothing of gradyard and finds one flipped bit."""

import io
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update

from gradyard.jobs.settings import Settings
from gradyard.jobs.states import Reason
from gradyard.store import lifecycle
from gradyard.store.database import Database
from gradyard.store.lifecycle import Outcome
from gradyard.store.tables import Job
from tests.actors import claimed, progress_of, submitted, worker_of

PAGE = Path(__file__).parents[2] / "docs" / "receipts.md"
ENVIRONMENT = {"numerics_class": "cpu/AVX2/threads=1", "versions": {"numpy": "2.0"}, "threads": 1}
INLINE = {"kind": "inline", "x": [0.0, 0.1, 1e-7], "y": [1.0, 2.5, -0.3]}


def finished(database: Database, settings: Settings, **spec: object) -> UUID:
    """A job that has succeeded, with a metric, an array and a name in letters of several scripts."""
    job_id = submitted(database, settings, name="čas 時間", learning_rate=1e-7, **spec)
    [member] = claimed(database, worker_of(database)).members
    progress = progress_of(member, [4.0, 3.0, 2.0, 1.0])
    progress.metrics["acc"] = np.array([0.1, 0.2, 0.3, 0.4])
    outcome = Outcome({"a": 1e-7, "b": -0.0}, "y", ENVIRONMENT, {"w": np.arange(6, dtype=np.int64).reshape(2, 3)})
    with database.begin() as connection:
        assert lifecycle.record(connection, progress)
        assert lifecycle.succeed(connection, member.held, outcome, actor="worker")
    return job_id


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """The script of the docs."""
    [text] = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert "gradyard" not in text
    file = tmp_path / "check_receipt.py"
    file.write_text(text)
    return file


def given(client: FlaskClient, job_id: object, folder: Path) -> list[str]:
    """What a third party is given, as the arguments of the script."""
    npy = {"Accept": "application/x-npy"}
    for name, path in (
        ("receipt.json", "/receipt"), ("job.json", ""), ("losses.npy", "/losses"), ("acc.npy", "/metrics/acc"),
        ("w.npy", "/artifacts/w"),
    ):  # fmt: skip
        headers = npy if name.endswith(".npy") else {}
        (folder / name).write_bytes(client.get(f"/v1/jobs/{job_id}{path}", headers=headers).data)
    return ["receipt.json", "job.json", "losses.npy", "metrics/acc=acc.npy", "artifacts/w=w.npy"]


def check(script: Path, arguments: list[str]) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-I", script.name, *arguments], cwd=script.parent, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    return done.returncode, done.stdout.strip()


@pytest.mark.parametrize("dataset", [{"kind": "function", "noise": 0.1}, INLINE], ids=["function", "inline"])
def test_the_script_of_the_docs_checks_a_receipt_and_finds_one_flipped_bit(
    client: FlaskClient, database: Database, settings: Settings, script: Path, dataset: dict[str, object]
) -> None:
    job_id = finished(database, settings, dataset=dataset)
    arguments = given(client, job_id, script.parent)
    assert check(script, arguments) == (0, "all 16 checks passed")
    for name, wrong in (("losses.npy", "losses"), ("acc.npy", "metrics acc"), ("w.npy", "artifacts w")):
        file = script.parent / name
        whole = file.read_bytes()
        file.write_bytes(whole[:-3] + bytes([whole[-3] ^ 1]) + whole[-2:])
        assert check(script, arguments) == (1, f"not as the receipt says: {wrong}")
        file.write_bytes(whole)


def test_the_script_finds_a_changed_number_of_the_job_and_of_the_receipt(
    client: FlaskClient, database: Database, settings: Settings, script: Path
) -> None:
    arguments = given(client, finished(database, settings), script.parent)
    file = script.parent / "job.json"
    job = json.loads(file.read_text())
    job["result"]["coefficients"]["a"] = np.nextafter(1e-7, 1)
    job["spec"]["seed"], job["spec"]["name"] = 8, "another"
    file.write_text(json.dumps(job))
    receipt = script.parent / "receipt.json"
    receipt.write_text(receipt.read_text().replace('"attempts":1', '"attempts":2'))
    assert check(script, arguments) == (1, "not as the receipt says: receipt, spec, coefficients")


def test_a_data_set_without_a_field_that_is_new_since_is_hashed_as_it_is_stored(
    client: FlaskClient, database: Database, settings: Settings, script: Path
) -> None:
    job_id = finished(database, settings)
    with database.begin() as connection:
        spec: Any = connection.execute(select(Job.spec)).scalar_one()
        del spec["dataset"]["noise"]
        connection.execute(update(Job).values(spec=spec))
    assert check(script, given(client, job_id, script.parent)) == (0, "all 16 checks passed")


def test_a_receipt_is_canonical_and_the_same_each_time(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    job_id = finished(database, settings)
    first, second = (client.get(f"/v1/jobs/{job_id}/receipt") for _ in range(2))
    assert first.data == second.data
    receipt: Any = first.json
    assert first.data.decode() == json.dumps(receipt, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert not any(isinstance(value, float) for value in _leaves(receipt))
    losses = np.load(io.BytesIO(client.get(f"/v1/jobs/{job_id}/losses", headers={"Accept": "application/x-npy"}).data))
    assert (receipt["losses"]["dtype"], receipt["losses"]["count"]) == (losses.dtype.str, len(losses))


def _leaves(value: Any) -> list[Any]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return [value] if inner is None else [leaf for each in inner for leaf in _leaves(each)]


def test_a_diverged_job_has_a_receipt_and_an_unfinished_one_has_none(
    client: FlaskClient, database: Database, settings: Settings, script: Path
) -> None:
    job_id = submitted(database, settings)
    assert client.get(f"/v1/jobs/{job_id}/receipt").status_code == 409
    [member] = claimed(database, worker_of(database)).members
    with database.begin() as connection:
        lifecycle.record(connection, progress_of(member, [4.0, 8.0]))
        lifecycle.fail(connection, member.held, Reason.DIVERGED, "too fast", actor="worker", diverged_at=2)
    receipt: Any = client.get(f"/v1/jobs/{job_id}/receipt").json
    assert (receipt["diverged_at"], receipt["losses"]["count"], receipt["coefficients_sha256"]) == (2, 2, None)
    assert check(script, given(client, job_id, script.parent)[:3])[0] == 0


def test_another_name_other_tags_and_a_pin_change_no_receipt(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    job_id = finished(database, settings)
    before = client.get(f"/v1/jobs/{job_id}/receipt").data
    changed = client.patch(f"/v1/jobs/{job_id}", json={"name": "another", "tags": {"a": "b"}, "pinned": True})
    assert changed.status_code == 200
    assert client.get(f"/v1/jobs/{job_id}/receipt").data == before
