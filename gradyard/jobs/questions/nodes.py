"""Names and constants in the syntax tree of a question."""

import ast

from gradyard.jobs.questions.terms import Value


def can_be_stored(text: str) -> bool:
    """Whether a text can be that of a job: databases refuse NUL, and halves of a letter."""
    return "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


def name_parts(node: ast.expr) -> tuple[str, ...] | None:
    """The parts of a dotted name or of `tags["any key"]`; None where the node is none, or no job can have it."""
    match node:
        case ast.Name(id=name):
            return (name,)
        case ast.Attribute(value=value, attr=name):
            before = name_parts(value)
            return None if before is None else (*before, name)
        case ast.Subscript(value=value, slice=ast.Constant(value=str(key))) if can_be_stored(key):
            before = name_parts(value)
            return None if before is None else (*before, key)
    return None


def constant(node: ast.expr) -> Value | None:
    """The number or text of a node: also a negative number, and True and False, which are 1 and 0."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        number = constant(node.operand)
        if isinstance(number, str) or number is None:
            return None
        return -number if isinstance(node.op, ast.USub) else number
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        try:
            return float(node.value)
        except OverflowError:
            return None
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
