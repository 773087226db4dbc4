"""What is routed is what was authorized: one reading of path and query."""

import pytest

from kubelet.server.harness import PEER
from pilothouse.kubelet.server.question import parse_question
from pilothouse.net.http import Request


@pytest.mark.parametrize(
    ("target", "path", "parts"),
    [
        ("/", "/", ()),
        ("/pods", "/pods", ("pods",)),
        ("/pods/", "/pods/", ("pods",)),
        ("/exec/a/b/c?command=x/y", "/exec/a/b/c", ("exec", "a", "b", "c")),
        ("/%70ods", "/pods", ("pods",)),
        ("/pods%2F..%2Fexec", "/pods/../exec", ("pods", "..", "exec")),
        ("//pods", "//pods", ("", "pods")),
    ],
)
def test_the_path(target: str, path: str, parts: tuple[str, ...]) -> None:
    question = parse_question(Request("GET", target, {}, PEER))
    assert (question.path, question.parts) == (path, parts)


def test_the_query() -> None:
    question = parse_question(Request("GET", "/exec?command=a&command=b+c&follow&x=%26", {}, PEER))
    assert question.query == {"command": ["a", "b c"], "follow": [""], "x": ["&"]}
    assert (question.value("command"), question.value("none")) == ("a", "")
