"""Image references: the whole name that the runtime will look for."""

import pytest

from pilothouse.images.reference import full_name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("hello:1", "docker.io/library/hello:1"),
        ("hello", "docker.io/library/hello:latest"),
        ("me/hello:1.2-rc1", "docker.io/me/hello:1.2-rc1"),
        ("localhost/hello:1", "localhost/hello:1"),
        ("localhost:5000/hello", "localhost:5000/hello:latest"),
        ("registry.example.com/team/hello:1", "registry.example.com/team/hello:1"),
        ("registry.example.com:443/team/hello:1", "registry.example.com:443/team/hello:1"),
    ],
)
def test_full_name(text: str, name: str) -> None:
    assert full_name(text) == name


@pytest.mark.parametrize("text", ["", ":1", "Hello:1", "hello:", "hello:a b", "-hello", "he llo", "hello:1:2/"])
def test_what_is_no_name(text: str) -> None:
    with pytest.raises(ValueError, match="not the name of an image"):
        full_name(text)
