"""`gradyard jobs predict`: the fitted model of a job at other points."""

import json

import pytest

from tests.cli.command_for_tests import Run, service
from tests.client.service_for_tests import JOB_ID


@pytest.mark.parametrize("as_json", [False, True])
def test_x_and_y_are_a_line_each_or_json(run: Run, as_json: bool) -> None:
    with service(predict={"x": [-2.5, 0.5], "y": [None, 1.25]}).running() as running:
        ended = run(
            "jobs", "predict", JOB_ID, "--url", running.url, *(["--json"] if as_json else []), "--", "-2.5", "0.5"
        )
        assert json.loads(running.asked[-1].body or b"") == {"x": [-2.5, 0.5]}
    assert (ended.status, ended.err) == (0, "")
    if as_json:
        assert json.loads(ended.out) == {"x": [-2.5, 0.5], "y": [None, 1.25]}
    else:
        assert ended.out == "-2.5\tnan\n0.5\t1.25\n"


def test_what_is_no_number_is_refused(run: Run) -> None:
    ended = run("jobs", "predict", JOB_ID, "here")
    assert ended.status == 2
    assert "here is no number, such as 0.5" in ended.err
