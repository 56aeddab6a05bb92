"""Beside the rounds of maintenance: sizes are added up, rules are applied, and old ids are forgotten."""

import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection, delete, event, func, insert, select, update
from structlog.testing import capture_logs

from gradyard.jobs.errors import NotFound, SettingsInvalid
from gradyard.jobs.settings import Settings, load
from gradyard.jobs.storage import RetentionRule
from gradyard.store import lifecycle, queries
from gradyard.store.database import Database
from gradyard.store.dialects import clock_of
from gradyard.store.retention import rules, totals
from gradyard.store.tables import DeletedBatch, DeletedJob, JobSize, ProjectStorage
from gradyard.store.upkeep import old_rows
from tests.store.retention.projects_for_tests import DAY, ended_jobs, left
from workers import storage_upkeep
from workers.maintenance import Maintenance
from workers.storage_upkeep import StorageUpkeep

Upkeep = Callable[..., StorageUpkeep]


@pytest.fixture
def upkeep(database: Database, settings: Settings) -> Upkeep:
    def make(**changes: object) -> StorageUpkeep:
        changed = settings.model_copy(update=changes)
        return StorageUpkeep(database, changed, actor="maintenance@host (pid 1)", counted_by="maintenance@host")

    return make


def specs_stored(database: Database) -> int | None:
    with database.read() as connection:
        return connection.execute(select(ProjectStorage.specs_rows)).scalar()


def age_sums(database: Database, seconds: float = 3600.0) -> None:
    with database.begin() as connection:
        connection.execute(update(ProjectStorage).values(measured_at=ProjectStorage.measured_at - seconds))


def test_a_run_measures_adds_up_and_deletes(database: Database, settings: Settings, upkeep: Upkeep) -> None:
    ids = ended_jobs(database, settings, [9, 5, 1])
    upkeep(retention_days=7.0).work(60.0)
    assert specs_stored(database) == 3
    assert left(database) == ids[1:]
    age_sums(database)
    upkeep().work(60.0)
    assert specs_stored(database) == 2


def test_maintenance_does_it(database: Database, settings: Settings) -> None:
    ended_jobs(database, settings, [9, 5, 1])
    here = Maintenance(settings.model_copy(update={"retention_jobs": 1, "lease_seconds": 0.2}))
    until = time.monotonic() + 30
    while len(left(database)) > 1 and time.monotonic() < until:
        here.tick()
        time.sleep(0.05)
    here.close()
    assert len(left(database)) == 1


