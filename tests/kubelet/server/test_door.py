"""Nobody gets past the door unknown or unallowed, on whatever path."""

import asyncio
from pathlib import Path

import pytest

from kubelet.server.harness import FakeAuth, node


def ask(tmp_path: Path, auth: FakeAuth, target: str, method: str = "GET") -> tuple[int, str]:
    async def main() -> tuple[int, str]:
        async with node(tmp_path) as one:
            one.auth = auth
            status, text, _ = await one.ask(target, method)
            return status, text

    return asyncio.run(main())


@pytest.mark.parametrize("auth", [FakeAuth(user=""), FakeAuth(broken=True)])
@pytest.mark.parametrize("target", ["/healthz", "/pods", "/nothing", "/exec/shop/web/app"])
def test_nobody_is_let_in(tmp_path: Path, auth: FakeAuth, target: str) -> None:
    assert ask(tmp_path, auth, target) == (401, "Unauthorized")


@pytest.mark.parametrize(
    ("target", "method", "verb", "subresources"),
    [
        ("/pods?x=y", "GET", "get", "pods proxy"),
        ("/%70ods", "GET", "get", "pods proxy"),
        ("/exec/shop/web/app", "POST", "create", "proxy"),
        ("/logs/", "GET", "get", "log"),
        ("/nothing", "GET", "get", "proxy"),
    ],
)
def test_who_may_not_is_told_what(tmp_path: Path, target: str, method: str, verb: str, subresources: str) -> None:
    auth = FakeAuth(may=())
    words = f"Forbidden (user=ann, verb={verb}, resource=nodes, subresource(s)=[{subresources}])\n"
    assert ask(tmp_path, auth, target, method) == (403, words)
    assert auth.asked == [(verb, each) for each in subresources.split()]


@pytest.mark.parametrize(("may", "asked"), [(("pods",), 1), (("proxy",), 2)])
def test_either_permission_opens(tmp_path: Path, may: tuple[str, ...], asked: int) -> None:
    auth = FakeAuth(may=may)
    assert ask(tmp_path, auth, "/pods")[0] == 200
    assert len(auth.asked) == asked


def test_trouble_in_judging_is_told(tmp_path: Path) -> None:
    words = "Authorization error (user=ann, verb=get, resource=nodes, subresource=healthz)"
    assert ask(tmp_path, FakeAuth(may=("trouble",)), "/healthz") == (500, words)
