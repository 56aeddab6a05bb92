"""A runner's output is kept for its jobs, however much it is and however the runner dies."""

import os
import subprocess
import sys
import time

import pytest

from workers.runner_client.output import KEPT_BYTES, Output


def write_to(output: Output, code: str) -> int:
    """Run the code with the output as its stdout and stderr; its exit status."""
    read_end, end = os.pipe()
    output.listen(read_end)
    process = subprocess.Popen([sys.executable, "-c", code], stdout=end, stderr=end)
    os.close(end)
    status = process.wait(30)
    output.finish()
    return status


def test_stdout_and_stderr_are_kept(capfd: pytest.CaptureFixture[str]) -> None:
    output = Output()
    write_to(output, "import sys; print('out', flush=True); print('err\\0or', file=sys.stderr)")
    assert output.kept() == ("out\nerror\n", False)
    assert "out" in capfd.readouterr().err  # the worker's own log has it too


def test_in_the_workers_log_it_controls_no_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    output = Output()
    write_to(
        output,
        r"print('\x1b]0;owned\x07\u202e é 東', end='\r\n', flush=True); import os; os.write(1, b'\xff\x9b\n')",
    )
    assert (
        capfd.readouterr().err
        == "\\u001b]0;owned\\u0007\\u202e é 東\n\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}\n"
    )
    assert output.kept()[0].startswith("\x1b]0;owned\x07")  # it is kept as it was


def test_all_of_it_is_in_the_workers_log_once_the_output_is_finished(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    output = Output()
    write = output._log.write

    def slowly(data: bytes) -> None:
        if data:
            time.sleep(0.5)
        write(data)

    monkeypatch.setattr(output._log, "write", slowly)
    write_to(output, "print('all of it')")
    assert capfd.readouterr().err == "all of it\n"


def test_a_letter_that_arrives_in_two_parts_is_one(capfd: pytest.CaptureFixture[str]) -> None:
    output = Output()
    write_to(output, "import os, time; os.write(1, b'\\xc3'); time.sleep(0.3); os.write(1, b'\\xa9\\n')")
    assert capfd.readouterr().err == "é\n"


def test_of_very_much_the_last_is_kept(capfd: pytest.CaptureFixture[str]) -> None:
    output = Output()
    write_to(output, "for n in range(200_000): print(n, 'x' * 20)")
    text, truncated = output.kept()
    assert (len(text), truncated) == (KEPT_BYTES, True)
    assert text.endswith("199999 " + "x" * 20 + "\n")


def test_a_crash_in_native_code_leaves_a_traceback(capfd: pytest.CaptureFixture[str]) -> None:
    output = Output()
    assert write_to(output, "import faulthandler, ctypes; faulthandler.enable(); ctypes.string_at(0)") < 0
    assert "Segmentation fault" in output.kept()[0]


def test_an_attempt_begins_without_output() -> None:
    output = Output()
    output.add("of the attempt before")
    output.clear()
    output.add("of this one")
    assert output.kept() == ("of this one", False)
