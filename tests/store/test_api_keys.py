"""Keys of the API in the database: made, counted, revoked; never kept themselves."""

from concurrent.futures import ThreadPoolExecutor

import orjson
import pytest
from sqlalchemy import select, update

from gradyard.jobs.api_keys import Scope, digest_of, hint_of, new_secret, stored, understood
from gradyard.jobs.errors import BodyMalformed, IllegalMove, NotFound, SpecInvalid, TooManyApiKeys
from gradyard.jobs.identifiers import new_id
from gradyard.jobs.submission.requests.keys import read_key_request, read_rotation_request
from gradyard.store import lifecycle, queries
from gradyard.store.database import Database
from gradyard.store.tables import ApiKey, Project


def made(database: Database, **asked: object) -> str:
    """A key of these; its secret."""
    secret, request = new_secret(), read_key_request(orjson.dumps({"name": "ada"} | asked))
    with database.begin() as connection:
        lifecycle.make_key(connection, request, secret, actor="test")
    return secret


def opens(database: Database, secret: str) -> bool:
    with database.read() as connection:
        return queries.live_key(connection, digest_of(secret)) is not None


def test_a_key_is_random_and_easy_to_tell() -> None:
    secrets = {new_secret() for _ in range(1000)}
    assert len(secrets) == 1000
    for secret in secrets:
        assert secret.startswith("gradyard_")
        assert len(secret) == len("gradyard_") + 43  # 256 bits in base64
        assert secret.startswith(hint_of(secret))
        assert len(hint_of(secret)) == 15


def test_a_key_opens_its_project_and_is_kept_nowhere(database: Database) -> None:
    secret = made(database, project="physics", scopes=["jobs:read", "jobs:read"])
    with database.read() as connection:
        row = queries.live_key(connection, digest_of(secret))
        (stored,) = connection.execute(select(*ApiKey.__table__.columns)).all()
    assert row is not None
    assert (row.project, row.name, row.scopes, row.created_by) == ("physics", "ada", ["jobs:read"], "test")
    assert secret not in str(stored)
    assert not opens(database, secret + "x")


def test_a_project_is_made_once_and_has_a_number_of_its_own(database: Database) -> None:
    for project in ("physics", "biology", "physics", "default"):
        made(database, project=project)
    with database.read() as connection:
        numbers = {name: number for number, name in connection.execute(select(Project.id, Project.name))}
    assert set(numbers) == {"default", "physics", "biology"}
    assert numbers["default"] == 1
    assert len(set(numbers.values())) == 3


def test_two_of_one_name_live_at_a_time(database: Database) -> None:
    first, _ = made(database), made(database)
    with pytest.raises(TooManyApiKeys, match="revoke one"):
        made(database)
    made(database, name="grace")
    made(database, project="physics")
    _revoke(database, first)
    made(database)


def test_an_expired_key_opens_nothing_and_makes_room(database: Database) -> None:
    secret = made(database, expires_in_days=1)
    made(database)
    assert opens(database, secret)
    with database.begin() as connection:
        past = update(ApiKey).where(ApiKey.sha256 == digest_of(secret)).values(expires_at=ApiKey.created_at)
        connection.execute(past)
    assert not opens(database, secret)
    made(database)


def test_a_revoked_key_opens_nothing_and_remembers_when_it_first_was(database: Database) -> None:
    secret = made(database)
    moments = []
    for _ in range(2):
        _revoke(database, secret)
        assert not opens(database, secret)
        with database.read() as connection:
            (row,) = queries.keys_newest_first(connection, None, limit=9)[0]
        moments.append(row.revoked_at)
    assert moments[0] == moments[1] is not None
    with database.begin() as connection, pytest.raises(NotFound):
        lifecycle.revoke_key(connection, new_id())


def rotated(database: Database, **asked: object) -> str:
    """The successor of the newest key; its secret."""
    secret, request = new_secret(), read_rotation_request(orjson.dumps(asked))
    with database.begin() as connection:
        newest = queries.keys_newest_first(connection, None, limit=9)[0][0]
        lifecycle.rotate_key(connection, newest, request, secret, actor="test")
    return secret


