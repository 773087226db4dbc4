"""Parts of image references: `image('registry.k8s.io/pause:3.9').registry()`.

Sources: apiserver/pkg/cel/library/image.go; pkg/name of google/go-containerregistry for what a reference is.
"""

import re
from dataclasses import dataclass

from pilothouse.api.machinery.cel.declarations import library
from pilothouse.api.machinery.cel.errors import EvaluationError
from pilothouse.api.machinery.cel.values import Opaque

_DEFAULT_REGISTRY = "index.docker.io"
_TAG = re.compile(r"[a-zA-Z0-9_.-]{1,128}", re.ASCII)
_REPOSITORY = re.compile(r"(?!.*//)(?=.{2,255}$)[a-z0-9_.-][a-z0-9_./-]*[a-z0-9_.-]", re.ASCII)
_REGISTRY = re.compile(r"(?:[A-Za-z0-9_.~-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]*)?", re.ASCII)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Image(Opaque):
    """A reference."""

    text: str
    registry: str
    repository: str
    tag: str
    digest: str

    type_name = "kubernetes.Image"

    def __str__(self) -> str:
        return self.text


def _parse(text: str) -> Image | None:
    return _tagged(text) or _digested(text)


def _tagged(text: str) -> Image | None:
    head, colon, tag = text.rpartition(":")
    if not colon or "/" in tag:
        head, tag = text, ""
    place = _place(head)
    if place is None or (tag and not _TAG.fullmatch(tag)):
        return None
    return Image(text, *place, tag or "latest", "")


def _digested(text: str) -> Image | None:
    head, at, digest = text.partition("@")
    if not at or not _DIGEST.fullmatch(digest):
        return None
    tagged = _tagged(head)
    return None if tagged is None else Image(text, tagged.registry, tagged.repository, "", digest)


def _place(text: str) -> tuple[str, str] | None:
    """Registry and repository."""
    registry, slash, repository = text.partition("/")
    if not slash or not ("." in registry or ":" in registry or registry == "localhost"):
        registry, repository = "", text
    if not _REPOSITORY.fullmatch(repository) or (registry and not _REGISTRY.fullmatch(registry)):
        return None
    if registry in ("", "docker.io", _DEFAULT_REGISTRY):
        return _DEFAULT_REGISTRY, repository if "/" in repository else f"library/{repository}"
    return registry, repository


def _image(text: str) -> Image:
    found = _parse(text)
    if found is None:
        raise EvaluationError(f"could not parse reference: {text}")
    return found


IMAGES = library(
    """
    image string_to_image (string) Image
    isImage is_image_string (string) bool
    containsDigest image_contains_digest Image.() bool
    registry image_registry Image.() string
    repository image_repository Image.() string
    identifier image_identifier Image.() string
    tag image_tag Image.() string
    digest image_digest Image.() string
    """,
    {
        "image": _image,
        "isImage": lambda text: _parse(text) is not None,
        "containsDigest": lambda image: bool(image.digest),
        "registry": lambda image: image.registry,
        "repository": lambda image: image.repository,
        "identifier": lambda image: image.digest or image.tag,
        "tag": lambda image: image.tag,
        "digest": lambda image: image.digest,
    },
)
