"""`pilothouse restore`: make a backup the state of a cluster that is down."""

from pathlib import Path
from typing import Annotated

import typer

from pilothouse.cli.options import HomeOption, home_of
from pilothouse.cluster.backup import bring_back
from pilothouse.runtime.clock import SystemClock


def run(
    file: Annotated[Path, typer.Argument(help="A file made by `pilothouse backup`.", show_default=False)],
    home: HomeOption = None,
) -> None:
    """Make a backup the state that the next `up` begins with. The state of before is kept beside it."""
    count, aside = bring_back(home_of(home), file.absolute(), SystemClock())
    print(f"{count} objects are restored; `pilothouse up` serves them.")
    if aside is not None:
        print(f"The state of before lies in {aside}.")
