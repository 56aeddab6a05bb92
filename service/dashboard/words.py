"""Numbers, times and names as people read them; filters of the templates."""

import math
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from markupsafe import Markup, escape

from gradyard.jobs.states import Reason, State
from gradyard.jobs.visible_text import visible

NOTHING = "–"
STATE_ICONS = {
    State.QUEUED: "hourglass-split", State.RUNNING: "play-circle-fill", State.SUCCEEDED: "check-circle-fill",
    State.FAILED: "x-octagon-fill", State.CANCELLED: "slash-circle",
}  # fmt: skip
REASONS = {
    Reason.ERROR: "its code raised an error", Reason.DIVERGED: "its loss grew without bound",
    Reason.TIMEOUT: "it took longer than it may", Reason.OUT_OF_MEMORY: "its device ran out of memory",
    Reason.POISON: "its worker died each time", Reason.INVALID_DATA: "its data cannot be trained on",
}  # fmt: skip
UNITS = ((86_400 * 365, "y"), (86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def number(value: Any, digits: int = 6) -> str:
    """A number of a job in so many digits; a whole one with commas, other values as text."""
    if value is None:
        return NOTHING
    if isinstance(value, bool) or not isinstance(value, int | float):
        return visible(str(value))
    if not math.isfinite(value):
        return NOTHING
    if isinstance(value, int) or (abs(value) < 1e6 and value == int(value)):
        return f"{int(value):,}"
    if abs(value) >= 10 ** (digits - 1) and abs(value) < 1e9:
        return f"{value:,.0f}"
    return f"{value:,.{digits}g}".replace("e+0", "e").replace("e+", "e").replace("e-0", "e-")


def span(seconds: float | None) -> str:
    """A time span in its two largest units: 2 h 5 min; below ten seconds 3.4 s, 12 ms."""
    if seconds is None:
        return NOTHING
    if seconds < 0.9995:
        return f"{seconds * 1000:.3g} ms"
    if seconds < 9.95:
        return f"{seconds:.2g} s"
    whole = round(seconds)
    for place, (unit, word) in enumerate(UNITS):
        if whole >= unit:
            rest = UNITS[place + 1] if place + 1 < len(UNITS) else None
            more = whole % unit // rest[0] if rest else 0
            return f"{whole // unit} {word}" + (f" {more} {rest[1]}" if rest and more else "")
    return "0 s"


def ago(moment: datetime | None) -> Markup | str:
    """A time as people say it, with the exact one in its title."""
    if moment is None:
        return NOTHING
    seconds = (datetime.now(UTC) - moment).total_seconds()
    said = "now" if seconds < 1 else f"{' '.join(span(float(int(seconds))).split(' ')[:2])} ago"
    exact = moment.strftime("%Y-%m-%d %H:%M:%S UTC")
    return Markup('<time datetime="{}" title="{}">{}</time>').format(moment.isoformat(), exact, said)


def as_seen(value: Any) -> Any:
    """What stands in a page of each value of a template: of a text nothing that hides, or turns writing around."""
    return visible(value) if type(value) is str else value


def short(text: str, letters: int = 60) -> Markup | str:
    """A text of a user, cut where it is long, with the whole in its title."""
    seen = visible(text)
    if len(seen) <= letters:
        return escape(seen)
    return Markup('<span title="{}">{}…</span>').format(seen, seen[: letters - 1])


def short_id(job_id: Any) -> str:
    """The last digits of an id: the first ones are its time, which jobs of one batch have in common."""
    return str(job_id)[-8:]


def in_path(text: str) -> str:
    """A name as a part of a path."""
    return quote(text, safe="")
