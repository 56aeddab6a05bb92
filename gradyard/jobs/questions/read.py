"""Reads a question from text. Its syntax is Python's, and nothing of it is executed."""

import ast
from datetime import UTC, datetime

from gradyard.jobs.errors import FieldProblem, SpecInvalid
from gradyard.jobs.questions import columns, terms
from gradyard.jobs.questions.nodes import can_be_stored, constant, name_parts
from gradyard.jobs.questions.terms import Column, Comparison, Kind, Missing, Not, OneOf, Term, Value
from gradyard.jobs.validation.suggestions import did_you_mean

MOST_BYTES, MOST_NODES, MOST_DEPTH = 2048, 50, 20
_OPERATORS: dict[type[ast.cmpop], str] = {
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
}  # fmt: skip
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
_EXAMPLE = 'for example: loss_min < 9 and stage in ("nn", "optim")'


def question(text: str, pointer: str = "/where") -> Term:
    """The question in a text. Raises SpecInvalid with what is wrong and its place in the text, from 1."""
    reader = Reader(text, pointer)
    if len(text.encode(errors="surrogatepass")) > MOST_BYTES:
        raise reader.refusal(f"has over {MOST_BYTES:,} bytes")
    try:
        body = ast.parse(text.replace("\n", " ").replace("\r", " ").strip(), mode="eval").body
    except SyntaxError as error:
        raise reader.refusal(f"cannot be read: {error.msg}; {_EXAMPLE}", error.offset or 1) from None
    except (ValueError, MemoryError, RecursionError):
        raise reader.refusal(f"cannot be read; {_EXAMPLE}") from None
    return reader.term(body, 1)


