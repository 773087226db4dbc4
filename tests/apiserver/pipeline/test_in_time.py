"""While a long body is decoded others are answered, whatever its form; a short one is decoded at once."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from fakes.whole_api import JSON, WholeApi, served
from pilothouse.api.machinery.codec import json, protobuf, yaml
from pilothouse.apiserver.pipeline.in_time import QUICK_JSON, QUICK_PROTOBUF, QUICK_YAML
from pilothouse.runtime.slow_lane import SlowLane

MAPS = "/api/v1/namespaces/default/configmaps"
LARGE = {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "m"}, "data": {"a": "b" * QUICK_JSON}}
OPTIONS = {"kind": "DeleteOptions", "apiVersion": "v1", "dryRun": ["All"] * QUICK_JSON}
YAML = b"metadata: {name: m}\ndata: {a: %s}" % (b"b" * QUICK_YAML)
SENT: dict[str, tuple[Any, str, str, str, bytes, str]] = {
    "json": (json, "decode", "POST", "", orjson.dumps(LARGE), "application/json"),
    "put": (json, "decode", "PUT", "/m", orjson.dumps(LARGE), "application/json"),
    "yaml": (yaml, "decode", "POST", "", YAML, "application/yaml"),
    "protobuf": (protobuf, "decode", "POST", "", protobuf.encode(LARGE), protobuf.MEDIA_TYPE),
    "merge": (json, "decode", "PATCH", "/m", orjson.dumps(LARGE), "application/merge-patch+json"),
    "apply": (
        yaml, "decode", "PATCH", "/m?fieldManager=f", b"kind: ConfigMap\napiVersion: v1\n" + YAML,
        "application/apply-patch+yaml",
    ),
    "options": (json, "decode", "DELETE", "/m", orjson.dumps(OPTIONS), "application/json"),
}  # fmt: skip


class _Held:
    """A function that goes on when it is told to."""

    def __init__(self, real: Callable[..., Any]) -> None:
        self.real = real
        self.begun, self.proceed = threading.Event(), threading.Event()

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        self.begun.set()
        assert self.proceed.wait(20), "the loop does not run on"
        return self.real(*arguments, **options)


@pytest.mark.parametrize("sent", SENT)
def test_others_are_answered_while_a_long_body_is_decoded(sent: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module, name, method, target, body, form = SENT[sent]

    async def story(api: WholeApi) -> None:
        if target:
            assert (await api.send("POST", MAPS, b'{"metadata":{"name":"m"}}')).status == 201
        held = _Held(getattr(module, name))
        monkeypatch.setattr(module, name, held)
        async with asyncio.TaskGroup() as group:
            slow = group.create_task(api.send(method, MAPS + target, body, {"content-type": form}))
            while not held.begun.is_set():
                await api.server.clock.sleep(0)
            assert (await api.send("GET", MAPS)).status == 200
            assert not slow.done()
            held.proceed.set()
        assert slow.result().status in (200, 201), slow.result().body

    served(story)


def test_short_bodies_stay_where_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[object] = []
    real = SlowLane.run

    async def run(lane: SlowLane, work: Callable[[], Any]) -> Any:
        ran.append(work)
        return await real(lane, work)

    monkeypatch.setattr(SlowLane, "run", run)

    def value(size: int) -> dict[str, Any]:
        return {**LARGE, "data": {"a": "b" * size}}

    async def story(api: WholeApi) -> None:
        for body, form in (
            (orjson.dumps(value(QUICK_JSON - 200)), JSON["content-type"]),
            (protobuf.encode(value(QUICK_PROTOBUF - 200)), protobuf.MEDIA_TYPE),
            (orjson.dumps(value(QUICK_YAML - 200)), "application/yaml"),
        ):
            assert (await api.send("POST", f"{MAPS}?dryRun=All", body, {"content-type": form})).status == 201
            assert not ran
        assert (await api.send("POST", MAPS, orjson.dumps(value(QUICK_JSON)))).status == 201
        assert len(ran) == 1

    served(story)


def test_what_is_wrong_with_a_long_body_is_told_as_with_a_short_one() -> None:
    async def story(api: WholeApi) -> None:
        for blanks in (0, QUICK_JSON):
            body = b'{"metadata":{"name":"m"},"data":{"a":1}%s}' % (b" " * blanks)
            answer = await api.send("POST", MAPS, body)
            assert answer.status == 400
            assert orjson.loads(answer.body)["message"] == (
                'ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal number into Go '
                "struct field ConfigMap.data of type string"
            )

    served(story)
