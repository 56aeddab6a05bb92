"""Questions answered by the databases, beside a reference in plain Python over the same jobs."""

import operator
from collections.abc import Callable
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from gradyard.jobs.questions import columns, terms
from gradyard.jobs.questions.read import question
from gradyard.jobs.questions.terms import Column, Comparison, Kind, Missing, Not, OneOf, Source, Term
from gradyard.jobs.settings import Settings
from gradyard.jobs.states import State
from gradyard.store import lifecycle
from gradyard.store.database import Database
from gradyard.store.lifecycle import Outcome
from gradyard.store.queries.questions import narrowed, pages
from gradyard.store.queries.questions.pages import Found, ids_asked
from gradyard.store.tables import Job
from tests.actors import claimed, fails, progress_of, submitted, succeeds, worker_of
from tests.fuzzing import FUZZ

OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip
SPECS: list[dict[str, Any]] = [
    {"stage": "tensor", "name": "plain"},
    {"stage": "nn", "tags": {"course": "w3", "a key": "1"}, "seed": 7},
    {"stage": "optim", "optimizer": {"name": "adam", "beta1": 0.8}, "learning_rate": 0.01, "tags": {"course": "w4"}},
    {"stage": "optim", "optimizer": {"name": "sgd", "momentum": 0.5, "nesterov": True}, "learning_rate": 0.5},
    {"stage": "numpy", "steps": 9, "dtype": "float64", "dataset": {"points": 7, "noise": 0.25}},
    {"stage": "tensor", "init": {"a": 0.5, "b": 1, "c": 0, "d": -1}, "name": "started"},
]


@pytest.fixture
def jobs(database: Database, settings: Settings) -> list[UUID]:
    """Jobs in every state, each of another spec: those that have ended come first."""
    made = []
    for number, spec in enumerate(SPECS * 2):
        made.append(submitted(database, settings, **spec))
        if number < 3:
            succeeds(database, claimed(database, worker_of(database)), [4.0 + number, 3.0, 2.0 - number, 2.5])
        elif number == 3:
            fails(database, claimed(database, worker_of(database)))
    _one_with_metrics(database, settings, made)
    made.append(submitted(database, settings, stage="nn", name="cancelled"))
    with database.begin() as connection:
        connection.execute(update(Job).where(Job.id == made[0]).values(pinned=True))
        connection.execute(update(Job).where(Job.id == made[2]).values(retry_of=made[0]))
    worker = worker_of(database)
    with database.begin() as connection:
        lifecycle.request_cancel(connection, made[-1], actor="test")
        running = lifecycle.claim(connection, worker, 60.0)
        assert running is not None
        assert lifecycle.record_all(connection, [progress_of(each, [8.0, 7.0]) for each in running.members]).stored
    return made


def _one_with_metrics(database: Database, settings: Settings, made: list[UUID]) -> None:
    made.insert(0, submitted(database, settings, stage="module", priority=100, name="measured"))
    held = claimed(database, worker_of(database))
    (member,) = held.members
    progress = progress_of(member, [9.0, 1.0, 3.0, 2.0])
    progress.metrics["accuracy"] = np.array([0.5, 0.9, 0.7])
    with database.begin() as connection:
        assert lifecycle.record(connection, progress)
        assert lifecycle.succeed(connection, member.held, Outcome({"a": 1.0}, None, {}), actor="worker")
        lifecycle.release(connection, held.id, actor="worker")


CURVES = {4.0 + number: [4.0 + number, 3.0, 2.0 - number, 2.5] for number in range(3)} | {9.0: [9.0, 1.0, 3.0, 2.0]}
METRICS = {
    "measured": {"accuracy": {"last": 0.7, "last_step": 2, "min": 0.5, "min_step": 0, "max": 0.9, "max_step": 1}}
}


def rows_of(database: Database) -> list[Any]:
    """The rows of `jobs`, the newest first."""
    with database.read() as connection:
        return list(connection.execute(select(Job.__table__).order_by(Job.id.desc())))


