"""Questions as text: what they mean, and what is refused with its place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradyard.jobs.errors import SpecInvalid
from gradyard.jobs.questions import columns
from gradyard.jobs.questions.read import question
from gradyard.jobs.questions.terms import All, Any, Column, Comparison, Kind, Missing, Not, OneOf, Source

LOSS_MIN = Column(Source.FIELD, "loss_min", Kind.NUMBER)
STAGE = Column(Source.FIELD, "stage", Kind.TEXT)
FINISHED = Column(Source.FIELD, "finished_at", Kind.TIME)


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("loss_min < 9", Comparison(LOSS_MIN, "<", 9.0)),
        ("9 > loss_min", Comparison(LOSS_MIN, "<", 9.0)),
        ("loss_min >= -1.5e3", Comparison(LOSS_MIN, ">=", -1500.0)),
        ("0 < loss_min <= 5", All((Comparison(LOSS_MIN, ">", 0.0), Comparison(LOSS_MIN, "<=", 5.0)))),
        ('stage in ("nn", "optim")', OneOf(STAGE, ("nn", "optim"))),
        ('stage not in ["nn"]', Not(OneOf(STAGE, ("nn",)))),
        ("loss_min is None", Missing(LOSS_MIN)),
        ("loss_min is not None", Not(Missing(LOSS_MIN))),
        ('tags.course == "w3"', Comparison(Column(Source.TAG, "course", Kind.TEXT), "==", "w3")),
        ('tags["any key"] != "w3"', Comparison(Column(Source.TAG, "any key", Kind.TEXT), "!=", "w3")),
        ("metrics.val.max > 1", Comparison(Column(Source.METRIC, "val", Kind.NUMBER, "max"), ">", 1.0)),
        ("optimizer.name == 'adam'", Comparison(Column(Source.PARAMETER, "optimizer.name", Kind.ANY), "==", "adam")),
        ("optimizer.nesterov == True", Comparison(Column(Source.PARAMETER, "optimizer.nesterov", Kind.ANY), "==", 1.0)),
        ("init.a == 0.5", Comparison(Column(Source.PARAMETER, "init.a", Kind.ANY), "==", 0.5)),
        ("dataset.points == 3", Comparison(Column(Source.FIELD, "points", Kind.NUMBER), "==", 3.0)),
        ('finished_at > "2026-11-01"', Comparison(FINISHED, ">", 1793491200.0)),
        ('finished_at > "2026-11-01T01:00+01:00"', Comparison(FINISHED, ">", 1793491200.0)),
        ("loss_min < loss_last", Comparison(LOSS_MIN, "<", Column(Source.FIELD, "loss_last", Kind.NUMBER))),
        (
            "not (loss_min < 1 or\n loss_min > 2)",
            Not(Any((Comparison(LOSS_MIN, "<", 1.0), Comparison(LOSS_MIN, ">", 2.0)))),
        ),
    ],
)
def test_a_question_is_read(text: str, term: object) -> None:
    assert question(text) == term


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("los_min < 9", 'at character 1: there is no los_min; did you mean "loss_min"?'),
        ('  optimiser.name == "x"', 'at character 3: there is no optimiser.name; did you mean "optimizer.name"?'),
        ("metrics.val.mean > 1", "there is no metrics.val.mean"),
        ('loss_min < "a"', "at character 12: loss_min is a number, not a text"),
        ("stage == 3", 'at character 10: stage is a text: write "3"'),
        ('state == "done"', "state is one of queued, running, succeeded, failed, cancelled"),
        ('stage in ("nnn",)', 'did you mean "nn"?'),
        ("finished_at > 5", 'finished_at is a time: "2026-11-01" or "2026-11-01T18:00Z"'),
        ('finished_at > "yesterday"', "finished_at is a time"),
        ("loss_min", "at character 1: is no comparison; for example: loss_min < 9"),
        ("loss_min <", "cannot be read"),
        ("", "cannot be read"),
        ("1 < 2", "one side must be a name"),
        ("f(loss_min) < 3", "the only function is first_below"),
        ("loss_min < 2 ** 9", "one side must be a name"),
        ("loss_min == None", "for no value: is None"),
        ("loss_min is 3", "`is` compares with None alone"),
        ('stage in "nn"', "after `in` comes a list"),
        ("loss_min < finished_at", "cannot be compared with each other"),
        ('name == "a\\x00b"', "characters that no job can have"),
        ('name == "\\ud800"', "characters that no job can have"),
        ("loss_min < " + "9" * 400, "compared with a number"),
        ("(" * 300 + "1" + ")" * 300, "cannot be read"),
        ("loss_min < 1" + " or loss_min < 1" * 60, "over 50 names"),
        ("not " * 30 + "loss_min < 1", "nested over 20 deep"),
        ("a" * 3000, "has over 2,048 bytes"),
        ("__import__('os').system('true') == 1", "the only function is first_below"),
        ('tags["\\ud800"] == "a"', "one side must be a name"),
        ('tags["\\0"] is None', "one side must be a name"),
        ('metrics["\\ud800"].max > 1', "one side must be a name"),
        ("batch == name", "cannot be compared with each other"),
        ("tags.x != batch", "cannot be compared with each other"),
        ("first_below(9, 8) < 1", "takes one number"),
        ("first_below(loss=9) < 1", "takes one number"),
        ('first_below("9") < 1', "takes one number"),
        ("first_below(first_below(9)) < 1", "takes one number"),
        ("first_below(9) < loss_min_step", "is compared with a number"),
        ("loss_min < first_below(9)", "is compared with a number"),
        ('first_below(9) == "a"', "is a number, not a text"),
    ],
)
def test_what_is_no_question_is_refused_with_its_place(text: str, message: str) -> None:
    with pytest.raises(SpecInvalid) as refused:
        question(text)
    (problem,) = refused.value.problems
    assert problem.pointer == "/where"
    assert message in problem.message


@given(st.one_of(st.text(max_size=80), st.text("lossmin<>=()\"'.andornotin 019[]{},:-+*", max_size=80)))
def test_any_text_is_a_question_or_refused(text: str) -> None:
    try:
        question(text)
    except SpecInvalid as refused:
        assert refused.problems[0].message  # noqa: PT017 - either is right


def test_the_parameters_of_every_stage_are_known() -> None:
    names = columns.parameter_names()
    assert {"optimizer.momentum", "optimizer.name", "loss.delta", "dtype", "init", "dataset.noise", "scale"} <= names
    assert {"dataset.file", "dataset.x", "dataset.y"} <= names, "of a file: its id and the names of its columns"
    assert not {"steps", "tags", "name"} & names
