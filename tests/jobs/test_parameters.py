"""The parameters of a spec by name: flat, numbers or texts, and one id for equal ones."""

import pytest

from gradyard.jobs.settings import Settings, load
from gradyard.jobs.submission.parameters import LONGEST_TEXT, other_parameters, varied_parameters
from gradyard.jobs.submission.parse import parse_job

here: Settings = load(database_url="sqlite:///unused.db")


def test_nested_parameters_have_dotted_names_and_switches_are_numbers() -> None:
    nested = {"stage": "mine", "hidden": 32, "net": {"act": {"name": "relu"}, "bias": True}, "start": None}
    assert other_parameters(nested).parameters == {"hidden": 32.0, "net.act.name": "relu", "net.bias": 1.0}


@pytest.mark.parametrize("text", ["x" * (LONGEST_TEXT + 1), ["a", "b"]])
def test_long_texts_and_lists_are_left_out(text: object) -> None:
    assert other_parameters({"stage": "mine", "text": text, "size": 1}).parameters == {"size": 1.0}


def test_equal_parameters_have_one_id_in_whatever_order() -> None:
    assert other_parameters({"a": 1, "b": 2, "seed": 3}).id == other_parameters({"b": 2.0, "a": 1, "seed": 4}).id
    assert other_parameters({"a": 1}).id != other_parameters({"a": 2}).id
    assert other_parameters({"a": "1"}).id != other_parameters({"a": 1}).id


def test_points_are_counted_where_the_spec_holds_the_data() -> None:
    body = b'{"stage": "nn", "dataset": {"kind": "inline", "x": [1, 2, 3, 4], "y": [1, 2, 3, 5]}, "steps": 5}'
    parsed = parse_job(body, here)
    varied = varied_parameters(parsed.as_json, parsed.resolved)
    assert (varied["points"], varied["steps"], varied["degree"]) == (4, 5, 3)
    assert "dataset.x" not in other_parameters(parsed.as_json).parameters


def test_a_spec_without_steps_or_data_has_none() -> None:
    assert set(varied_parameters({"stage": "mine", "hidden": 32}, {}).values()) == {None}
