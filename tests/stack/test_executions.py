"""The three ways to compute the same steps, through a running service."""

import shutil

import numpy as np
import pytest

from gradyard import Client

COMPILER = "inductor" if shutil.which("g++") else "eager"
pytestmark = pytest.mark.stack


@pytest.mark.parametrize(
    ("stage", "execution", "engine"),
    [("numpy", "compiled", "blas"), ("module", "compiled", COMPILER), ("autograd", "gram", "gram")],
)
def test_every_execution_finds_what_the_eager_one_does(client: Client, stage: str, execution: str, engine: str) -> None:
    asked = [client.submit(stage=stage, steps=300, execution=each) for each in ("eager", execution)]
    eager, other = (client.wait(job.id, timeout=300) for job in asked)
    assert (eager.state, other.state) == ("succeeded", "succeeded"), other.message
    assert other.result is not None
    assert eager.result is not None
    assert other.environment["engine"] == engine
    np.testing.assert_allclose(client.losses(other.id), client.losses(eager.id), rtol=1e-4)
    np.testing.assert_allclose(
        list((other.coefficients or {}).values()), list((eager.coefficients or {}).values()), atol=1e-4
    )
