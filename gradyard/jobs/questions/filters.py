"""Filters for every day, by name and by tag, as parts of a question."""

from collections.abc import Collection

from gradyard.jobs.errors import FieldProblem, SpecInvalid
from gradyard.jobs.questions.nodes import can_be_stored
from gradyard.jobs.questions.terms import Column, Comparison, Kind, Missing, Not, Source, Term


def everyday_filters(name: str | None, tags: Collection[str]) -> list[Term]:
    """What must be true of a job of this name and with these tags: `course=w3`, or `course` with any value.

    Raises SpecInvalid where a tag has no key, or no job can have such a text.
    """
    found: list[Term] = []
    for pointer, text in (("/name", name or ""), *(("/tag", tag) for tag in tags)):
        if not can_be_stored(text):
            raise SpecInvalid([FieldProblem(pointer, "has characters that no job can have")])
    if name is not None:
        found.append(Comparison(Column(Source.FIELD, "name", Kind.TEXT), "==", name))
    for tag in tags:
        key, equals, value = tag.partition("=")
        if not key:
            raise SpecInvalid([FieldProblem("/tag", "has no key; write course=w3, or course for any value")])
        column = Column(Source.TAG, key, Kind.TEXT)
        found.append(Comparison(column, "==", value) if equals else Not(Missing(column)))
    return found
