"""Options that several verbs have."""

import os
from pathlib import Path
from typing import Annotated

import typer

from pilothouse.cluster.home import Home, default_home

HomeOption = Annotated[
    Path | None,
    typer.Option(
        "--home",
        metavar="DIR",
        help="Everything of the cluster lies below this directory.",
        show_default=False,
        readable=False,
    ),
]


def home_of(path: Path | None) -> Home:
    """The home that the user means."""
    chosen = path or default_home(root=os.geteuid() == 0, user_home=Path.home())
    return Home(chosen.expanduser().absolute())
