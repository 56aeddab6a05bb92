"""The estimate of which kind of device ends sooner, beside what was measured."""

import pytest

from gradyard.jobs.stages.device_estimate import Work, ends_in_seconds, gpu_thresholds, when_a_gpu_pays
from gradyard.jobs.stages.device_speeds import EAGER, Speed, speed_of
from gradyard.jobs.stages.registry import STAGES

WIDEST_ON_GPU = 4096


def known(stage: str, engine: str, device: str) -> Speed:
    speed = speed_of(stage, engine, device)
    assert speed is not None
    return speed


def step_us(stage: str, engine: str, device: str, members: int, points: int = 2000) -> float:
    """Microseconds of a step of a pack of so many members, by the estimate."""
    speed = known(stage, engine, device)
    two = [ends_in_seconds(speed, Work(members, steps, points), members, [0.0]) for steps in (1, 1_000_001)]
    return two[1] - two[0]


MEASURED = [  # stage, engine, device, members, points, microseconds of a step
    ("autograd", "eager", "gpu", 1, 2000, 333.0), ("autograd", "eager", "gpu", 256, 2000, 514.0),
    ("autograd", "eager", "gpu", 4096, 2000, 483.0), ("autograd", "eager", "gpu", 1024, 20_000, 917.0),
    ("autograd", "cudagraph", "gpu", 64, 2000, 50.0), ("autograd", "cudagraph", "gpu", 256, 2000, 78.0),
    ("autograd", "cudagraph", "gpu", 1024, 2000, 195.0), ("autograd", "cudagraph", "gpu", 4096, 2000, 745.0),
    ("autograd", "fused", "gpu", 1, 2000, 0.577), ("autograd", "fused", "gpu", 4096, 2000, 4.18),
    ("autograd", "fused", "gpu", 1, 20_000, 2.31), ("autograd", "fused", "gpu", 1024, 20_000, 13.2),
    ("autograd", "fused", "gpu", 1, 1_000_000, 106.0), ("autograd", "fused", "gpu", 128, 1_000_000, 134.0),
    ("function", "fused", "gpu", 4096, 2000, 4.7), ("dynamic", "fused", "gpu", 4096, 2000, 7.05),
    ("autograd", "eager", "cpu", 1, 2000, 77.0), ("autograd", "eager", "cpu", 8, 2000, 8 * 16.6),
    ("autograd", "eager", "cpu", 64, 2000, 64 * 4.8), ("tensor", "eager", "cpu", 64, 2000, 64 * 2.5),
    ("optim", "eager", "cpu", 96, 2000, 96 * 6.9), ("dynamic", "eager", "cpu", 128, 2000, 128 * 11.6),
    ("autograd", "inductor", "cpu", 512, 2000, 512 * 0.31), ("dynamic", "inductor", "cpu", 512, 2000, 512 * 0.8),
]  # fmt: skip


@pytest.mark.parametrize(("stage", "engine", "device", "members", "points", "measured"), MEASURED)
def test_the_estimate_is_within_about_a_factor_of_two_of_what_was_measured(
    stage: str, engine: str, device: str, members: int, points: int, measured: float
) -> None:
    assert 0.45 <= step_us(stage, engine, device, members, points) / measured <= 2.0


def test_slots_share_the_jobs_and_one_that_is_free_too_late_takes_none() -> None:
    speed, work = Speed(1000.0, 0.0, 0.0), Work(8, 1000, 2000)  # a second a pack, however wide
    assert ends_in_seconds(speed, work, 2, [0.0]) == pytest.approx(4.0)
    assert ends_in_seconds(speed, work, 2, [0.0, 0.0]) == pytest.approx(2.0)
    assert ends_in_seconds(speed, work, 2, [1.5, 0.0]) == pytest.approx(3.5)
    assert ends_in_seconds(speed, work, 2, [9.0, 0.0]) == pytest.approx(4.0)
    assert ends_in_seconds(speed, work, 3, [0.0]) == pytest.approx(3.0), "the last pack is narrower"


def test_more_work_never_ends_sooner_and_more_slots_never_later() -> None:
    for stage, engine, device in (("nn", "eager", "cpu"), ("nn", "eager", "gpu"), ("nn", "fused", "gpu")):
        speed = known(stage, engine, device)
        by_jobs = [ends_in_seconds(speed, Work(jobs, 100, 2000), 64, [0.0] * 3) for jobs in range(1, 400)]
        assert all(later >= sooner * 0.999 for sooner, later in zip(by_jobs, by_jobs[64 * 3 :], strict=False))
        by_slots = [ends_in_seconds(speed, Work(400, 100, 2000), 64, [0.0] * slots) for slots in range(1, 20)]
        assert by_slots == sorted(by_slots, reverse=True)


@pytest.mark.parametrize("stage", EAGER)
def test_a_gpu_pays_beyond_both_thresholds_and_not_below_them(stage: str) -> None:
    facts = STAGES[stage]
    for each in gpu_thresholds(facts):
        for factor, pays in ((2.5, True), (1 / 2.5, False)):
            jobs = round(factor * each.points_at_once / 2000) or 512  # a full pack of a CPU
            steps = max(1, round(factor * each.point_steps / (jobs * 2000)))
            work = Work(jobs, steps, 2000)
            gpu = ends_in_seconds(known(stage, each.gpu_engine, "gpu"), work, WIDEST_ON_GPU, [0.0])
            width = facts.width("float32", 2000, each.cpu_engine)
            cpu = ends_in_seconds(known(stage, each.cpu_engine, "cpu"), work, width, [0.0])
            assert (gpu < cpu - each.compile_seconds) is pays, (each, factor)


def test_what_has_no_gpu_or_no_figures_has_no_threshold() -> None:
    assert gpu_thresholds(STAGES["numpy"]) == []
    assert speed_of("mlp", "eager", "gpu") is None
    assert speed_of("tensor", "gram", "gpu") is None


def test_a_threshold_is_one_sentence() -> None:
    assert when_a_gpu_pays(gpu_thresholds(STAGES["autograd"])[:1]) == (
        "One GPU ends sooner than one CPU slot, within a factor of two, "
        "eager from 180,000 jobs x points and 130 million jobs x steps x points."
    )
