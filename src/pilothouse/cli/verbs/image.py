"""`pilothouse image`: images built, loaded and listed on the cluster's nodes."""

import asyncio
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from pilothouse.cli.options import HomeOption, home_of
from pilothouse.cluster.errors import ClusterError
from pilothouse.cluster.home import Home
from pilothouse.cluster.node_images import check_loading, images, load
from pilothouse.images.build import BuildError, build
from pilothouse.images.reference import full_name

APP = typer.Typer(help="Build, load and list the images on the cluster's nodes.", no_args_is_help=True)


@APP.command("build")
def build_image(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Holds the Dockerfile and what it copies.")],
    tag: Annotated[str, typer.Option("--tag", "-t", metavar="NAME:TAG", help="What to call the image.")],
    context: Annotated[
        list[str] | None,
        typer.Option("--build-context", metavar="NAME=DIR", help="A further directory for COPY --from=NAME."),
    ] = None,
    argument: Annotated[
        list[str] | None, typer.Option("--build-arg", metavar="NAME=VALUE", help="A value for the Dockerfile's ARG.")
    ] = None,
    home: HomeOption = None,
) -> None:
    """Build an image from a Dockerfile; it is then on every node."""
    place = home_of(home)
    contexts = dict(_context(each) for each in context or ())
    try:
        name = full_name(tag)
        check_loading(place)
        with tempfile.TemporaryDirectory() as scratch:
            archive = Path(scratch) / "image.tar"
            build(name, directory, archive, place.images, contexts, argument or ())
            asyncio.run(load(place, archive))
    except (BuildError, ValueError) as error:
        raise ClusterError(str(error)) from error
    print(name)


@APP.command("load")
def load_image(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An archive from docker save, podman or buildah.")],
    home: HomeOption = None,
) -> None:
    """Load the images of an archive onto every node."""
    if not file.is_file():
        raise ClusterError(f"{file} is not a file")
    asyncio.run(load(home_of(home), file))


@APP.command("list")
def list_images(home: HomeOption = None) -> None:
    """List the images on the cluster's nodes."""
    table = Table("IMAGE", "ID", "SIZE", box=None, pad_edge=False, header_style="bold")
    for name, digest, size in _found(home_of(home)):
        table.add_row(name, digest.removeprefix("sha256:")[:12], f"{size / 1e6:.1f} MB")
    Console().print(table)


def _found(home: Home) -> list[tuple[str, str, int]]:
    return sorted(
        (name, image.id, image.size) for image in asyncio.run(images(home)) for name in image.tags or (image.id,)
    )


def _context(text: str) -> tuple[str, Path]:
    name, equals, directory = text.partition("=")
    if not equals or not Path(directory).is_dir():
        raise ClusterError(f"--build-context {text}: give NAME=DIR with a directory that exists")
    return name, Path(directory)
