"""`where` over HTTP."""

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import insert

from gradyard.jobs.settings import Settings
from gradyard.store import queries
from gradyard.store.database import Database
from gradyard.store.queries.questions import pages, without_curves
from gradyard.store.tables import Project
from tests.actors import claimed, submitted, submitted_to, succeeds, worker_of
from tests.fuzzing import FUZZ
from tests.service.test_reading import get, on_sqlite


@pytest.fixture
def jobs(database: Database, settings: Settings) -> list[str]:
    """Five jobs, of which the first has succeeded."""
    made = [str(submitted(database, settings, seed=number, tags={"half": "ab"[number % 2]})) for number in range(5)]
    submitted_to_another_project(database, settings)
    succeeds(database, claimed(database, worker_of(database)))
    return made


def submitted_to_another_project(database: Database, settings: Settings) -> None:
    with database.begin() as connection:
        connection.execute(insert(Project).values(id=2, name="other"))
    submitted_to(2, database, settings, stage="nn")


def asked(client: FlaskClient, where: str, **more: object) -> list[str]:
    """The ids of one page."""
    answer = client.get("/v1/jobs", query_string={"where": where} | more)
    assert answer.status_code == 200, answer.text
    assert answer.json is not None
    return [job["id"] for job in answer.json["jobs"]]


def test_jobs_that_satisfy_a_question_are_listed(client: FlaskClient, jobs: list[str]) -> None:
    succeeded = [job["id"] for job in get(client, "/v1/jobs?state=succeeded")["jobs"]]
    assert asked(client, "loss_min <= 1") == succeeded != []
    assert asked(client, "seed in (1, 3)") == [jobs[3], jobs[1]]
    assert asked(client, 'tags.half == "a" and seed > 0') == [jobs[4], jobs[2]]
    assert asked(client, 'tags.half == "a"', state="queued", stage="nn") == []
    assert len(asked(client, "attempt >= 0")) == 5  # none of another project


def test_an_id_in_a_question_may_be_shortened_as_everywhere(client: FlaskClient) -> None:
    made = [client.post("/v1/batches", json={"jobs": [{"stage": "nn"}]}).json["id"] for _ in range(2)]  # type: ignore[index]
    client.post("/v1/jobs", json={"stage": "nn"})
    shared = next(place for place, (one, other) in enumerate(zip(*made, strict=True)) if one != other)
    found = {text: len(asked(client, f"batch == {text!r}")) for text in (made[0][: shared + 1], made[0][:8], "01a")}
    assert list(found.values()) == [1, 2, 0]
    assert len(asked(client, f"batch != {made[0][: shared + 1]!r}")) == 1  # a single job is of no batch


def test_what_is_wrong_in_a_question_is_said_with_its_place(client: FlaskClient) -> None:
    answer = client.get("/v1/jobs", query_string={"where": "sead > 3"})
    assert answer.status_code == 422
    assert answer.json is not None
    assert answer.json["type"] == "parameters_invalid"
    message = 'at character 1: there is no sead; did you mean "seed"?'
    assert answer.json["errors"] == [{"pointer": "/where", "message": message}]


def test_pages_of_a_question_follow_one_another(
    client: FlaskClient, jobs: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "FIRST_WINDOW", 1)
    monkeypatch.setattr(pages, "MOST_SECONDS", 0.0)
    found, cursor, seen = list[str](), None, 0
    while True:
        page = get(client, "/v1/jobs?where=seed<2&limit=1" + (f"&cursor={cursor}" if cursor else ""))
        found, cursor, seen = found + [job["id"] for job in page["jobs"]], page["next_cursor"], seen + 1
        assert (page["looked_back_to"] is None) is (cursor is None)
        if cursor is None:
            break
    assert found == [jobs[1], jobs[0]]
    assert seen > 2  # some pages had no job


@on_sqlite
@hypothesis_settings(max_examples=FUZZ or 60, suppress_health_check=list(HealthCheck))
@given(where=st.one_of(st.text(max_size=60), st.text("seedtags.<>=()'\";-01 andornot", max_size=60)))
def test_no_text_of_a_question_is_a_fault_of_the_service(client: FlaskClient, where: str) -> None:
    answer = client.get("/v1/jobs", query_string={"where": where.encode(errors="surrogatepass")})
    assert answer.status_code in (200, 422), answer.text


