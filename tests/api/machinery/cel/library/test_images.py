"""Image references. *Assumed* where upstream's documentation has no example."""

import pytest

from fakes.cel_expressions import evaluated

DIGEST = "sha256:" + "6aefddb6" * 8


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("registry.k8s.io/kube-apiserver:v1", ["registry.k8s.io", "kube-apiserver", "v1", "", "v1"]),
        ("registry.k8s.io/kube-apiserver", ["registry.k8s.io", "kube-apiserver", "latest", "", "latest"]),
        ("nginx", ["index.docker.io", "library/nginx", "latest", "", "latest"]),
        ("docker.io/a/b", ["index.docker.io", "a/b", "latest", "", "latest"]),
        ("localhost:5000/ab", ["localhost:5000", "ab", "latest", "", "latest"]),
        (f"registry.k8s.io/pause@{DIGEST}", ["registry.k8s.io", "pause", "", DIGEST, DIGEST]),
        (f"registry.k8s.io/pause:3@{DIGEST}", ["registry.k8s.io", "pause", "", DIGEST, DIGEST]),
    ],
)
def test_parts(text: str, parts: list[str]) -> None:
    image = "image(object)"
    assert evaluated(
        f"[{image}.registry(), {image}.repository(), {image}.tag(), {image}.digest(), {image}.identifier()]",
        object=text,
    ) == parts  # fmt: skip
    assert evaluated(f"{image}.containsDigest()", object=text) is (DIGEST in text)


@pytest.mark.parametrize(
    "text", ["registry.k8s.io//pause", "A", "", "nginx:", "nginx@sha256:12", "a:b:c", "x/y:" + "a" * 129]
)
def test_what_is_none(text: str) -> None:
    assert evaluated("isImage(object)", object=text) is (text == "nginx:")
    if text != "nginx:":
        assert evaluated("image(object)", object=text) == f"error: could not parse reference: {text}"
