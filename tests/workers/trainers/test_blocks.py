"""Stage `numpy` trains a pack in blocks that stay in the cache, and neither they nor numpy's buffer change a bit."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.workers.trainers.packs import assert_same_bits, differing, pack, train, trainer_of
from workers.trainers.compiled import blas
from workers.trainers.tensors import memory

LOSSES = [{"name": "mse", "reduction": "sum"}, {"name": "huber", "reduction": "mean", "delta": 0.5}]


def set_block(monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    """Let a block have `rows` members of 2,000 points in float64 that share their data."""
    monkeypatch.setattr(memory, "own_cache_bytes", lambda: 2 * rows * 2 * 2000 * 8)


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss["name"])
@pytest.mark.parametrize("noise", [0.0, 0.1], ids=["shared data", "own data"])
def test_the_height_of_blocks_changes_no_bit(
    monkeypatch: pytest.MonkeyPatch, loss: dict[str, Any], noise: float
) -> None:
    members = differing(pack("numpy", 13, loss=loss, noise=noise))
    set_block(monkeypatch, 13 * 5)
    whole = trainer_of(members)
    losses = train(whole, 20)
    for rows in (1, 4, 12):
        set_block(monkeypatch, rows)
        trainer: Any = trainer_of(members)
        assert len(trainer.blocks) >= 13 / rows
        assert train(trainer, 20).tobytes() == losses.tobytes()
        assert_same_bits(trainer.state(), whole.state())


def test_numpys_buffer_has_its_size_again_after_a_step() -> None:
    before = np.getbufsize()
    trainer_of(pack("numpy", 3)).step(0)
    blas.Trainer(pack("numpy", 3), "cpu").run(0, 2)
    assert np.getbufsize() == before


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("noise", [0.0, 0.1], ids=["shared data", "own data"])
def test_products_with_and_without_avx512_differ_by_rounding_only(
    monkeypatch: pytest.MonkeyPatch, dtype: str, noise: float
) -> None:
    curves = []
    for found in (True, False):
        monkeypatch.setattr(blas, "has_avx512", lambda found=found: found)
        curves.append(blas.Trainer(differing(pack("numpy", 7, dtype=dtype, noise=noise)), "cpu").run(0, 30))
    assert curves[0] == pytest.approx(curves[1], rel={"float32": 1e-5, "float64": 1e-12}[dtype])


@pytest.mark.parametrize(
    ("text", "size"), [("512K\n", 2**19), ("1024K\n", 2**20), ("2048K\n", 2**20), ("256K\n", 2**19), ("?", 2**19)]
)
def test_the_size_of_the_cache_is_read_and_bounded(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, size: int
) -> None:
    monkeypatch.setattr(memory, "OWN_CACHE", tmp_path / "size")
    assert memory.own_cache_bytes.__wrapped__() == memory.SMALL_CACHE  # no file
    (tmp_path / "size").write_text(text)
    assert memory.own_cache_bytes.__wrapped__() == size


def test_the_last_block_is_shorter() -> None:
    height = memory.own_cache_bytes() // 2 // 1000
    assert memory.blocks_in_cache(height + 1, 1000) == [slice(0, height), slice(height, height + 1)]
    assert memory.blocks_in_cache(2, 2**30) == [slice(0, 1), slice(1, 2)]
