"""What may be submitted, what may not, and how the refusal points at the fault."""

from dataclasses import replace

import pytest

from gradyard.jobs.errors import BodyMalformed, SpecInvalid
from gradyard.jobs.settings import Settings, load
from gradyard.jobs.specs.base import sha256_of
from gradyard.jobs.stages.registry import STAGES
from gradyard.jobs.submission.parse import parse_job

settings: Settings = load(database_url="sqlite:///unused.db")

REFUSED = {
    b"{}": "/stage",
    b'{"stage": "perceptron"}': "/stage",
    b'{"stage": ["nn"]}': "/stage",
    b"[]": "",
    b"null": "",
    b'"tensor"': "",
    b'{"stage": "nn", "steps": 0}': "/steps",
    b'{"stage": "nn", "steps": -1}': "/steps",
    b'{"stage": "nn", "steps": 2.5}': "/steps",
    b'{"stage": "nn", "steps": "10"}': "/steps",
    b'{"stage": "nn", "steps": true}': "/steps",
    b'{"stage": "nn", "steps": 1000000000000}': "/steps",
    b'{"stage": "nn", "steps": 1' + b"0" * 400 + b"}": "/steps",
    b'{"stage": "nn", "learning_rate": NaN}': "/learning_rate",
    b'{"stage": "nn", "learning_rate": 1e400}': "/learning_rate",
    b'{"stage": "nn", "learning_rate": -1}': "/learning_rate",
    b'{"stage": "nn", "learning_rate": "fast"}': "/learning_rate",
    b'{"stage": "function", "learning_rate": "auto"}': "/learning_rate",
    b'{"stage": "optim", "learning_rate": "auto"}': "/learning_rate",
    b'{"stage": "nn", "seed": 9007199254740992}': "/seed",
    b'{"stage": "nn", "seed": -1}': "/seed",
    b'{"stage": "nn", "dataset": {"points": 0}}': "/dataset/points",
    b'{"stage": "nn", "dataset": 5}': "/dataset",
    b'{"stage": "nn", "dataset": {"kind": 5}}': "/dataset/kind",
    b'{"stage": "nn", "dataset": {"kind": "cloud"}}': "/dataset/kind",
    b'{"stage": "nn", "dataset": {"kind": "function", "points": 1000001}}': "/dataset/points",
    b'{"stage": "nn", "dataset": {"kind": "function", "start": 2, "stop": 1}}': "/dataset",
    b'{"stage": "nn", "dataset": {"kind": "function", "function": "sine"}}': "/dataset/function",
    b'{"stage": "nn", "dataset": {"kind": "inline", "x": [1, "2"], "y": [1, 2]}}': "/dataset/x/1",
    b'{"stage": "nn", "dataset": {"kind": "inline", "x": [1], "y": [1, 2]}}': "/dataset",
    b'{"stage": "nn", "dataset": {"kind": "inline", "x": [], "y": []}}': "/dataset/x",
    b'{"stage": "nn", "init": {"a": 1}}': "/init",
    b'{"stage": "nn", "init": {"a": 1, "b": 1, "c": 1, "d": "x"}}': "/init/d",
    b'{"stage": "nn", "degree": 10}': "/degree",
    b'{"stage": "function", "degree": 3}': "/degree",
    b'{"stage": "nn", "optimizer": {"name": "sgd"}}': "/optimizer",
    b'{"stage": "optim", "optimizer": {"name": "newton"}}': "/optimizer/name",
    b'{"stage": "optim", "optimizer": {"name": "sgd", "alpha": 0.9}}': "/optimizer/alpha",
    b'{"stage": "optim", "optimizer": {"name": "sgd", "nesterov": true}}': "/optimizer",
    b'{"stage": "nn", "loss": {"name": "mse", "delta": 1}}': "/loss/delta",
    b'{"stage": "numpy", "device": "gpu"}': "/device",
    b'{"stage": "nn", "execution": "warp"}': "/execution",
    b'{"stage": "function", "execution": "gram"}': "/execution",
    b'{"stage": "dynamic", "execution": "gram"}': "/execution",
    b'{"stage": "optim", "execution": "gram"}': "/execution",
    b'{"stage": "module", "execution": "gram", "optimizer": {"name": "sgd", "momentum": 0.5}}': "/execution",
    b'{"stage": "nn", "execution": "gram", "loss": {"name": "l1"}}': "/execution",
    b'{"stage": "nn", "execution": "gram", "degree": 9, "dataset": {"start": 0, "stop": 10}}': "/execution",
    b'{"stage": "nn", "execution": "gram", "dataset": {"kind": "inline", "x": [1, 1], "y": [1, 2]}}': "/execution",
    b'{"stage": "nn", "execution": "gram", "dataset": {"kind": "inline", "x": [1e200, 1], "y": [1, 2]}}': "/dataset/x",
    b'{"stage": "nn", "gpu_memory_mib": 100}': "/gpu_memory_mib",
    b'{"stage": "nn", "dtype": "float16"}': "/dtype",
    b'{"stage": "nn", "name": "nul\\u0000"}': "/name",
    b'{"stage": "nn", "tags": {"a/b": 1}}': "/tags/a~1b",
    b'{"stage": "nn", "colour": "red"}': "/colour",
}


