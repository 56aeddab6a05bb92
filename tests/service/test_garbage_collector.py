"""The collector rests for large requests, and goes on after the last of them."""

import gc
import subprocess
import sys

import pytest
from gunicorn.workers.base import Worker as GunicornWorker

from service.garbage_collector import collector_at_rest
from service.server.worker import Worker


def test_the_collector_goes_on_after_the_last_request_also_where_one_fails() -> None:
    assert gc.isenabled()
    with collector_at_rest():
        with pytest.raises(ValueError, match="too much"), collector_at_rest():
            raise ValueError("too much")
        assert not gc.isenabled()
    assert gc.isenabled()


A_PROCESS = """
import gc
import subprocess
import sys
import service.app
from service.garbage_collector import spare_what_is_loaded
before = len(gc.get_objects())
spare_what_is_loaded()
print(before, len(gc.get_objects()))
"""


@pytest.mark.slow
def test_what_an_api_process_has_loaded_is_not_visited_again() -> None:
    told = subprocess.run([sys.executable, "-c", A_PROCESS], capture_output=True, text=True, check=True, timeout=120)
    before, visited = map(int, told.stdout.split())
    assert before > 50_000
    assert visited < 1000


def test_the_collector_rests_while_a_process_loads_the_app(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bool] = []
    monkeypatch.setattr(GunicornWorker, "load_wsgi", lambda _: seen.append(gc.isenabled()))
    Worker.load_wsgi(Worker.__new__(Worker))
    assert (seen, gc.isenabled()) == ([False], True)
