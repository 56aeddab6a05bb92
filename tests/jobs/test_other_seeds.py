"""Members of a batch that differ in their seeds alone: read as if each came alone, and each seed is still checked."""

import json
import pickle
from io import BytesIO
from typing import Any

import numpy as np
import orjson
import pytest

from gradyard.jobs.errors import BatchInvalid, ContentMissing
from gradyard.jobs.settings import load
from gradyard.jobs.specs.file_data import FileData, XAndY
from gradyard.jobs.submission.batches import parse_batch
from gradyard.jobs.submission.other_seeds import MOST_KEPT, OtherSeeds, without_its_seed
from gradyard.jobs.submission.parse import ParsedJob, parse_job

settings = load(database_url="sqlite:///unused.db")
NOISY = {"kind": "function", "points": 50, "noise": 0.1}
INLINE = {"kind": "inline", "x": [0.0, 0.5, 1.0], "y": [-0.0, 1, 2.5]}
RESTS: dict[str, dict[str, Any]] = {
    "plain": {"stage": "tensor"},
    "a fixed start, so that a seed draws nothing": {"stage": "function", "tags": {"of": "them"}, "name": "one"},
    "noise": {"stage": "nn", "dataset": NOISY, "learning_rate": "auto"},
    "points that were sent": {"stage": "module", "dataset": INLINE, "optimizer": {"name": "sgd", "momentum": 0.5}},
    "parts filled up": {"stage": "optim", "optimizer": {"momentum": 0.5}, "loss": {"reduction": "mean"}},
    "weights that were given": {"stage": "autograd", "init": {"a": 1, "b": 0, "c": 0.5, "d": -0.0}, "steps": 1e3},
    "too fast": {"stage": "numpy", "learning_rate": 1.0, "init": "normal", "dtype": "float32"},
    "too slow for some seeds": {"stage": "tensor", "steps": 300, "learning_rate": 1e-7, "init": "normal"},
    "drawn orders": {"stage": "dynamic", "priority": -3, "device": "auto"},
}  # fmt: skip
SEEDS = (0, 1, 2**53 - 1, 7.0, 1)


def body_of(members: list[dict[str, Any]]) -> BytesIO:
    return BytesIO(json.dumps({"jobs": members}).encode())


def as_text(jobs: list[ParsedJob]) -> list[str]:
    """Everything of these jobs, with types and bits: 0.0 and -0.0, and 1 and 1.0, are two."""
    return [repr((job.spec, *job._replace(like=None)[1:])) for job in jobs]


@pytest.mark.parametrize("seeds_are", ["the last axis", "the first axis"])
def test_each_is_read_as_if_it_came_alone(seeds_are: str) -> None:
    rests = list(RESTS.values())
    pairs = [(rest, seed) for rest in rests for seed in SEEDS]
    if seeds_are == "the first axis":
        pairs = [(rest, seed) for seed in SEEDS for rest in rests]
    members = [rest | {"seed": seed} for rest, seed in pairs] + rests  # at last without any
    batch = parse_batch(body_of(members), settings).jobs
    assert as_text(batch) == as_text([parse_job(json.dumps(each).encode(), settings) for each in members])


def test_a_sweep_over_seeds_is_read_as_the_list_of_its_members() -> None:
    sweep = {"spec": RESTS["noise"], "grid": {"seed": {"stop": 20}, "learning_rate": ["auto", 1e-7]}}
    members = [RESTS["noise"] | {"seed": seed, "learning_rate": rate} for seed in range(20) for rate in ("auto", 1e-7)]
    swept = parse_batch(BytesIO(json.dumps(sweep).encode()), settings).jobs
    assert as_text(swept) == as_text(parse_batch(body_of(members), settings).jobs)


@pytest.mark.parametrize("wrong", [-1, 2**53, 0.5, True, "1", None, [], 10**40])
def test_a_wrong_seed_is_refused_although_the_rest_was_accepted(wrong: Any) -> None:
    rest = RESTS["plain"]
    with pytest.raises(BatchInvalid) as refused:
        parse_batch(body_of([rest | {"seed": 1}, rest | {"seed": wrong}, rest | {"seed": 2}]), settings)
    assert [(index, problem.pointer) for index, problem in refused.value.problems] == [(1, "/seed")]