def test_a_run_that_fails_is_begun_anew_and_keeps_no_lease_waiting(
    database: Database, settings: Settings, upkeep: Upkeep, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended_jobs(database, settings, [9, 5, 1])
    here = upkeep(retention_jobs=1)
    with monkeypatch.context() as away:
        away.setattr(here, "_database", Database("sqlite:////nowhere/missing.db"))
        here.work(60.0)
    here.work(60.0)
    assert len(left(database)) == 3  # the pause
    here._next_at = 0.0
    here.work(60.0)
    assert len(left(database)) == 1


def test_the_rule_of_a_project_is_applied_in_place_of_the_services(
    database: Database, settings: Settings, upkeep: Upkeep
) -> None:
    ended_jobs(database, settings, [9, 5, 1])
    with database.begin() as connection:
        rules.set_rule(connection, 1, RetentionRule(), actor="api")
    upkeep(retention_days=0.5).work(60.0)
    assert len(left(database)) == 3


def test_what_another_process_has_just_added_up_is_not_added_up_again(
    database: Database, settings: Settings, upkeep: Upkeep
) -> None:
    upkeep().work(60.0)
    ended_jobs(database, settings, [1])
    upkeep().work(60.0)
    assert specs_stored(database) == 0


def test_work_is_done_some_at_a_time(
    database: Database, settings: Settings, upkeep: Upkeep, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gradyard.store.retention.expire.SLICE_SECONDS", -1.0)
    ended_jobs(database, settings, [9, 5, 1])
    here, seen = upkeep(retention_jobs=1), list[int]()
    for _ in range(9):
        here.work(0.0)
        seen.append(len(left(database)))
    assert seen[0] == 3
    assert set(seen) == {3, 2, 1}


def test_a_long_deletion_lets_the_sums_be_made_anew_in_between(
    database: Database, settings: Settings, upkeep: Upkeep, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gradyard.store.retention.expire.SLICE_SECONDS", -1.0)
    monkeypatch.setattr(storage_upkeep, "MOST_SLICES", 2)
    ended_jobs(database, settings, [9, 5, 4, 3, 1])
    here = upkeep(retention_jobs=1)
    here.work(60.0)
    assert len(left(database)) == 3
    age_sums(database)
    here.work(60.0)  # at once
    assert (len(left(database)), specs_stored(database)) == (1, 3)


def test_a_clock_that_was_set_forward_deletes_nothing(
    database: Database, settings: Settings, upkeep: Upkeep, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended_jobs(database, settings, [9, 5, 1])
    here = upkeep(retention_days=300.0)
    here.work(60.0)
    monkeypatch.setattr(storage_upkeep, "clock_of", lambda connection: clock_of(connection) + 365 * DAY)
    monkeypatch.setattr(time, "time", lambda: 0.0)
    for apart in (True, False):
        age_sums(database)
        here._next_at = 0.0
        here._settings = settings.model_copy(update={"retention_days": 0.5})
        here.work(60.0)
        assert len(left(database)) == 3, apart
        monkeypatch.undo()


def ids_of(database: Database, table: type[DeletedJob | DeletedBatch]) -> list[UUID]:
    with database.read() as connection:
        return list(connection.execute(select(table.id).order_by(table.deleted_at.desc())).scalars())


@pytest.mark.parametrize("table", [DeletedJob, DeletedBatch])
def test_ids_of_what_was_deleted_are_kept_for_days_and_up_to_a_number(
    database: Database, table: type[DeletedJob | DeletedBatch], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(old_rows, "SLICE", 2)
    ages = {UUID(int=number): 10.0 * number for number in range(10)}
    with database.begin() as connection:
        moment = clock_of(connection)
        rows = [{"id": each, "project_id": 1, "deleted_at": moment - DAY * age} for each, age in ages.items()]
        connection.execute(insert(table), rows)
    list(old_rows.forget_deleted_ids(database, 75.0, 100))
    assert ids_of(database, table) == list(ages)[:8]
    list(old_rows.forget_deleted_ids(database, 75.0, 3))
    assert ids_of(database, table) == list(ages)[:3]


@pytest.mark.parametrize("table", [DeletedJob, DeletedBatch])
def test_of_ids_deleted_at_one_moment_the_number_is_kept(
    database: Database, table: type[DeletedJob | DeletedBatch]
) -> None:
    with database.begin() as connection:
        moment = clock_of(connection) - 1.0
        rows = [{"id": UUID(int=number), "project_id": 1, "deleted_at": moment} for number in range(10)]
        connection.execute(insert(table), rows)
    list(old_rows.forget_deleted_ids(database, 75.0, 3))
    assert set(ids_of(database, table)) == {UUID(int=number) for number in (7, 8, 9)}


@pytest.mark.parametrize("change", ["one more is deleted", "another process forgets them"])
def test_what_changes_while_the_newest_forgotten_id_is_looked_up_does_no_harm(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    moment = 1e9
    rows = [{"id": UUID(int=number), "project_id": 1, "deleted_at": moment + number} for number in range(6)]
    with database.begin() as connection:
        connection.execute(insert(DeletedJob), rows)
    other, asked = Database(database_url), list[str]()

    def changes(connection: Connection, cursor: Any, statement: str, *_: Any) -> None:
        asked.append(statement)
        if "count(" in statement:
            with other.begin() as beside:
                if change == "one more is deleted":
                    beside.execute(insert(DeletedJob), {"id": UUID(int=9), "project_id": 1, "deleted_at": moment + 9})
                else:
                    beside.execute(delete(DeletedJob))

    event.listen(database.engine, "before_cursor_execute", changes)
    list(old_rows.forget_deleted_ids(database, 1e6, 3))
    event.remove(database.engine, "before_cursor_execute", changes)
    other.close()
    assert any("count(" in statement for statement in asked)
    kept = [UUID(int=number) for number in (9, 5, 4, 3)] if change == "one more is deleted" else []
    assert ids_of(database, DeletedJob) == kept


def test_an_id_that_was_forgotten_never_was(database: Database, settings: Settings, upkeep: Upkeep) -> None:
    (job_id,) = ended_jobs(database, settings, [1])
    with database.begin() as connection:
        lifecycle.delete_job(connection, 1, job_id)
        connection.execute(update(DeletedJob).values(deleted_at=DeletedJob.deleted_at - 91 * DAY))
    upkeep().work(60.0)
    with database.read() as connection:
        with pytest.raises(NotFound, match="there is no job"):
            queries.job_by_id(connection, 1, job_id)
        assert connection.execute(select(func.count()).select_from(JobSize)).scalar_one() == 0


class Clocks:
    """The clocks of a run: hours that pass for all of them, and hours by which the database's was set."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.passed = self.set = 0.0
        steady, here = storage_upkeep._steady, time.time
        shown = {"clock_of": clock_of}
        monkeypatch.setattr(storage_upkeep, "_steady", lambda: steady() + self.passed)
        monkeypatch.setattr(time, "time", lambda: here() + self.passed + self.set)
        for module in (storage_upkeep, totals):
            monkeypatch.setattr(module, "clock_of", lambda of: shown["clock_of"](of) + self.passed + self.set)


def test_a_run_that_measures_for_hours_holds_nothing(
    database: Database, settings: Settings, upkeep: Upkeep, monkeypatch: pytest.MonkeyPatch
) -> None:
    clocks, here, add_up = Clocks(monkeypatch), upkeep(retention_days=7.0), totals.add_up

    def for_hours(*them: Any) -> None:
        clocks.passed += 2 * 3600.0
        add_up(*them)

    here.work(60.0)
    ended_jobs(database, settings, [9, 5, 1])
    monkeypatch.setattr(totals, "add_up", for_hours)
    age_sums(database)
    here._next_at = here._whole_at = 0.0
    here.work(60.0)
    assert len(left(database)) == 2


@pytest.mark.parametrize("hours", [365 * 24.0, -2.0, 0.5])
def test_a_process_that_starts_under_another_clock_than_the_sums_deletes_nothing_for_a_day(
    database: Database, settings: Settings, upkeep: Upkeep, monkeypatch: pytest.MonkeyPatch, hours: float
) -> None:
    ended_jobs(database, settings, [9, 5, 1])
    upkeep().work(60.0)
    clocks = Clocks(monkeypatch)
    clocks.set = 3600 * hours
    here, stays = upkeep(retention_jobs=2), hours != 0.5
    here.work(60.0)
    assert len(left(database)) == (3 if stays else 2)
    for passed in (3600.0, DAY):
        clocks.passed += passed
        here._next_at = 0.0
        here.work(60.0)
        assert len(left(database)) == (3 if stays and passed < DAY else 2)


def test_an_error_of_any_kind_ends_the_run_alone(
    database: Database, settings: Settings, upkeep: Upkeep, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended_jobs(database, settings, [9, 5, 1])
    here = upkeep(retention_jobs=1)
    with monkeypatch.context() as broken:
        broken.setattr(totals, "add_up", lambda *_: 1 // 0)
        with capture_logs() as logs:
            here.work(60.0)
    assert [(each["log_level"], each["exc_info"]) for each in logs] == [("error", True)]
    here._next_at = 0.0
    here.work(60.0)
    assert len(left(database)) == 1


@pytest.mark.parametrize(
    "setting", [{"retention_days": 36_526.0}, {"retention_jobs": 2**63}, {"retention_bytes": 2**63}]
)
def test_a_rule_that_no_database_can_store_is_refused_at_the_start(setting: dict[str, float]) -> None:
    with pytest.raises(SettingsInvalid, match=next(iter(setting)).upper()):
        load(**setting)
