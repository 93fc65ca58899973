"""`scheduling …`: the command that is asked for is the only one that is imported."""

import sys
from dataclasses import dataclass
from importlib import import_module

import typer


@dataclass(frozen=True)
class Command:
    """Where a command lives: the typer app named `app` in a module of this package.

    A `group` has commands of its own below its name.
    """

    module: str
    help: str
    group: bool = False
    hidden: bool = False


COMMANDS = {
    "dev": Command("dev", "Run everything on this machine, PostgreSQL and NATS too."),
    "token": Command("token", "Mint a token of the development issuer."),
    "api": Command("processes", "Serve HTTP."),
    "relay": Command("processes", "Publish the outbox to JetStream."),
    "inbox": Command("inbox", "Follow news, ours and that of others.", group=True),
    "cron": Command("cron", "Do what is due over and over.", group=True),
    "migrate": Command("processes", "Bring the database to the newest schema."),
    "seed-demo": Command("processes", "Fill the demo clinic group, once."),
    "import": Command("imports", "Import records of other systems."),
    "settings": Command("processes", "List every SCHEDULING_* variable."),
    "prepare": Command("processes", "Migrate and seed in one go.", hidden=True),
    "slots": Command("slots", "Preview or make the slots of calendars.", group=True),
    "outbox": Command("outbox", "Look at the outbox.", group=True),
    "events": Command("events", "Watch events arrive.", group=True),
}


def main() -> None:
    cli(sys.argv[1:])()


def cli(words: list[str]) -> typer.Typer:
    """Build the command line for these words; commands not named stay unloaded."""
    asked = next((word for word in words if not word.startswith("-")), None)
    app = typer.Typer(
        name="scheduling",
        help="Healthcare appointment scheduling.",
        no_args_is_help=True,
        add_completion=False,
        # Boxes of colour are no log lines, and locals hold passwords and patients.
        pretty_exceptions_enable=False,
    )
    app.callback()(_nothing)
    for name, command in COMMANDS.items():
        if name != asked:
            app.command(name, help=command.help, hidden=command.hidden)(_nothing)
            continue
        loaded = import_module(f"scheduling.entrypoints.cli.{command.module}").app
        app.add_typer(loaded, name=name if command.group else None)
    return app


def _nothing() -> None:
    """Stand in for a command that is only listed."""
