"""Tells as whom it runs, which is root where a set-user-ID program may still become it."""

import os
from collections.abc import Sequence

from contract_images.agnhost.flags import Flags


def run(arguments: Sequence[str]) -> int:
    """Print the effective user."""
    Flags(arguments, {})
    print(f"Effective uid: {os.geteuid()}")
    return 0
