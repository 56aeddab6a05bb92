"""Train a pack without a service, and compare trainings bit for bit."""

import importlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from workers.runner.loop import segments
from workers.trainers.contract import RunsSteps, Trainer

Member = dict[str, Any]
MakeTrainer = Callable[[Sequence[Member]], Trainer]


def load_trainer(path: str, members: Sequence[Member], device: str = "cpu") -> Trainer:
    """The trainer of a dotted path ("module:Class") for these members, on "cpu" or "cuda"."""
    module, _, name = path.partition(":")
    trainer: Trainer = getattr(importlib.import_module(module), name)(list(members), device)
    return trainer


def train(trainer: Trainer | RunsSteps, steps: int, begin: int = 0) -> np.ndarray:
    """The losses of steps `begin` to `steps`, (members, steps)."""
    return np.concatenate([segment.losses for segment in segments(trainer, steps=steps, begin=begin)], axis=1)


def measured(trainer: Trainer | RunsSteps, steps: int, begin: int = 0) -> dict[str, np.ndarray]:
    """The metrics of steps `begin` to `steps` by name, (members, values); the last values are of the final weights."""
    done = list(segments(trainer, steps=steps, begin=begin))
    final = done[-1].final_metrics
    return {
        name: np.column_stack([*(each.metrics[name] for each in done if name in each.metrics), final[name]])
        for name in final
    }


def rows(state: Mapping[str, np.ndarray], chosen: Sequence[int]) -> dict[str, np.ndarray]:
    """The state of some members."""
    return {name: array[list(chosen)] for name, array in state.items()}


def assert_same_bits(left: Mapping[str, np.ndarray], right: Mapping[str, np.ndarray]) -> None:
    """States are equal name for name, dtype for dtype, bit for bit."""
    assert list(left) == list(right)
    for name in left:
        assert left[name].dtype == right[name].dtype, name
        assert left[name].tobytes() == right[name].tobytes(), f"{name} has other bits"


def assert_alone_equals_packed(make: MakeTrainer, members: list[Member], chosen: list[int], steps: int) -> None:
    """The chosen members, alone and as a smaller pack, have the losses and the state they have in the whole pack."""
    together = make(members)
    losses = train(together, steps)
    for few in [[index] for index in chosen] + [chosen]:
        trainer = make([members[index] for index in few])
        assert train(trainer, steps).tobytes() == losses[few].tobytes(), f"in a pack of {len(members)}, {few} differ"
        assert_same_bits(trainer.state(), rows(together.state(), few))


def assert_resumes_bitwise(make: MakeTrainer, members: list[Member], stop: int, steps: int) -> None:
    """A training that stops at a step and resumes from its state has the bits of an uninterrupted one."""
    uninterrupted = make(members)
    losses = train(uninterrupted, steps)
    first = make(members)
    before = train(first, stop) if stop else losses[:, :0]
    state = first.state()
    second = make(members)
    second.load_state(state)
    assert_same_bits(second.state(), state)
    after = train(second, steps, begin=stop)
    assert np.concatenate([before, after], axis=1).tobytes() == losses.tobytes()
    assert_same_bits(second.state(), uninterrupted.state())


def assert_others_may_leave(
    make: MakeTrainer, members: list[Member], staying: list[int], stop: int, steps: int
) -> None:
    """Members that stay when others leave the pack at a step keep their bits."""
    whole, begun = make(members), make(members)
    losses = train(whole, steps)
    train(begun, stop)
    rebuilt = make([members[index] for index in staying])
    rebuilt.load_state(rows(begun.state(), staying))
    assert train(rebuilt, steps, begin=stop).tobytes() == losses[staying, stop:].tobytes()
    assert_same_bits(rebuilt.state(), rows(whole.state(), staying))
