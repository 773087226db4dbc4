"""Images written as an archive: layers made of what they are to hold, several images in one file.

It is an OCI image layout in a tar, as `pilothouse image load` takes it. A builder runs the steps of one Dockerfile and
packs one image; here ten images share their layers, and all are on the node in the time of one.
"""

import hashlib
import io
import json
import platform
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
_INDEX = "application/vnd.oci.image.index.v1+json"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar"


class Layer:
    """Files, directories and symbolic links, all of root's, by absolute path."""

    def __init__(self) -> None:
        self.entries: dict[str, tuple[tarfile.TarInfo, bytes]] = {}
        """What is in it, by path."""

    def directory(self, path: str, mode: int = 0o755) -> None:
        """A directory. Those above a file or a link need not be named."""
        self._add(path, tarfile.DIRTYPE, mode)

    def link(self, path: str, target: str) -> None:
        """A symbolic link."""
        self._add(path, tarfile.SYMTYPE, 0o777).linkname = target

    def file(self, path: str, content: bytes | str, mode: int = 0o644) -> None:
        """A file."""
        data = content.encode() if isinstance(content, str) else content
        self._add(path, tarfile.REGTYPE, mode, data).size = len(data)

    def copy(self, source: Path, path: str = "") -> None:
        """A file of this machine, at the same place unless another is given."""
        self.file(path or str(source), source.read_bytes(), source.stat().st_mode & 0o777)

    def _add(self, path: str, kind: bytes, mode: int, data: bytes = b"") -> tarfile.TarInfo:
        for above in reversed(PurePosixPath(path).parents):
            if str(above) not in self.entries and str(above) != "/":
                self._add(str(above), tarfile.DIRTYPE, 0o755)
        entry = tarfile.TarInfo(path.lstrip("/"))
        entry.type, entry.mode = kind, mode
        self.entries[path] = entry, data
        return entry

    def packed(self) -> bytes:
        """The layer's tar."""
        whole = io.BytesIO()
        with tarfile.open(fileobj=whole, mode="w") as tar:
            for entry, data in self.entries.values():
                tar.addfile(entry, io.BytesIO(data))
        return whole.getvalue()


@dataclass(frozen=True)
class Image:
    """One image: its layers from the lowest up, and how a container of it starts."""

    layers: Sequence[Layer]
    entrypoint: Sequence[str] = ()
    command: Sequence[str] = ()
    user: str = ""
    ports: Sequence[int] = ()
    environment: Mapping[str, str] = field(
        default_factory=lambda: {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
    )

    def config(self, digests: Sequence[str]) -> dict[str, Any]:
        """What the runtime reads, with the digests of the layers."""
        start = {
            "Entrypoint": [*self.entrypoint],
            "Cmd": [*self.command],
            "User": self.user,
            "ExposedPorts": {f"{port}/tcp": {} for port in self.ports},
            "Env": [f"{name}={value}" for name, value in self.environment.items()],
            "WorkingDir": "/",
        }
        return {
            "architecture": _ARCHITECTURES.get(platform.machine(), platform.machine()),
            "os": "linux",
            "config": {key: value for key, value in start.items() if value},
            "rootfs": {"type": "layers", "diff_ids": [*digests]},
        }


def write(images: Mapping[str, Image], archive: Path) -> None:
    """Write `images`, by name, into one archive."""
    blobs: dict[str, bytes] = {}
    packed: dict[int, dict[str, Any]] = {}

    def blob(kind: str, content: bytes, **more: Any) -> dict[str, Any]:
        digest = hashlib.sha256(content).hexdigest()
        blobs[f"blobs/sha256/{digest}"] = content
        return {"mediaType": kind, "digest": f"sha256:{digest}", "size": len(content), **more}

    manifests = []
    for name, image in images.items():
        for layer in image.layers:
            if id(layer) not in packed:
                packed[id(layer)] = blob(_LAYER, layer.packed())
        layers = [packed[id(layer)] for layer in image.layers]
        config = blob(_CONFIG, _json(image.config([layer["digest"] for layer in layers])))
        manifest = {"schemaVersion": 2, "mediaType": _MANIFEST, "config": config, "layers": layers}
        manifests.append(blob(_MANIFEST, _json(manifest), annotations={"io.containerd.image.name": name}))
    index = {"schemaVersion": 2, "mediaType": _INDEX, "manifests": manifests}
    files = {"oci-layout": _json({"imageLayoutVersion": "1.0.0"}), "index.json": _json(index), **blobs}
    with tarfile.open(archive, "w") as tar:
        for path, content in files.items():
            entry = tarfile.TarInfo(path)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))


def _json(content: object) -> bytes:
    return json.dumps(content).encode()
