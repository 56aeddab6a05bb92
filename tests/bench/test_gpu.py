"""The benchmark of a GPU, its measurements replaced: in which order they are taken, and what an interrupt leaves."""

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from bench import gpu
from bench.gpu_steps import Make, graph
from bench.report import Row


@pytest.fixture
def results(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where the results go; a GPU is pretended, on which a step takes as many nanoseconds as the pack is wide."""
    cuda = SimpleNamespace(is_available=lambda: True, get_device_name=lambda: "Fake", empty_cache=lambda: None)
    monkeypatch.setattr(gpu, "torch", SimpleNamespace(cuda=cuda))
    monkeypatch.setattr(gpu, "one_thread", lambda: None)  # for a process of its own
    monkeypatch.setattr(gpu, "same_bits_on_gpu", lambda allow_tf32: None)
    monkeypatch.setattr(gpu, "gpu_environment", dict)
    monkeypatch.setattr(gpu, "gc", SimpleNamespace(collect=lambda: None))  # no memory of a GPU is to be freed
    monkeypatch.setattr(gpu, "nanoseconds", lambda make, width, points: width)
    monkeypatch.setattr(gpu, "_kernels_alone", lambda: iter([]))
    monkeypatch.setattr("bench.report.RESULTS", tmp_path / "RESULTS.md")
    return tmp_path / "RESULTS.md"


def rows_of(text: str) -> list[str]:
    """The first cells of a table."""
    return [line.split("|")[1].strip() for line in text.splitlines() if line.startswith("| ") and "---" not in line]


def instead_of_the_jobs(monkeypatch: pytest.MonkeyPatch, rows: Callable[[], Iterator[Row]]) -> None:
    monkeypatch.setitem(gpu.PARTS, "jobs", ("Jobs", "", rows))
    monkeypatch.delitem(gpu.PARTS, "counters")


def test_widths_are_measured_before_the_service(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    instead_of_the_jobs(monkeypatch, lambda: iter([Row("jobs", "1 s")]))
    gpu.main()
    widths = ["1", "32", "64", "128", "256", "512", "1,024", "4,096"]
    rows = rows_of(results.read_text())
    assert rows[:9] == ["what", *(f"a step of a member, {each} wide" for each in widths)]
    assert rows[-3:] == ["a step of a member, 1,000,000 points, 128 wide", "what", "jobs"]
    assert "eager 4,096 ns, cudagraph 4,096 ns, fused 4,096 ns" in results.read_text()


def test_an_interrupt_keeps_what_was_measured(
    results: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def jobs() -> Iterator[Row]:
        yield Row("jobs, eager", "1 s")
        raise KeyboardInterrupt

    instead_of_the_jobs(monkeypatch, jobs)
    with pytest.raises(SystemExit, match="interrupted in jobs: 1 results"):
        gpu.main()
    assert rows_of(results.read_text())[-1] == "jobs, eager"
    assert rows_of(capsys.readouterr().out) == [row for row in rows_of(results.read_text()) if row != "what"]


def test_a_form_that_fails_leaves_the_others(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nanoseconds(make: Make, width: int, points: int) -> float:
        if make is graph and width > 512:
            raise RuntimeError("CUDA out of memory.\nMore")
        return 1.0

    monkeypatch.setattr(gpu, "nanoseconds", nanoseconds)
    gpu.main("steps")
    assert "eager 1 ns, cudagraph failed: RuntimeError: CUDA out of memory., " in results.read_text()
    assert results.read_text().count("cudagraph 1 ns") == 9
