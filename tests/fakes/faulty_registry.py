"""A registry on loopback that serves one small image under many names, with something wrong in each.

The first word of an image's name says what: `good`, `altered`, `nomanifest`, `wrongmanifest`, `notar`,
`nogzip`, `noconfig`, `unauthorized`, `forbidden`, `missing`, `broken`, `hangup`, `stalled`. Over HTTP, as
opencontainers/distribution-spec has it.
"""

import gzip
import hashlib
import io
import json
import re
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Lock, Thread

from pilothouse.kubelet.pause_image import image_archive

HOST = "registry.test"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
_PATH = re.compile(r"/v2/(?P<fault>[a-z]+)/(?P<kind>manifests|blobs)/(?P<which>[^/?]+)(\?.*)?")
_HALVES = ("stalled", "hangup")
_STATUSES = {"unauthorized": 401, "forbidden": 403, "missing": 404, "broken": 500}


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


@dataclass
class Image:
    """What one name leads to."""

    manifest: bytes
    blobs: dict[str, bytes]
    """As they are sent, by the digest that they are asked for with."""
    layer: str
    """The digest of the layer."""


def _image(fault: str, binary: bytes) -> Image:
    """A layer of busybox and of bytes of its own, so that no image has another's layer."""
    own = [("bin/busybox", binary, 0o755), ("fault", fault.encode(), 0o644)]
    parts: list[bytes] = []
    with tarfile.open(fileobj=io.BytesIO(image_archive(own, ["/bin/busybox"], "x:1"))) as tar:
        for name in tar.getnames():
            file = tar.extractfile(name)
            if name.startswith("blobs/") and file is not None:
                parts.append(file.read())
    layer, config, manifest = parts
    content = layer
    match fault:
        case "altered":
            content = layer[:100] + bytes([layer[100] ^ 1]) + layer[101:]
        case "notar":
            layer = content = gzip.compress(b"this is no tar archive" * 100, mtime=0)
        case "nogzip":
            layer = content = b"this is not compressed" * 100
        case "noconfig":
            config = b"no JSON"
    told = json.loads(manifest)
    told["layers"] = [{"mediaType": _LAYER, "digest": _digest(layer), "size": len(layer)}]
    told["config"] |= {"digest": _digest(config), "size": len(config)}
    manifest = json.dumps(told).encode()
    if fault == "nomanifest":
        manifest = b"<html>this is a proxy's login page</html>"
    elif fault == "wrongmanifest":
        manifest = json.dumps({"schemaVersion": 2, "mediaType": _MANIFEST, "layers": 7}).encode()
    return Image(manifest, {_digest(layer): content, _digest(config): config}, _digest(layer))


@dataclass
class FaultyRegistry:
    """To be asked by its `url`."""

    busybox: bytes
    url: str = ""
    stalled: Event = field(default_factory=Event)
    """Set when somebody waits for the rest of a layer."""
    let_go: Event = field(default_factory=Event)
    """To be set for that rest to be sent."""
    _images: dict[str, Image] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def image(self, fault: str) -> Image:
        """What the name stands for, always the same."""
        with self._lock:
            if fault not in self._images:
                runs = fault in ("good", "stalled")
                self._images[fault] = _image(fault, self.busybox if runs else bytes(range(256)) * 40)
            return self._images[fault]


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    registry: FaultyRegistry

    def do_GET(self) -> None:
        asked = _PATH.fullmatch(self.path)
        if asked is None:
            self._send(200 if self.path.rstrip("/") == "/v2" else 404, b"")
        elif status := _STATUSES.get(asked["fault"]):
            self._send(status, b'{"errors":[{"code":"DENIED","message":"as it was asked for"}]}')
        elif asked["kind"] == "manifests":
            manifest = self.registry.image(asked["fault"]).manifest
            self._send(200, manifest, _MANIFEST, _digest(manifest))
        else:
            self._blob(asked["fault"], asked["which"])

    do_HEAD = do_GET

    def _blob(self, fault: str, digest: str) -> None:
        image = self.registry.image(fault)
        content = image.blobs.get(digest)
        if content is None:
            self._send(404, b"")
        elif digest == image.layer and fault in _HALVES:
            self._half(content, wait=fault == "stalled")
        else:
            self._send(200, content)

    def _send(self, status: int, body: bytes, kind: str = "application/octet-stream", digest: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", kind)
        if digest:
            self.send_header("Docker-Content-Digest", digest)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _half(self, body: bytes, *, wait: bool) -> None:
        """The first half; the rest when it is time, or never."""
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.close_connection = True
        self.wfile.write(body[: len(body) // 2])
        self.wfile.flush()
        if wait:
            self.registry.stalled.set()
            self.registry.let_go.wait(120)
            with suppress(OSError):  # nobody waits any more
                self.wfile.write(body[len(body) // 2 :])

    def handle(self) -> None:
        with suppress(ConnectionError):  # whoever asked has gone
            super().handle()

    def log_message(self, *_: object) -> None:
        """Nobody wants to know."""


@contextmanager
def serve(busybox: Path) -> Iterator[FaultyRegistry]:
    """Serve on a port of this machine."""
    registry = FaultyRegistry(busybox.read_bytes())
    handler = type("Handler", (_Handler,), {"registry": registry})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        registry.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield registry
        finally:
            registry.let_go.set()
            server.shutdown()
            thread.join()


def stand_in(host: str, url: str, directory: Path) -> None:
    """Have containerd ask at `url` for images of `host`, and nowhere else."""
    place = directory / host
    place.mkdir(parents=True, exist_ok=True)
    (place / "hosts.toml").write_text(f'server = "{url}"\n[host."{url}"]\ncapabilities = ["pull", "resolve"]\n')
