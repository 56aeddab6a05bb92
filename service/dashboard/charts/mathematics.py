"""A fitted formula as mathematics (MathML), made from the line of text that a stage prints."""

import re
from decimal import Decimal, InvalidOperation

from markupsafe import Markup, escape

TOKEN = re.compile(
    r"(?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)|(?P<power>\^)|(?P<model>P3)|(?P<name>[a-z])"
    r"|(?P<sign>[=+*()?-])|(?P<space>\s+)|(?P<other>.)"
)
DIGITS = 5


def mathematics(formula: str) -> Markup | None:
    """`y = 0.5 + 1.5 x^2` as MathML, numbers with five digits; None where it is not of that form."""
    items, after = list[Markup](), ""
    for found in TOKEN.finditer(formula):
        kind, text = found.lastgroup or "other", found[0]
        if kind == "other":
            return None
        if kind == "space" or kind == "power":
            after = "^" if kind == "power" else after
            continue
        item = _item(kind, text)
        if after == "^" and items:
            item = Markup("<msup>{}{}</msup>").format(items.pop(), item)
        elif kind == "number" and text[0] == "-" and items and items[-1] == _sign("+"):
            items[-1], item = _sign("−"), _item(kind, text[1:])
        items.append(item)
        after = ""
    return Markup('<math display="block"><mrow>{}</mrow></math>').format(Markup("").join(items))


def _item(kind: str, text: str) -> Markup:
    if kind == "number":
        return _number(text)
    if kind == "model":
        return Markup("<msub><mi>P</mi><mn>3</mn></msub>")
    return Markup("<mi>{}</mi>").format(text) if kind == "name" else _sign({"*": "⋅", "-": "−"}.get(text, text))


def _sign(text: str) -> Markup:
    return Markup("<mo>{}</mo>").format(text)


def _number(text: str) -> Markup:
    """With five digits; the whole of it in its title. Tiny and huge ones as a power of ten."""
    try:
        exact = Decimal(text)
    except InvalidOperation:
        return Markup("<mn>{}</mn>").format(text)
    short = f"{float(exact):.{DIGITS}g}".replace("-", "−")
    if "e" not in short:
        return Markup('<mn title="{}">{}</mn>').format(text, short)
    digits, _, power = short.partition("e")
    ten = Markup("<msup><mn>10</mn><mn>{}</mn></msup>").format(escape(power.lstrip("+")).replace("−0", "−"))
    return Markup('<mrow title="{}"><mn>{}</mn><mo>⋅</mo>{}</mrow>').format(text, digits, ten)