def value_of(row: Any, column: Column) -> Any:
    """The value of a column for a job, from what was sent and what is in `jobs`; None where it has none."""
    if column.source is Source.TAG:
        return row.tags.get(column.name)
    if column.source is Source.METRIC:
        return METRICS.get(row.name or "", {}).get(column.name, {}).get(column.figure)
    if column.source is Source.CURVE:
        losses = CURVES.get(row.loss_first, []) if row.state != State.RUNNING else [8.0, 7.0]
        return next((step for step, loss in enumerate(losses) if loss < column.below), None)
    if column.source is Source.PARAMETER:
        value: Any = row.spec
        for part in column.name.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        return float(value) if isinstance(value, int | float) else value if isinstance(value, str) else None
    if column.name in ("degree", "seed"):
        return row.spec.get(column.name)
    if column.name == "points":
        return row.spec["dataset"]["points"]
    if column.name == "learning_rate":
        return row.resolved.get("learning_rate", row.spec.get("learning_rate"))
    if column.name in ("setup_seconds", "train_seconds") and row.state == "queued" and not row.attempt:
        return None
    value = getattr(row, {"batch": "batch_id"}.get(column.name, column.name))
    return str(value) if isinstance(value, UUID) else int(value) if isinstance(value, bool) else value


def satisfies(row: Any, term: Term) -> bool:
    """Whether a job satisfies a question. A missing value satisfies no comparison."""
    assert not isinstance(term, terms.Among)  # what is asked has none
    match term:
        case terms.All(parts):
            return all(satisfies(row, each) for each in parts)
        case terms.Any(parts):
            return any(satisfies(row, each) for each in parts)
        case Not(inner):
            return not satisfies(row, inner)
        case Missing(column):
            return value_of(row, column) is None
        case OneOf(column, values):
            return any(satisfies(row, Comparison(column, "==", each)) for each in values)
        case Comparison(column, symbol, value):
            left = value_of(row, column)
            right = value_of(row, value) if isinstance(value, Column) else value
            if left is None or right is None:
                return False
            if isinstance(left, str) is not isinstance(right, str):
                return symbol == "!="
            return OPERATORS[symbol](left, right)


