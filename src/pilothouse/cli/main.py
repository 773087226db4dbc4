"""The command `pilothouse`: finds the verbs, and turns what cannot be done into one sentence."""

import importlib
import pkgutil
import sys
from typing import NoReturn

import typer

from pilothouse.cluster.errors import ClusterError

_INTERRUPTED = 130
APP = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@APP.callback()
def pilothouse() -> None:
    """Kubernetes, written in Python."""


def application(wanted: str = "") -> typer.Typer:
    """The command with the verb that is wanted, or with all: importing one verb need not wait for all the others."""
    package = "pilothouse.cli.verbs"
    known = [info.name for info in pkgutil.iter_modules(importlib.import_module(package).__path__)]
    for name in [wanted] if wanted in known else sorted(known):
        module = importlib.import_module(f"{package}.{name}")
        below = vars(module).get("APP")
        if isinstance(below, typer.Typer):
            APP.add_typer(below, name=name)
        else:
            APP.command(name=name)(module.run)
    return APP


def main() -> None:
    """Run the command. Status 1 and one sentence for what cannot be done, 2 for a wrong command line."""
    try:
        application(sys.argv[1] if len(sys.argv) > 1 else "")(prog_name="pilothouse")
    except ClusterError as error:
        _refuse(str(error))
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        _refuse(f"{where}{error.strerror or error}")
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)


def _refuse(sentence: str) -> NoReturn:
    print(f"pilothouse: {sentence}", file=sys.stderr)
    sys.exit(1)
