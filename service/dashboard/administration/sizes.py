"""Sizes of what is stored, as people read and enter them."""

from service.dashboard.words import NOTHING

UNITS = {"bytes": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}


def size(count: int | None) -> str:
    """So many bytes in the unit in which they are a number of one to three digits: 1.5 GiB."""
    if count is None:
        return NOTHING
    unit = max((name for name, factor in UNITS.items() if factor <= max(1, abs(count))), key=UNITS.__getitem__)
    if unit == "bytes":
        return f"{count:,} {'byte' if count == 1 else 'bytes'}"
    return f"{count / UNITS[unit]:,.3g} {unit}" if count < 1000 * UNITS[unit] else f"{count / UNITS[unit]:,.0f} {unit}"


def in_largest_unit(count: int | None) -> tuple[int | None, str]:
    """A number of bytes as a whole number of the largest unit that has no rest; gibibytes where there is none."""
    if count is None:
        return None, "GiB"
    unit = max((name for name, factor in UNITS.items() if count % factor == 0), key=UNITS.__getitem__)
    return count // UNITS[unit], unit