WAYS = ["rare jobs are found first", "all jobs are looked through"]


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The two ways to an answer: of a few jobs the first is always taken."""
    if request.param != WAYS[0]:
        monkeypatch.setattr(narrowed, "MOST_CANDIDATES", 0)
    return str(request.param)


def answered(database: Database, term: Term, **how: Any) -> list[UUID]:
    """The ids that the database answers with."""
    with database.read() as connection:
        found: Found = ids_asked(connection, 1, term, **({"limit": 200} | how))
    return found.ids


QUESTIONS = [
    "loss_min < 2", "loss_last > loss_min", 'state == "running" and loss_last == 7', "learning_rate > 0.1",
    "loss_min is None", "not loss_min < 2", 'tags.course == "w3"', 'tags["a key"] is not None',
    'state in ("queued", "failed")',
    'tags.course != "w3"', 'optimizer.name == "adam"', "optimizer.nesterov == True", "optimizer.momentum is None",
    "not optimizer.momentum > 0.1", 'init == "normal"', "init.a == 0.5", "dataset.points < 100", "init != 3",
    'finished_at > "2020-01-01"', 'submitted_at < "2020-01-01"', 'batch is None and stage != "nn"', "seed == 7",
    "metrics.accuracy.max > 0.8", "metrics.accuracy.last_step == 2", "metrics.accuracy.last is None", "name >= 'm'",
    'batch == "no id"', 'batch != "no id"', 'not (state == "queued" or stage in ("nn",))', "loss_min < 1e999",
    "first_below(3.5) < 2", "not first_below(3.5) < 2", "first_below(2.5) == 2 or seed == 7",
    "priority > 0", "priority <= 0 and not pinned == True", "pinned == False", "pinned > 0 or retry_of is not None",
    'retry_of != "no id" or recheck_of == "00000000-0000-0000-0000-000000000000"', "recheck_of is None",
    "retry_of == recheck_of or retry_of != batch",
    "first_below(1.5) is None", "first_below(2) is not None", "first_below(7.5) in (1, 2)",
    "3 > first_below(2.5) > 0",
    "not (first_below(3.5) != 1 or first_below(2) is None)", "first_below(-1e300) >= 0",
    "first_below(1e999) == 0",
]  # fmt: skip


def test_an_answer_is_that_of_the_reference(database: Database, jobs: list[UUID], way: str) -> None:
    rows = rows_of(database)
    for text in QUESTIONS:
        term = question(text)
        assert answered(database, term) == [row.id for row in rows if satisfies(row, term)], text


def test_every_documented_name_is_answered_as_by_the_reference(database: Database, jobs: list[UUID]) -> None:
    rows = rows_of(database)
    names = [("tags", "course"), *(("metrics", "accuracy", figure) for figure in columns.FIGURES)]
    names += [
        tuple(name.split(".")) for name in (*columns.FIELDS, *columns.parameter_names()) if not name.endswith(".")
    ]
    for parts in names:
        column = columns.column(parts)
        assert column is not None
        values = {value for row in rows if (value := value_of(row, column)) is not None and not isinstance(value, dict)}
        asked: list[Term] = [Missing(column), Not(Missing(column))]
        for number, value in enumerate(sorted(values, key=repr)):
            asked += [Comparison(column, symbol, value) for symbol in (OPERATORS if number < 2 else ("<=", "!="))]
        for term in asked:
            assert answered(database, term) == [row.id for row in rows if satisfies(row, term)], term


COLUMNS = st.sampled_from([
    Column(Source.FIELD, "loss_min", Kind.NUMBER), Column(Source.FIELD, "learning_rate", Kind.NUMBER),
    Column(Source.FIELD, "seed", Kind.NUMBER),
    columns.first_below(2.5), columns.first_below(3.5),
    Column(Source.METRIC, "accuracy", Kind.NUMBER, "max"),
    Column(Source.PARAMETER, "optimizer.momentum", Kind.ANY), Column(Source.PARAMETER, "init.a", Kind.ANY),
])  # fmt: skip
TEXTS = st.sampled_from([
    Column(Source.FIELD, "state", Kind.TEXT), Column(Source.FIELD, "stage", Kind.TEXT),
    Column(Source.FIELD, "name", Kind.TEXT), Column(Source.TAG, "course", Kind.TEXT),
    Column(Source.PARAMETER, "optimizer.name", Kind.ANY), Column(Source.PARAMETER, "dtype", Kind.ANY),
])  # fmt: skip
NUMBERS = st.sampled_from([-1.0, 0.0, 0.5, 0.9, 1.0, 2.0, 7.0])
WORDS = st.sampled_from(["queued", "succeeded", "nn", "optim", "w3", "adam", "float32", "plain", ""])
LEAVES: st.SearchStrategy[Term] = st.one_of(
    st.builds(Comparison, COLUMNS, st.sampled_from(list(OPERATORS)), NUMBERS),
    st.builds(Comparison, TEXTS, st.sampled_from(list(OPERATORS)), WORDS),
    st.builds(OneOf, TEXTS, st.lists(WORDS, max_size=3).map(tuple)),
    st.builds(Missing, st.one_of(COLUMNS, TEXTS)),
)
TERMS: st.SearchStrategy[Term] = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(terms.All, st.lists(inner, min_size=1, max_size=3).map(tuple)),
        st.builds(terms.Any, st.lists(inner, min_size=1, max_size=3).map(tuple)),
    ),
    max_leaves=8,
)


@hypothesis_settings(suppress_health_check=list(HealthCheck), max_examples=FUZZ or 40)
@given(term=TERMS)
def test_any_question_is_answered_as_by_the_reference(
    database: Database, jobs: list[UUID], way: str, term: Term
) -> None:  # fmt: skip
    assert answered(database, term) == [row.id for row in rows_of(database) if satisfies(row, term)]


def test_another_projects_jobs_are_never_in_an_answer(database: Database, jobs: list[UUID]) -> None:
    with database.read() as connection:
        assert ids_asked(connection, 2, question("not loss_min is None or loss_min is None"), limit=9).ids == []


def test_pages_follow_one_another_through_windows(
    database: Database, jobs: list[UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "FIRST_WINDOW", 2)
    monkeypatch.setattr(pages, "LARGEST_WINDOW", 3)
    term = question('stage in ("nn", "tensor")')
    whole, before, found = answered(database, term), None, list[UUID]()
    assert len(whole) > 4
    with database.read() as connection:
        while True:
            page = ids_asked(connection, 1, term, limit=2, before=before)
            found += page.ids
            if page.looked_to is None:
                break
            before = page.looked_to
    assert found == whole


def test_a_question_that_takes_too_long_says_how_far_it_looked(
    database: Database, jobs: list[UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "FIRST_WINDOW", 2)
    monkeypatch.setattr(pages, "MOST_SECONDS", 0.0)
    term = question("loss_first == 4")
    with database.read() as connection:
        page = ids_asked(connection, 1, term, limit=2)
        assert page.ids == []
        assert page.looked_to is not None
        looks = 1
        while not page.ids:
            page, looks = ids_asked(connection, 1, term, limit=2, before=page.looked_to), looks + 1
    assert looks > 3


def test_a_batch_and_a_stage_narrow_a_question(database: Database, jobs: list[UUID]) -> None:
    everything = question("attempt >= 0")
    nn = answered(database, everything, stage="nn")
    assert nn == [row.id for row in rows_of(database) if row.stage == "nn"]
    assert answered(database, everything, batch=jobs[0]) == []
