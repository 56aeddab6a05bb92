"""Jobs out of a real service into files and data frames."""

import asyncio
import json
import sys
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import polars
import pyarrow as pa
import pytest
from pyarrow import parquet

from gradyard import AsyncClient, Client, RefusedByService, Unreachable
from gradyard.client.errors import MissingExtra
from gradyard.jobs.settings import Settings
from gradyard.store import lifecycle
from gradyard.store.database import Database
from gradyard.store.lifecycle import Outcome
from tests.actors import claimed, progress_of, submitted, succeeds, worker_of
from tests.client.real_service import real_service
from tests.client.service_for_tests import Said, answering, job, problem

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

OPTIM = 'stage == "optim"'


@pytest.fixture
def client(database: Database, settings: Settings) -> Iterator[Client]:
    """A client of a service with a sweep of three jobs that have ended, one that measured, and one that waits."""
    with real_service(settings) as url, Client(url) as client:
        client.sweep(stage="optim", steps=4, tags={"course": "w3"}, grid={"learning_rate": [0.1, 0.2, 0.3]})
        for losses in ([4.0, 3.0, 2.0, 0.1], [4.0, 3.0, 2.0, 0.3], [4.0, 3.0, 2.0, 0.1]):
            succeeds(database, claimed(database, replace(worker_of(database), most_members=1)), losses)
        measured(database, settings)
        submitted(database, settings, stage="nn")
        yield client


def measured(database: Database, settings: Settings) -> None:
    submitted(database, settings, stage="numpy", dtype="float64", tags={"a key": "v"})
    claim = claimed(database, worker_of(database))
    progress = progress_of(claim.members[0], [4.0, 3.0, 2.0, 1.0])
    progress = replace(progress, losses=progress.losses.astype(np.float64))
    progress.metrics["accuracy"] = np.array([0.5, 0.9, 0.7, 0.8])
    with database.begin() as connection:
        assert lifecycle.record(connection, progress)
        assert lifecycle.succeed(
            connection, claim.members[0].held, Outcome({"a": 1.5}, "y", {"engine": "e"}), actor="w"
        )
        lifecycle.release(connection, claim.id, actor="w")


@on_sqlite
def test_jobs_are_written_into_a_file_of_any_form(client: Client, tmp_path: Path) -> None:
    batch = next(iter(client.batches())).id
    written = client.export(batch, path=tmp_path / "curves.parquet", curves="list")
    assert written == tmp_path / "curves.parquet"
    table = parquet.read_table(written)
    assert table["learning_rate"].to_pylist() == [0.1, 0.2, 0.3]
    assert table["losses"].to_pylist()[0] == np.array([4.0, 3.0, 2.0, 0.1], np.float32).tolist()
    client.export(where=OPTIM, path=str(tmp_path / "jobs.csv"))
    assert pandas.read_csv(tmp_path / "jobs.csv")["learning_rate"].tolist() == [0.1, 0.2, 0.3]
    client.jobs.export(path=tmp_path / "jobs", form="arrow")
    assert len(pa.ipc.open_stream((tmp_path / "jobs").read_bytes()).read_all()) == 5
    with pytest.raises(ValueError, match=r"name the form, or end the file in one of \.ndjson"):
        client.export(path=tmp_path / "jobs.xls")


@on_sqlite
def test_a_refused_export_leaves_no_file(client: Client, tmp_path: Path) -> None:
    with pytest.raises(RefusedByService, match="there is no los_min"):
        client.export(where="los_min < 9", path=tmp_path / "jobs.csv")
    assert list(tmp_path.glob("*jobs*")) == []
    with pytest.raises(TypeError, match="path"):
        client.export(where=OPTIM)  # type: ignore[call-arg]


def test_an_export_is_asked_for_again_where_the_service_is_busy_and_broken_off_leaves_no_file(tmp_path: Path) -> None:
    busy = problem(429, "Too many requests")
    with answering(busy, problem(503, "busy"), Said(200, b"id\n")) as service, Client(service.url) as client:
        client.export(path=tmp_path / "jobs.csv")
    assert (tmp_path / "jobs.csv").read_bytes() == b"id\n"
    assert len(service.asked) == 3
    cut = Said(200, b"id\n", {"Content-Length": "99"})
    with answering(cut) as service, Client(service.url, retry_seconds=0) as client:
        with pytest.raises(Unreachable):
            client.export(path=tmp_path / "cut.csv")
    assert list(tmp_path.iterdir()) == [tmp_path / "jobs.csv"]


