"""Jobs in the order of a column, beside a reference in plain Python."""

import base64
import json
from itertools import product
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update

from gradyard.jobs.errors import SpecInvalid
from gradyard.jobs.questions import columns
from gradyard.jobs.questions.order import Order, order
from gradyard.jobs.questions.read import question
from gradyard.jobs.states import State
from gradyard.store.database import Database
from gradyard.store.queries.questions import narrowed, ordered_rows
from gradyard.store.queries.questions.orders import cursor_of, jobs_in_order
from gradyard.store.queries.questions.pages import ids_asked
from gradyard.store.tables import Job
from tests.store.questions.test_answers import WAYS, jobs, rows_of, satisfies, value_of, way
from tests.store.test_batches import stored

__all__ = ["jobs", "way"]  # the fixtures


def walked(database: Database, by: Order, where: str | None = None, **how: Any) -> list[UUID]:
    """The ids of all pages of two jobs."""
    found, cursor = list[UUID](), None
    asked = None if where is None else question(where)
    with database.read() as connection:
        while True:
            page = jobs_in_order(connection, 1, by, asked, limit=2, cursor=cursor, **how)
            found += [row.id for row in page.jobs]
            if (cursor := page.next_cursor) is None:
                return found


def in_order(rows: list[Any], by: Order) -> list[UUID]:
    valued = [
        (value, row.id)
        for row in sorted(rows, key=lambda row: row.id)
        if (value := value_of(row, by.column)) is not None
    ]
    return [job_id for _, job_id in sorted(valued, reverse=by.descending)]


def test_every_documented_order_is_that_of_the_reference_page_by_page(database: Database, jobs: list[UUID]) -> None:
    rows = rows_of(database)
    for name in (*columns.FIELDS, "tags.course", "metrics.accuracy.max"):
        for sign in ("", "-"):
            by = order(f"{sign}{name}")
            assert walked(database, by) == in_order(rows, by), f"{sign}{name}"


WHERE = [
    'stage == "nn"', "loss_min < 3", 'not tags.course == "w3"', "loss_last >= 2 and loss_last <= 2.5",
    "loss_last == 2.5", "3 < loss_last", "first_below(2.5) >= 2", "not first_below(2.5) < 3",
    "1 <= loss_min <= 1 and metrics.accuracy.max > 0.5",
]  # fmt: skip
BY = ["-loss_last", "loss_min", "metrics.accuracy.max", "steps_done"]
LOOKS: list[tuple[int, ...]] = [(), (1, 2), (500,)]
NARROWED_BY = ("loss_min", "-finished_at", "-train_seconds", "metrics.accuracy.last", "submitted_at")


