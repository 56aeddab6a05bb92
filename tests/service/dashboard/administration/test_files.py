"""The page of files: what a browser without scripts sees of them."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from gradyard.store.database import Database
from tests.actors import clock_moves
from tests.service.dashboard.conftest import Look

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def sent(client: FlaskClient, content: bytes, name: str) -> str:
    answer: Any = client.post("/v1/files", query_string={"name": name}, data=content).json
    return str(answer["id"])


def test_files_are_listed_with_what_can_be_done(look: Look, client: FlaskClient, database: Database) -> None:
    cars = sent(client, b"speed,dist,year\n1,2,\n3,4,1999\n", "cars.csv")
    clock_moves(database)
    sent(client, b"\x00\x01", "blob")
    page = look("/files")
    assert page.index("blob") < page.index("cars.csv")
    assert "year" in page
    assert "1 missing or not finite" in page
    assert "no table: bytes" in page
    assert page.count("Train on it") == 1
    assert f'href="/submit?file={cars}"' in page
    assert f"/v1/files/{cars}/content" in page


def test_the_form_begins_with_the_first_two_columns_of_numbers_without_gaps(look: Look, client: FlaskClient) -> None:
    cars = sent(client, b"maker,year,speed,dist\na,,1,2\nb,1999,3,4\n", "cars.csv")
    page = look(f"/submit?file={cars[:10]}")
    assert f'value="{cars}"' in page
    assert 'value="speed"' in page
    assert 'value="dist"' in page
    assert 'value="year"' not in page


def test_a_file_that_is_not_there_is_a_problem(look: Look) -> None:
    assert "there is no file 0123456789" in look("/submit?file=0123456789", status=404)


def test_a_project_without_files_says_so(look: Look) -> None:
    assert "There are no files yet" in look("/files")
