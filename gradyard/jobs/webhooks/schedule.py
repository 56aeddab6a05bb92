"""When a message that was not accepted is sent again, and when a webhook is switched off.

The pauses are those that Standard Webhooks proposes: the last of ten tries is three days after the first.
"""

import random
from collections.abc import Collection
from email.utils import parsedate_to_datetime

RETRY_SECONDS = (5.0, 300.0, 1_800.0, 7_200.0, 18_000.0, 36_000.0, 50_400.0, 72_000.0, 86_400.0)
"""The pause after each failed try but the last one."""

MOST_TRIES = len(RETRY_SECONDS) + 1
JITTER = 0.1  # of a pause, so that the messages of a long failure do not all come back at the same moment

SWITCHED_OFF_SECONDS = 3 * 86_400.0  # in which a webhook accepted nothing, though it was tried
MAY_ASK: Collection[int] = (429, 503)
"""Statuses of answers whose `Retry-After` counts."""
MOST_ASKED_SECONDS = 3600.0  # that an answer may ask for: receivers err as well

LONGEST_PAUSE_SECONDS = 60.0  # of a webhook that fails, between two of its messages


def retry_seconds(tries: int) -> float | None:
    """The pause after so many tries, all of which failed; None after the last one."""
    if tries >= MOST_TRIES:
        return None
    return RETRY_SECONDS[tries - 1] * random.uniform(1.0, 1.0 + JITTER)


def pause_seconds(failures: int) -> float:
    """How long a webhook gets no message after so many failures in a row, whichever message was next."""
    return float(min(2 ** min(failures - 1, 10), LONGEST_PAUSE_SECONDS))


def asked_seconds(status: int, retry_after: str, at: float) -> float | None:
    """The pause that an answer asks for, at most MOST_ASKED_SECONDS; None where it asks for none.

    retry_after: the header of that name, seconds or a date (RFC 9110). at: the time, in seconds since 1970.
    """
    text = retry_after.strip()
    if status not in MAY_ASK:
        return None
    if text.isascii() and text.isdigit():
        return min(float(text), MOST_ASKED_SECONDS)
    try:
        until = parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError):
        return None
    return min(max(0.0, until - at), MOST_ASKED_SECONDS)
