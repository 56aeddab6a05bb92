"""What the processes of a service need, and the Client does not: packages of an extra, and Linux or macOS."""

import functools
import importlib.util
import os
from collections.abc import Callable, Sequence
from typing import ParamSpec, TypeVar

from gradyard.client.errors import MissingExtra
from gradyard.local.errors import CannotStart

PACKAGES: dict[str, Sequence[str]] = {
    "server": ("alembic", "celery", "flask", "gunicorn", "redis", "sqlalchemy", "waitress"),
    "worker": ("celery", "psutil", "redis", "sqlalchemy", "torch"),
}
"""Of each extra the packages without which nothing of it runs."""
OF_DATABASES = ("alembic", "sqlalchemy")
OF_MAINTENANCE = ("celery", "psutil", "redis", "sqlalchemy")

P = ParamSpec("P")
R = TypeVar("R")


def needs_extra(*extras: str, packages: Sequence[str] | None = None) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A command that raises MissingExtra, with what to install, where a package of these extras is not there.

    On Windows it raises CannotStart. packages: those that this command needs, where it needs less than all; another
    extra may have brought them.
    """

    def decorate(command: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(command)
        def checked(*arguments: P.args, **named: P.kwargs) -> R:
            require(*extras, packages=packages)
            return command(*arguments, **named)

        return checked

    return decorate


def require(*extras: str, packages: Sequence[str] | None = None) -> None:
    """Raises MissingExtra where a package of these extras is not there, and CannotStart on Windows."""
    if os.name != "posix":
        raise CannotStart(
            "a service needs Linux or macOS; on Windows the Client and the commands that ask a service elsewhere work "
            "(--url), and WSL is a Linux"
        )
    wanted = packages if packages is not None else [name for extra in extras for name in PACKAGES[extra]]
    lacking = [name for name in dict.fromkeys(wanted) if importlib.util.find_spec(name) is None]
    if lacking:
        install = f"pip install 'gradyard[{','.join(extras)}]'"
        raise MissingExtra(f"this needs {', '.join(lacking)}, which the Client alone does not: {install}")
