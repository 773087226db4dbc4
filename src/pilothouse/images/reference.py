"""Image references: what `NAME:TAG` stands for. github.com/distribution/reference, grammar and familiar names."""

import re

_HOST = re.compile(r"(?:localhost|[\w.-]+\.[\w.-]+|[\w-]+:\d+|[\w.-]+\.[\w.-]+:\d+|localhost:\d+)")
_PATH = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*")
_TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)


def full_name(text: str) -> str:
    """The whole name of a tag: `hello:1` is docker.io/library/hello:1, as the runtime will look for it.

    Raises ValueError for what is no name of an image.
    """
    name, colon, tag = text.rpartition(":")
    if not colon or "/" in tag:
        name, tag = text, "latest"
    host, slash, path = name.partition("/")
    if not slash or not _HOST.fullmatch(host):
        host, path = "docker.io", name
        if "/" not in path:
            path = f"library/{path}"
    if not _PATH.fullmatch(path) or not _TAG.fullmatch(tag):
        raise ValueError(f'"{text}" is not the name of an image: use lower case, as in hello:1')
    return f"{host}/{path}:{tag}"
