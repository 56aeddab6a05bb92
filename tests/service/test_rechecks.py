"""A finished job is trained once more, and the comparison says whether its bits are the same, and where they differ."""

from typing import Any
from uuid import UUID

import numpy as np
import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update

from gradyard.jobs.settings import Settings
from gradyard.jobs.states import Reason
from gradyard.store import lifecycle, queries
from gradyard.store.database import Database
from gradyard.store.lifecycle import ClaimedJob, Outcome
from gradyard.store.queries import rechecks
from gradyard.store.tables import Job, LossChunk
from tests.actors import claimed, progress_of, submitted, succeeds, worker_of

LOSSES = [4.0, 3.0, 2.0, 1.0]
AVX2 = {"numerics_class": "cpu/AVX2/threads=1", "versions": {"numpy": "2.0"}}
AVX512 = {"numerics_class": "cpu/AVX512/threads=1", "versions": {"numpy": "2.0"}}


# SQLite reads from one moment on, so nothing is deleted while it reads.
on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


def member_of(database: Database, slot: str = "cpu-0") -> ClaimedJob:
    [member] = claimed(database, worker_of(database, slot)).members
    return member


def ends(
    database: Database, losses: list[float] = LOSSES, *, environment: dict[str, Any] = AVX2, cut_at: int | None = None,
    coefficients: dict[str, float] | None = None, **more: Any,
) -> None:  # fmt: skip
    """The job that waits trains to its end, in one record or in two. more: `metrics`, `final_metrics`, `arrays`."""
    member = member_of(database)
    metrics, final_metrics = more.pop("metrics", {}), more.pop("final_metrics", {})
    with database.begin() as connection:
        parts = [(0, losses)] if cut_at is None else [(0, losses[:cut_at]), (cut_at, losses[cut_at:])]
        for start, part in parts:
            progress = progress_of(member, part, start)
            progress.metrics.update(metrics)
            progress.final_metrics.update(final_metrics if progress.steps_done == len(losses) else {})
            assert lifecycle.record(connection, progress)
        outcome = Outcome(coefficients or {"a": 0.5}, "y = 0.5", environment, **more)
        assert lifecycle.succeed(connection, member.held, outcome, actor="worker")


def fails(database: Database, losses: list[float], reason: Reason, **columns: Any) -> None:
    member = member_of(database)
    with database.begin() as connection:
        if losses:
            assert lifecycle.record(connection, progress_of(member, losses))
        assert lifecycle.fail(connection, member.held, reason, "it ended", actor="worker", **columns)


def recheck(client: FlaskClient, job_id: object, key: str | None = None) -> Any:
    return client.post(f"/v1/jobs/{job_id}/recheck", headers={"Idempotency-Key": key} if key else {})


def shown(client: FlaskClient, job_id: object) -> Any:
    return client.get(f"/v1/jobs/{job_id}").json


def verdict(client: FlaskClient, original: UUID, again: str) -> Any:
    """What both jobs show, which must be the same."""
    both = [shown(client, each)["recheck"] for each in (original, again)]
    assert both[0] == both[1]
    assert (both[0]["of"], both[0]["job"]) == (str(original), again)
    return both[0]