def test_a_key_and_its_successor_live_together_and_a_third_is_refused(database: Database) -> None:
    old = made(database, project="physics", scopes=["admin"])
    new = rotated(database)
    assert opens(database, old)
    assert opens(database, new)
    with pytest.raises(TooManyApiKeys):
        rotated(database)
    with database.read() as connection:
        successor, first = queries.keys_newest_first(connection, None, limit=9)[0]
    assert (successor.name, successor.project, successor.scopes) == (first.name, first.project, first.scopes)
    assert first.expires_at == pytest.approx(successor.created_at + 86_400, abs=5)


def test_a_rotation_never_prolongs_a_key(database: Database) -> None:
    made(database, expires_in_days=0.5)
    rotated(database, overlap_hours=48)
    with database.read() as connection:
        _, first = queries.keys_newest_first(connection, None, limit=9)[0]
    assert first.expires_at == pytest.approx(first.created_at + 43_200, abs=5)


def test_a_key_that_is_revoked_has_no_successor(database: Database) -> None:
    _revoke(database, made(database))
    with pytest.raises(IllegalMove, match="make a new one"):
        rotated(database)
    with database.read() as connection:
        assert len(queries.keys_newest_first(connection, None, limit=9)[0]) == 1


def test_of_many_rotations_at_once_one_makes_a_successor(database: Database) -> None:
    made(database)

    def try_one(_: int) -> bool:
        try:
            rotated(database)
        except (TooManyApiKeys, IllegalMove):
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(try_one, range(8))) == 1


@pytest.mark.parametrize(
    ("words", "scopes"),
    [
        (["admin"], ["admin", "operator"]), (["admin:project"], ["admin"]), (["operator"], ["operator"]),
        (["jobs:read", "of a newer version"], ["jobs:read", "of a newer version"]),
        (["admin", "admin:project"], ["admin", "operator"]),
    ],
)  # fmt: skip
def test_the_administrators_of_an_earlier_version_are_the_services(words: list[str], scopes: list[str]) -> None:
    assert understood(words) == scopes


def test_an_earlier_version_takes_no_project_administrator_for_its_own() -> None:
    assert stored([Scope.ADMIN, Scope.JOBS_READ]) == ["admin:project", "jobs:read"]
    assert understood(stored(list(Scope))) == sorted(Scope)


def test_of_many_asked_for_at_once_two_are_made(database: Database) -> None:
    def try_one(_: int) -> bool:
        try:
            made(database, project="new")
        except TooManyApiKeys:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(try_one, range(8))) == 2


@pytest.mark.parametrize(
    ("asked", "pointer"),
    [
        ({}, "/name"), ({"name": ""}, "/name"), ({"name": "a b"}, "/name"), ({"name": "<b>"}, "/name"),
        ({"name": "a" * 65}, "/name"), ({"name": "ada", "project": "../x"}, "/project"),
        ({"name": "ada", "scopes": []}, "/scopes"), ({"name": "ada", "scopes": ["root"]}, "/scopes/0"),
        ({"name": "ada", "expires_in_days": 0}, "/expires_in_days"), ({"name": "ada", "days": 1}, "/days"),
        ({"name": "ada", "expires_in_days": 1e400}, "/expires_in_days"),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named_by_its_pointer(asked: dict[str, object], pointer: str) -> None:
    with pytest.raises(SpecInvalid) as refused:
        read_key_request(orjson.dumps(asked).replace(b"null", b"1e400"))
    assert [problem.pointer for problem in refused.value.problems] == [pointer]


def test_a_body_that_is_not_json_is_refused() -> None:
    with pytest.raises(BodyMalformed):
        read_key_request(b'{"name"')


def test_silence_means_reading_and_writing_jobs_of_the_project_of_the_key_that_asks() -> None:
    asked = read_key_request(b'{"name": "ada"}')
    assert (asked.project, asked.scopes, asked.expires_in_days) == (
        None,
        [Scope.JOBS_READ, Scope.JOBS_WRITE],
        None,
    )


def _revoke(database: Database, secret: str) -> None:
    with database.begin() as connection:
        key_id = connection.execute(select(ApiKey.id).where(ApiKey.sha256 == digest_of(secret))).scalar_one()
        lifecycle.revoke_key(connection, key_id)
