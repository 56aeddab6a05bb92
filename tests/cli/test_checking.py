"""`--check` of submit and sweep: what would be submitted, by a real service, and nothing is."""

import json

import pytest

from gradyard import Client
from gradyard.jobs.settings import Settings
from tests.cli.command_for_tests import Run
from tests.client.real_service import real_service


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_command_checks_and_submits_nothing(run: Run, settings: Settings) -> None:
    with real_service(settings) as url, Client(url) as client:
        shown = run("submit", "--stage", "tensor", "--set", "learning_rate=1", "--check", "--url", url)
        assert (shown.status, json.loads(shown.out)["steps"]) == (0, 2000)
        assert shown.err.startswith("warning: /learning_rate: ")
        sweep = ("sweep", "--stage", "nn", "--grid", "learning_rate=1e-6,1,2", "--check", "--url", url)
        counted = run(*sweep)
        assert (counted.status, counted.out) == (0, "3 jobs, all valid\n")
        assert counted.err.endswith(" (2 jobs)\n")
        assert json.loads(run(*sweep, "--json").out)["size"] == 3
        assert run("sweep", "--stage", "nn", "--grid", "seed=1", "--check", "--url", url).out == "1 job, valid\n"
        wrong = run("submit", "--stage", "nn", "--set", "steps=0", "--check", "--url", url)
        assert (wrong.status, wrong.out) == (2, "")
        assert client.count() == 0
