"""`/agnhost SUB-COMMAND ARGUMENTS`: what the containers of upstream's conformance tests run, in the standard library.

It behaves and prints as upstream's test/images/agnhost does, as far as the tests look. The sub-commands are the modules
of `commands/`, each imported only when it is called: a container that runs once starts as fast as its interpreter.
"""

import importlib
import os
import signal
import sys
from collections.abc import Sequence

from contract_images.agnhost.flags import FlagError

_COMMANDS = f"{__package__}.commands"


def main(arguments: Sequence[str]) -> int:
    """Run the sub-command that the first argument names; the exit status is its own."""
    end_on_signals()
    name = arguments[0] if arguments else "help"
    module = f"{_COMMANDS}.{name.replace('-', '_')}"
    try:
        command = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        print(f'Error: unknown command "{name}" for "app"', file=sys.stderr)
        return 1
    try:
        return int(command.run(list(arguments[1:])))
    except FlagError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1


def end_on_signals() -> None:
    """End with status 2 when told to, as a Go program does, and as the first process of a container does not by itself.

    The kernel hands the first process of a PID namespace only the signals that it has a handler for.
    """
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: os._exit(2))
