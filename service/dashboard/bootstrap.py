"""The part of Bootstrap's style sheet that the page uses: a tenth of it, which a browser reads before it draws."""

import re
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable

STYLES = files("flask_bootstrap") / "static" / "bootstrap5" / "css" / "bootstrap.min.css"
PAGE = files(__package__)
_WORD, _CLASS = re.compile(r"[A-Za-z][\w-]*"), re.compile(r"\.([A-Za-z][\w-]*)")
_COMMENT, _NOT, _COMMA = re.compile(r"/\*.*?\*/", re.DOTALL), re.compile(r":not\([^)]*\)"), re.compile(r",(?![^(]*\))")


def used_styles() -> str:
    """Bootstrap's rules without those of classes that no template and no script of the page names. 30 ms."""
    return "".join(_used(_COMMENT.sub("", STYLES.read_text()), frozenset(_words(PAGE))))


def _words(folder: Traversable) -> Iterator[str]:
    """Every word of the templates and scripts. A class is named there as one word, never made of parts."""
    for each in folder.iterdir():
        if each.is_dir():
            yield from _words(each)
        elif each.name.endswith((".html", ".js")):
            yield from _WORD.findall(each.read_text())


def _used(styles: str, words: frozenset[str]) -> Iterator[str]:
    for head, body in _rules(styles):
        if head.startswith(("@media", "@supports")):
            inner = "".join(_used(body, words))
            yield f"{head}{{{inner}}}" if inner else ""
        elif head.startswith("@"):
            yield f"{head}{{{body}}}"
        else:
            selectors = ",".join(each for each in _COMMA.split(head) if words.issuperset(_classes(each)))
            yield f"{selectors}{{{body}}}" if selectors else ""


def _rules(styles: str) -> Iterator[tuple[str, str]]:
    """The rules of this level: what stands before the braces, and between them."""
    depth, start, opened = 0, 0, 0
    for brace in re.finditer("[{}]", styles):
        depth += 1 if brace.group() == "{" else -1
        if depth == 1 and brace.group() == "{":
            opened = brace.start()
        if depth == 0:
            yield styles[start:opened].strip(), styles[opened + 1 : brace.start()]
            start = brace.end()


def _classes(selector: str) -> list[str]:
    """The classes that something must have for the selector to match it."""
    return _CLASS.findall(_NOT.sub("", selector))
