"""How many of the project's files a request enters: each is one that a reader must open to follow it."""

import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from flask.testing import FlaskClient

import gradyard

HOUSE = Path(gradyard.__file__).parents[1]
PACKAGES = ("gradyard", "service", "workers", "migrations")

MOST_OF_A_POST, MOST_OF_LOSSES = 51, 19
"""See docs/decisions/0021-files-that-a-request-enters.md. They go down; three came with `depends_on`."""


def entered_by(request: Callable[[], object]) -> set[str]:
    """The files whose functions run during a request. It is sent once before, so what is made once does not count."""
    found: set[str] = set()

    def note(frame: FrameType, event: str, argument: object) -> None:
        path = Path(frame.f_code.co_filename)
        if event == "call" and path.is_relative_to(HOUSE) and frame.f_code.co_name != "<module>":
            name = path.relative_to(HOUSE)
            if name.parts[0] in PACKAGES:
                found.add(str(name))

    request()
    before = sys.getprofile()
    sys.setprofile(note)
    try:
        request()
    finally:
        sys.setprofile(before)
    return found


def test_a_post_of_a_job_enters_no_more_files_than_it_did(client: FlaskClient) -> None:
    entered = entered_by(lambda: client.post("/v1/jobs", json={"stage": "tensor"}))
    assert "service/routes/jobs.py" in entered
    assert len(entered) <= MOST_OF_A_POST, sorted(entered)


def test_losses_enter_no_more_files_than_they_did(client: FlaskClient) -> None:
    location = client.post("/v1/jobs", json={"stage": "tensor"}).headers["Location"]
    entered = entered_by(lambda: client.get(f"{location}/losses"))
    assert "service/routes/results/losses.py" in entered
    assert len(entered) <= MOST_OF_LOSSES, sorted(entered)
