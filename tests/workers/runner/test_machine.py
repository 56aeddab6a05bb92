"""What decides the bits of a result, as jobs and checkpoints record it."""

import importlib.util
import json
import shutil
import sysconfig
from pathlib import Path

import pytest
import torch

from workers.runner import machine
from workers.runner.machine import engines, numerics_class, torch_on, versions


@pytest.fixture
def proven(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The path of the file that the tests of widths write on a GPU. The file does not exist yet."""
    path = tmp_path / "width_independent.json"
    monkeypatch.setattr(machine, "WIDTHS_PROVEN", path)
    return path


def test_the_class_of_a_gpu_shows_that_bits_may_depend_on_the_width_and_that_products_are_rounded(proven: Path) -> None:
    plain, rounded = (numerics_class("cuda", "H200", allow_tf32) for allow_tf32 in (False, True))
    assert plain == f"cuda-width-dependent/{torch.version.cuda}/H200"
    assert rounded == f"{plain}/tf32"


def test_a_gpu_on_which_the_tests_of_widths_passed_with_this_torch_is_width_independent(proven: Path) -> None:
    proven.write_text(json.dumps([torch_on("L4"), torch_on("H200") | {"date": "2026-11-27"}]))
    assert numerics_class("cuda", "H200") == f"cuda-width-independent/{torch.version.cuda}/H200"
    assert numerics_class("cuda", "H200", allow_tf32=True).startswith("cuda-width-dependent/")


@pytest.mark.parametrize("other", [{"torch": "2.11.0"}, {"cuda": "12.8"}, {"gpu": "H100"}])
def test_what_passed_with_another_torch_or_on_another_gpu_proves_nothing(proven: Path, other: dict[str, str]) -> None:
    proven.write_text(json.dumps([torch_on("H200") | other]))
    assert numerics_class("cuda", "H200").startswith("cuda-width-dependent/")


@pytest.mark.parametrize("text", ["", "[", "1", "{}", "[1]", "[[]]", '{"torch": "2"}', '[{"gpu": ["H200"]}]', "\x00"])
def test_a_damaged_record_proves_nothing(proven: Path, text: str) -> None:
    proven.write_text(text)
    assert numerics_class("cuda", "H200").startswith("cuda-width-dependent/")


def test_the_class_of_a_cpu_names_its_instructions_and_its_one_thread() -> None:
    assert numerics_class("cpu", "cpu") == f"cpu/{torch.backends.cpu.get_cpu_capability()}/threads=1"


@pytest.fixture
def has_all(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine with Triton, a C compiler and Python's headers; the path of the header."""
    header = tmp_path / "Python.h"
    header.touch()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)
    monkeypatch.setattr(shutil, "which", lambda name: f"/bin/{name}")
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(header.parent))
    return header


@pytest.mark.usefixtures("has_all")
def test_a_gpu_has_the_fused_engine_where_triton_can_compile() -> None:
    assert machine.why_not_fused() is None
    assert engines("cuda") == ("eager", "gram", "cudagraph", "fused")


def test_a_gpu_without_one_of_the_three_trains_compiled_jobs_as_graphs_and_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, has_all: Path
) -> None:
    has_all.unlink()
    assert "Python.h" in (machine.why_not_fused() or "")
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert "C compiler" in (machine.why_not_fused() or "")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert machine.why_not_fused() == "Triton is not installed"
    assert engines("cuda") == ("eager", "gram", "cudagraph")
    assert "triton" not in versions("cuda")


def test_a_cpu_does_not_depend_on_triton() -> None:
    assert "triton" not in versions("cpu")
    assert "fused" not in engines("cpu")