def test_columns_of_choice_are_answered_alone(client: FlaskClient, jobs: list[str]) -> None:
    fields = 'seed, tags["half"], optimizer.name, loss_min,first_below(9), finished_at'
    answer = get(client, f"/v1/jobs?limit=200&sort=loss_min&fields={fields}")
    job = answer["jobs"][0]
    assert job["id"] in jobs
    assert set(job) == {"id", "values"}
    finished_at = job["values"].pop("finished_at")
    assert get(client, f"/v1/jobs/{job['id']}")["finished_at"] == finished_at
    half, seed = job["values"]["tags.half"], job["values"]["seed"]
    assert half == "ab"[seed % 2]
    assert job["values"] == {
        "seed": seed, "tags.half": half, "optimizer.name": None, "loss_min": 1.0, "first_below(9)": 0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ("seed, sead", 'at character 7: there is no sead; did you mean "seed"?'), ("", "cannot be read"),
        ("seed,,", "cannot be read"),
        ("-" * 900 + "1", "is no column"), ("seed, seed", "named twice"),
        ("loss_min < 9", "is no column"),
        ("first_below()", "takes one number"),
        ("seed " * 500, "2,048"), ("(" * 900, "cannot be read"), (", ".join(f"tags.x{n}" for n in range(31)), "31"),
    ],
)  # fmt: skip
def test_what_is_no_list_of_columns_is_refused(client: FlaskClient, fields: str, message: str) -> None:
    answer = client.get("/v1/jobs", query_string={"fields": fields})
    assert answer.status_code == 422, answer.text
    assert answer.json is not None
    assert answer.json["errors"][0]["pointer"] == "/fields"
    assert message in answer.json["errors"][0]["message"]


def test_names_and_tags_are_filters_of_their_own(client: FlaskClient, database: Database, settings: Settings) -> None:
    first = str(submitted(database, settings, name="a b", tags={"course": "w3", "owner": "x=y"}))
    second = str(submitted(database, settings, name="a", tags={"course": "w4"}))
    for query, expected in (
        ({"name": "a b"}, [first]), ({"name": "a"}, [second]), ({"tag": "course"}, [second, first]),
        ({"tag": "course=w3"}, [first]), ({"tag": ["course", "owner=x=y"]}, [first]), ({"tag": "owner=x"}, []),
        ({"tag": "course", "where": 'name == "a"', "sort": "submitted_at"}, [second]), ({"tag": "cours"}, []),
    ):  # fmt: skip
        answer = client.get("/v1/jobs", query_string=query)
        assert answer.status_code == 200, answer.text
        assert answer.json is not None
        assert [job["id"] for job in answer.json["jobs"]] == expected, query
    answer = client.get("/v1/jobs", query_string={"tag": "=w3"})
    assert answer.status_code == 422
    assert "has no key" in answer.text


def test_a_key_that_no_job_can_have_is_refused(client: FlaskClient) -> None:
    for route, parameter, written in (
        ("", "where", 'tags["{}"] == "a"'), ("", "where", 'init["{}"] == 1'), ("", "sort", 'tags["{}"]'),
        ("", "fields", 'metrics["{}"].max'), ("/count", "where", 'tags["{}"] is None'),
        ("/summary", "group", 'tags["{}"]'), ("/summary", "of", 'metrics["{}"].max'),
        ("/best", "metric", 'metrics["{}"].max'), ("/export", "where", 'tags["{}"] == "a"'),
    ):  # fmt: skip
        for text in ("\\ud800", "\\0"):
            answer = client.get(f"/v1/jobs{route}", query_string={parameter: written.replace("{}", text)})
            assert answer.status_code == 422, answer.text


def test_a_filter_that_no_job_can_have_is_refused(client: FlaskClient) -> None:
    for query in ({"name": "a\0"}, {"tag": "a\0=b"}, {"tag": "a=b\0"}):
        answer = client.get("/v1/jobs", query_string=query)
        assert answer.status_code == 422, query
        assert "characters" in answer.text


def test_a_job_that_is_deleted_under_a_list_of_columns_is_left_out(
    client: FlaskClient, jobs: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = queries.values_of_jobs
    monkeypatch.setattr(queries, "values_of_jobs", lambda *asked: dict(list(real(*asked).items())[1:]))
    assert len(get(client, "/v1/jobs?fields=seed")["jobs"]) == len(jobs) - 1


def test_an_action_reads_curves_for_at_most_so_many_jobs(
    client: FlaskClient, jobs: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    where = "first_below(1e9) >= 0"
    assert get(client, f"/v1/jobs/count?where={where}") == {"count": 5}
    monkeypatch.setattr(without_curves, "MOST_CURVES", 4)
    refused = client.get("/v1/jobs/count", query_string={"where": where})
    assert (refused.status_code, "over 4 curves" in refused.text) == (422, True)
    monkeypatch.setattr(without_curves, "MOST_CURVES", 5)
    monkeypatch.setattr(without_curves, "MOST_LOSSES", 2)
    refused = client.get("/v1/jobs/count", query_string={"where": where})
    assert (refused.status_code, "over 2 losses" in refused.text) == (422, True)
