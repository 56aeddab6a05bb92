"""What the page is made of in a browser: our style sheet and scripts, and of Bootstrap's what the page uses of it.

The folder `parts/pages` has what a page names: its script, which comes with all modules that it imports, and before it
`theme.js`, which runs before the first paint. The style sheet of every page comes with Bootstrap's. The address has a
hash of all parts, so a browser keeps each for good. They are compressed once.
"""

import gzip
import re
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import NamedTuple

from flask import Response, request
from markupsafe import Markup
from werkzeug.exceptions import NotFound

from service.dashboard.bootstrap import used_styles
from service.dashboard.scripts import script_of

TYPES = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}
FOR_GOOD = "public, max-age=31536000, immutable"
FOLDER, PAGES = files(__package__) / "parts", "pages"
BOOTSTRAP = files("flask_bootstrap") / "static" / "bootstrap5"


class Part(NamedTuple):
    """A file as it is sent."""

    content_type: str
    plain: bytes
    compressed: bytes


@cache
def every_part() -> dict[str, Part]:
    """All parts by their names; made once, in a tenth of a second."""
    texts = {each.name: each.read_text() for each in (FOLDER / PAGES).iterdir()}
    by_path = modules()
    texts |= {name: script_of(f"{PAGES}/{name}", by_path) for name in texts if name.endswith(".js")}
    texts["page.css"] = used_styles() + texts["page.css"]
    return {
        name: Part(TYPES[name.rpartition(".")[2]], text.encode(), gzip.compress(text.encode(), mtime=0))
        for name, text in sorted(texts.items())
    }


def modules() -> dict[str, str]:
    """The modules of all scripts, by their paths within `parts`."""
    folders = [each for each in FOLDER.iterdir() if each.is_dir()]
    return {
        f"{folder.name}/{each.name}": each.read_text()
        for folder in folders
        for each in folder.iterdir()
        if each.name.endswith(".js")
    }


@cache
def version_of_parts() -> str:
    """A hash of all parts."""
    digest = sha256()
    for name, part in every_part().items():
        digest.update(name.encode() + part.plain)
    return digest.hexdigest()[:16]


def parts(version: str, part: str) -> Response:
    """A part of the page. Another version's hash is answered with this one's part, which is not kept."""
    if (found := every_part().get(part)) is None:
        raise NotFound
    response = compressible(found.plain, found.compressed, found.content_type)
    response.headers["Cache-Control"] = FOR_GOOD if version == version_of_parts() else "no-cache"
    return response


def compressible(plain: bytes, compressed: bytes, content_type: str, status: int = 200) -> Response:
    """A response with the compressed bytes where the browser takes them."""
    takes = request.accept_encodings["gzip"] > 0
    response = Response(compressed if takes else plain, status, content_type=content_type)
    if takes:
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Vary"] = "Accept-Encoding, Accept, Cookie"
    return response


@cache
def icon(name: str) -> Markup:
    """An icon of Bootstrap's, as SVG within the page. It is a picture beside words: readers of screens skip it."""
    if name not in _icons():
        raise LookupError(f"Bootstrap has no icon {name}")
    return Markup('<svg class="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">{}</svg>').format(
        Markup(_icons()[name])
    )


@cache
def _icons() -> dict[str, str]:
    """The inner SVG of each icon, by its name; 2,000 of them."""
    sprite = (BOOTSTRAP / "icons" / "bootstrap-icons.svg").read_text()
    return {
        name: drawn.strip()
        for name, drawn in re.findall(r'<symbol[^>]* id="([^"]+)">(.*?)</symbol>', sprite, re.DOTALL)
    }
