"""Trainers that end their process, raise what cannot be written, or return what cannot be stored: one clear failure."""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.workers.runner.test_plugin_trainers import STEPS, Walk, failure_of, segments_of, trained
from workers.trainers.contract import MemberError


class Hostile(Exception):
    """An error without a text."""

    def __str__(self) -> str:
        sys.exit(0)


class NotAnException(BaseException):
    """What `except Exception` does not catch."""


def raises(error: BaseException | type[BaseException]) -> Callable[..., Any]:
    def step(self: Walk, t: int) -> Any:
        raise error

    return step


@pytest.mark.parametrize(("step", "part"), [
    (lambda self, t: sys.exit(0), "SystemExit: the trainer called sys.exit(0)"),
    (lambda self, t: sys.exit("a\ud800"), "SystemExit: the trainer called sys.exit()"),
    (raises(KeyboardInterrupt), "KeyboardInterrupt"), (raises(NotAnException("no")), "NotAnException: no"),
    (raises(ValueError("a \ud800 b")), "ValueError: a ? b"), (raises(Hostile()), "its text cannot be made"),
    (raises(ValueError("x" * 10_000_000)), "ValueError: xxx"),
])  # fmt: skip
def test_whatever_a_trainer_raises_is_reported_with_its_step(step: Any, part: str) -> None:
    failed = failure_of(trained(type("Raises", (Walk,), {"step": step})))
    assert part in failed.message
    assert (failed.step, failed.member, failed.out_of_memory) == (0, None, False)
    assert len(failed.message) <= 2_000
    failed.traceback.encode()


@pytest.mark.parametrize("method", ["__init__", "state", "load_state", "arrays", "measure"])
def test_a_trainer_that_exits_anywhere_is_reported(method: str) -> None:
    leaves = {method: lambda self, *_: sys.exit(0), "every": 1}
    options: dict[str, Any] = {"state": {"a": np.ones(2)}, "start_step": 3} if method == "load_state" else {}
    assert "SystemExit" in failure_of(trained(type("Leaves", (Walk,), leaves), **options)).message


def test_a_member_may_be_named_by_an_integer_of_numpy() -> None:
    named: Any = np.int64(1)
    assert failure_of(trained(type("Names", (Walk,), {"step": raises(MemberError(named, "no"))}))).member == 1


@pytest.mark.parametrize("index", [-1, 2, True, "0", 10**30, None])
def test_a_trainer_that_names_a_member_which_it_does_not_have_names_none(index: Any) -> None:
    failed = failure_of(trained(type("Names", (Walk,), {"step": raises(MemberError(index, "no"))})))
    assert failed.member is None


def _state(value: Callable[[int], Any]) -> dict[str, Any]:
    return {"state": lambda self: value(self.width)}


def _result(coefficients: Any, formula: Any = "y = 1") -> dict[str, Any]:
    return {"coefficients": lambda self: [coefficients] * self.width, "formula": lambda self, found: formula}


UNSTORABLE: dict[str, tuple[dict[str, Any], str]] = {
    "a state of objects": (_state(lambda n: {"a": np.array([None] * n)}), "dtype object"),
    "a state of records": (_state(lambda n: {"a": np.zeros(n, "f8,f8")}), "plain numbers"),
    "a state of lists": (_state(lambda n: {"a": [1.0] * n}), "is a list"),
    "a state that is none": (_state(lambda n: None), "must return a dict"),
    "a state of too few": (_state(lambda n: {"a": np.ones(n + 1)}), "its first axis"),
    "a state without a name": (_state(lambda n: {1: np.ones(n)}), "with a name"),
    "arrays of objects": ({"arrays": lambda self: {"m": np.array([None] * self.width)}}, "must be numbers"),
    "arrays that are a list": ({"arrays": lambda self: [1.0]}, "must return a dict"),
    "an array that is a list": ({"arrays": lambda self: {"m": [1.0] * self.width}}, "is a list"),
    "arrays of too few": ({"arrays": lambda self: {"m": np.ones(7)}}, "its first axis"),
    "a coefficient of text": (_result({"a": "1"}), ""),
    "a coefficient without a name": (_result({1: 1.0}), "must return a dict of floats"),
    "a formula that is none": (_result({"a": 1.0}, 7), "formula() a text"),
    "a formula without end": (_result({"a": 1.0}, "y" * 1_000_000), "10,000 characters"),
    "a formula that cannot be written": (_result({"a": 1.0}, "y = \ud800"), "formula() a text"),
}  # fmt: skip


@pytest.mark.parametrize(("methods", "part"), UNSTORABLE.values(), ids=UNSTORABLE.keys())
def test_what_cannot_be_stored_fails_at_the_first_record_and_not_at_the_end(methods: dict[str, Any], part: str) -> None:
    for record_seconds, steps in ((0.0, 10_000_000), (3600.0, STEPS)):
        failed = failure_of(trained(type("Careless", (Walk,), methods), steps=steps, record_seconds=record_seconds))
        assert part in failed.message
        assert len(failed.message) < 2_001
        assert failed.step < 10_000_000 // 10


def test_a_trainer_is_asked_for_its_results_once_before_the_end_and_trains_on() -> None:
    asked: list[int] = []

    class Counts(Walk):
        def arrays(self) -> dict[str, np.ndarray]:
            asked.append(1)
            return {"m": np.ones(self.width)}

    segments = segments_of(trained(Counts, steps=2000, record_seconds=0.0))
    assert len(segments) > 1
    assert [bool(each.artifacts) for each in segments] == [False] * (len(segments) - 1) + [True]
    assert len(asked) == 2


def _less_often(self: Any, t: int) -> dict[str, np.ndarray]:
    self.every = 1 + t // 4
    return {"m": np.ones(self.width)}


@pytest.mark.parametrize("methods", [
    {"every": 1, "measure": lambda self, t: {"early" if t < 4 else "late": np.ones(self.width)}},
    {"every": 1, "measure": _less_often},
])  # fmt: skip
def test_a_metric_that_changes_between_two_messages_is_noticed(
    methods: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    *_, failed = trained(type("Changes", (Walk,), methods), monkeypatch=monkeypatch)
    assert "in every call" in failure_of([failed]).message
