"""Serves the files of a directory: the whole container's, where nothing else is said."""

from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from urllib.parse import quote, unquote

from contract_images.agnhost.flags import Flags
from contract_images.agnhost.web import Reply, Request, Server, error, listen

_TYPES = {".html": "text/html; charset=utf-8", ".json": "application/json", ".jpg": "image/jpeg"}


def run(arguments: Sequence[str]) -> int:
    """Serve on the port that --port gives; a directory may follow."""
    flags = Flags(arguments, {"port": 80})
    place = Path(flags.words[0] if flags.words else "/")
    Server({"/": files(place)}, listen(flags.number("port"))).serve()
    return 1


def files(place: Path) -> Callable[[Request], Reply]:
    """What answers with the files below `place`."""

    def handler(request: Request) -> Reply:
        found = place / unquote(request.path).lstrip("/")
        if ".." in found.parts:
            return error("invalid URL path", 400)
        index = found / "index.html"
        if found.is_dir() and index.is_file():
            found = index
        try:
            if found.is_dir():
                names = sorted(each.name + "/" * each.is_dir() for each in found.iterdir())
                lines = [f'<a href="{quote(name)}">{escape(name)}</a>' for name in names]
                return Reply("<pre>\n" + "\n".join([*lines, "</pre>\n"]), 200, {"Content-Type": _TYPES[".html"]})
            return Reply(
                found.read_bytes(), 200, {"Content-Type": _TYPES.get(found.suffix, "text/plain; charset=utf-8")}
            )
        except PermissionError:
            return error("403 Forbidden", 403)
        except OSError:
            return error("404 page not found", 404)

    return handler