@pytest.mark.parametrize(("body", "pointer"), REFUSED.items(), ids=[body[:60].decode() for body in REFUSED])
def test_a_refusal_points_at_the_fault(body: bytes, pointer: str) -> None:
    with pytest.raises(SpecInvalid) as refusal:
        parse_job(body, settings)
    assert pointer in {problem.pointer for problem in refusal.value.problems}


@pytest.mark.parametrize("stage", ["numpy", "tensor", "autograd", "nn", "module"])
def test_gram_is_for_quadratics_of_every_degree_on_the_tutorials_data(stage: str) -> None:
    for degree in range(10):
        body = f'{{"stage": "{stage}", "execution": "gram", "degree": {degree}, "learning_rate": "auto"}}'
        assert parse_job(body.encode(), settings).spec.execution == "gram"


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"stage": }', b"\xff", b'{"stage": "nn", "name": "\\ud800"}', b"nonsense"]
)
def test_what_is_no_json_is_malformed(body: bytes) -> None:
    with pytest.raises(BodyMalformed):
        parse_job(body, settings)


def test_deep_nesting_is_refused_and_nothing_worse() -> None:
    with pytest.raises((SpecInvalid, BodyMalformed)):
        parse_job(b'{"stage": "nn", "tags": ' + b"[" * 5000 + b"]" * 5000 + b"}", settings)


@pytest.mark.parametrize("stage", STAGES)
def test_the_name_of_a_stage_alone_is_a_valid_spec(stage: str) -> None:
    assert parse_job(b'{"stage": "%s"}' % stage.encode(), settings).spec.as_json() == STAGES[stage].defaults()


def test_the_defaults_are_those_of_the_tutorial() -> None:
    rates = {
        "numpy": 1e-6,
        "tensor": 1e-6,
        "autograd": 1e-6,
        "function": 5e-6,
        "nn": 1e-6,
        "optim": 1e-3,
        "module": 1e-6,
    }
    for stage, rate in (rates | {"dynamic": 1e-8}).items():
        defaults = STAGES[stage].defaults()
        assert (defaults["learning_rate"], defaults["dataset"]["points"]) == (rate, 2000)
        assert defaults["steps"] == (30_000 if stage == "dynamic" else 2000)
        assert defaults["dtype"] == ("float64" if stage == "numpy" else "float32")
        assert defaults["loss"] == {"name": "mse", "reduction": "sum"}
    assert STAGES["dynamic"].defaults()["optimizer"]["momentum"] == 0.9


def test_auto_is_one_over_the_steepest_curvature() -> None:
    steepest = 562121.9  # the largest eigenvalue of 2 X'X on the tutorial's data
    assert parse_job(b'{"stage": "nn", "learning_rate": "auto"}', settings).resolved["learning_rate"] == pytest.approx(
        1 / steepest, rel=1e-6
    )


@pytest.mark.parametrize(
    ("body", "pointer", "message"),
    [
        (b'{"jobs": [{"stage": "nn"}]}', "", "is a batch, not a job; send it to POST /v1/batches"),
        (b'{"spec": {"stage": "nn"}, "grid": {}}', "", "is a batch, not a job; send it to POST /v1/batches"),
        (b'{"stage": "nn", "grid": {"seed": [1]}}', "/grid", 'is for a sweep: {"spec": {…}, "grid": {…}}, sent to POST '
         "/v1/batches"),
    ],
)  # fmt: skip
def test_a_batch_where_a_job_is_meant_is_told_where_to_go(body: bytes, pointer: str, message: str) -> None:
    with pytest.raises(SpecInvalid) as refusal:
        parse_job(body, settings)
    assert [(each.pointer, each.message) for each in refusal.value.problems] == [(pointer, message)]


def test_a_rate_over_the_stability_limit_is_accepted_with_the_limit_named() -> None:
    (warning,) = parse_job(b'{"stage": "tensor", "learning_rate": 1e-3}', settings).warnings
    assert warning["pointer"] == "/learning_rate"
    assert "3.558e-06" in warning["message"]


def test_names_and_limits_do_not_change_what_is_trained() -> None:
    plain = parse_job(b'{"stage": "nn"}', settings).spec
    dressed = parse_job(
        b'{"stage": "nn", "name": "x", "priority": 3, "tags": {"a": "b"}, "max_retries": 0}', settings
    ).spec
    seeded = parse_job(b'{"stage": "nn", "seed": 5, "learning_rate": 2e-6}', settings).spec
    longer = parse_job(b'{"stage": "nn", "steps": 5}', settings).spec
    hashes = [sha256_of(spec.as_json()) for spec in (plain, dressed, seeded)]
    assert hashes[0] == hashes[1] != hashes[2]
    assert plain.pack_key(1) == seeded.pack_key(1) != longer.pack_key(1)
    assert plain.pack_key(1) != plain.pack_key(2)


def test_a_device_that_the_stage_never_runs_on_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(STAGES, "nn", replace(STAGES["nn"], devices=("cpu",)))
    with pytest.raises(SpecInvalid, match='/device: stage "nn" runs on cpu alone, not on gpu'):
        parse_job(b'{"stage": "nn", "device": "gpu"}', settings)
    for device in (b"cpu", b"auto"):
        assert parse_job(b'{"stage": "nn", "device": "%s"}' % device, settings).spec.stage == "nn"
