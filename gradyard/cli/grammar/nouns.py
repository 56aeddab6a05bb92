"""Nouns of the command: `gradyard jobs cancel ID`. Without a verb, a noun lists what it names."""

from collections.abc import Callable, Mapping

import typer

from gradyard.cli.grammar.usage import GivenOnce, Group

LIST = "list"


class Noun(Group):
    """A noun whose verbs are commands. `gradyard jobs --state failed` is `gradyard jobs list --state failed`."""

    verb_of_a_word: str | None = None  # for a first word that is no verb, as in `gradyard stages optim`

    def parse_args(self, ctx, args):  # type: ignore[no-untyped-def]  # typer's contexts have no public type here
        """Puts the verb in front where the command line has none."""
        nothing_to_complete = ctx.resilient_parsing and not args
        verb = None if nothing_to_complete else self._verb_left_out(args, ctx.help_option_names)
        return super().parse_args(ctx, args if verb is None else [verb, *args])

    def _verb_left_out(self, args: list[str], help_names: list[str]) -> str | None:
        """The verb that `args` leave out; None where they name one, or ask for help."""
        shared = {name: each for each in self.params for name in each.opts}
        left = iter(args)
        for word in left:
            name, equals, _ = word.partition("=")
            if name in shared:
                if not equals and not getattr(shared[name], "is_flag", False):
                    next(left, None)  # its value
            elif word in self.commands or word in help_names:
                return None
            else:
                return LIST if word.startswith("-") else self.verb_of_a_word
        return LIST


class NounOfNames(Noun):
    """A noun of which one is named by a plain word: `gradyard stages optim` is `gradyard stages show optim`."""

    verb_of_a_word = "show"


def noun(
    help: str, verbs: Mapping[str, Callable[..., None]], options: Callable[..., None], kind: type[Group] = Noun
) -> typer.Typer:
    """A noun with its verbs; `options` is an empty command that has the options which may stand before the verb."""
    made = typer.Typer(cls=kind, help=help, no_args_is_help=False)
    made.callback()(options)
    for verb, command in verbs.items():
        made.command(verb, cls=GivenOnce)(command)
    return made
