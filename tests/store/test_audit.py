"""The audit in the database: an entry is there exactly when its action is, and no text breaks it."""

import pytest

from gradyard.jobs.audit import Action
from gradyard.jobs.errors import SpecInvalid
from gradyard.store import audit, queries
from gradyard.store.database import Database


def noted(database: Database, *targets: str) -> None:
    with database.begin() as connection:
        for target in targets:
            audit.note(connection, Action.DRAINED, target, project_id=1, actor="api", detail="a reason")


def test_an_action_that_is_rolled_back_leaves_no_entry(database: Database) -> None:
    with database.begin() as connection:
        audit.note(connection, Action.PAUSED, "cpu", project_id=1, actor="api")
        connection.rollback()
    with database.read() as connection:
        assert queries.audit_newest_first(connection, None, limit=9) == ([], None)


def test_pages_are_of_one_project_and_go_on_where_the_last_one_ended(database: Database) -> None:
    noted(database, *"abcde")
    with database.read() as connection:
        first, cursor = queries.audit_newest_first(connection, 1, limit=3)
        rest, end = queries.audit_newest_first(connection, None, limit=3, cursor=cursor)
        assert queries.audit_newest_first(connection, 2, limit=3) == ([], None)
        with pytest.raises(SpecInvalid, match="cursor"):
            queries.audit_newest_first(connection, None, limit=3, cursor="x")
    assert [each.target for each in [*first, *rest]] == list("edcba")
    assert (end, first[0].project, first[0].detail) == (None, "default", "a reason")


def test_any_text_can_be_a_target(database: Database) -> None:
    targets = ["a\x00b", "é" * 500, "'; DROP TABLE audit; --", "\ud800"]
    noted(database, *targets)
    with database.read() as connection:
        entries, _ = queries.audit_newest_first(connection, None, limit=9)
    assert len(entries) == len(targets)
    assert max(len(each.target) for each in entries) == audit.TARGET_LETTERS