def test_a_recheck_is_a_new_job_like_the_first_and_waits(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    original = submitted(database, settings, seed=7, learning_rate="auto", name="sine")
    assert recheck(client, original).status_code == 409
    ends(database)
    answer = recheck(client, original, "k")
    assert (answer.status_code, answer.json["recheck_of"], answer.json["retry_of"]) == (202, str(original), None)
    assert recheck(client, original, "k").json["id"] == answer.json["id"]
    again, first = shown(client, answer.json["id"]), shown(client, original)
    assert [again[name] for name in ("spec", "resolved", "name")] == [
        first[name] for name in ("spec", "resolved", "name")
    ]
    assert verdict(client, original, again["id"])["state"] == "waiting"
    assert first["rechecked_by"] == again["id"]
    events: Any = client.get(f"/v1/jobs/{again['id']}/events").json
    assert events["events"][0]["detail"] == f"a recheck of {original}"


def test_what_was_computed_at_submission_is_not_computed_anew(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    original = submitted(database, settings, learning_rate="auto")
    ends(database)
    with database.begin() as connection:  # by another version of numpy
        connection.execute(update(Job).values(resolved={"learning_rate": 1.5e-6}, spec_sha256="as then"))
    again = recheck(client, original).json["id"]
    with database.read() as connection:
        row = connection.execute(select(Job.resolved, Job.spec_sha256).where(Job.id == UUID(again))).one()
    assert tuple(row) == ({"learning_rate": 1.5e-6}, "as then")


@pytest.mark.parametrize("cut_at", [None, 3])
def test_equal_bits_are_the_same_however_they_were_recorded(
    client: FlaskClient, database: Database, settings: Settings, cut_at: int | None
) -> None:
    original = submitted(database, settings)
    ends(database)
    again = recheck(client, original).json["id"]
    ends(database, cut_at=cut_at)
    found = verdict(client, original, again)
    assert (found["state"], found["differs_in"], found["first_different_step"]) == ("same", [], None)
    assert found == verdict(client, original, again)  # as it was written down


def test_another_bit_is_found_with_its_step_and_what_else_was_not_the_same(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    original = submitted(database, settings)
    ends(database)
    again = recheck(client, original).json["id"]
    ends(
        database, [4.0, 3.0, float(np.nextafter(np.float32(2.0), 3)), 1.0], coefficients={"a": 0.25}, environment=AVX512
    )
    found = verdict(client, original, again)
    assert (found["state"], found["differs_in"], found["first_different_step"]) == (
        "differs", ["losses", "coefficients"], 2,
    )  # fmt: skip
    assert found["conditions"] == {"numerics_class": ["cpu/AVX2/threads=1", "cpu/AVX512/threads=1"]}
    assert "first at step 2" in found["message"]
    assert "cpu/AVX512" in found["message"]


def test_a_stored_curve_that_was_changed_is_found(client: FlaskClient, database: Database, settings: Settings) -> None:
    original = submitted(database, settings)
    ends(database)
    with database.begin() as connection:
        raw = bytearray(connection.execute(select(LossChunk.losses)).scalar_one())
        raw[7] ^= 1
        connection.execute(update(LossChunk).values(losses=bytes(raw)))
    again = recheck(client, original).json["id"]
    ends(database)
    found = verdict(client, original, again)
    assert (found["state"], found["differs_in"], found["first_different_step"]) == ("differs", ["losses"], 1)


def test_metrics_and_arrays_are_compared_as_well(client: FlaskClient, database: Database, settings: Settings) -> None:
    original = submitted(database, settings)
    ends(database, metrics={"acc": np.array([0.1, 0.2, 0.3, 0.4])}, arrays={"w": np.zeros(3), "v": np.ones(2)})
    again = recheck(client, original).json["id"]
    ends(database, metrics={"acc": np.array([0.1, 0.2, 0.3, 0.5])}, arrays={"w": np.zeros(3), "v": np.ones(3)})
    found = verdict(client, original, again)
    assert (found["differs_in"], found["first_different_step"]) == (["metrics", "artifacts"], 3)


ACC = {"acc": np.array([0.1, 0.2, 0.3, 0.4])}
FINAL = {"acc": 0.5}


@pytest.mark.parametrize(
    ("first", "second", "lacks"), [({}, FINAL, "original"), (FINAL, {}, "recheck"), (FINAL, FINAL, None)]
)
def test_final_weights_that_one_of_two_versions_did_not_measure_are_no_difference(
    client: FlaskClient, database: Database, settings: Settings, first: Any, second: Any, lacks: str | None
) -> None:
    original = submitted(database, settings)
    ends(database, metrics=ACC, final_metrics=first)
    again = recheck(client, original).json["id"]
    ends(database, metrics=ACC, final_metrics=second)
    found = verdict(client, original, again)
    assert (found["state"], found["differs_in"]) == ("same", [])
    assert found["conditions"] == ({"final_weights_measured": [bool(first), bool(second)]} if lacks else {})
    assert ("everything is the same" in found["message"]) == (lacks is None)
    assert lacks is None or f"the {lacks} has no metrics of its final weights" in found["message"]


@pytest.mark.parametrize(
    ("metrics", "final", "step"), [(ACC, {"acc": 0.6}, 4), ({"acc": ACC["acc"][:3]}, FINAL, 3), ({}, {}, 0)]
)
def test_any_other_value_of_a_metric_is_a_difference(
    client: FlaskClient, database: Database, settings: Settings, metrics: Any, final: Any, step: int
) -> None:
    original = submitted(database, settings)
    ends(database, metrics=ACC, final_metrics=FINAL)
    again = recheck(client, original).json["id"]
    ends(database, metrics=metrics, final_metrics=final)
    found = verdict(client, original, again)
    assert (found["state"], found["differs_in"], found["first_different_step"]) == ("differs", ["metrics"], step)


def test_final_weights_of_which_one_metric_alone_lacks_its_value_are_a_difference(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    original, two = submitted(database, settings), ACC | {"f1": ACC["acc"]}
    ends(database, metrics=two, final_metrics=FINAL)
    again = recheck(client, original).json["id"]
    ends(database, metrics=two, final_metrics=FINAL | {"f1": 0.5})
    found = verdict(client, original, again)
    assert (found["state"], found["differs_in"], found["first_different_step"]) == ("differs", ["metrics"], 4)


@pytest.mark.parametrize(
    ("second", "words"), [([], "one has no losses"), ([4.0], "the first 1 losses of both are the same")]
)
def test_two_that_failed_with_the_same_error_are_never_the_same(
    client: FlaskClient, database: Database, settings: Settings, second: list[float], words: str
) -> None:
    original = submitted(database, settings)
    fails(database, [4.0, 3.0], Reason.ERROR)
    again = recheck(client, original).json["id"]
    fails(database, second, Reason.ERROR)
    found = verdict(client, original, again)
    assert (found["state"], found["differs_in"]) == ("cannot be compared", [])
    assert f"the original failed (error) at step 2; {words}" in found["message"]


def test_a_diverged_job_is_compared_with_the_step_of_its_end(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    original = submitted(database, settings)
    fails(database, [4.0, 8.0], Reason.DIVERGED, diverged_at=2)
    same = recheck(client, original).json["id"]
    fails(database, [4.0, 8.0], Reason.DIVERGED, diverged_at=2)
    other = recheck(client, original).json["id"]
    ends(database, [4.0, 8.0, 16.0, 32.0])
    assert shown(client, same)["recheck"]["state"] == "same"
    found = verdict(client, original, other)
    assert (found["state"], found["first_different_step"]) == ("differs", 2)
    assert found["differs_in"] == ["losses", "coefficients", "ending"]


@pytest.mark.parametrize(("second", "state", "step"), [(3.0, "cannot be compared", None), (3.5, "differs", 1)])
def test_of_a_job_that_was_cut_off_what_it_has_is_compared(
    client: FlaskClient, database: Database, settings: Settings, second: float, state: str, step: int | None
) -> None:
    original = submitted(database, settings)
    fails(database, [4.0, 3.0], Reason.TIMEOUT)
    again = recheck(client, original).json["id"]
    ends(database, [4.0, second, 2.0, 1.0])
    found = verdict(client, original, again)
    assert (found["state"], found["first_different_step"]) == (state, step)
    assert state == "differs" or "timeout" in found["message"]


def test_a_job_without_a_record_has_nothing_to_compare_with(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    original = submitted(database, settings)
    client.post(f"/v1/jobs/{original}/cancel")
    answer = recheck(client, original)
    assert (answer.status_code, "nothing to compare" in answer.json["detail"]) == (409, True)


def test_a_verdict_outlives_the_original_and_without_one_nothing_can_be_compared(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    original = submitted(database, settings)
    ends(database)
    again = recheck(client, original).json["id"]
    ends(database)
    assert shown(client, again)["recheck"]["state"] == "same"
    later = recheck(client, original).json["id"]
    ends(database)
    client.delete(f"/v1/jobs/{original}")
    assert shown(client, again)["recheck"]["state"] == "same"
    assert shown(client, later)["recheck"]["state"] == "cannot be compared"


@on_postgresql
@pytest.mark.parametrize("moment", ["before", "while"])
def test_a_recheck_that_is_deleted_when_they_are_compared_has_shown_nothing(
    client: FlaskClient, database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    original = submitted(database, settings)
    ends(database)
    again = recheck(client, original).json["id"]
    ends(database)
    place, name = {"before": (queries, "verdict_on"), "while": (rechecks, "_differences")}[moment]
    does = getattr(place, name)

    def deleting(*arguments: Any) -> Any:
        with database.begin() as connection:
            lifecycle.delete_job(connection, 1, UUID(again))
        return does(*arguments)

    monkeypatch.setattr(place, name, deleting)
    assert shown(client, original)["recheck"] is None


def test_a_recheck_has_the_name_tags_and_priority_that_its_original_has_by_now(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    original = submitted(database, settings, name="old", tags={"course": "w3"})
    assert client.patch(f"/v1/jobs/{original}", json={"priority": 7}).status_code == 200
    ends(database)
    assert client.patch(f"/v1/jobs/{original}", json={"name": "new", "tags": {"course": "w4"}}).status_code == 200
    again = shown(client, recheck(client, original).json["id"])
    assert [again[name] for name in ("name", "tags", "priority")] == ["new", {"course": "w4"}, 7]
    assert again["spec"] == shown(client, original)["spec"]
    found: Any = client.get("/v1/jobs", query_string={"where": 'tags.course == "w4" and name == "new"'}).json
    assert len(found["jobs"]) == 2


def test_a_recheck_is_trained_by_the_kind_of_device_and_the_engine_of_the_original(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    original = submitted(database, settings, device="auto")
    succeeds(database, claimed(database, worker_of(database)))
    with database.begin() as connection:
        connection.execute(update(Job).values(engine="blas"))
    again = recheck(client, original).json["id"]
    assert "the engine blas" in shown(client, again)["waiting"]["reason"]
    with database.read() as connection:
        row = connection.execute(select(Job.queue, Job.engine, Job.any_device).where(Job.id == UUID(again))).one()
    assert tuple(row) == ("cpu", "blas", False)


def test_lists_name_rechecks_without_comparing(client: FlaskClient, database: Database, settings: Settings) -> None:
    original = submitted(database, settings)
    ends(database)
    again = recheck(client, original).json["id"]
    jobs: Any = client.get("/v1/jobs").json["jobs"]  # type: ignore[index]
    assert [(job["recheck_of"], job["rechecked_by"], job["recheck"]) for job in jobs] == [
        (str(original), None, None), (None, again, None),
    ]  # fmt: skip
