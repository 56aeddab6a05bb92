"""Times as they are stored, seconds since 1970, and as they are shown."""

from datetime import UTC, datetime
from typing import overload


@overload
def as_datetime(seconds: float) -> datetime: ...
@overload
def as_datetime(seconds: None) -> None: ...
@overload
def as_datetime(seconds: float | None) -> datetime | None: ...
def as_datetime(seconds: float | None) -> datetime | None:
    """Seconds since 1970 as a time in UTC; None stays None."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
