"""The list of slow tests, which `make quick` leaves out, is of tests that exist, and made of what was measured."""

import re
from pathlib import Path

from tests.slow_tests import HOUSE, is_slow, measured_as_slow, slow_tests

REPORT = """<testsuites><testsuite name="pytest">
<testcase classname="tests.jobs.test_one" name="test_slow[sqlite-a[0]]" time="0.6"/>
<testcase classname="tests.jobs.test_one" name="test_slow[sqlite-b]" time="0.1"/>
<testcase classname="tests.jobs.test_one" name="test_slow_once[a]" time="0.2"/>
<testcase classname="tests.jobs.test_one" name="test_slow_once[b]" time="0.001"/>
<testcase classname="tests.jobs.test_one" name="test_slow_once[c]" time="0.001"/>
<testcase classname="tests.test_two.TestThree" name="test_slow" time="2.5"/>
<testcase classname="tests.test_two.TestThree" name="test_fast" time="0.01"/>
</testsuite></testsuites>"""


def test_a_test_is_slow_that_was_so_in_a_form_and_half_so_on_average(tmp_path: Path) -> None:
    (tmp_path / "measured.xml").write_text(REPORT)
    found = measured_as_slow(tmp_path / "measured.xml")
    assert found == ["tests/jobs/test_one.py::test_slow", "tests/test_two.py::TestThree::test_slow"]


def test_every_listed_test_is_there() -> None:
    names = [each.split("::") for each in slow_tests()]
    text = {path: (HOUSE / path).read_text() for path in {path for path, *_ in names}}
    gone = [each for path, each, *_ in names if not re.search(rf"^(?:def|class) {each}\b", text[path], re.MULTILINE)]
    assert gone == []  # a class may have its tests from elsewhere
    assert is_slow(f"{'::'.join(names[0])}[sqlite]")
