"""Curves come as few points of JSON, or whole as CSV or NPY, digit for digit."""

import io
import json
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from flask.testing import FlaskClient
from sqlalchemy import delete, update

from gradyard.jobs.curves import Summary
from gradyard.jobs.settings import Settings
from gradyard.jobs.states import Reason
from gradyard.store import lifecycle
from gradyard.store.database import Database
from gradyard.store.lifecycle import Progress
from gradyard.store.tables import LossChunk
from tests.actors import claimed, submitted, succeeds, worker_of

FORMS = ["application/json", "application/x-npy", "text/csv"]
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def trained(database: Database, settings: Settings, losses: np.ndarray, dtype: str = "float32") -> UUID:
    """A failed job with these losses, recorded in two chunks."""
    job_id = submitted(database, settings, steps=max(1, len(losses)), dtype=dtype)
    [member] = claimed(database, worker_of(database)).members
    half, summary = len(losses) // 2, Summary()
    with database.begin() as connection:
        for start, chunk in ((0, losses[:half]), (half, losses[half:])):
            summary.take(chunk, start)
            lifecycle.record(connection, Progress(member.held, start, chunk, summary))
        reason, step = Reason.DIVERGED, len(losses)
        lifecycle.fail(connection, member.held, reason, "it diverged", actor="worker", diverged_at=step)
    return job_id


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_form_has_the_same_numbers(
    client: FlaskClient, database: Database, settings: Settings, dtype: str
) -> None:
    losses = (np.random.default_rng(1).normal(size=50) * 10.0 ** np.arange(-25, 25)).astype(dtype)
    path = f"/v1/jobs/{trained(database, settings, losses, dtype)}/losses"
    shown: Any = client.get(path).json
    assert shown["steps"] == list(range(50))
    assert np.array_equal(np.array(shown["losses"], dtype=dtype), losses)
    file = client.get(path, headers={"Accept": "application/x-npy"})
    array = np.load(io.BytesIO(file.data), allow_pickle=False)
    assert (array.dtype, np.array_equal(array, losses)) == (np.dtype(dtype), True)
    header, *lines = client.get(path, headers={"Accept": "text/csv"}).text.splitlines()
    assert header == "step,loss"
    steps, digits = zip(*(line.split(",") for line in lines), strict=True)
    assert list(steps) == [str(step) for step in range(50)]
    assert np.array_equal(np.array(digits, dtype=dtype), losses)


