"""Which trainers need what takes seconds to load is known before they are made."""

import subprocess
import sys

import pytest

from gradyard.jobs.stages.builtin import BUILT_IN
from workers.runner_client.loads import needs_optim

ON_CPU = ("eager", "blas", "gram")
WITHOUT = [
    (stage.name, engine) for stage in BUILT_IN for engine in ON_CPU
    if (engine == "eager" or engine in stage.engines) and not needs_optim(stage.trainer_of(engine))
]  # fmt: skip
CODE = """
import sys
from gradyard.jobs.stages.registry import STAGES
from gradyard.testing.packs import load_trainer, train
from tests.workers.trainers.packs import member
for name, engine in {without}:
    train(load_trainer(STAGES[name].trainer_of(engine), [member(name)]), 2)
    assert "torch._dynamo" not in sys.modules, (name, engine)
"""


@pytest.mark.slow
def test_those_that_are_said_not_to_need_torch_optim_do_without_what_it_loads() -> None:
    assert {name for name, engine in WITHOUT if engine == "eager"} == {"numpy", "tensor", "autograd", "function", "nn"}
    subprocess.run([sys.executable, "-c", CODE.format(without=WITHOUT)], check=True)


def test_of_stages_of_others_it_is_said_of_all() -> None:
    assert needs_optim("gradyard_mlp.trainer:Trainer")
    assert needs_optim("workers.trainers.stage6_optim:Trainer")
