"""The loop cuts training into segments, and the cuts change nothing but the time."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
import torch

from workers.runner import loop
from workers.runner.loop import FIRST_STEPS, MOST_STEPS, StepFailed, segments
from workers.trainers.contract import Array, Losses


class Clock:
    """Time that passes only when a trainer works."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr("workers.runner.loop.time.perf_counter", lambda: self.now)


class Counting:
    """Two members whose losses are the step and ten times the step; every step takes `cost` seconds."""

    def __init__(self, clock: Clock | None = None, cost: float = 0.0) -> None:
        self.steps: list[int] = []
        self._clock, self._cost = clock, cost

    def step(self, t: int) -> Losses:
        self.steps.append(t)
        if self._clock is not None:
            self._clock.now += self._cost
        return np.array([t, 10 * t], dtype=np.float32)

    def state(self) -> dict[str, Array]:
        return {}

    def load_state(self, arrays: Mapping[str, Array]) -> None: ...

    def coefficients(self) -> list[dict[str, float]]:
        return []

    def formula(self, coefficients: Mapping[str, float]) -> str:
        return ""


class CountingInTorch(Counting):
    def step(self, t: int) -> Losses:
        return torch.from_numpy(np.asarray(super().step(t)))


class StackingItself(CountingInTorch):
    def stack_losses(self, losses: Sequence[Losses]) -> Array:
        stacked: Array = torch.stack([torch.as_tensor(loss) for loss in losses]).numpy()
        return stacked


def trained(trainer: Any, **options: Any) -> list[loop.Segment]:
    return list(segments(trainer, **options))


@pytest.mark.parametrize("kind", [Counting, CountingInTorch, StackingItself])
@pytest.mark.parametrize(("begin", "steps"), [(0, 1), (0, 8), (0, 1000), (37, 1000), (999, 1000)])
def test_segments_follow_one_another_and_hold_every_loss_once(kind: type[Counting], begin: int, steps: int) -> None:
    trainer = kind()
    cut = trained(trainer, steps=steps, begin=begin)
    assert trainer.steps == list(range(begin, steps))
    starts = [segment.start_step for segment in cut]
    assert starts == [begin, *np.cumsum([segment.losses.shape[1] for segment in cut[:-1]]) + begin]
    losses = np.concatenate([segment.losses for segment in cut], axis=1)
    assert losses.dtype == np.float32
    assert losses.tolist() == [[*range(begin, steps)], [10 * t for t in range(begin, steps)]]
    assert all(segment.losses.flags.c_contiguous for segment in cut)


def test_nothing_is_left_to_train_after_the_last_step() -> None:
    assert trained(Counting(), steps=5, begin=5) == []


def test_segments_settle_at_the_asked_time(monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = Counting(Clock(monkeypatch), cost=0.001)
    cut = trained(trainer, steps=2000, seconds=0.25)
    assert cut[0].losses.shape[1] == FIRST_STEPS
    assert [segment.losses.shape[1] for segment in cut[3:-1]] == [250] * (len(cut) - 4)
    assert cut[3].seconds == pytest.approx(0.25)


def test_a_step_slower_than_a_segment_is_a_segment(monkeypatch: pytest.MonkeyPatch) -> None:
    cut = trained(Counting(Clock(monkeypatch), cost=3.0), steps=20, seconds=0.2)
    assert [segment.losses.shape[1] for segment in cut] == [1] * 20


def test_no_segment_outgrows_its_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    cut = trained(Counting(Clock(monkeypatch), cost=1e-9), steps=3 * MOST_STEPS, seconds=10.0)
    assert max(segment.losses.shape[1] for segment in cut) == MOST_STEPS


def test_leaving_the_loop_ends_the_training() -> None:
    trainer = Counting()
    for segment in segments(trainer, steps=1000):
        assert segment.start_step == 0
        break
    assert len(trainer.steps) == FIRST_STEPS


def test_the_trainer_stands_after_the_last_step_of_the_segment_it_yields() -> None:
    trainer = Counting()
    for segment in segments(trainer, steps=200):
        assert trainer.steps[-1] == segment.start_step + segment.losses.shape[1] - 1


class RaisingAt(Counting):
    """Raises at step 7."""

    def step(self, t: int) -> Losses:
        if t == 7:
            raise ValueError("no")
        return super().step(t)


@pytest.mark.parametrize("begin", [0, 3, 7])
def test_what_a_trainer_raises_comes_with_its_step_wherever_segments_are_cut(begin: int) -> None:
    with pytest.raises(StepFailed) as failed:
        trained(RaisingAt(), steps=100, begin=begin)
    assert failed.value.step == 7
    assert isinstance(failed.value.__cause__, ValueError)


class RefusingNaN(Counting):
    """Members that diverge at these steps; its measure, as those of many libraries, refuses what is not finite."""

    every = 4

    def __init__(self, *diverged_at: int) -> None:
        super().__init__()
        self._diverged_at, self._last = diverged_at, np.zeros(2, dtype=np.float32)

    def step(self, t: int) -> Losses:
        self._last = np.array([np.nan if t >= at else t for at in self._diverged_at], dtype=np.float32)
        return self._last

    def measure(self, t: int) -> dict[str, Losses]:
        if np.isnan(self._last).any():
            raise ValueError("Input contains NaN")
        return {"score": self._last}


@pytest.mark.parametrize("begin", [0, 3])
@pytest.mark.parametrize(("diverged_at", "done"), [(5, 8), (9, 10)])
def test_a_measure_that_refuses_a_diverged_model_leaves_its_losses(begin: int, diverged_at: int, done: int) -> None:
    seen = list[loop.Segment]()
    for segment in segments(RefusingNaN(diverged_at), steps=10, begin=begin):
        seen.append(segment)
        if not np.isfinite(segment.losses).all():
            break
    losses = np.concatenate([segment.losses for segment in seen], axis=1)
    assert losses.shape[1] <= done - begin
    assert np.isfinite(losses).sum() == diverged_at - begin


def test_a_measure_that_refuses_one_of_two_is_an_error_of_the_pack() -> None:
    with pytest.raises(StepFailed) as failed:
        list(segments(RefusingNaN(5, 99), steps=10))
    assert failed.value.step == 8
