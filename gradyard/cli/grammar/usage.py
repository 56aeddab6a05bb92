"""Wrong command lines: what is refused beside what typer refuses, and each of its errors as one sentence."""

import re
from collections.abc import Iterable
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from gradyard.cli.errors import BadUsage
from gradyard.jobs.validation.messages import value_text
from gradyard.jobs.validation.suggestions import did_you_mean, nearest

UsageError: type[Any] = typer.BadParameter.__mro__[1]  # typer has had it from click and from a copy of its own


def refuse_named_twice(names: Iterable[str], before: str = "") -> None:
    """Raises BadUsage where one of the names is there twice. before: what stands before it in the message."""
    seen = set[str]()
    for name in names:
        if name in seen:
            raise BadUsage(f"{before}{name} is given twice; leave one out")
        seen.add(name)


class _Once:
    def parse_args(self, ctx, args):  # type: ignore[no-untyped-def]  # typer's contexts have no public type here
        """Parses the words as typer does. Raises BadUsage where an option is given twice."""
        given = list(args)
        left = super().parse_args(ctx, args)  # type: ignore[misc]  # of the class beside it
        _refuse_twice(self, ctx, given)
        return left


class GivenOnce(_Once, TyperCommand):
    """A command that refuses an option given twice, unless it is repeatable, or a flag that can only be set."""


class Group(_Once, TyperGroup):
    """Commands below one word. It refuses an option given twice, and a word that names no command."""

    def resolve_command(self, ctx, args):  # type: ignore[no-untyped-def]  # typer's contexts have no public type here
        """The command of the first word. Raises BadUsage, with the nearest one, where there is none."""
        word = args[0]
        if word in self.commands or word.startswith("-") or ctx.resilient_parsing:
            return super().resolve_command(ctx, args)
        hint = did_you_mean(word, self.commands) or f"; `{ctx.command_path} --help` lists them"
        raise BadUsage(f"there is no command {value_text(f'{_place(ctx)} {word}'.strip())}{hint}")


def usage_sentence(error: Any) -> str:
    """What is wrong with the command line, in one line. error: a UsageError."""
    place, param = _place(error.ctx), getattr(error, "param", None)
    if hasattr(error, "possibilities"):
        said = _no_such_option(error)
    elif type(error).__name__ == "MissingParameter":
        said = f"{_name(param)} is missing{_see(error)}"
    elif param is None:
        said = _small(error.format_message()) + _see(error)
    elif found := re.match(r"'(.*)' is not one of ", error.message):
        choices = [str(each) for each in param.type.choices]
        said = f"{_name(param)} must be one of {', '.join(choices)}, not {value_text(found[1])}"
        said += did_you_mean(found[1], choices)
    elif error.message.startswith("must be "):
        said = f"{_name(param)} {error.message}"
    else:
        said = f"{_name(param)}: {_small(error.message)}{_see(error)}"
    return f"{place}: {said}" if place else said


def _refuse_twice(command: Any, ctx: Any, given: list[str]) -> None:
    if ctx.resilient_parsing:
        return
    _, _, order = command.make_parser(ctx).parse_args(args=given)
    options = (each for each in order if each.param_type_name == "option" and not each.multiple)
    refuse_named_twice(_name(each) for each in options if not each.is_flag or each.secondary_opts)


def _no_such_option(error: Any) -> str:
    known = {each.lstrip("-").replace("-", "_"): each for param in error.ctx.command.params for each in param.opts
             if each.startswith("--")}  # fmt: skip
    begin = error.option_name.lstrip("-").replace("-", "_")
    longer = [each for each in known if begin and each.startswith(begin)]
    found = longer[0] if len(longer) == 1 else nearest(begin, known)
    hint = f'; did you mean "{known[found]}"?' if found else f"; `{error.ctx.command_path} --help` lists them"
    return f"there is no option {error.option_name}{hint}"


def _name(param: Any) -> str:
    if param.param_type_name == "argument":
        return str(param.metavar or param.human_readable_name)
    return "/".join(max(names, key=len) for names in (param.opts, param.secondary_opts) if names)


def _place(ctx: Any) -> str:
    return ctx.command_path.partition(" ")[2] if ctx is not None else ""


def _see(error: Any) -> str:
    return f"; see `{error.ctx.command_path} --help`" if error.ctx is not None else ""


def _small(message: str) -> str:
    said = " ".join(message.split()).rstrip(".")
    return said[:1].lower() + said[1:]
