"""What the tests on a GPU share: the engines' trainers, the cases of widths, and how a runner sets torch."""

import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import product
from pathlib import Path

import pytest
import torch

import tests
import workers.trainers
from gradyard.testing import packs
from tests.workers.trainers.packs import STAGES, Member, differing, trainer_of
from tests.workers.trainers.width_record import CHANGES_TOLD, WidthRecord, digest_of
from workers.runner.machine import WIDTHS_PROVEN, torch_on
from workers.runner.numerics import gpu_environment, same_bits_on_gpu
from workers.trainers.compiled import cuda_graph
from workers.trainers.contract import RunsSteps, Trainer
from workers.trainers.fused import trainer as fused_trainer

needs_gpu = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no GPU"),
    pytest.mark.usefixtures("as_in_a_runner"),
]


def eager(members: Sequence[Member]) -> Trainer:
    return trainer_of(members, "cuda")


def graph(members: Sequence[Member]) -> RunsSteps:
    trainer = cuda_graph.Trainer(members, "cuda")
    trainer.prepare()
    return trainer


def fused(members: Sequence[Member]) -> RunsSteps:
    trainer = fused_trainer.Trainer(members, "cuda")
    trainer.prepare()
    return trainer


def eager_case(stage: str, change: Callable[..., list[Member]], shape: tuple[int, int]) -> str:
    """The name of a case of the tests of widths."""
    return f"eager {stage} {change.__name__} {shape[0]} points x {shape[1]}"


def engine_case(stage: str, make: Callable[..., RunsSteps], dtype: str, points: int) -> str:
    """The name of a case of the tests of widths of another engine than eager."""
    return f"{make.__name__} {stage} {dtype} {points} points"


ON_TORCH = [stage for stage in STAGES if stage != "numpy"]
CHANGES: Sequence[Callable[..., list[Member]]] = (list, differing)
DTYPES = ("float32", "float64")
ENGINES: Sequence[Callable[..., RunsSteps]] = (graph, fused)
ENGINE_POINTS = (2000, 5001)  # of the fused kernel, one block and several
# Points and the widest pack. A lone row of 100, 1,000 or 20,000 points is rounded otherwise by some older torch.
SHAPES = [(2000, 512), (2001, 512), (3, 512), (100, 512), (1000, 512), (20_000, 512), (300_000, 33), (300_000, 512)]
WIDTH_CASES = {
    *(eager_case(*each) for each in product(ON_TORCH, CHANGES, SHAPES)),
    *(engine_case(*each) for each in product(ON_TORCH, ENGINES, DTYPES, ENGINE_POINTS)),
}

both_changes = pytest.mark.parametrize("change", CHANGES, ids=["same numbers", "own numbers"])
all_stages = pytest.mark.parametrize("stage", ON_TORCH)
both_engines = pytest.mark.parametrize("make", ENGINES)
both_dtypes = pytest.mark.parametrize("dtype", DTYPES)
CAUTIOUS = {"learning_rate": 1e-12, "init": "normal"}


def width_record() -> WidthRecord:
    """What the tests of widths show goes into the package, where `numerics_class` reads it."""
    tested = (Path(workers.trainers.__file__).parent, *Path(__file__).parent.glob("*on_gpu.py"), Path(packs.__file__))
    notes = Path(tests.__file__).parents[1] / ".test" / "widths.json"
    here = torch_on(torch.cuda.get_device_name())
    return WidthRecord(WIDTH_CASES, here, WIDTHS_PROVEN, notes, code=digest_of(*tested), tell=CHANGES_TOLD.append)


@contextmanager
def set_as_in_a_runner() -> Iterator[None]:
    """Torch set as a runner sets it for a GPU."""
    os.environ.update(gpu_environment())  # cuBLAS looks at it once, at its first product
    same_bits_on_gpu(allow_tf32=False)
    yield
    torch.use_deterministic_algorithms(False)


@contextmanager
def refusing_to_wait() -> Iterator[None]:
    """Whatever waits for the device raises. Torch warns that this mode is young: here a warning would be an error."""

    def set_mode(mode: str) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.cuda.set_sync_debug_mode(mode)

    set_mode("error")
    try:
        yield
    finally:
        set_mode("default")