def test_what_was_refused_is_refused_again() -> None:
    wrong = RESTS["plain"] | {"steps": 0}
    with pytest.raises(BatchInvalid) as refused:
        parse_batch(body_of([wrong | {"seed": seed} for seed in range(3)]), settings)
    assert [index for index, _ in refused.value.problems] == [0, 1, 2]


def test_a_stage_of_a_plugin_looks_at_each_seed_itself() -> None:
    seeds, job = OtherSeeds(), parse_job(b'{"stage": "tensor"}', settings)
    theirs = job._replace(spec=job.spec.model_copy(update={"stage": "theirs"}))
    seeds.accept(b"{}", theirs)
    assert seeds.of(b"{}") is None
    seeds.accept(b"{}", job)
    assert seeds.of(b"{}") is not None


def test_of_a_large_batch_few_are_kept() -> None:
    seeds, job = OtherSeeds(), parse_job(b'{"stage": "tensor"}', settings)
    for number in range(2 * MOST_KEPT):
        seeds.accept(b"%d" % number, job)
    assert [seeds.of(b"%d" % number) is not None for number in (0, MOST_KEPT - 1, MOST_KEPT)] == [True, True, False]
    seeds = OtherSeeds()
    seeds.accept(b" " * 2**19, job)
    seeds.accept(b" " * 2**20, job)
    assert seeds.of(b" " * 2**20) is None


def test_a_line_of_json_has_no_rest_and_a_seed_that_is_left_out_is_0() -> None:
    line, other_seed = b'{"stage": "tensor"}', {"stage": "tensor", "seed": 5}
    assert without_its_seed(line) == (line, None)
    assert [orjson.loads(each or b"") for each in without_its_seed(other_seed)] == [other_seed, {"stage": "tensor"}]
    assert without_its_seed({"stage": "tensor"}) == (b'{"stage":"tensor"}', b'{"stage":"tensor"}')
    assert without_its_seed({"seed": 5}) == (b'{"seed":5}', None)
    seeds = OtherSeeds()
    seeds.accept(b"{}", parse_job(b'{"stage": "tensor", "seed": 5}', settings))
    other = seeds.of(b"{}")
    assert other is not None
    assert other.spec_of({"stage": "tensor"}) == parse_job(b'{"stage": "tensor"}', settings).spec


@pytest.mark.parametrize("rest", RESTS.values(), ids=RESTS)
def test_the_spec_of_another_seed_is_what_pydantic_would_copy(rest: dict[str, Any]) -> None:
    seeds, job = OtherSeeds(), parse_job(json.dumps(rest).encode(), settings)
    seeds.accept(b"{}", job)
    other = seeds.of(b"{}")
    assert other is not None
    made, copied = other.spec_of({"seed": 5}), job.spec.model_copy(update={"seed": 5})
    assert (made, made.model_fields_set, made.model_extra) == (copied, copied.model_fields_set, copied.model_extra)
    assert made.model_dump_json() == copied.model_dump_json()
    assert pickle.loads(pickle.dumps(made)) == made
    assert job.spec.seed == 0


class LostSoon:
    """The files of a project, whose only one is gone after so many readings."""

    def __init__(self, readings: int) -> None:
        self.left = readings

    def with_values(self, dataset: FileData) -> FileData:
        def read() -> XAndY:
            self.left -= 1
            if self.left < 0:
                raise ContentMissing("there is no content")
            return XAndY(np.array([0.0, 1e-200, 2e-200]), np.zeros(3))

        return dataset.with_values(3, read)


def test_a_file_that_is_lost_meanwhile_is_told_of_the_member_that_needs_it() -> None:
    file = {"kind": "file", "file": "0" * 64, "x": "x", "y": "y"}
    far = {"a": 0.0, "b": 0.0, "c": 0.0, "d": 1e154}  # so far that its first loss is computed, from the file
    rest = {"stage": "numpy", "dataset": file, "init": far, "learning_rate": 1.0}
    first, again = LostSoon(10), LostSoon(10)
    parse_batch(body_of([rest]), settings, lambda: first)
    parse_batch(body_of([rest]), settings, lambda: again)  # what the first has found of its data is kept
    files = LostSoon(10 - again.left)
    with pytest.raises(BatchInvalid) as refused:
        parse_batch(body_of([rest | {"seed": seed} for seed in range(2)]), settings, lambda: files)
    [(index, problem)] = refused.value.problems
    assert (index, problem.pointer) == (1, "/dataset/file")
