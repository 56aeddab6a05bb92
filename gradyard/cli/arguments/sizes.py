"""Sizes as people write and read them: 10GB, 1.5 TiB."""

import re

from gradyard.cli.errors import BadUsage

UNITS = {"": 1, "b": 1} | {
    f"{letter}{end}": base ** (power + 1)
    for power, letter in enumerate("kmgtp")
    for end, base in (("b", 1000), ("ib", 1024), ("", 1000))
}
LETTERS = "kMGTP"


def bytes_in(text: str, option: str) -> int:
    """The bytes in a text such as `10GB`, `512 MiB` or `1000000`. Raises BadUsage, which names the option."""
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?) ?([A-Za-z]*)", text.strip())
    if found is None or found[2].lower() not in UNITS:
        raise BadUsage(f"{option}: {text!r} is no size; write it as 10GB, 512MiB or 1000000")
    number = int(found[1]) if found[1].isdecimal() else float(found[1])
    return int(number * UNITS[found[2].lower()])


def size(number: int | None) -> str:
    """At most three digits and a unit: `1.25 GB`; a hyphen for None."""
    if number is None:
        return "-"
    value, unit = float(number), "B"
    for letter in LETTERS:
        if value < 999.5:
            break
        value, unit = value / 1000, f"{letter}B"
    return f"{value:.3g} {unit}"
