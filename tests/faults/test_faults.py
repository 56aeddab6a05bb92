"""The short form of `make faults` passes; a build whose records go on anywhere fails. More: test_broken_builds."""

import pytest

from tests.faults.plans import short_plan
from tests.faults.run import run

pytestmark = pytest.mark.stack

FAULTS = "F1,F2,F4,F5,F8,F11,F14,F16"


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_nothing_accepted_is_lost_doubled_or_misreported(database: str) -> None:
    report = run(short_plan(database, FAULTS), print)
    assert report.failures() == [], "\n".join(report.lines())


def test_a_build_whose_records_go_on_anywhere_is_found_out() -> None:
    report = run(short_plan("sqlite", "F20", mutant="no-place", bites=1, compares_bits=False), print)
    assert "I6" in report.verdict.violations or "I3" in report.verdict.violations, "\n".join(report.lines())
