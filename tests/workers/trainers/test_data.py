"""The x and y that a stage trains on: the tutorial's expressions in the stage's own library."""

import math
import subprocess
import sys
from collections.abc import Callable, Mapping

import numpy as np
import pytest
import torch

from gradyard.jobs.numbers.draws import Stream, normals
from tests.workers.trainers.packs import Member, member, pack
from workers.trainers.inputs.datasets import numpy_rows
from workers.trainers.inputs.torch_datasets import torch_rows

FUNCTIONS: Mapping[str, Callable[[float], float]] = {
    "sin": math.sin,
    "cos": math.cos,
    "exp": math.exp,
    "tanh": math.tanh,
    "step": lambda x: 1.0 if x >= 0.0 else 0.0,
    "abs": abs,
    "gauss": lambda x: math.exp(-x * x),
}


def with_dataset(job: Member, **changes: object) -> Member:
    return job | {"dataset": job["dataset"] | changes}


def test_numpy_data_are_the_tutorials() -> None:
    (x,), (y,) = numpy_rows([member("numpy")])
    assert np.array_equal(x, np.linspace(-math.pi, math.pi, 2000))
    assert np.array_equal(y, np.sin(x))


def test_torch_data_are_the_tutorials() -> None:
    (x,), (y,) = torch_rows([member("tensor")])
    assert torch.equal(x, torch.linspace(-math.pi, math.pi, 2000))
    assert torch.equal(y, torch.sin(x))


def test_numpys_float32_grid_is_the_float64_grid_rounded() -> None:
    (x,), (y,) = numpy_rows([member("numpy", dtype="float32")])
    assert x.dtype == y.dtype == np.float32
    assert np.array_equal(x, np.linspace(-math.pi, math.pi, 2000).astype(np.float32))


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_function_has_its_values_in_both_libraries(function: str, dtype: str) -> None:
    job = with_dataset(member("numpy", dtype=dtype), function=function, start=-2.0, stop=2.0, points=5)
    expected = [FUNCTIONS[function](x) for x in (-2.0, -1.0, 0.0, 1.0, 2.0)]
    (_,), (by_numpy,) = numpy_rows([job])
    (_,), (by_torch,) = torch_rows([job])
    assert str(by_numpy.dtype) == dtype
    assert str(by_torch.dtype) == f"torch.{dtype}"
    assert by_numpy.tolist() == pytest.approx(expected, rel=1e-6)
    assert by_torch.tolist() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_noise_is_drawn_and_scaled_in_float64_and_added_in_the_jobs_dtype(dtype: str) -> None:
    job = member("numpy", dtype=dtype, noise=0.2, seed=3)
    noise = (0.2 * normals(3, Stream.NOISE, 2000)).astype(dtype)
    (x,), (y,) = numpy_rows([job])
    assert np.array_equal(y, np.sin(x) + noise)
    (tensor_x,), (tensor_y,) = torch_rows([job])
    assert torch.equal(tensor_y, torch.sin(tensor_x) + torch.from_numpy(noise))


def test_members_share_rows_where_their_data_agree() -> None:
    same = pack("tensor", 3)
    assert [len(rows) for rows in torch_rows(same)] == [1, 1]
    noisy = pack("tensor", 3, noise=0.1)
    assert [len(rows) for rows in torch_rows(noisy)] == [1, 3]
    moved = [*same, with_dataset(same[0], stop=3.0)]
    assert [len(rows) for rows in torch_rows(moved)] == [4, 4]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_inline_data_may_be_lists_or_read_only_arrays(dtype: str) -> None:
    x, y = np.array([0.1, 0.2, 0.3]), np.array([1.0, 2.0, 4.0])
    x.flags.writeable = y.flags.writeable = False
    given = member("tensor", dtype=dtype) | {"dataset": {"kind": "inline", "x": x, "y": y}}
    listed = member("tensor", dtype=dtype) | {"dataset": {"kind": "inline", "x": x.tolist(), "y": y.tolist()}}
    xs, ys = torch_rows([given, listed])
    assert len(xs) == len(ys) == 1
    assert np.array_equal(xs[0].numpy(), x.astype(dtype))
    assert np.array_equal(ys[0].numpy(), y.astype(dtype))
    assert np.array_equal(numpy_rows([given, listed])[1][0], y.astype(dtype))


def test_the_numpy_stage_and_the_loop_load_without_torch() -> None:
    code = "import workers.runner.loop, workers.trainers.stage1_numpy, sys; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
