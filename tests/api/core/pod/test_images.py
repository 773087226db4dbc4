"""What an image's name says of pulling it. Grammar: distribution reference; rule: SetDefaults_Container."""

import pytest

from pilothouse.api.core.pod.images import image_tag, pull_policy

DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("image", "tag", "policy"),
    [
        ("nginx", "latest", "Always"),
        ("nginx:latest", "latest", "Always"),
        ("nginx:1.25", "1.25", "IfNotPresent"),
        ("registry:5000/a/b", "latest", "Always"),
        ("registry:5000/a/b:v1", "v1", "IfNotPresent"),
        ("localhost/demo:1", "1", "IfNotPresent"),
        (f"nginx@{DIGEST}", "", "IfNotPresent"),
        (f"nginx:latest@{DIGEST}", "latest", "Always"),
        (f"nginx:1@{DIGEST}", "1", "IfNotPresent"),
        ("", "", "IfNotPresent"),
        ("Not An Image", "", "IfNotPresent"),
        ("a//b", "", "IfNotPresent"),
    ],
)
def test_tag_and_policy(image: str, tag: str, policy: str) -> None:
    assert (image_tag(image), pull_policy(image)) == (tag, policy)
