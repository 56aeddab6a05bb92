"""The fused kernel compiles for GPUs that are not here, in a process of its own: others interpret it."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec

import pytest

# Not imported here: the tests of trainers decide how Triton is loaded in this process.
pytestmark = pytest.mark.skipif(find_spec("triton") is None, reason="Triton comes for Linux on x86-64 alone")

COMPILE = """
import json
from bench.fused_kernel import Variant, usage_of
variants = [
    Variant("polynomial", 4, "mse", "sgd"), Variant("polynomial", 4, "mse", "adam", "float64", points=0),
    Variant("legendre", 4, "huber", "sgd"), Variant("dynamic", 5, "mse", "rmsprop"),
]
first, *_, last = variants
pairs = [(first, 90), (first, 80), *((each, 90) for each in variants[1:]), (last, 80)]
print(json.dumps([usage_of(each, architecture) for each, architecture in pairs]))
"""


@pytest.mark.slow
def test_it_compiles_for_an_h100_and_an_a100_and_the_usual_job_fits_the_registers() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "TRITON_INTERPRET"}
    command = [sys.executable, "-c", COMPILE]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=300)
    usages = json.loads(done.stdout)
    assert all(0 < registers <= 255 for registers, _, _ in usages)
    (_, on_h100, instructions), (_, on_a100, _), *_ = usages
    assert (on_h100, on_a100) == (0, 0)
    assert 12 * 64 < instructions < 1000  # a dozen a point, of which a thread has 64
