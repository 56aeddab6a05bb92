"""Keys of the API in the database: made, counted, revoked; never kept themselves."""

from concurrent.futures import ThreadPoolExecutor

import orjson
import pytest
from sqlalchemy import select, update

from gradyard.jobs.api_keys import Scope, digest_of, hint_of, new_secret
from gradyard.jobs.errors import BodyMalformed, NotFound, SpecInvalid, TooManyApiKeys
from gradyard.jobs.identifiers import new_id
from gradyard.jobs.submission.key_requests import read_key_request
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
            (row,) = queries.keys_newest_first(connection)
        moments.append(row.revoked_at)
    assert moments[0] == moments[1] is not None
    with database.begin() as connection, pytest.raises(NotFound):
        lifecycle.revoke_key(connection, new_id())


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


def test_silence_means_reading_and_writing_jobs_of_the_default_project() -> None:
    asked = read_key_request(b'{"name": "ada"}')
    assert (asked.project, asked.scopes, asked.expires_in_days) == (
        "default",
        [Scope.JOBS_READ, Scope.JOBS_WRITE],
        None,
    )


def _revoke(database: Database, secret: str) -> None:
    with database.begin() as connection:
        key_id = connection.execute(select(ApiKey.id).where(ApiKey.sha256 == digest_of(secret))).scalar_one()
        lifecycle.revoke_key(connection, key_id)
