"""What an image's name says about when to pull it.

Grammar: the distribution project's reference format, `[domain/]path[:tag][@digest]`. What does not parse counts as
having no tag, as upstream ignores the error here and leaves it to validation and to the node.
"""

import re

from pilothouse.runtime.short_memo import short_memo

_PATH = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_DOMAIN = (
    r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\[[0-9a-fA-F:]+\])"
)
_REFERENCE = re.compile(
    rf"(?:{_DOMAIN}(?::[0-9]+)?/)?{_PATH}(?:/{_PATH})*"
    r"(?::(?P<tag>\w[\w.-]{0,127}))?"
    r"(?:@(?P<digest>[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}))?",
    re.ASCII,
)


@short_memo(4096)
def image_tag(image: str) -> str:
    """The tag of an image's name: `latest` where it has neither tag nor digest, empty where only a digest."""
    found = _REFERENCE.fullmatch(image)
    if found is None:
        return ""
    return found["tag"] or ("" if found["digest"] else "latest")


def is_image_name(image: str) -> bool:
    """Whether it is written as the grammar says."""
    return _REFERENCE.fullmatch(image) is not None


def pull_policy(image: str) -> str:
    """The pull policy of a container that names none: Always for `latest`, IfNotPresent for the rest."""
    return "Always" if image_tag(image) == "latest" else "IfNotPresent"
