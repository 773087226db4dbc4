"""Manifests behind a URL."""

import asyncio
from collections.abc import Sequence

import orjson
import pytest

from kubelet.static_pods.standing import manifest
from kubelet.web import answer, unused_port, web
from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.static_pods import url
from pilothouse.kubelet.static_pods.config import StaticPods
from pilothouse.kubelet.static_pods.url import ManifestUrl
from pilothouse.runtime.clock import SystemClock
from pilothouse.runtime.tasks import Tasks

CLOCK = SystemClock()


async def told(answers: dict[str, bytes], times: int = 1, **config: object) -> tuple[list[list[str]], list[list[str]]]:
    """What was told and asked in so many rounds; `answers` may be changed by what is told."""
    heard: list[list[str]] = []
    async with web(answers) as server:
        fast = {"url": f"http://127.0.0.1:{server.port}/pods", "http_check_frequency": 0.01, **config}
        follower = ManifestUrl(StaticPods(**fast), "n1", CLOCK)  # type: ignore[arg-type]

        def tell(pods: Sequence[Pod]) -> None:
            heard.append([pod.metadata.name for pod in pods])

        async with Tasks() as tasks:
            tasks.spawn(follower.follow(tell), name="follow")
            async with CLOCK.timeout(20):
                while len(server.asked) <= times:
                    await CLOCK.sleep(0.005)
            tasks.cancel_all()
        return heard, server.lines


def pods(*names: str) -> str:
    items = [manifest(name=name) for name in names]
    return orjson.dumps({"apiVersion": "v1", "kind": "PodList", "items": items}).decode()


@pytest.mark.parametrize(
    ("reply", "heard"),
    [
        (answer(200, orjson.dumps(manifest()).decode()), [["web-n1"]]),
        (answer(200, pods("a", "b")), [["a-n1", "b-n1"]]),
        (answer(200, pods()), [[]]),
        (answer(404, pods("a")), []),
        (answer(500), []),
        (answer(200, "nonsense"), []),
        (answer(200, pods("a", "")), []),
    ],
)
def test_what_is_told(reply: bytes, heard: list[list[str]]) -> None:
    found, _ = asyncio.run(told({"/pods": reply}, times=3))
    assert found == heard


def test_no_bytes_are_no_pods() -> None:
    found, _ = asyncio.run(told({"/pods": answer(200)}))
    assert found[0] == []


def test_headers_are_sent_and_redirects_followed() -> None:
    answers = {"/pods": answer(302, Location="/others"), "/others": answer(200, pods("a"))}
    found, asked = asyncio.run(told(answers, times=2, url_header={"X-Key": ("one", "two")}))
    assert found == [["a-n1"]]
    assert asked[0][0] == "GET /pods HTTP/1.1"
    assert asked[1][0] == "GET /others HTTP/1.1"
    assert all(line in asked[1] for line in ("X-Key: one", "X-Key: two", "User-Agent: kubelet/v1.37"))


@pytest.mark.parametrize(
    "place", ["http://[::1", "http://localhost:99999/", f"http://{'a' * 64}.example/", "http://a..b/"]
)
def test_a_redirect_that_leads_nowhere_is_no_news(place: str) -> None:
    found, _ = asyncio.run(told({"/pods": answer(302, Location=place)}, times=3))
    assert found == []


def test_what_is_for_the_host_is_not_sent_to_another() -> None:
    async def main() -> None:
        async with web({"/others": answer(200, pods("a"))}) as other:
            answers = {"/pods": answer(302, Location=f"http://localhost:{other.port}/others")}
            await told(answers, times=1, url_header={"X-Key": ("secret",)})
            assert not [line for lines in other.lines for line in lines if "secret" in line]
            assert other.asked

    asyncio.run(main())


def test_too_much_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(url, "LIMIT", 20)
    found, _ = asyncio.run(told({"/pods": answer(200, pods("a"))}))
    assert found == []


def test_nobody_there_is_no_news() -> None:
    async def main() -> None:
        config = StaticPods(url=f"http://127.0.0.1:{await unused_port()}/", http_check_frequency=0.01)
        heard: list[Sequence[Pod]] = []
        async with Tasks() as tasks:
            follower = ManifestUrl(config, "n1", CLOCK)
            tasks.spawn(follower.follow(heard.append), name="follow")
            async with CLOCK.timeout(20):
                while follower._failures < 5:
                    await CLOCK.sleep(0.005)
            tasks.cancel_all()
        assert heard == []

    asyncio.run(main())
