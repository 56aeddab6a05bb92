"""What the standard library logs cannot control the terminal that shows the log."""

import subprocess
import sys

EVIL = "\x1b]0;owned\x07\u202e\x9b2K"
SCRIPT = f"""
import logging
from gradyard.jobs.visible_logs import show_control_characters
show_control_characters()
logging.warning("of the root: %s", {EVIL!r})
logger = logging.getLogger("another.library")
logger.addHandler(logging.StreamHandler())
logger.error("named %s", {EVIL!r})
try:
    raise ValueError({EVIL!r})
except ValueError:
    logger.exception("it failed")
logger.warning("two\\nlines %d", 7)
"""


def test_messages_arguments_and_tracebacks_are_text() -> None:
    written = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True).stderr
    assert written.count(r"\u001b]0;owned\u0007\u202e\u009b2K") >= 3
    assert written.replace("\n", "").isprintable()
    assert "ValueError: \\u001b" in written
    assert "two\nlines 7\n" in written
