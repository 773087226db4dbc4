"""A registry of what an archive holds, for clusters that can reach no other: one that pulls wants one to pull from.

It is read, never written, and knows no credentials. Source: opencontainers/distribution-spec, "Pull".
"""

import json
import re
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

_BLOB = "application/octet-stream"
_PATH = re.compile(r"/v2/(?P<name>.+)/(?P<kind>manifests|blobs)/(?P<which>[^/?]+)(\?.*)?")


@dataclass(frozen=True)
class Content:
    """What is served."""

    tags: Mapping[tuple[str, str], str]
    """The manifests' digests, by the images' names without the registry's, and their tags."""
    blobs: Mapping[str, bytes]
    """All there is, by digest."""
    kinds: Mapping[str, str]
    """The media types of manifests, by digest."""

    @classmethod
    def read(cls, archive: Path, *names: str) -> "Content":
        """Some images of an archive."""
        tags: dict[tuple[str, str], str] = {}
        blobs: dict[str, bytes] = {}
        kinds: dict[str, str] = {}
        with tarfile.open(archive) as tar:

            def blob(described: dict[str, Any]) -> bytes:
                file = tar.extractfile("blobs/" + described["digest"].replace(":", "/"))
                assert file is not None
                blobs[described["digest"]] = content = file.read()
                return content

            index = tar.extractfile("index.json")
            assert index is not None
            for described in json.load(index)["manifests"]:
                name = described["annotations"]["io.containerd.image.name"]
                if name not in names:
                    continue
                manifest = json.loads(blob(described))
                for part in (manifest["config"], *manifest["layers"]):
                    blob(part)
                path, _, tag = name.partition("/")[2].rpartition(":")
                tags[path, tag], kinds[described["digest"]] = described["digest"], described["mediaType"]
        return cls(tags, blobs, kinds)

    def find(self, path: str) -> tuple[str, str] | None:
        """Digest and media type of what a request is about."""
        asked = _PATH.fullmatch(path)
        if asked is None:
            return None
        digest = self.tags.get((asked["name"], asked["which"]), asked["which"])
        kind = self.kinds.get(digest, _BLOB)
        return (digest, kind) if digest in self.blobs and (asked["kind"] == "blobs" or kind != _BLOB) else None


@contextmanager
def serve(content: Content) -> Iterator[str]:
    """Serve it on a port of this machine; its URL."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            found = content.find(self.path)
            body = content.blobs[found[0]] if found else b""
            self.send_response(200 if found or self.path == "/v2/" else 404)
            self.send_header("Content-Length", str(len(body)))
            if found:
                self.send_header("Docker-Content-Digest", found[0])
                self.send_header("Content-Type", found[1])
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_HEAD = do_GET

        def log_message(self, *_: object) -> None:
            """Nobody wants to know."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def stand_in_for(registry: str, url: str, directory: Path) -> None:
    """Have containerd ask at `url` for images of `registry`, and there only where that has none."""
    place = directory / registry
    place.mkdir(parents=True, exist_ok=True)
    (place / "hosts.toml").write_text(
        f'server = "https://{registry}"\n[host."{url}"]\ncapabilities = ["pull", "resolve"]\n'
    )
