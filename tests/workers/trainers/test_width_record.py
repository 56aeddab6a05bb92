"""Where widths are proven is written by their tests: by all of them, in however many processes, and by no part."""

import json
import math
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from tests.workers.trainers import on_gpu, test_engines_on_gpu, test_on_gpu
from tests.workers.trainers.width_record import WidthRecord, digest_of

HERE = {"torch": "2.11.0+cu128", "cuda": "12.8", "gpu": "H100"}
OTHER = HERE | {"gpu": "H200"}
CASES = ["a", "b", "c"]

MakeRecord = Callable[..., WidthRecord]


@pytest.fixture
def proven(tmp_path: Path) -> Path:
    return tmp_path / "proven.json"


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def record(proven: Path, tmp_path: Path, told: list[str]) -> MakeRecord:
    """Makes one as each process of the tests does."""

    def make(here: dict[str, str] = HERE, code: str = "") -> WidthRecord:
        return WidthRecord(CASES, here, proven, tmp_path / "notes" / "widths.json", code=code, tell=told.append)

    return make


def passes(record: WidthRecord, *cases: str) -> None:
    for case in cases:
        with record.case(case):
            pass


def fails(record: WidthRecord, case: str, error: BaseException | None = None) -> None:
    with suppress(AssertionError, KeyboardInterrupt), record.case(case):
        raise error or AssertionError("other bits")


def listed(proven: Path) -> list[dict[str, str]]:
    """Without their dates."""
    return [{name: each[name] for name in HERE} for each in json.loads(proven.read_text())]


def test_it_is_written_when_the_last_case_has_passed(record: MakeRecord, proven: Path) -> None:
    passes(record(), "a", "b", "b")
    assert not proven.exists()
    passes(record(), "c")  # in another process
    assert listed(proven) == [HERE]


def test_after_a_failure_every_case_must_pass_again(record: MakeRecord, proven: Path) -> None:
    passes(record(), "a", "b")
    fails(record(), "c")
    passes(record(), "c", "a")
    assert not proven.exists()
    passes(record(), "b")
    assert listed(proven) == [HERE]


def test_a_failure_takes_that_gpu_off_and_no_other(record: MakeRecord, proven: Path, told: list[str]) -> None:
    passes(record(), *CASES)
    passes(record(OTHER), *CASES)
    assert listed(proven) == [HERE, OTHER]
    fails(record(), "b")
    assert listed(proven) == [OTHER]
    assert [each.partition(":")[0] for each in told] == ["all 3 cases passed"] * 2 + ["b failed"]


def test_an_interrupt_proves_nothing_and_takes_nothing_off(record: MakeRecord, proven: Path) -> None:
    passes(record(), *CASES)
    fails(record(), "b", KeyboardInterrupt())
    assert listed(proven) == [HERE]


@pytest.mark.parametrize("other", [{"here": OTHER}, {"code": "changed"}])
def test_what_passed_elsewhere_or_with_other_code_does_not_count(
    record: MakeRecord, proven: Path, other: dict[str, str]
) -> None:
    passes(record(), "a", "b")
    passes(record(**other), "c")
    assert not proven.exists()


def test_what_is_damaged_is_begun_anew(record: MakeRecord, proven: Path, tmp_path: Path) -> None:
    passes(record(), "a")
    (tmp_path / "notes" / "widths.json").write_text("{")
    proven.write_text("[")
    passes(record(), *CASES)
    assert listed(proven) == [HERE]


def test_a_case_that_is_not_wanted_is_an_error(record: MakeRecord) -> None:
    with pytest.raises(KeyError):
        passes(record(), "d")


def test_the_digest_is_of_every_python_file(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    code = tmp_path / "inner" / "code.py"
    code.write_text("1")
    before = digest_of(tmp_path)
    code.write_text("2")
    assert digest_of(tmp_path) != before
    assert digest_of(tmp_path) == digest_of(code)


def test_the_cases_wanted_are_those_of_the_tests_of_widths() -> None:
    tests = [test_on_gpu.test_a_member_has_the_same_bits_at_every_width,
             test_engines_on_gpu.test_a_member_of_another_engine_has_the_same_bits_at_every_width]  # fmt: skip
    marks = [[mark.args[1] for mark in test.pytestmark if mark.name == "parametrize"] for test in tests]
    assert len(on_gpu.WIDTH_CASES) == sum(math.prod(map(len, each)) for each in marks)
