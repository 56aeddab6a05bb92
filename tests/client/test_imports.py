"""The public names of `import gradyard`, and the modules that it loads."""

import subprocess
import sys
import typing
from collections.abc import Iterator
from inspect import getmembers, isfunction
from typing import Any

import gradyard
from gradyard.client.base import BaseClient
from gradyard.client.batches import Batches
from gradyard.client.files import Files
from gradyard.client.jobs import Jobs
from gradyard.client.operators.api_keys import Keys
from gradyard.client.operators.fleet import Queues, Workers
from gradyard.client.stages import Stages
from gradyard.shapes.base import Answer

NOUNS = (Jobs, Batches, Files, Keys, Queues, Workers, Stages)


def answers_in(annotation: Any) -> Iterator[type[Answer]]:
    """The models of answers in a type such as `Iterator[tuple[Job, ndarray]]`."""
    if isinstance(annotation, type) and issubclass(annotation, Answer):
        yield annotation
    for each in typing.get_args(annotation):
        yield from answers_in(each)


def loaded_by(statement: str) -> set[str]:
    code = f"{statement}; import sys; print(*sys.modules)"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())


def test_all_that_the_client_returns_can_be_imported_from_gradyard() -> None:
    import numpy as np

    names = {"np": np, "BaseClient": BaseClient}
    returned = {
        model
        for each in (gradyard.Client, gradyard.AsyncClient, *NOUNS)
        for name, method in getmembers(each, isfunction)
        if not name.startswith("_") or name == "__call__"
        for model in answers_in(typing.get_type_hints(method, localns=names).get("return"))
    }
    assert {each.__name__ for each in returned} > {"Job", "Batch", "BatchSummary", "NewApiKey", "Queue"}
    assert {each.__name__ for each in returned} - set(gradyard.__all__) == set()
    assert all(getattr(gradyard, name) is not None for name in gradyard.__all__)


def test_importing_gradyard_loads_neither_models_nor_http() -> None:
    assert loaded_by("import gradyard") & {"pydantic", "httpx", "numpy", "gradyard.client"} == set()


def test_the_models_of_answers_load_no_specs() -> None:
    assert loaded_by("import gradyard.shapes") & {"numpy", "gradyard.jobs.specs", "gradyard.jobs.submission"} == set()


def test_the_command_loads_neither_numpy_nor_a_database() -> None:
    assert loaded_by("import gradyard.cli.main") & {"numpy", "gradyard.jobs.specs.base", "sqlalchemy"} == set()