@pytest.mark.parametrize("looks", LOOKS, ids=str)
def test_an_order_of_an_answer_is_that_of_the_reference(
    database: Database, jobs: list[UUID], way: str, looks: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each question in two of the orders: in the others with other looks, and in all of them either way."""
    monkeypatch.setattr(ordered_rows, "LOOKS", looks)
    rows, turn = rows_of(database), LOOKS.index(looks) + (way == WAYS[0])
    for number, where in enumerate(WHERE):
        chosen = [row for row in rows if satisfies(row, question(where))]
        succeeded = [row for row in chosen if row.state == State.SUCCEEDED]
        by, other = (order(BY[(number + turn + each) % len(BY)]) for each in (0, 2))
        assert walked(database, by, where) == in_order(chosen, by), (where, by)
        assert walked(database, other, where, state=State.SUCCEEDED) == in_order(succeeded, other), (where, other)


def test_a_state_and_a_stage_narrow_an_order(database: Database, jobs: list[UUID], way: str) -> None:
    rows = rows_of(database)
    for number, (state, stage) in enumerate(product([None, *State], [None, "nn", "dynamic"])):
        narrowed_to = [row for row in rows if state in (None, row.state) and stage in (None, row.stage)]
        for by in map(order, (NARROWED_BY[number % 5], NARROWED_BY[(number + 2) % 5])):
            assert walked(database, by, state=state, stage=stage) == in_order(narrowed_to, by), (by, state, stage)


def test_an_order_of_a_metric_of_which_the_first_jobs_are_not_asked_for_is_answered_whole(
    database: Database, jobs: list[UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ordered_rows, "LOOKS", (1,))
    monkeypatch.setattr(ordered_rows, "MOST_SECONDS", 0.0)
    monkeypatch.setattr(narrowed, "MOST_CANDIDATES", 0)
    with database.read() as connection:
        page = jobs_in_order(connection, 1, order("-metrics.accuracy.max"), question("seed is None"), limit=2)
    assert page.next_cursor is None


def test_jobs_that_wait_again_are_in_their_place(database: Database, jobs: list[UUID]) -> None:
    with database.begin() as connection:
        connection.execute(update(Job).where(Job.state == State.RUNNING).values(state="queued", claim_id=None))
    rows = rows_of(database)
    for name in ("loss_min", "-loss_last", "train_seconds"):
        assert walked(database, order(name)) == in_order(rows, order(name)), name


def test_pages_in_the_order_of_batches_follow_one_another(database: Database) -> None:
    for _ in range(2):
        stored(database, {"spec": {"stage": "nn", "steps": 4}, "grid": {"seed": {"stop": 3}}})
    rows = rows_of(database)
    for name in ("batch", "-batch"):
        assert walked(database, order(name)) == in_order(rows, order(name))


@pytest.mark.parametrize("cursor", ["", "x", "MQ", "Mg", "MltbMV0", "MnsidSI6MX0", "NFtd"])
def test_another_cursor_is_refused(database: Database, cursor: str) -> None:
    with database.read() as connection, pytest.raises(SpecInvalid):
        jobs_in_order(connection, 1, order("loss_min"), None, limit=2, cursor=cursor)


EXAMPLES: dict[str, Any] = {
    "loss_min": 1.5, "-loss_min": 1.5, "loss_last": 1.5, "steps": 7, "name": "a", "batch": UUID(int=7),
    "metrics.x.last": 0.5, "metrics.y.last": 0.5, "tags.name": "a", "finished_at": 1e9,
}  # fmt: skip


def test_a_cursor_is_good_for_its_own_order_alone(database: Database) -> None:
    with database.read() as connection:
        for name, value in EXAMPLES.items():
            cursor = cursor_of(order(name), value, UUID(int=1))
            assert jobs_in_order(connection, 1, order(name), None, limit=2, cursor=cursor).jobs == []
            for other in EXAMPLES.keys() - {name}:
                with pytest.raises(SpecInvalid):
                    jobs_in_order(connection, 1, order(other), None, limit=2, cursor=cursor)


FORGED: list[Any] = [2**64, True, None, {}, ["0x1p99999"], ["nan"], ["inf"], [], "a\0", "\ud800", "é" * 9, [7], [[]]]


def test_a_forged_cursor_is_refused(database: Database) -> None:
    with database.read() as connection:
        for name, told in product(["loss_min", "steps", "batch", "name"], FORGED):
            raw = b"4" + json.dumps([f"field.{name}.", told, UUID(int=1).hex]).encode()
            cursor = base64.urlsafe_b64encode(raw).decode().rstrip("=")
            if (name, told) == ("name", "é" * 9):
                assert jobs_in_order(connection, 1, order(name), None, limit=2, cursor=cursor).jobs == []
                continue
            with pytest.raises(SpecInvalid):
                jobs_in_order(connection, 1, order(name), None, limit=2, cursor=cursor)


@pytest.mark.parametrize(
    ("text", "message"),
    [("los_min", 'did you mean "loss_min"?'), ("-optimizer.name", "is no order"), ("", "there is no"),
     ("first_below(9)", "is no order"), ("--", "there is no"),
     ("loss_min desc", "there is no"), ("(" * 500, "there is no")],
)  # fmt: skip
def test_what_is_no_order_is_refused(text: str, message: str) -> None:
    with pytest.raises(SpecInvalid) as refused:
        order(text)
    assert message in refused.value.problems[0].message


@pytest.mark.parametrize("asked", ["loss_min < 0.5", "metrics.accuracy.max > 0.5", "metrics.accuracy.last == 1"])
def test_a_figure_is_asked_for_in_a_project_without_jobs(database: Database, asked: str) -> None:
    with database.read() as connection:
        assert ids_asked(connection, 1, question(asked), limit=9).ids == []
        for by in ("loss_min", "-metrics.accuracy.max"):
            assert jobs_in_order(connection, 1, order(by), question(asked), limit=9).jobs == []
