"""The fault runner fails on each build from which a safeguard was removed. Run by `make faults`: a minute for each."""

import pytest

from tests.faults import clock, namesake_faults
from tests.faults.plans import short_plan
from tests.faults.run import run

pytestmark = [pytest.mark.stack, pytest.mark.long]


def test_a_build_without_the_fence_is_found_out() -> None:
    report = run(short_plan("sqlite", "F8", mutant="no-fence", compares_bits=False), print)
    assert {"I5", "I6"} & set(report.verdict.violations), "\n".join(report.lines())


def test_a_build_whose_records_go_on_anywhere_is_found_out() -> None:
    report = run(short_plan("sqlite", "F20", mutant="no-place", bites=1, compares_bits=False), print)
    assert {"I3", "I6"} & set(report.verdict.violations), "\n".join(report.lines())


def test_a_build_that_never_resumes_is_found_out() -> None:
    report = run(short_plan("sqlite", "F1", mutant="no-resume", compares_bits=False), print)
    assert any("were resumed from it" in failure for failure in report.failures()), "\n".join(report.lines())


@pytest.mark.skipif(namesake_faults.why_not() is not None, reason="no second machine can be simulated here")
def test_a_build_that_takes_two_hosts_of_one_name_for_one_is_found_out() -> None:
    report = run(short_plan("sqlite", "F23", mutant="no-machine", bites=1, compares_bits=False), print)
    assert any("was taken from a live worker" in failure for failure in report.failures()), "\n".join(report.lines())


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # its clients are refused
def test_a_build_that_takes_a_standby_for_a_fault_of_its_own_is_found_out() -> None:
    report = run(short_plan("postgresql", "F22", mutant="no-codes", bites=1, compares_bits=False), print)
    assert "I8" in report.verdict.violations, "\n".join(report.lines())


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # its clients give up in the middle
def test_a_build_that_waits_for_one_that_stopped_in_a_transaction_is_found_out() -> None:
    report = run(short_plan("postgresql", "F21", mutant="no-silence-limit", bites=1, compares_bits=False), print)
    assert any(failure.startswith("F21") for failure in report.failures()), "\n".join(report.lines())


@pytest.mark.skipif(clock.why_not() is not None, reason="the clock of a host cannot be moved here")
def test_a_build_that_judges_leases_by_a_clock_that_was_just_set_is_found_out() -> None:
    report = run(short_plan("sqlite", "F24", mutant="no-clock-watch", bites=4, compares_bits=False), print)
    assert any(failure.startswith("F24") for failure in report.failures()), "\n".join(report.lines())


def test_a_build_that_takes_a_folder_that_is_away_for_an_empty_one_is_found_out() -> None:
    report = run(short_plan("sqlite", "F25", mutant="no-marker", bites=1, compares_bits=False), print)
    assert "I2" in report.verdict.violations, "\n".join(report.lines())


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_build_that_releases_jobs_whatever_the_end_of_what_they_depend_on_is_found_out(database: str) -> None:
    plan = short_plan(database, "F1", mutant="no-condition", bites=1, compares_bits=False, has_pipelines=True)
    report = run(plan, print)
    assert any("was claimed, though" in failure for failure in report.failures()), "\n".join(report.lines())
