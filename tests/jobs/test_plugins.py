"""Stages of installed packages: those that are offered, and those that are refused by their name."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from gradyard.jobs.errors import SpecInvalid
from gradyard.jobs.stages.plugins import installed
from gradyard.jobs.stages.registry import STAGES
from gradyard.jobs.submission.parse import resolved
from tests.packages_for_tests import GOOD, install


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that Python looks for packages in; what a test imports from it is forgotten after it."""
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in ("walk", "other"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return tmp_path


def test_a_package_brings_a_stage(site: Path) -> None:
    install(site, "walks", "walk = walk:STAGE", walk=GOOD)
    (stage,), refused = installed(list(STAGES))
    assert (stage.name, stage.defaults()["pace"], refused) == ("walk", 1.0, [])
    assert stage.executions() == ("eager", "compiled")
    assert stage.engine_for("compiled", ("eager", "inductor")) == "eager"
    faster = stage.spec.model_validate({"stage": "walk", "pace": 2.0})
    assert faster.pack_key(1) != stage.spec(stage="walk").pack_key(1)
    assert stage.spec(stage="walk", seed=2).pack_key(1) == stage.spec(stage="walk").pack_key(1)


@pytest.mark.parametrize(
    ("source", "field", "said"),
    [
        (GOOD.replace("pace: float = 1.0", "pace: int = 1"), {"pace": 2**70}, "TypeError"),
        (GOOD + "\nSpec.shape = lambda self: [1 / (self.pace - 2)]", {"pace": 2.0}, "ZeroDivisionError"),
    ],
)
def test_a_job_that_its_own_stage_cannot_describe_is_refused(
    site: Path, monkeypatch: pytest.MonkeyPatch, source: str, field: dict[str, object], said: str
) -> None:
    install(site, "walks", "walk = walk:STAGE", walk=source)
    (stage,), _ = installed(list(STAGES))
    monkeypatch.setitem(STAGES, "walk", stage)
    with pytest.raises(SpecInvalid, match=f"cannot be stored: .*{said}"):
        resolved(stage.spec.model_validate({"stage": "walk", **field}))


def _with(facts: str) -> str:
    """A good stage with other facts besides."""
    return GOOD.replace('"walk_trainer:Trainer")', f'"walk_trainer:Trainer", {facts})')


def test_a_stage_may_say_by_which_metric_its_jobs_are_best(site: Path) -> None:
    install(site, "walks", "walk = walk:STAGE", walk=_with('metric="val_acc", mode="max"'))
    (stage,), refused = installed(list(STAGES))
    assert (stage.metric, stage.mode, refused) == ("val_acc", "max", [])


INVALID = {
    "raises on import": ("raise RuntimeError('no licence')", "cannot be imported: RuntimeError: no licence"),
    "leaves on import": ("raise SystemExit(3)", "cannot be imported: SystemExit: 3"),
    "is not there": ("", "cannot be imported: AttributeError"),
    "is no stage": ("STAGE = 7", "its entry point is a int, not a Stage"),
    "has another name": (GOOD.replace('Stage("walk"', 'Stage("run"'), "its entry point is 'walk' and its stage 'run'"),
    "has no spec": (GOOD.replace("Spec, ", "int, "), "not a subclass of JobSpec"),
    "has the spec of another stage": (GOOD.replace('Literal["walk"]', 'Literal["run"]'), 'Literal["walk"]'),
    "has the spec of any stage": (GOOD.replace('Literal["walk"]', "str"), 'Literal["walk"]'),
    "has a metric that is a path": (_with('metric="val/acc"'), "its metric 'val/acc'"),
    "has a metric that is no text": (_with("metric=7"), "its metric 7"),
    "has neither end of a metric": (_with('metric="acc", mode="most"'), "mode 'most'"),
    "has defaults that its schema refuses": (GOOD.replace("float = 1.0", "float = 'fast'"), "cannot be used"),
    "has defaults that JSON cannot say": (GOOD.replace("= 1.0", "= float('nan')"), "cannot be used"),
    "has defaults that change": (
        GOOD + "\nSpec.as_json = lambda self: {**super(Spec, self).as_json(), 'pace': self.pace + 1}",
        "become a different job",
    ),
    "cannot be packed": (GOOD + "\nSpec.shape = lambda self: [object()]", "cannot be used"),
    "has steps that are no number": (GOOD.replace("pace: float = 1.0", "steps: str = 'many'"), "train nothing"),
    "has no trainer": (GOOD.replace("walk_trainer:Trainer", "walk_trainer"), "is no"),
    "runs on something else": (GOOD.replace('Trainer")', 'Trainer", devices=("tpu",))'), "are not cpu, gpu or both"),
    "needs a field": (GOOD.replace(" = 1.0", ""), "cannot be used"),
}  # fmt: skip


@pytest.mark.parametrize(("source", "reason"), INVALID.values(), ids=INVALID.keys())
def test_an_invalid_stage_is_refused_by_name(site: Path, source: str, reason: str) -> None:
    install(site, "walks", "walk = walk:STAGE", walk=source)
    install(site, "others", "other = other:STAGE", other=GOOD.replace("walk", "other"))
    (stage,), (refused,) = installed(list(STAGES))
    assert stage.name == "other"
    assert (refused.name, refused.package) == ("walk", "walks")
    assert reason in refused.reason


def test_a_built_in_name_and_a_name_of_two_packages_are_not_to_be_had(site: Path) -> None:
    install(site, "one", "walk = walk:STAGE\nnumpy = walk:STAGE", walk=GOOD)
    install(site, "two", "walk = walk:STAGE")
    stages, refused = installed(list(STAGES))
    assert stages == []
    assert sorted((each.name, each.package) for each in refused) == [("numpy", "one"), ("walk", "one"), ("walk", "two")]
    assert "built-in" in refused[0].reason
    assert "another package" in refused[1].reason


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="torch is not installed")
def test_facts_that_load_torch_are_refused(site: Path) -> None:
    install(site, "walks", "walk = walk:STAGE", walk=f"import torch\n{GOOD}")
    load = "from gradyard.jobs.stages.registry import REFUSED, STAGES"
    code = f"{load}; print(sorted(STAGES), [each.reason for each in REFUSED])"
    shown = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], env={"PYTHONPATH": f"{site}"}, cwd=Path(__file__).parents[2],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "imports torch; only the module of its trainer may" in shown.stdout
    assert "'walk'" not in shown.stdout


def test_facts_load_without_torch() -> None:
    code = (
        "import sys; from gradyard.stages import JobSpec, Stage; from gradyard.jobs.stages.registry import STAGES;"
        " print(len(STAGES) >= 8, 'torch' in sys.modules)"
    )
    shown = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.split() == ["True", "False"]


def test_the_example_imports_from_gradyard_stages_alone() -> None:
    example = Path(__file__).parents[2] / "examples" / "mlp" / "gradyard_mlp"
    lines = [line for path in example.glob("*.py") for line in path.read_text().splitlines()]
    ours = {line.split()[1] for line in lines if line.startswith(("from gradyard", "import gradyard", "from workers"))}
    assert ours == {"gradyard.stages"}
