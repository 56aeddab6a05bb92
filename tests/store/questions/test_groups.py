"""Counts and summaries, beside a reference in plain Python over the same jobs."""

from itertools import product
from math import fsum
from typing import Any, cast
from uuid import UUID

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import TableClause, bindparam, update

from gradyard.jobs.errors import SpecInvalid
from gradyard.jobs.questions import columns
from gradyard.jobs.questions.named import Named, figures_named, groups_named
from gradyard.jobs.questions.read import question
from gradyard.jobs.questions.terms import Kind
from gradyard.jobs.settings import Settings
from gradyard.jobs.states import State
from gradyard.store.database import Database
from gradyard.store.queries.questions import counts, groups
from gradyard.store.queries.questions.counts import count_asked
from gradyard.store.queries.questions.groups import Figures, Groups, summary_asked
from gradyard.store.tables import JobSummary
from tests.actors import claimed, submitted, submitted_to, succeeds, worker_of
from tests.fuzzing import FUZZ
from tests.store.questions.test_answers import jobs, rows_of, satisfies, value_of
from tests.store.test_batches import stored

__all__ = ["jobs"]  # the fixture

PARAMETERS = ("optimizer.name", "optimizer.momentum", "optimizer.nesterov", "dtype", "dataset.noise", "init.a", "init")
QUESTIONS = (None, 'stage == "nn"', "loss_min < 3", 'not tags.course == "w3"', "loss_min is None", "seed == 99")


def summarized(database: Database, by: str = "", of: str = "", where: str | None = None, **how: Any) -> Groups:
    """The summary that the database answers with."""
    named: tuple[Named, Named] = (groups_named(by) if by else {}, figures_named(of) if of else {})
    asked = None if where is None else question(where)
    with database.read() as connection:
        return summary_asked(connection, 1, asked, by=named[0], of=named[1], **how)


def as_summary_asks(row: Any, named: Named) -> list[Any]:
    values = [value_of(row, column) for column in named.values()]
    return [UUID(value) if column.is_id and value else value
            for value, column in zip(values, named.values(), strict=True)]  # fmt: skip


def check(found: Groups, rows: list[Any], by: str, of: str) -> None:
    """Compare a summary of these rows with one in plain Python."""
    grouped: dict[tuple[Any, ...], list[Any]] = {}
    for row in rows:
        grouped.setdefault(tuple(as_summary_asks(row, groups_named(by) if by else {})), []).append(row)
    if not by and not rows:
        grouped = {(): []}
    assert {tuple(group.values.values()): group.count for group in found.groups} == {
        values: len(members) for values, members in grouped.items()
    }
    for group in found.groups:
        for name, column in (figures_named(of) if of else {}).items():
            values = [value_of(row, column) for row in grouped[tuple(group.values.values())]]
            assert_figures(group.figures[name], [value for value in values if isinstance(value, int | float)])


def assert_figures(found: Figures, values: list[float]) -> None:
    assert found.count == len(values)
    if not values:
        assert (found.min, found.max, found.mean, found.median, found.p95) == (None,) * 5
        return
    assert (found.min, found.max) == (min(values), max(values))
    assert found.mean == pytest.approx(fsum(value / 2**64 for value in values) / len(values) * 2**64)
    assert [found.median, found.p95] == pytest.approx(np.quantile(values, [0.5, 0.95]).tolist())


def test_a_summary_by_every_documented_name_is_that_of_the_reference(database: Database, jobs: list[UUID]) -> None:
    rows = rows_of(database)
    for by in (*columns.FIELDS, *PARAMETERS, "tags.course", 'tags["a key"]', "metrics.accuracy.max"):
        check(summarized(database, by, "loss_min"), rows, by, "loss_min")


def test_figures_of_every_number_are_those_of_the_reference(database: Database, jobs: list[UUID]) -> None:
    rows = rows_of(database)
    numbers = [name for name, kind in columns.FIELDS.items() if kind is not Kind.TEXT]
    for of in (*numbers, *PARAMETERS, "metrics.accuracy.last_step"):
        for by in ("", "stage"):
            check(summarized(database, by, of), rows, by, of)


def test_a_question_chooses_the_jobs_that_are_counted_and_summarized(database: Database, jobs: list[UUID]) -> None:
    rows = rows_of(database)
    of, by = "learning_rate, steps", "stage, tags.course"
    for where, state, stage in product(QUESTIONS, (None, State.SUCCEEDED, State.QUEUED), (None, "optim")):
        term = where and question(where)
        chosen = [row for row in rows if (not term or satisfies(row, term)) and state in (None, row.state)]
        chosen = [row for row in chosen if stage in (None, row.stage)]
        check(summarized(database, by, of, where, state=state, stage=stage), chosen, by, of)
        with database.read() as connection:
            assert count_asked(connection, 1, term or None, state=state, stage=stage) == len(chosen)


