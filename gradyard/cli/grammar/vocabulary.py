"""Every command by its place: the everyday words, and the nouns with their verbs."""

from collections.abc import Callable

import typer

from gradyard.cli.commands import (
    api_keys,
    audit,
    batches,
    changes,
    database,
    exports,
    files,
    fleet,
    inspect_jobs,
    jobs,
    processes,
    results,
    status,
    storage,
    sweeps,
)
from gradyard.cli.commands.history import artifacts, best, curves
from gradyard.cli.commands.live import logs, watching
from gradyard.cli.commands.questions import counts, tags
from gradyard.cli.commands.webhooks import messages, webhooks
from gradyard.cli.grammar.nouns import Noun, NounOfNames, noun
from gradyard.cli.grammar.options import CommandOptions, may_name_the_service, runs_here
from gradyard.cli.grammar.usage import GivenOnce, Group

Commands = dict[str, Callable[..., None]]

EVERYDAY: Commands = {
    "up": processes.up, "demo": processes.demo, "status": status.status,
    "submit": jobs.submit, "sweep": sweeps.sweep, "watch": watching.watch, "show": inspect_jobs.show,
    "losses": curves.losses, "compare": results.compare, "logs": logs.logs,
    "recheck": results.recheck, "receipt": results.receipt,
    "cancel": changes.cancel, "retry": changes.retry, "delete": changes.delete, "export": exports.export_batch,
}  # fmt: skip
PROCESSES: Commands = {"worker": processes.worker, "api": processes.api, "maintain": processes.maintain}
# Words of before the nouns, kept for those who type them
HIDDEN: Commands = {
    "metrics": curves.metrics, "artifacts": artifacts.artifacts,
    "drain": fleet.drain, "undrain": fleet.undrain,
}  # fmt: skip

NOUNS: dict[str, tuple[str, Commands]] = {
    "jobs": ("List jobs, or show, follow and change one.", {
        "list": inspect_jobs.list_jobs, "show": inspect_jobs.show, "watch": watching.watch,
        "count": counts.count, "summary": counts.summary, "set": tags.set_job, "tag": tags.tag,
        "cancel": changes.cancel, "retry": changes.retry, "delete": changes.delete,
        "best": best.best_of_jobs, "export": exports.export_jobs, "losses": curves.losses, "logs": logs.logs,
        "predict": artifacts.predict,
        "metrics": curves.metrics, "artifacts": artifacts.artifacts,
        "compare": results.compare, "recheck": results.recheck, "receipt": results.receipt,
    }),
    "batches": ("List batches (each sweep is one), or show, follow and change one.", {
        "list": batches.list_batches, "show": batches.show_batch, "best": best.best_of_batch,
        "watch": watching.watch_batch, "cancel": batches.cancel_batches, "retry": batches.retry_batches,
        "delete": batches.delete_batches, "export": exports.export_batch,
    }),
    "files": ("List the files that jobs are trained on, or send in, show, fetch and delete one.", {
        "list": files.list_files, "upload": files.upload, "show": files.show, "download": files.download,
        "delete": files.delete,
    }),
    "stages": ("List the stages that can be trained, or show the parameters of one.", {
        "list": fleet.list_stages, "show": fleet.show_stage,
    }),
    "queues": ("List the queues, or pause and resume one.", {
        "list": fleet.list_queues, "pause": fleet.pause, "resume": fleet.resume,
    }),
    "workers": ("List the worker slots, or drain and undrain one.", {
        "list": fleet.list_workers, "drain": fleet.drain, "undrain": fleet.undrain,
    }),
    "keys": ("List API keys, or create, rotate and revoke them; each opens one project. For administrators.", {
        "list": api_keys.list_keys, "create": api_keys.create, "rotate": api_keys.rotate, "revoke": api_keys.revoke,
    }),
    "webhooks": ("List webhooks, which tell other programs what happened, or create, try and change one.", {
        "list": webhooks.list_webhooks, "show": webhooks.show, "create": webhooks.create, "update": webhooks.update,
        "rotate": webhooks.rotate, "delete": webhooks.delete, "test": messages.test,
        "deliveries": messages.deliveries, "resend": messages.resend,
    }),
    "storage": ("Show what projects store, and set for how long they keep jobs that ended.", {
        "list": storage.show_storage, "retention": storage.retention,
    }),
    "audit": ("List what was done with keys, workers and queues, and what was deleted. For operators.", {
        "list": audit.list_entries,
    }),
}  # fmt: skip


class InOrder(Group):
    """The whole command, with the everyday words first in its help."""

    def list_commands(self, ctx: object) -> list[str]:  # typer's contexts have no public type here
        """The names in the order of this page."""
        return [*EVERYDAY, *NOUNS, *PROCESSES, "db", *HIDDEN]


def register(app: typer.Typer) -> None:
    """Adds all commands to `app`."""
    for name, command in EVERYDAY.items():
        app.command(name, cls=GivenOnce, rich_help_panel="Everyday")(command)
    for name, (help, verbs) in NOUNS.items():
        kind = NounOfNames if name == "stages" else Noun
        listing = f"{help}\n\n`gradyard {name}` alone is `gradyard {name} list`."
        app.add_typer(noun(listing, verbs, _asks, kind), name=name, rich_help_panel="Nouns, each with its verbs")
    for name, command in PROCESSES.items():
        app.command(name, cls=GivenOnce, rich_help_panel="Operation")(command)
    app.add_typer(_database(), name="db", rich_help_panel="Operation")
    for name, command in HIDDEN.items():
        app.command(name, cls=GivenOnce, hidden=True)(command)


def _database() -> typer.Typer:
    help = "Upgrade, back up, restore and vacuum the database (DATABASE_URL)."
    made = typer.Typer(cls=Group, help=help, no_args_is_help=True)
    made.callback()(_here)
    made.command("upgrade", cls=GivenOnce)(database.upgrade)
    as_in_minus_1 = {"ignore_unknown_options": True}
    made.command("downgrade", cls=GivenOnce, context_settings=as_in_minus_1)(database.downgrade)
    for command in (database.backup, database.restore, database.vacuum):
        made.command(cls=GivenOnce)(command)
    return made


@may_name_the_service
def _asks(_: CommandOptions) -> None: ...


@runs_here
def _here(_: CommandOptions) -> None: ...
