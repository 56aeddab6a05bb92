"""What the address of a page asks for, read as the API reads its parameters."""

from typing import Any, TypeVar
from urllib.parse import urlencode

from flask import request
from pydantic import ValidationError

from service.dashboard.html import link
from service.http.parameter_errors import refuse_parameters
from service.http.parameters import Query

Asked = TypeVar("Asked", bound=Query)


def asked(model: type[Asked]) -> Asked:
    """The parameters of the address; those without a text are left out, as a form sends them.

    Raises ParametersInvalid with a pointer to each that is unknown or not valid.
    """
    try:
        return model.model_validate(given())
    except ValidationError as error:
        refuse_parameters(error)
        raise


def given() -> dict[str, str]:
    """The parameters of the address that have a text."""
    return {name: text.strip() for name, text in request.args.items() if text.strip()}


def address_with(endpoint: str, path: dict[str, Any] | None = None, **changes: str | None) -> str:
    """The address of a page with the parameters of this one, but some changed; None leaves one out."""
    named = {name: value for name, value in (given() | changes).items() if value}
    bare = link(endpoint, **(path or {})).partition("?")[0]
    return f"{bare}?{urlencode(named)}" if named else bare


def next_address(endpoint: str, cursor: str | None, path: dict[str, Any] | None = None) -> str | None:
    """The address of the next page of a list; None where this is the last one."""
    return cursor and address_with(endpoint, path, cursor=cursor)