@pytest.mark.parametrize("letter", ["\u2028", "\u2029", "\x85", "\x0b"])
def test_letters_that_end_lines_elsewhere_stay_in_the_names_of_an_export(letter: str) -> None:
    curve = {"dtype": "float32", "losses": b64encode(np.array([2.5], "<f4").tobytes()).decode()}
    lines = [json.dumps(job(name=f"{each}{letter}b") | curve, ensure_ascii=False) for each in ("a", "a longer one")]
    with answering(Said(200, "\n".join(lines).encode())) as service, Client(service.url) as client:
        assert [each.name for each, _ in client.export_jobs("x")] == [f"a{letter}b", f"a longer one{letter}b"]
        assert list(client.export_lines("x")) == lines

        async def awaited() -> list[str]:
            async with AsyncClient(service.url) as client:
                return [line async for line in client.export_lines("x")]

        assert asyncio.run(awaited()) == lines


@on_sqlite
def test_jobs_of_a_batch_come_one_by_one_with_their_losses_and_results(client: Client) -> None:
    batch = next(iter(client.batches())).id
    pairs = list(client.export_jobs(batch))
    assert [job.loss["last"] for job, _ in pairs] == pytest.approx([0.1, 0.3, 0.1])
    assert [(losses.dtype.name, len(losses)) for _, losses in pairs] == [("float32", 4)] * 3
    assert pairs[0][0].batch == batch


@on_sqlite
@pytest.mark.parametrize("kind", ["pandas", "polars"])
def test_a_frame_has_a_column_for_each_parameter_tag_and_figure(client: Client, kind: Any) -> None:
    frame = client.frame(kind=kind)
    assert isinstance(frame, pandas.DataFrame if kind == "pandas" else polars.DataFrame)
    columns = {name: list(frame[name]) for name in frame.columns}
    assert columns["learning_rate"][:3] == [0.1, 0.2, 0.3]
    assert columns["optimizer.name"][:3] == ["rmsprop"] * 3
    assert columns["tags.course"][:3] == ["w3"] * 3
    assert columns["tags.a key"][3] == "v"
    assert columns["metrics.accuracy.max"][3] == 0.9
    assert columns["coefficients.a"][3] == 1.5
    assert columns["steps_done"] == [4, 4, 4, 4, 0]
    assert [each.year > 2020 for each in columns["finished_at"][:4]] == [True] * 4
    assert str(frame["submitted_at"].dtype).lower().startswith("datetime")


@on_sqlite
@pytest.mark.parametrize("kind", ["pandas", "polars"])
def test_a_frame_is_in_the_order_asked_for_and_leaves_out_what_has_no_value(client: Client, kind: Any) -> None:
    by_loss = client.frame(sort="loss_min", kind=kind)
    assert list(by_loss["learning_rate"])[:3] == [0.1, 0.3, 0.2]
    assert len(by_loss) == 4
    down = client.frame(OPTIM, sort="-loss_min", kind=kind)
    assert list(down["learning_rate"]) == [0.2, 0.1, 0.3]  # of equal ones the older first
    with pytest.raises(ValueError, match="there is no column los"):
        client.frame(sort="los", kind=kind)


@on_sqlite
@pytest.mark.parametrize("kind", ["pandas", "polars"])
def test_curves_of_a_frame_are_lists_or_rows(client: Client, kind: Any) -> None:
    batch = next(iter(client.batches())).id
    lists = client.frame(batch=batch, curves="list", kind=kind)
    exact = np.array([4.0, 3.0, 2.0, 0.1], np.float32)
    assert np.array_equal(np.asarray(lists["losses"][0], np.float32), exact)
    long = client.frame(batch=batch, sort="-learning_rate", curves="long", kind=kind)
    assert list(long["step"]) == [0, 1, 2, 3] * 3
    assert list(long["learning_rate"])[:5] == [0.3] * 4 + [0.2]
    assert np.asarray(long["loss"]).dtype == np.float32
    assert np.array_equal(np.asarray(long["loss"])[:4], exact)
    assert np.asarray(client.frame(curves="long", kind=kind)["loss"]).dtype == np.float64


@on_sqlite
@pytest.mark.parametrize("kind", ["pandas", "polars"])
def test_a_frame_of_nothing_has_its_columns(client: Client, kind: Any) -> None:
    choices: tuple[Any, ...] = (None, "list", "long")
    for curves in choices:
        frame = client.frame("seed == 99", curves=curves, kind=kind)
        assert len(frame) == 0
        assert {"id", "loss_min", "learning_rate"} <= set(frame.columns)


@on_sqlite
def test_a_missing_package_is_named(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingExtra, match=r"install gradyard\[pandas\], or ask for kind='polars'"):
        client.frame()
    with pytest.raises(ValueError, match="pandas or polars"):
        client.frame(kind="arrow")  # type: ignore[arg-type]


def test_a_question_about_a_batch_asks_for_both() -> None:
    with answering(Said(200, b"")) as service, Client(service.url) as client:
        list(client.export_lines("b", where="seed == 1", csv=True, curves="none"))
    asked = service.asked[0]
    assert (asked.path, asked.params) == ("/v1/batches/b/export", {"where": "seed == 1", "curves": "none"})
    assert asked.headers["Accept"] == "text/csv"
