"""`pilothouse backup`: save what the running cluster stores."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from pilothouse.cli.options import HomeOption, home_of
from pilothouse.cluster.backup import back_up
from pilothouse.runtime.clock import SystemClock


def run(
    file: Annotated[Path, typer.Argument(help="The file to make.", show_default=False)], home: HomeOption = None
) -> None:
    """Save all objects of the running cluster, Secrets too, in a new file that only you can read."""
    count = asyncio.run(back_up(home_of(home), file.absolute(), SystemClock()))
    print(f"{count} objects are saved in {file}.")
