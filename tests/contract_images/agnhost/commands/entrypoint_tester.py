"""Prints every argument of the program, its own name first: it shows which command an image's container got."""

import sys
from collections.abc import Sequence


def run(arguments: Sequence[str]) -> int:
    """Print what was given, as Go prints a list."""
    print(f"[{' '.join((sys.argv[0], 'entrypoint-tester', *arguments))}]")
    return 0
