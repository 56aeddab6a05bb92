"""The list of batches and the page of one, as they are without scripts."""

import re

from flask.testing import FlaskClient
from sqlalchemy import update

from gradyard.jobs.settings import Settings
from gradyard.store import lifecycle
from gradyard.store.database import Database
from gradyard.store.tables import Batch
from tests.actors import claimed, fails, progress_of, succeeds, worker_of
from tests.service.dashboard.conftest import Look
from tests.service.dashboard.test_texts_of_users import EVIL, assert_harmless


def made(client: FlaskClient, name: str | None = None, jobs: int = 2) -> str:
    body = {"jobs": [{"stage": "tensor", "steps": 4}] * jobs} | ({"name": name} if name else {})
    return str(client.post("/v1/batches", json=body).json["id"])  # type: ignore[index]


def test_the_list_shows_progress_best_and_state_the_newest_first(
    look: Look, client: FlaskClient, database: Database
) -> None:
    old = made(client, "old")
    while "2 of 2 have ended" not in look(f"/batches/{old}"):
        succeeds(database, claimed(database, worker_of(database)), [4.0, 3.0, 2.0, 1.5])
    new = made(client, "new")
    page = look("/batches")
    assert page.index(new) < page.index(old)
    assert "2 ended" in page
    assert re.search(r'title="loss_last">1.5</a>', page)
    assert '<span class="state queued">' in page
    assert '<span class="state succeeded">' in page


def test_the_list_says_by_which_of_the_varied_parameters_the_best_one_came(
    look: Look, client: FlaskClient, database: Database
) -> None:
    spec = {"stage": "optim", "steps": 4, "optimizer": {"name": "sgd"}}
    body = {"spec": spec, "grid": {"learning_rate": [1e-6, 1e-3], "optimizer.momentum": [0.0, 0.5]}}
    assert client.post("/v1/batches", json=body).status_code == 202
    while "4 ended" not in look("/batches"):
        claim = claimed(database, worker_of(database))
        with database.begin() as connection:
            for member in claim.members:
                momentum = member.spec["optimizer"]["momentum"]
                losses = [4.0, 3.0, 2.0, 1.0 - momentum + member.spec["learning_rate"]]
                assert lifecycle.record(connection, progress_of(member, losses))
                assert lifecycle.succeed(connection, member.held, lifecycle.Outcome({"a": 0.5}, "y", {}), actor="w")
            lifecycle.release(connection, claim.id, actor="w")
    by = re.search(r'<div class="by">(.*?)</div>', look("/batches"))
    assert by is not None
    assert by[1] == "learning_rate 1e-6 · optimizer.momentum 0.5"


def test_a_page_leads_to_the_next_one(look: Look, client: FlaskClient) -> None:
    ids = [made(client) for _ in range(3)]
    first = look("/batches?limit=2")
    assert ids[0] not in first
    (address,) = re.findall(r'rel="next" href="([^"]+)"', first)
    second = look(address.replace("&amp;", "&"))
    assert ids[0] in second
    assert "First page" in second


def test_without_batches_it_says_how_to_make_one(look: Look) -> None:
    assert "gradyard sweep" in look("/batches")


def test_a_batch_shows_its_best_jobs_failures_and_exports(
    look: Look, client: FlaskClient, database: Database, settings: Settings
) -> None:
    batch, worker = made(client, "rates", jobs=2), worker_of(database)
    while "2 of 2 have ended" not in look(f"/batches/{batch}"):
        succeeds(database, claimed(database, worker), [4.0, 0.5, 2.0, 1.25])
    page = look(f"/batches/{batch}")
    assert '<td class="num">1.25</td><td class="num">0.5</td>' in page
    assert f'href="/v1/batches/{batch}/export?format=csv"' in page
    assert 'data-verb="delete"' in page
    assert "Charts need JavaScript" in page


def test_a_batch_of_which_all_failed_says_why(look: Look, client: FlaskClient, database: Database) -> None:
    batch = made(client)
    while "2 of 2 have ended" not in look(f"/batches/{batch}"):
        fails(database, claimed(database, worker_of(database)))
    page = look(f"/batches/{batch}")
    assert "all failed" in page
    assert "its code raised an error" in page
    assert "No job has succeeded yet" in page
    assert 'data-verb="retry"' in page
    assert 'data-verb="cancel"' not in page


def test_a_batch_under_way_is_live_and_can_be_cancelled(look: Look, client: FlaskClient) -> None:
    page = look(f"/batches/{made(client)}")
    assert 'data-live="2"' in page
    assert 'data-verb="cancel"' in page


def test_a_beginning_of_its_id_names_it_and_a_wrong_one_is_told(look: Look, client: FlaskClient) -> None:
    batch = made(client)
    assert batch in look(f"/batches/{batch[:18]}")
    assert "there is no batch" in look("/batches/nothing", 404)


def test_its_texts_are_shown_as_they_are_written(look: Look, client: FlaskClient, database: Database) -> None:
    batch = client.post("/v1/batches", json={"jobs": [{"stage": "nn", "name": EVIL[:190]}]}).json["id"]  # type: ignore[index]
    fails(database, claimed(database, worker_of(database)))
    with database.begin() as connection:
        connection.execute(update(Batch).values(name=EVIL, submitted_by=EVIL, sweep={EVIL: EVIL}))
    for path in ("/batches", f"/batches/{batch}", f"/compare?batch={batch}"):
        assert_harmless(look(path))
