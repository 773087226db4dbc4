"""`pilothouse down`: stop a cluster and remove every trace of it outside its home."""

import asyncio
from typing import Annotated

import typer
from rich.console import Console

from pilothouse.cli.options import HomeOption, home_of
from pilothouse.cli.progress import steps
from pilothouse.cluster.down import down
from pilothouse.runtime import log
from pilothouse.runtime.clock import SystemClock


def run(
    home: HomeOption = None,
    delete: Annotated[
        bool, typer.Option("--delete", help="Delete its home too: the cluster is gone for good.")
    ] = False,
) -> None:
    """Stop the cluster. Its state stays, and the next `up` resumes it, unless --delete."""
    log.configure(quiet=True)
    clock, console = SystemClock(), Console(stderr=True)
    place = home_of(home)
    asyncio.run(down(place, clock, steps(console, clock), delete=delete))
    text = "The cluster is gone." if delete else f"The cluster is down; its state stays in {place.path}."
    console.print(text, highlight=False, soft_wrap=True)
