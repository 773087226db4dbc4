"""The image of the sandbox's process, built from a binary on the machine: no registry is needed to start a pod.

It is an OCI image layout in a tar file, with one layer that holds `/pause`. The binary is catatonit, which with `-P`
reaps orphans and waits. https://github.com/opencontainers/image-spec
"""

import gzip
import hashlib
import io
import platform
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import orjson

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "ppc64le": "ppc64le", "s390x": "s390x"}


def pause_archive(binary: Path, name: str) -> bytes:
    """The image `name` of a sandbox's process as an OCI archive."""
    return image_archive([("pause", binary.read_bytes(), 0o755)], ["/pause", "-P"], name)


def image_archive(files: Sequence[tuple[str, bytes, int]], entrypoint: Sequence[str], name: str) -> bytes:
    """An image with one layer of `files` (path, content, mode). The same input gives the same bytes."""
    plain = _tar(files)
    layer = gzip.compress(plain, mtime=0)
    config = orjson.dumps(
        {
            "architecture": _ARCHITECTURES.get(platform.machine(), platform.machine()),
            "os": "linux",
            "config": {"Entrypoint": list(entrypoint)},
            "rootfs": {"type": "layers", "diff_ids": [_digest(plain)]},
        }
    )
    manifest = orjson.dumps(
        {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": _descriptor("application/vnd.oci.image.config.v1+json", config),
            "layers": [_descriptor("application/vnd.oci.image.layer.v1.tar+gzip", layer)],
        }
    )
    entry = _descriptor("application/vnd.oci.image.manifest.v1+json", manifest)
    names = {"io.containerd.image.name": name, "org.opencontainers.image.ref.name": name.rpartition(":")[2]}
    index = orjson.dumps({"schemaVersion": 2, "manifests": [{**entry, "annotations": names}]})
    blobs = ((f"blobs/sha256/{hashlib.sha256(blob).hexdigest()}", blob, 0o644) for blob in (layer, config, manifest))
    return _tar([("oci-layout", b'{"imageLayoutVersion":"1.0.0"}', 0o644), ("index.json", index, 0o644), *blobs])


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _descriptor(media_type: str, data: bytes) -> dict[str, object]:
    return {"mediaType": media_type, "digest": _digest(data), "size": len(data)}


def _tar(files: Sequence[tuple[str, bytes, int]]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for entry, data in _entries(files):
            tar.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def _entries(files: Sequence[tuple[str, bytes, int]]) -> Iterator[tuple[tarfile.TarInfo, bytes]]:
    for name, data, mode in files:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = len(data), mode
        yield entry, data
