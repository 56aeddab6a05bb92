"""The torch stages on a GPU: bits, resume, graphs, and that no step waits. Skipped where there is none."""

import gc
import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch

import tests
import workers.trainers
from gradyard.testing import packs
from tests.workers.trainers.packs import (
    OPTIMIZERS,
    STAGES,
    WITH_OPTIMIZER,
    Member,
    differing,
    pack,
    train,
    trainer_of,
)
from tests.workers.trainers.width_record import CHANGES_TOLD, WidthRecord, digest_of
from workers.runner.machine import WIDTHS_PROVEN, torch_on
from workers.runner.numerics import gpu_environment, same_bits_on_gpu
from workers.trainers.compiled import cuda_graph
from workers.trainers.contract import RunsSteps, Trainer

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no GPU"),
]


def eager_case(stage: str, change: Callable[..., list[Member]], shape: tuple[int, int]) -> str:
    """The name of a case of the tests of widths."""
    return f"eager {stage} {change.__name__} {shape[0]} points x {shape[1]}"


def graph_case(stage: str, dtype: str) -> str:
    """The name of a case of the tests of widths of a captured graph."""
    return f"graph {stage} {dtype}"


ON_TORCH = [stage for stage in STAGES if stage != "numpy"]
CHANGES: Sequence[Callable[..., list[Member]]] = (list, differing)
DTYPES = ("float32", "float64")
# Points and the widest pack. A lone row of 100, 1,000 or 20,000 points is rounded otherwise by some older torch.
SHAPES = [(2000, 512), (2001, 512), (3, 512), (100, 512), (1000, 512), (20_000, 512), (300_000, 33), (300_000, 512)]
WIDTH_CASES = {
    *(eager_case(*each) for each in product(ON_TORCH, CHANGES, SHAPES)),
    *(graph_case(*each) for each in product(ON_TORCH, DTYPES)),
}
both_changes = pytest.mark.parametrize("change", CHANGES, ids=["same numbers", "own numbers"])
all_stages = pytest.mark.parametrize("stage", ON_TORCH)
both_dtypes = pytest.mark.parametrize("dtype", DTYPES)
CAUTIOUS = {"learning_rate": 1e-12, "init": "normal"}


@pytest.fixture(scope="module", autouse=True)
def _as_in_a_runner() -> Iterator[None]:
    os.environ.update(gpu_environment())  # cuBLAS looks at it once, at its first product
    same_bits_on_gpu(allow_tf32=False)
    yield
    torch.use_deterministic_algorithms(False)


@pytest.fixture(scope="module")
def widths() -> WidthRecord:
    """What the tests of widths show goes into the package, where `numerics_class` reads it."""
    code = digest_of(Path(workers.trainers.__file__).parent, Path(__file__), Path(packs.__file__))
    notes = Path(tests.__file__).parents[1] / ".test" / "widths.json"
    here = torch_on(torch.cuda.get_device_name())
    return WidthRecord(WIDTH_CASES, here, WIDTHS_PROVEN, notes, code=code, tell=CHANGES_TOLD.append)


@contextmanager
def _refusing_to_wait() -> Iterator[None]:
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


def test_a_step_that_waits_would_be_found() -> None:
    values = torch.ones(3, device="cuda")
    with _refusing_to_wait(), pytest.raises(RuntimeError, match="synchronizing"):
        values.sum().item()


def eager(members: Sequence[Member]) -> Trainer:
    return trainer_of(members, "cuda")


def graph(members: Sequence[Member]) -> cuda_graph.Trainer:
    trainer = cuda_graph.Trainer(members, "cuda")
    trainer.prepare()
    return trainer


@all_stages
@both_changes
@pytest.mark.parametrize(("points", "width"), SHAPES)
def test_a_member_has_the_same_bits_at_every_width(
    widths: WidthRecord, stage: str, change: Callable[..., list[Member]], points: int, width: int
) -> None:
    with widths.case(eager_case(stage, change, (points, width))):
        members = change(pack(stage, width, points=points, **CAUTIOUS))
        packs.assert_alone_equals_packed(eager, members, [0, width - 1], 3)
        for fewer in (2, 33):
            packs.assert_alone_equals_packed(eager, members[:fewer], [0, fewer - 1], 3)


@all_stages
@both_dtypes
def test_a_replayed_graph_has_the_same_bits_at_every_width(widths: WidthRecord, stage: str, dtype: str) -> None:
    with widths.case(graph_case(stage, dtype)):
        members = differing(pack(stage, 512, dtype=dtype, **CAUTIOUS))
        losses = graph(members).run(0, 20).T
        for width in (1, 2, 33):
            assert graph(members[:width]).run(0, 20).T.tobytes() == losses[:width].tobytes()


@all_stages
@both_changes
def test_what_was_stopped_goes_on_bit_for_bit_on_the_same_device(
    stage: str, change: Callable[..., list[Member]]
) -> None:
    members = change(pack(stage, 33))
    packs.assert_resumes_bitwise(eager, members, 13, 30)
    packs.assert_others_may_leave(eager, members, [4], 13, 30)


@all_stages
def test_a_graph_that_was_stopped_goes_on_bit_for_bit(stage: str) -> None:
    members = differing(pack(stage, 33))
    whole, begun, after = graph(members), graph(members), graph(members[4:6])
    losses = whole.run(0, 60).T
    begun.run(0, 27)
    after.load_state(packs.rows(begun.state(), [4, 5]))
    assert after.run(27, 60).T.tobytes() == losses[4:6, 27:].tobytes()


@all_stages
@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-4), ("float64", 1e-10)])
def test_cpu_and_gpu_agree(stage: str, dtype: str, tolerance: float) -> None:
    members = differing(pack(stage, 5, dtype=dtype))
    on_cpu = train(trainer_of(members), 30)
    np.testing.assert_allclose(train(eager(members), 30), on_cpu, rtol=tolerance)
    np.testing.assert_allclose(graph(members).run(0, 30).T, on_cpu, rtol=tolerance)


@pytest.mark.parametrize("stage", WITH_OPTIMIZER)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_cpu_and_gpu_agree_with_every_optimizer(stage: str, optimizer: str) -> None:
    members = differing(pack(stage, 4, points=101, dtype="float64", optimizer=OPTIMIZERS[optimizer]))
    on_cpu = train(trainer_of(members), 30)
    np.testing.assert_allclose(train(eager(members), 30), on_cpu, rtol=1e-8)
    np.testing.assert_allclose(graph(members).run(0, 30).T, on_cpu, rtol=1e-8)


@all_stages
@both_changes
def test_no_step_waits_for_the_device(stage: str, change: Callable[..., list[Member]]) -> None:
    trainer = eager(change(pack(stage, 5, optimizer=OPTIMIZERS["adam"]) if stage == "optim" else pack(stage, 5)))
    trainer.step(0)
    with _refusing_to_wait():
        for t in range(1, 30):
            trainer.step(t)


@all_stages
@pytest.mark.parametrize("make", [eager, graph])
def test_a_trainer_that_is_dropped_gives_its_memory_back(stage: str, make: Callable[..., Trainer | RunsSteps]) -> None:
    train(make(pack(stage, 2)), 20)  # whatever torch keeps for ever
    gc.collect()
    before = torch.cuda.memory_allocated()
    train(make(pack(stage, 64)), 20)
    gc.collect()
    assert torch.cuda.memory_allocated() <= before
