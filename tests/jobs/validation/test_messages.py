"""A refusal says what came, what is meant, and what to write instead."""

import pytest

from gradyard.jobs.errors import SpecInvalid
from gradyard.jobs.settings import load
from gradyard.jobs.submission.parse import parse_job

settings = load(database_url="sqlite:///unused.db")
STAGES = "numpy, tensor, autograd, function, nn, optim, module, dynamic"

SENTENCES = {
    # names
    '{"stage": "nn", "lerning_rate": 1}': 'there is no such field for stage "nn"; did you mean "learning_rate"?',
    '{"stage": "nn", "lr": 1}': 'there is no such field for stage "nn"; did you mean "learning_rate"?',
    '{"stage": "nn", "Steps": 1}': 'there is no such field for stage "nn"; did you mean "steps"?',
    '{"stage": "nn", "epochs": 1}': 'there is no such field for stage "nn"; did you mean "steps"?',
    '{"stage": "function", "degree": 3}': 'there is no such field for stage "function", only for numpy, tensor, '
    "autograd, nn, optim, module",
    '{"stage": "nn", "optimizer": {"name": "sgd"}}': 'there is no such field for stage "nn", only for optim, module, '
    "dynamic",
    '{"stage": "optim", "optimizer": {"name": "sgd", "alpha": 1}}': 'there is no such field for optimizer "sgd", only '
    "for rmsprop",
    '{"stage": "optim", "optimizer": {"name": "sgd", "momentun": 1}}': 'there is no such field for optimizer "sgd"; '
    'did you mean "momentum"?',
    '{"stage": "optim", "optimizer": {"name": "sgd", "q": 1}}': 'there is no such field for optimizer "sgd"; the '
    "fields are name, momentum, nesterov, weight_decay",
    '{"stage": "nn", "loss": {"delta": 1}}': 'there is no such field for loss "mse", only for huber',
    # names of another part
    '{"stage": "optim", "optimizer": {"lr": 1}}': 'there is no such field for optimizer "rmsprop"; did you mean '
    '"learning_rate", beside "optimizer"?',
    '{"stage": "nn", "dataset": {"seed": 1}}': 'there is no such field for dataset "function"; did you mean "seed", '
    'beside "dataset"?',
    '{"stage": "nn", "points": 9}': 'there is no such field for stage "nn"; did you mean "dataset.points"?',
    '{"stage": "optim", "momentun": 1}': 'there is no such field for stage "optim"; did you mean "optimizer.momentum"?',
    '{"stage": "nn", "depends_on": [{"id": "01a22089-07ae-724d-b259-54400c30a689", "stage": 1}]}': "there is no such "
    'field here; did you mean "stage", beside "depends_on"?',
    # members of unions
    "{}": f"is missing; it must be one of {STAGES}",
    '{"stgae": "nn"}': f'is missing, or is it "stgae"; it must be one of {STAGES}',
    '{"stage": "tensr"}': f'must be one of {STAGES}, not "tensr"; did you mean "tensor"?',
    '{"stage": 5}': f"must be one of {STAGES}, not 5",
    '{"stage": "optim", "optimizer": {"name": "adm"}}': "must be one of sgd, rmsprop, adam, adamw, adagrad, not "
    '"adm"; did you mean "adam"?',
    '{"stage": "nn", "dataset": {"kind": "functoin"}}': 'must be one of function, inline, file, not "functoin"; did '
    'you mean "function"?',
    '{"stage": "optim", "optimizer": "adam"}': 'must be an object, not "adam"; write {"name": "adam"}',
    '{"stage": "nn", "loss": "hubert"}': 'must be an object, not "hubert"; write {"name": "huber"}',
    '{"stage": "nn", "dataset": "inline"}': 'must be an object, not "inline"; write {"kind": "inline"}',
    # values
    '{"stage": "nn", "device": "gpuu"}': 'must be "cpu", "gpu" or "auto", not "gpuu"; did you mean "gpu"?',
    '{"stage": "nn", "learning_rate": "fast"}': 'must be a number or "auto", not "fast"',
    '{"stage": "nn", "learning_rate": -1}': 'must be greater than 0 or "auto", not -1',
    '{"stage": "nn", "init": "norml"}': 'must be "default" or "normal" or an object, not "norml"; did you mean '
    '"normal"?',
    '{"stage": "nn", "init": {"a": "x", "b": 1, "c": 1, "d": 1}}': 'must be a number, not "x"',
    '{"stage": "nn", "scale": "std"}': 'must be "none", "standard" or "minmax", not "std"; did you mean "standard"?',
    '{"stage": "nn", "steps": 0}': "must be at least 1, not 0",
    '{"stage": "nn", "steps": 2.5}': "must be a whole number, not 2.5",
    '{"stage": "nn", "steps": "10"}': 'must be a whole number, not "10"',
    '{"stage": "nn", "steps": null}': "must be a whole number, not null",
    '{"stage": "nn", "seed": 9007199254740992}': "must be at most 9,007,199,254,740,991, not 9007199254740992",
    '{"stage": "nn", "tags": []}': "must be an object, not a list",
    '{"stage": "nn", "tags": {"": "x"}}': "must not be empty",
    '{"stage": "nn", "name": 5}': "must be text, not 5",
    '{"stage": "optim", "optimizer": {"name": "sgd", "nesterov": 1}}': "must be true or false, not 1",
}