@on_sqlite
def test_json_has_at_most_so_many_points_and_keeps_the_extremes(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    losses = np.linspace(9, 1, 25_000, dtype=np.float32)
    losses[777], losses[20_001] = 100, -100
    path = f"/v1/jobs/{trained(database, settings, losses)}/losses"
    for points, most in (("", 1000), ("?points=50", 50), ("?points=2", 2)):
        shown: Any = client.get(path + points).json
        assert len(shown["steps"]) == len(shown["losses"]) <= most
        assert (shown["steps"][0], shown["steps"][-1]) == (0, 24_999)
        if most > 2:
            assert {777, 20_001} < set(shown["steps"])
    csv = client.get(path, headers={"Accept": "text/csv"}).text
    assert csv.count("\n") == 25_001  # every step, over more than one block


@on_sqlite
def test_a_diverged_job_has_its_finite_part_and_no_null(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    losses = np.array([1.0, 1e30, 3.4e38], dtype=np.float32)
    job_id = trained(database, settings, losses)
    shown = client.get(f"/v1/jobs/{job_id}/losses").text
    assert "null" not in shown
    assert np.array_equal(np.array(json.loads(shown)["losses"], dtype=np.float32), losses)
    job: Any = client.get(f"/v1/jobs/{job_id}").json
    assert (job["state"], job["reason"], job["result"]["loss"]["diverged_at"]) == ("failed", "diverged", 3)


@pytest.mark.parametrize("form", FORMS)
def test_a_job_without_losses_has_an_empty_curve(
    client: FlaskClient, database: Database, settings: Settings, form: str
) -> None:
    response = client.get(f"/v1/jobs/{submitted(database, settings)}/losses", headers={"Accept": form})
    assert (response.status_code, response.mimetype, response.headers["Vary"]) == (200, form, "Accept")
    if form == "application/json":
        assert response.json == {"steps": [], "losses": []}


@on_sqlite
@pytest.mark.parametrize(
    ("accept", "form"),
    [
        (None, "application/json"), ("*/*", "application/json"), ("text/*", "text/csv"), ("image/png", None),
        ("text/csv;q=0.5, application/x-npy", "application/x-npy"), ("application/json;q=0", None),
        ("text/html, */*;q=0.1", "application/json"),
    ],
)  # fmt: skip
def test_the_form_is_the_one_that_is_asked_for(
    client: FlaskClient, database: Database, settings: Settings, accept: str | None, form: str | None
) -> None:
    headers = {} if accept is None else {"Accept": accept}
    response = client.get(f"/v1/jobs/{submitted(database, settings)}/losses", headers=headers)
    assert (response.status_code, response.mimetype) == ((200, form) if form else (406, "application/problem+json"))


@on_sqlite
@pytest.mark.parametrize("points", ["1", "100001", "x", "2.5", ""])
def test_a_wrong_number_of_points_is_refused(
    client: FlaskClient, database: Database, settings: Settings, points: str
) -> None:
    response = client.get(f"/v1/jobs/{submitted(database, settings)}/losses?points={points}")
    assert response.status_code == 422


RANGES: list[tuple[int | None, int | None]] = [
    (None, None), (0, 50), (10, 20), (24, 26), (25, None), (None, 25), (-5, None), (None, -45), (-10, -3), (49, 50),
    (30, 10), (60, 70), (-900, 900), (50, None), (0, 0),
]  # fmt: skip


@on_sqlite
@pytest.mark.parametrize(("begin", "end"), RANGES)
def test_a_range_of_steps_is_a_slice_of_the_curve_in_every_form(
    client: FlaskClient, database: Database, settings: Settings, begin: int | None, end: int | None
) -> None:
    losses = np.random.default_rng(1).normal(size=50).astype(np.float32)
    path = f"/v1/jobs/{trained(database, settings, losses)}/losses"
    wanted, steps = losses[begin:end], list(range(50)[begin:end])
    query = {name: value for name, value in {"from": begin, "to": end}.items() if value is not None}
    shown: Any = client.get(path, query_string=query).json
    assert (shown["steps"], np.array(shown["losses"], np.float32).tolist()) == (steps, wanted.tolist())
    table = client.get(path, query_string=query, headers={"Accept": "text/csv"}).text.splitlines()
    assert [line.partition(",")[0] for line in table] == ["step", *map(str, steps)]
    file = client.get(path, query_string=query, headers={"Accept": "application/x-npy"})
    assert np.load(io.BytesIO(file.data)).tolist() == wanted.tolist()
    first_and_last = file.headers.get("First-Step"), file.headers.get("Last-Step")
    assert first_and_last == ((str(steps[0]), str(steps[-1])) if steps else (None, None))


def test_chunks_outside_a_range_are_not_read(client: FlaskClient, database: Database, settings: Settings) -> None:
    job = trained(database, settings, np.arange(50, dtype=np.float32))
    with database.begin() as connection:  # the second chunk cannot be read as it is: its bytes are too many
        connection.execute(update(LossChunk).where(LossChunk.start_step == 25).values(losses=b"\0" * 101))
    shown: Any = client.get(f"/v1/jobs/{job}/losses?from=20&to=25").json
    assert shown["steps"] == [20, 21, 22, 23, 24]


@on_sqlite
def test_points_are_chosen_within_the_range(client: FlaskClient, database: Database, settings: Settings) -> None:
    losses = np.linspace(9, 1, 2_000, dtype=np.float32)
    losses[[50, 777, 1500]] = -100, 100, 200
    path = f"/v1/jobs/{trained(database, settings, losses)}/losses?from=100&to=1200&points=20"
    shown: Any = client.get(path).json
    assert (shown["steps"][0], shown["steps"][-1], len(shown["steps"]) <= 20) == (100, 1199, True)
    assert 777 in shown["steps"]
    table = client.get(path, headers={"Accept": "text/csv"}).text.splitlines()
    assert [line.partition(",")[0] for line in table[1:]] == list(map(str, shown["steps"]))
    refused = client.get(path, headers={"Accept": "application/x-npy"})
    assert (refused.status_code, refused.get_json()["errors"][0]["pointer"]) == (422, "/points")


@on_sqlite
def test_a_slice_is_asked_for_by_whole_numbers(client: FlaskClient, database: Database, settings: Settings) -> None:
    job = submitted(database, settings)
    for name in ("from", "to"):
        refused = client.get(f"/v1/jobs/{job}/losses?{name}=early")
        assert (refused.status_code, refused.get_json()["errors"][0]["pointer"]) == (422, f"/{name}")


@on_sqlite
def test_what_is_final_is_not_sent_twice(client: FlaskClient, database: Database, settings: Settings) -> None:
    path = f"/v1/jobs/{trained(database, settings, np.arange(50, dtype=np.float32))}/losses"
    tags = {}
    for query, form in ((query, form) for query in ("", "?points=9", "?from=4") for form in FORMS):
        if (query, form) == ("?points=9", "application/x-npy"):
            continue
        first = client.get(path + query, headers={"Accept": form})
        tags[query, form] = first.headers["ETag"]
        assert first.headers["Cache-Control"] == "private, no-cache"
        for known in (first.headers["ETag"], f'"other", {first.headers["ETag"]}', f"W/{first.headers['ETag']}", "*"):
            again = client.get(path + query, headers={"Accept": form, "If-None-Match": known})
            assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
            assert again.headers["Vary"] == "Accept"
        assert client.get(path + query, headers={"Accept": form, "If-None-Match": '"other"'}).status_code == 200
    assert len(set(tags.values())) == len(tags)


@on_sqlite
def test_an_answer_that_is_known_reads_no_curve(client: FlaskClient, database: Database, settings: Settings) -> None:
    path = f"/v1/jobs/{trained(database, settings, np.arange(50, dtype=np.float32))}/losses"
    known = client.get(path).headers["ETag"]
    with database.begin() as connection:
        connection.execute(delete(LossChunk))
    assert client.get(path, headers={"If-None-Match": known}).status_code == 304


@on_sqlite
def test_a_curve_that_grows_has_no_tag_and_a_deleted_one_is_gone(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    job = submitted(database, settings)
    path = f"/v1/jobs/{job}/losses"
    claim = claimed(database, worker_of(database))
    for known in ("*", '"any"'):
        running = client.get(path, headers={"If-None-Match": known})
        assert (running.status_code, "ETag" in running.headers) == (200, False)
        assert running.headers["Cache-Control"] == "no-store"
    succeeds(database, claim)
    tag = client.get(path).headers["ETag"]
    assert client.delete(f"/v1/jobs/{job}").status_code == 204
    assert client.get(path, headers={"If-None-Match": tag}).status_code == 410


def test_the_curves_of_many_jobs_come_in_one_answer(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    curves = {trained(database, settings, np.arange(n, dtype=np.float32) / 7, "float32"): n for n in (50, 8)}
    waiting = submitted(database, settings)
    ids = [*reversed(curves), waiting]
    asked = [("job", str(job)) for job in [*ids, ids[0]]]
    answer: Any = client.get("/v1/losses", query_string=[*asked, ("from", "4"), ("points", "4")]).json
    alone = [client.get(f"/v1/jobs/{job}/losses?from=4&points=4").get_json() for job in ids]
    assert answer == {"curves": [{"job": str(job), **each} for job, each in zip(ids, alone, strict=True)]}
    assert alone[-1] == {"steps": [], "losses": []}
    table = client.get("/v1/losses", query_string=[*asked, ("to", "2")], headers={"Accept": "text/csv"}).text
    heading, *lines = table.splitlines()
    assert (heading, len(lines)) == ("job,step,loss", 4)
    assert [line.split(",")[:2] for line in lines] == [[str(job), step] for job in ids[:2] for step in "01"]


@on_sqlite
def test_curves_of_many_have_a_tag_where_all_jobs_have_ended(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    ended = [trained(database, settings, np.arange(n, dtype=np.float32)) for n in (50, 8)]
    asked = [("job", str(job)) for job in ended]
    tag = client.get("/v1/losses", query_string=asked).headers["ETag"]
    assert client.get("/v1/losses", query_string=asked, headers={"If-None-Match": tag}).status_code == 304
    asked.append(("job", str(submitted(database, settings))))
    assert "ETag" not in client.get("/v1/losses", query_string=asked).headers


@on_sqlite
def test_what_cannot_be_answered_of_many_is_refused(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    job = ("job", str(submitted(database, settings)))
    nowhere = ("job", str(UUID(int=7)))
    for asked, status, word in (
        ([], 422, "/job"), ([job] * 65, 422, "64"), ([job, ("job", "x")], 422, "/job/1"),
        ([job, nowhere], 404, nowhere[1]), ([job] * 11 + [("points", "100000")], 422, "1,000,000"),
        ([job, ("from", "1"), ("from", "2")], 422, "/from"),
    ):  # fmt: skip
        refused = client.get("/v1/losses", query_string=asked)
        assert (refused.status_code, word in refused.text) == (status, True), refused.text
    wrong = client.get("/v1/losses", query_string=[job], headers={"Accept": "application/x-npy"})
    assert (wrong.status_code, "text/csv" in wrong.text) == (406, True)


def test_curves_of_many_are_smoothed_from_every_loss_also_beyond_a_range(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    losses = np.random.default_rng(5).lognormal(size=200).astype(np.float32)
    job = trained(database, settings, losses)
    asked = f"/v1/losses?job={job}&smooth=11&from=50&to=60"
    (curve,) = client.get(asked).json["curves"]  # type: ignore[index]
    expected = [losses[at - 5 : at + 6].astype(np.float64).mean() for at in range(50, 60)]
    assert curve["steps"] == list(range(50, 60))
    np.testing.assert_allclose(curve["losses"], expected)
    for wrong in ("0", "2", "1003", "x"):
        assert client.get(f"/v1/losses?job={job}&smooth={wrong}").status_code == 422