@pytest.mark.slow
def test_figures_of_any_values_are_those_of_numpy(database: Database, settings: Settings) -> None:
    stored(database, {"spec": {"stage": "nn", "steps": 4}, "grid": {"seed": {"stop": 120}}})
    ids = [row.id for row in rows_of(database)]
    numbers = st.floats(0, allow_infinity=False, allow_subnormal=False) | st.floats(-1.0, 1.0)

    @hypothesis_settings(max_examples=FUZZ or 10,
                         suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(st.lists(st.tuples(st.integers(0, 3), st.none() | numbers), min_size=120, max_size=120))
    def check_these(values: list[tuple[int, float | None]]) -> None:
        pairs = [{"group": group, "value": value} for group, value in values]
        with database.begin() as connection:
            connection.execute(_set, [{"of_job": job_id, **pair} for job_id, pair in zip(ids, pairs, strict=True)])
        for group in summarized(database, "seed", "learning_rate").groups:
            mine = [pair["value"] for pair in pairs if pair["group"] == group.values["seed"]]
            assert_figures(group.figures["learning_rate"], [value for value in mine if value is not None])

    check_these()


_set = (
    update(cast(TableClause, JobSummary.__table__)).where(JobSummary.job_id == bindparam("of_job"))
    .values(seed=bindparam("group"), learning_rate=bindparam("value"))
)  # fmt: skip


def test_groups_are_in_the_order_of_their_values_the_missing_ones_first(database: Database, settings: Settings) -> None:
    for name in ("b", "Z", "é", "a", None, "a"):
        submitted(database, settings, name=name)
    found = summarized(database, "name, seed")
    assert [group.values["name"] for group in found.groups] == [None, "Z", "a", "b", "é"]
    for rate in (1e-3, 1e-6, 0.5):
        submitted(database, settings, learning_rate=rate)
    rates = [group.values["learning_rate"] for group in summarized(database, "learning_rate").groups]
    assert rates == sorted(rates, key=lambda rate: (rate is not None, rate))


def test_the_batch_of_a_summary_is_read_alone(database: Database, settings: Settings) -> None:
    batch = stored(database, {"spec": {"stage": "nn", "steps": 4}, "grid": {"seed": {"stop": 5}}})
    submitted(database, settings, stage="nn")
    (group,) = summarized(database, "", "seed", batch=batch.batch_id).groups
    assert (group.count, group.figures["seed"].median) == (5, 2.0)
    with database.read() as connection:
        assert count_asked(connection, 1, question("seed >= 3"), batch=batch.batch_id) == 2


def test_another_projects_jobs_are_not_counted(database: Database, settings: Settings) -> None:
    mine = submitted(database, settings)
    with database.begin() as connection:
        connection.exec_driver_sql("INSERT INTO projects (id, name) VALUES (2, 'other')")
    for _ in range(counts.READ_WHOLE_FROM * 2):  # so many that this project's rows are looked for by an index
        submitted_to(2, database, settings)
    with database.read() as connection:
        assert count_asked(connection, 1) == count_asked(connection, 1, question('stage == "tensor"')) == 1
    assert [group.count for group in summarized(database, "stage").groups] == [1]
    succeeds(database, claimed(database, worker_of(database)))
    assert mine


def test_more_groups_than_are_shown_are_said_so(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(groups, "MOST_GROUPS", 3)
    for seed in (5, 1, 4, 2):
        submitted(database, settings, seed=seed)
    found = summarized(database, "seed")
    assert ([group.values["seed"] for group in found.groups], found.more) == ([1, 2, 4], True)
    assert not summarized(database, "seed", where="seed < 5").more


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("learnin_rate", 'did you mean "learning_rate"?'), ("seed, seed", "is named twice"),
        ("seed, steps, stage, state, reason", "at most 4"), ("seed,", ""), ("seed seed", "cannot be read"),
        ("", "cannot be read"), ("(" * 500, "cannot be read"), ("seed < 3", "seed < 3 is no column"),
        ("1", "is no column"), ("first_below(9)", "is for questions"), ("-" * 900 + "1", "is no column"),
    ],
)  # fmt: skip
def test_what_names_no_groups_is_refused(text: str, message: str) -> None:
    if not message:  # Python's own form of one
        assert list(groups_named(text)) == ["seed"]
        return
    with pytest.raises(SpecInvalid) as refused:
        groups_named(text)
    assert message in refused.value.problems[0].message
    assert refused.value.problems[0].pointer == "/group"


def test_a_text_has_no_figures() -> None:
    with pytest.raises(SpecInvalid, match="stage is a text"):
        figures_named("loss_min, stage")
    assert list(figures_named('submitted_at, tags["x"]'.partition(",")[0])) == ["submitted_at"]
