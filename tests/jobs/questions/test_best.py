"""What "best" means: the figure that a request names, or that of a stage; and which end of it is the good one."""

import pytest

from gradyard.jobs.errors import SpecInvalid
from gradyard.jobs.questions.best import aim, aim_of, other_aims, usual_aim
from gradyard.jobs.stages.registry import STAGES
from gradyard.jobs.stages.stage import Mode
from tests.jobs.stages_for_tests import with_aims


@pytest.fixture
def _aims(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stages that say what is best: of `nn` the largest accuracy, of `optim` the smallest gap."""
    with_aims(monkeypatch, nn=("accuracy", "max"), optim=("gap", "min"))


@pytest.mark.parametrize(("metric", "mode", "name", "told"), [
    ("loss", None, "loss_last", "min"), ("loss", "max", "loss_last", "max"), ("loss_min", None, "loss_min", "min"),
    ("loss_last", None, "loss_last", "min"), ("train_seconds", None, "train_seconds", "min"),
    ("accuracy", None, "metrics.accuracy.last", "max"), ("accuracy", "min", "metrics.accuracy.last", "min"),
    ("accuracy.max", None, "metrics.accuracy.max", "max"),
    ("metrics.accuracy.min", None, "metrics.accuracy.min", "max"),
    ("gap", None, "metrics.gap.last", "min"), ("val-acc", "max", "metrics.val-acc.last", "max"),
    ("top.5", "max", "metrics.top.5.last", "max"), ('metrics["top.5"].max', "max", "metrics.top.5.max", "max"),
    ("metrics.loss.last", "min", "metrics.loss.last", "min"),
])  # fmt: skip
@pytest.mark.usefixtures("_aims")
def test_a_metric_names_a_figure_and_its_good_end(metric: str, mode: Mode | None, name: str, told: str) -> None:
    found = aim(metric, mode)
    assert (found.name, found.mode) == (name, told)
    assert found.order.descending is (told == "max")


@pytest.mark.parametrize(("metric", "pointer", "words"), [
    ("val_acc", "/mode", "say min or max"), ("learning_rate", "/metric", "is no result"),
    ("optimizer.momentum", "/metric", "is no result"), ("tags.course", "/metric", "is no result"),
    ("", "/metric", "no metric is called"), ("a b", "/metric", "no metric is called"),
    ("a/b", "/metric", "no metric is called"), ("x" * 300, "/metric", "no metric is called"),
    ("a\0", "/metric", "no metric is called"), ("los min", "/metric", "loss_min"),
])  # fmt: skip
def test_what_is_no_figure_is_refused_with_the_cure(metric: str, pointer: str, words: str) -> None:
    with pytest.raises(SpecInvalid) as refused:
        aim(metric, None)
    (problem,) = refused.value.problems
    assert problem.pointer == pointer
    assert words in problem.message


def test_the_stages_of_the_tutorial_mean_the_last_loss() -> None:
    assert other_aims() == {}
    assert {aim_of(STAGES[name]) for name in ("numpy", "nn")} == {usual_aim()}
    assert (usual_aim().name, usual_aim().mode, usual_aim("max").mode) == ("loss_last", "min", "max")


@pytest.mark.usefixtures("_aims")
def test_a_stage_says_its_own() -> None:
    assert {stage: (each.name, each.mode) for stage, each in other_aims().items()} == {
        "nn": ("metrics.accuracy.last", "max"), "optim": ("metrics.gap.last", "min"),
    }  # fmt: skip
    assert {each.mode for each in other_aims("max").values()} == {"max"}
