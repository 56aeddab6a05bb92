"""The short form of `make faults` passes. Builds that must fail: test_broken_builds."""

import pytest

from tests.faults.plans import short_plan
from tests.faults.run import run

pytestmark = pytest.mark.stack

FAULTS = "F1,F2,F4,F5,F8,F11,F14,F16,F25"
OF_THE_DATABASE = "F2,F8"  # killed and frozen in mid-write; the others are of Redis, bells, runners and cancels


@pytest.mark.parametrize(
    ("database", "faults"),
    [
        ("postgresql", FAULTS),
        ("sqlite", OF_THE_DATABASE),
        pytest.param("sqlite", FAULTS, marks=pytest.mark.long),
    ],
)
def test_nothing_accepted_is_lost_doubled_or_misreported(database: str, faults: str) -> None:
    report = run(short_plan(database, faults), print)
    assert report.failures() == [], "\n".join(report.lines())
