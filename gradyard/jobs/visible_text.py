r"""Text of others for a terminal or a log: what could control it, hide or turn around is shown as `\u001b`.

That is every character without ink of its own: the C0 and C1 controls, marks that change the direction of writing,
letters of no width, lone surrogates. The form is that of JSON, so JSON stays what it was.
"""

import re

# Not one of the many that have ink for certain: the others are asked one by one.
_DOUBTFUL = re.compile(r"[^ -~¡-¬®-ͷ]")
_DOUBTFUL_IN_LINES = re.compile(r"[^\n\t -~¡-¬®-ͷ]")
_END_OF_LINE = re.compile(r"\r\n?")


def one_line(text: str) -> str:
    """The text as one line without control characters; the end of a line is shown as well."""
    return _DOUBTFUL.sub(_shown, text)


def visible(text: str) -> str:
    """Lines of text without control characters but tabs and the ends of lines; a carriage return ends one, too."""
    return _DOUBTFUL_IN_LINES.sub(_shown, _END_OF_LINE.sub("\n", text))


def _shown(found: re.Match[str]) -> str:
    letter = found[0]
    if letter.isprintable():
        return letter
    units = letter.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
