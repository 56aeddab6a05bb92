"""The question of a request that needs all of its answers at once."""

from uuid import UUID

from sqlalchemy import Connection

from gradyard.jobs.errors import SpecInvalid
from gradyard.jobs.questions.read import question
from gradyard.jobs.questions.terms import Term
from gradyard.store.queries.questions.without_curves import without_curves
from service.http.access.callers import current_caller
from service.http.errors import ParametersInvalid


def question_without_curves(connection: Connection, where: str | None, batch: UUID | None) -> Term | None:
    """The question in `where`, of a batch if one is given, without what only curves can tell. None where none is asked.

    Raises ParametersInvalid where it cannot be read, or too many curves would have to be.
    """
    if where is None:
        return None
    try:
        return without_curves(connection, current_caller().project_id, question(where), batch)
    except SpecInvalid as error:
        raise ParametersInvalid(error.problems) from None