@pytest.mark.parametrize(("body", "sentence"), SENTENCES.items(), ids=SENTENCES)
def test_a_refusal_is_one_sentence_with_the_cure(body: str, sentence: str) -> None:
    with pytest.raises(SpecInvalid) as refusal:
        parse_job(body.encode(), settings)
    assert [problem.message for problem in refusal.value.problems] == [sentence]


MEANT_FOR_A_SWEEP = {
    '{"stage": "nn", "seed": "0:5"}': 'must be a whole number, not "0:5"; a range is for a sweep: "grid": '
    '{"seed": {"start": 0, "stop": 5}}',
    '{"stage": "nn", "seed": "0:10:2"}': 'must be a whole number, not "0:10:2"; a range is for a sweep: "grid": '
    '{"seed": {"start": 0, "stop": 10, "step": 2}}',
    '{"stage": "nn", "seed": {"stop": 5}}': "must be a whole number, not an object; a range is for a sweep: "
    '"grid": {"seed": {"stop": 5}}',
    '{"stage": "nn", "learning_rate": "1e-6, 1e-5"}': 'must be a number or "auto", not "1e-6, 1e-5"; several values '
    'are for a sweep: "grid": {"learning_rate": [1e-06, 1e-05]}',
    '{"stage": "optim", "optimizer": {"momentum": [0.5, 0.9]}}': "must be a number, not a list; several values are "
    'for a sweep: "grid": {"optimizer.momentum": [0.5, 0.9]}',
    '{"stage": "nn", "learning_rate": {"low": 1, "high": 2}}': 'must be a number or "auto", not an object; random '
    'draws are for a sweep: "random": {"learning_rate": {"low": 1, "high": 2}}',
    '{"stage": "nn", "dtype": ["float32", "float64"]}': 'must be "float32" or "float64", not a list; several values '
    'are for a sweep: "grid": {"dtype": ["float32", "float64"]}',
    '{"stage": "nn,optim"}': f'must be one of {STAGES}, not "nn,optim"; several values are for a sweep: "grid": '
    '{"stage": ["nn", "optim"]}',
    f'{{"stage": "nn", "steps": {[1] * 99}}}': "must be a whole number, not a list; several values are "
    'for a sweep: "grid": {…}',
    # one value, or none
    '{"stage": "nn", "steps": "a:b"}': 'must be a whole number, not "a:b"',
    '{"stage": "nn", "steps": {"a": 1}}': "must be a whole number, not an object",
    '{"stage": "nn", "dataset": {"kind": "inline", "x": ["0:5"], "y": [1]}}': 'must be a number, not "0:5"',
    '{"stage": "nn", "tags": [1, 2]}': "must be an object, not a list",
}


@pytest.mark.parametrize(("body", "sentence"), MEANT_FOR_A_SWEEP.items(), ids=[each[:60] for each in MEANT_FOR_A_SWEEP])
def test_what_a_sweep_would_vary_is_refused_with_its_form_there(body: str, sentence: str) -> None:
    with pytest.raises(SpecInvalid) as refusal:
        parse_job(body.encode(), settings)
    assert [problem.message for problem in refusal.value.problems] == [sentence]


def test_a_long_value_is_cut_short() -> None:
    with pytest.raises(SpecInvalid) as refusal:
        parse_job(b'{"stage": "nn", "steps": "%s"}' % (b"x" * 10_000), settings)
    assert refusal.value.problems[0].message == f'must be a whole number, not "{"x" * 40}…"'
    with pytest.raises(SpecInvalid) as refusal:
        parse_job(b'{"stage": "nn", "name": "%s"}' % (b"x" * 10_000), settings)
    assert refusal.value.problems[0].message == "must have at most 200 characters, not 10,000"


@pytest.mark.parametrize("number", ["1000.0", "1e3", "1E+3", "10.0e2"])
def test_a_whole_number_may_be_written_as_a_fraction_or_a_power_of_ten(number: str) -> None:
    body = f'{{"stage": "nn", "steps": {number}, "dataset": {{"points": {number}}}, "degree": 2.0}}'
    spec = parse_job(body.encode(), settings).spec.as_json()
    assert (spec["steps"], spec["dataset"]["points"], spec["degree"]) == (1000, 1000, 2)
    assert all(isinstance(spec[name], int) for name in ("steps", "degree", "seed"))


def test_a_fraction_beside_a_whole_number_is_the_one_that_is_wrong() -> None:
    with pytest.raises(SpecInvalid) as refusal:
        parse_job(b'{"stage": "nn", "steps": 1e3, "seed": 1.5}', settings)
    assert [(problem.pointer) for problem in refusal.value.problems] == ["/seed"]


@pytest.mark.parametrize("steps", ["1e400", "-1e3", "true", '"1e3"', "1e300", "0.0"])
def test_no_other_number_becomes_whole(steps: str) -> None:
    with pytest.raises(SpecInvalid) as refusal:
        parse_job(b'{"stage": "nn", "steps": %s}' % steps.encode(), settings)
    assert refusal.value.problems[0].pointer == "/steps"
