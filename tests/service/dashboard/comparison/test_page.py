"""Jobs over one another: which are compared, what differs, and whose curves are the same."""

import re
from uuid import UUID

import orjson
import pytest
from flask.testing import FlaskClient

from gradyard.jobs.settings import Settings
from gradyard.store.database import Database
from tests.actors import claimed, submitted, succeeds, worker_of
from tests.service.dashboard.conftest import Look

STAGES = ("numpy", "tensor", "autograd", "function", "nn", "optim", "module", "dynamic")


def ended(database: Database, settings: Settings, losses: list[float], **spec: object) -> UUID:
    job_id = submitted(database, settings, **spec)
    succeeds(database, claimed(database, worker_of(database)), losses)
    return job_id


def drawn(page: str) -> list[dict[str, object]]:
    """What the script of the page draws."""
    (found,) = re.findall(r"data-jobs='([^']*)'", page)
    jobs: list[dict[str, object]] = orjson.loads(found)
    return jobs


def test_the_jobs_of_the_address_are_compared_in_its_order_each_once(
    look: Look, database: Database, settings: Settings
) -> None:
    one = ended(database, settings, [4.0, 3.0, 2.0, 1.0], seed=1)
    other = ended(database, settings, [4.0, 3.0, 2.0, 1.5], seed=2)
    page = look(f"/compare?job={other}&job={one}&job={other}")
    assert [each["id"] for each in drawn(page)] == [str(other), str(one)]
    assert page.count("icon") > 0
    assert re.search(r"B</span>.*?best", page, re.DOTALL)
    differs = page[page.index("What differs") :]
    assert ">seed</th>" in differs
    assert ">learning_rate</th>" not in differs


def test_curves_that_are_the_same_are_told(look: Look, database: Database, settings: Settings) -> None:
    jobs = [
        ended(database, settings, [4.0, 3.0, 2.0, last], seed=number)
        for number, last in enumerate((1.0, 1.0005, 1.1, 1.0))
    ]
    page = look("/compare?" + "&".join(f"job={job}" for job in jobs))
    assert "A, B and D lie on one curve" in page
    assert "On its own: C" in page


def test_a_batch_is_compared_and_stages_of_the_tutorial_are_explained(
    look: Look, client: FlaskClient, database: Database
) -> None:
    jobs = [{"stage": stage, "steps": 4, "seed": 10, "init": "normal"} for stage in STAGES]
    batch = client.post("/v1/batches", json={"name": "eight", "jobs": jobs}).json["id"]  # type: ignore[index]
    page = look(f"/compare?batch={batch}")
    assert len(drawn(page)) == 8
    assert "Why some lie on one another" in page
    assert 'data-live="2"' in page


@pytest.mark.parametrize("change", [{"init": "default"}, {"seed": 3}])
def test_stages_of_several_starts_are_not_explained(look: Look, client: FlaskClient, change: dict[str, object]) -> None:
    jobs = [{"stage": stage, "steps": 4, "seed": 10, "init": "normal"} for stage in STAGES]
    jobs[3] |= change
    batch = client.post("/v1/batches", json={"jobs": jobs}).json["id"]  # type: ignore[index]
    assert "Why some" not in look(f"/compare?batch={batch}")


def test_one_job_is_shown_alone_and_none_says_how_to_choose(look: Look, database: Database, settings: Settings) -> None:
    job = ended(database, settings, [4.0, 1.0, 1.0, 1.0])
    assert "One job has nothing to differ from" in look(f"/compare?job={job}")
    page = look("/compare")
    assert "Nothing to compare yet" in page
    assert 'data-action="eight-stages"' in page


def test_jobs_without_losses_are_compared(look: Look, database: Database, settings: Settings) -> None:
    one, other = (submitted(database, settings, seed=seed) for seed in (1, 2))
    page = look(f"/compare?job={one}&job={other}")
    assert len(drawn(page)) == 2
    assert "lie on one curve" not in page


@pytest.mark.parametrize(
    ("query", "status"),
    [("job=nothing", 404), ("batch=nothing", 404), ("colour=1", 422), ("&".join(["job=x"] * 65), 422)],
)
def test_what_is_not_there_is_told(look: Look, query: str, status: int) -> None:
    assert "card-box" in look(f"/compare?{query}", status)
