"""The conformance suite finds out what a trainer does wrong."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from gradyard.jobs.stages.registry import STAGES
from gradyard.testing import StageConformance
from gradyard.testing.packs import load_trainer

Spoil = Callable[[Any, Sequence[Mapping[str, Any]]], None]


class Momentum(StageConformance):
    """A stage whose state is more than its weights."""

    __test__ = False
    stage = "module"
    spec = {"optimizer": {"name": "sgd", "momentum": 0.9}, "learning_rate": 1e-7, "init": "normal"}
    own_numbers = {"learning_rate": 1e-7}


def _feels_its_company(trainer: Any, members: Sequence[Mapping[str, Any]]) -> None:
    step = trainer.step
    trainer.step = lambda t: step(t) * (1 + 1e-6 * len(members))


def _forgets_its_momentum(trainer: Any, members: Sequence[Mapping[str, Any]]) -> None:
    load, state = trainer.load_state, trainer.state
    trainer.state = lambda: {name: each for name, each in state().items() if not name.startswith("momentum")}
    trainer.load_state = lambda arrays: load({**state(), **arrays})


def _hands_out_its_own_arrays(trainer: Any, members: Sequence[Mapping[str, Any]]) -> None:
    state, kept = trainer.state, {}

    def shared() -> dict[str, np.ndarray]:
        kept.update({name: each for name, each in state().items() if name not in kept})
        for name, each in state().items():
            if kept[name].flags.writeable:
                kept[name][:] = each
        return kept

    trainer.state = shared
    step = trainer.step
    trainer.step = lambda t: (step(t), shared())[0]


def _takes_anything(trainer: Any, members: Sequence[Mapping[str, Any]]) -> None:
    load = trainer.load_state
    trainer.load_state = lambda arrays: load(arrays) if arrays and len(arrays["a"]) == len(members) else None


def _never_learns(trainer: Any, members: Sequence[Mapping[str, Any]]) -> None:
    first = trainer.step(0)
    trainer.step = lambda t: first + t


def _draws_as_it_likes(trainer: Any, members: Sequence[Mapping[str, Any]]) -> None:
    step, drawn = trainer.step, np.random.default_rng()
    trainer.step = lambda t: step(t) * float(1 + drawn.random())


def _finds_objects(trainer: Any, members: Sequence[Mapping[str, Any]]) -> None:
    trainer.arrays = lambda: {"net": np.array([object()] * len(members))}


def _measures_its_company(trainer: Any, members: Sequence[Mapping[str, Any]]) -> None:
    trainer.every = 3
    trainer.measure = lambda t: {"width": np.full(len(members), len(members))}


def _measures_what_it_forgets(trainer: Any, members: Sequence[Mapping[str, Any]]) -> None:
    calls: list[int] = []
    trainer.every = 1

    def measure(t: int) -> dict[str, np.ndarray]:
        calls.append(t)
        return {"calls": np.full(len(members), len(calls))}

    trainer.measure = measure


WRONGS: list[tuple[Spoil, str]] = [
    (_feels_its_company, "test_alone_equals_packed"),
    (_forgets_its_momentum, "test_a_resumed_job_equals_an_uninterrupted_one"),
    (_forgets_its_momentum, "test_those_who_stay_when_others_leave_keep_their_bits"),
    (_hands_out_its_own_arrays, "test_a_state_is_a_copy_that_may_be_read_only"),
    (_takes_anything, "test_a_wrong_state_is_refused"),
    (_never_learns, "test_it_learns"),
    (_draws_as_it_likes, "test_the_same_seed_gives_the_same_curve"),
    (_finds_objects, "test_what_it_finds_can_be_stored"),
    (_measures_its_company, "test_what_it_measures_is_the_same_alone_packed_and_resumed"),
    (_measures_what_it_forgets, "test_what_it_measures_is_the_same_alone_packed_and_resumed"),
]


@pytest.mark.parametrize(("spoil", "test"), WRONGS, ids=lambda each: getattr(each, "__name__", each))
def test_a_trainer_that_does_wrong_fails(spoil: Spoil, test: str) -> None:
    def make(self: Momentum, members: Sequence[Mapping[str, Any]]) -> Any:
        trainer = load_trainer(STAGES[self.stage].trainer, [dict(each) for each in members])
        spoil(trainer, members)
        return trainer

    getattr(Momentum(), test)()
    wrong = type("Wrong", (Momentum,), {"make": make})()
    with pytest.raises((AssertionError, TypeError)):
        getattr(wrong, test)()


def test_a_stage_that_is_not_there_is_said_so() -> None:
    with pytest.raises(AssertionError):
        type("Absent", (Momentum,), {"stage": "walk"})().test_the_service_offers_it()