class Reader:
    """Reads the nodes of one text, and counts them."""

    def __init__(self, text: str, pointer: str) -> None:
        self._pointer, self._nodes = pointer, 0
        self._skipped = len(text) - len(text.lstrip())

    def refusal(self, message: str, place: int | None = None) -> SpecInvalid:
        """What is wrong, and at which character."""
        at = "" if place is None else f"at character {place + self._skipped}: "
        return SpecInvalid([FieldProblem(self._pointer, f"{at}{message}")])

    def term(self, node: ast.expr, depth: int) -> Term:
        """A node that is true or false."""
        self._count(node, depth)
        match node:
            case ast.BoolOp(op=operator, values=values):
                parts = tuple(self.term(each, depth + 1) for each in values)
                return terms.All(parts) if isinstance(operator, ast.And) else terms.Any(parts)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return Not(self.term(operand, depth + 1))
            case ast.Compare():
                return self._chain(node, depth)
        raise self._wrong(node, f"is no comparison; {_EXAMPLE}")

    def _chain(self, node: ast.Compare, depth: int) -> Term:
        """`a < b < c` is `a < b and b < c`."""
        sides = [node.left, *node.comparators]
        parts = [
            self._comparison(left, operator, right, depth + 1)
            for left, operator, right in zip(sides, node.ops, sides[1:], strict=False)
        ]
        return parts[0] if len(parts) == 1 else terms.All(tuple(parts))

    def _comparison(self, left: ast.expr, operator: ast.cmpop, right: ast.expr, depth: int) -> Term:
        if isinstance(operator, ast.In | ast.NotIn):
            one_of = self._one_of(left, right, depth)
            return one_of if isinstance(operator, ast.In) else Not(one_of)
        if isinstance(operator, ast.Is | ast.IsNot):
            if not (isinstance(right, ast.Constant) and right.value is None):
                raise self._wrong(right, "`is` compares with None alone; write == for values")
            missing = Missing(self.column(left, depth))
            return missing if isinstance(operator, ast.Is) else Not(missing)
        symbol = _OPERATORS[type(operator)]
        if self._is_value(left):
            left, right, symbol = right, left, _MIRRORED[symbol]
        column = self.column(left, depth)
        if self._is_value(right):
            return Comparison(column, symbol, self._value(right, column, depth))
        other = self.column(right, depth)
        if terms.Source.CURVE in (column.source, other.source):
            raise self._wrong(right, "first_below is compared with a number")
        alike = column.kind is other.kind and column.is_id is other.is_id
        if Kind.ANY in (column.kind, other.kind) or not alike:
            raise self._wrong(right, f"{_name(column)} and {_name(other)} cannot be compared with each other")
        return Comparison(column, symbol, other)

    def _one_of(self, left: ast.expr, right: ast.expr, depth: int) -> OneOf:
        if not isinstance(right, ast.Tuple | ast.List | ast.Set):
            raise self._wrong(right, 'after `in` comes a list: ("nn", "optim")')
        self._count(right, depth)
        column = self.column(left, depth)
        return OneOf(column, tuple(self._value(each, column, depth + 1) for each in right.elts))

    def column(self, node: ast.expr, depth: int) -> Column:
        """A node that is a column."""
        self._count(node, depth)
        if isinstance(node, ast.Call):
            return self._first_below(node, depth)
        parts = name_parts(node)
        if parts is None:
            raise self._wrong(node, f"one side must be a name; {_EXAMPLE}")
        column = columns.column(parts)
        if column is None:
            name = ".".join(parts)
            hint = did_you_mean(name, columns.known_names()) or "; docs/questions.md has the names"
            raise self._wrong(node, f"there is no {name}{hint}")
        return column

    def _first_below(self, node: ast.Call, depth: int) -> Column:
        if not (isinstance(node.func, ast.Name) and node.func.id == "first_below"):
            raise self._wrong(node, "the only function is first_below: first_below(9) < 500")
        loss = constant(node.args[0]) if len(node.args) == 1 and not node.keywords else None
        if not isinstance(loss, float):
            raise self._wrong(node, "first_below takes one number, a loss: first_below(9) < 500")
        self._count(node.args[0], depth + 1)
        return columns.first_below(loss)

    def _is_value(self, node: ast.expr) -> bool:
        return isinstance(node, ast.Constant | ast.UnaryOp)

    def _value(self, node: ast.expr, column: Column, depth: int) -> Value:
        self._count(node, depth)
        value = constant(node)
        if value is None:
            raise self._wrong(node, f"{_name(column)} is compared with a number or a text; for no value: is None")
        if column.kind is Kind.TIME:
            return self._time(node, value, column)
        if column.kind is Kind.NUMBER and isinstance(value, str):
            raise self._wrong(node, f"{_name(column)} is a number, not a text")
        if column.kind is Kind.TEXT and not isinstance(value, str):
            raise self._wrong(node, f'{_name(column)} is a text: write "{value:g}"')
        if isinstance(value, str):
            self._check_text(node, value, column)
        return value

    def _check_text(self, node: ast.expr, value: str, column: Column) -> None:
        if not can_be_stored(value):
            raise self._wrong(node, "the text has characters that no job can have")
        words = columns.WORDS.get(column.name, ()) if column.source is terms.Source.FIELD else ()
        if words and value not in words:
            hint = did_you_mean(value, words)
            raise self._wrong(node, f"{column.name} is one of {', '.join(words)}{hint}")

    def _time(self, node: ast.expr, value: Value, column: Column) -> float:
        try:
            moment = datetime.fromisoformat(value) if isinstance(value, str) else None
        except ValueError:
            moment = None
        if moment is None:
            raise self._wrong(node, f'{_name(column)} is a time: "2026-11-01" or "2026-11-01T18:00Z"')
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()

    def _count(self, node: ast.expr, depth: int) -> None:
        self._nodes += 1
        if self._nodes > MOST_NODES:
            raise self._wrong(node, f"there are over {MOST_NODES} names, values and operators")
        if depth > MOST_DEPTH:
            raise self._wrong(node, f"it is nested over {MOST_DEPTH} deep")

    def _wrong(self, node: ast.expr, message: str) -> SpecInvalid:
        return self.refusal(message, node.col_offset + 1)


def _name(column: Column) -> str:
    before = {terms.Source.TAG: "tags.", terms.Source.METRIC: "metrics."}.get(column.source, "")
    after = (
        f".{column.figure}" if column.figure else f"({column.below:g})" if column.source is terms.Source.CURVE else ""
    )
    return f"{before}{column.name}{after}"
