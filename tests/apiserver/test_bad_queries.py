"""Queries nobody should send: parameters that are none, and ones made to take long or to fill the memory.

Whoever is not let in may send them, too: the query is parsed before anybody is asked who they are. What would take
minutes makes the test time out, what takes long but not for ever is too little to tell from a busy machine.
"""

import base64
from urllib.parse import quote

import orjson
import pytest

from fakes.whole_api import WholeApi, served
from pilothouse.api.machinery.selectors import parse_label_selector
from pilothouse.apiserver.request_info import parse_request_info

MAPS = "/api/v1/namespaces/default/configmaps"
MAP = b'{"metadata":{"name":"x"}}'
VALUES = (
    "", "0", "-1", "9" * 30, "9" * 400, "9" * 5000, "1_0", " 1", "1.5", "0x1", "\u0661", "nan", "true", "Foo", "All",
    "\x00", "a\nb", "a" * 200, "a" * 100_000, "\U0001f600", "[]", "1.5.5s", "9" * 400 + "s", "1e400h",
)  # fmt: skip
PARAMETERS = (
    "limit", "continue", "resourceVersion", "resourceVersionMatch", "timeoutSeconds", "timeout", "sendInitialEvents",
    "allowWatchBookmarks", "pretty", "dryRun", "fieldValidation", "fieldManager", "force", "gracePeriodSeconds",
    "propagationPolicy", "orphanDependents", "labelSelector", "fieldSelector",
)  # fmt: skip


def _token(value: object) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(value)).decode().rstrip("=")


def _forged(start: object, revision: object = 1) -> str:
    return _token({"v": "meta.k8s.io/v1", "rv": revision, "start": start})


TOKENS = (
    "=", "\u00e9", "a" * 100_000, _token("x"), _token([]), _token({}), _token(None), _forged("a", "1"),
    _forged("a", 1.5), _forged("../../secrets/a"), _forged("/a"), _forged(["a"]), _forged("a\0b"),
    _forged("a" * 70_000, -1),
)  # fmt: skip
SELECTORS = (
    "=a", "a in ()", "a in (b", "a>x", "a>" + "9" * 5000, "(", ",", "a=b,,c", "!!", "a=" + "b" * 300, "\u00e9=a",
    "metadata.name=\\x", "!=x", "(" * 50_000, "!" * 50_000, "a " * 50_000, "\\" * 50_000, ",".join(["a=b"] * 25_000),
    "a in (" + ",".join(map(str, range(15_000))) + ")",
)  # fmt: skip


async def _ask(api: WholeApi, method: str, query: str, body: bytes, name: str = "") -> None:
    form = "application/merge-patch+json" if method == "PATCH" else "application/json"
    answer = await api.send(method, f"{MAPS}{name}?{query}", body, {"content-type": form})
    assert answer.status < 500, (method, query[:200], answer.body)
    if answer.status >= 400:
        error = orjson.loads(answer.body)
        assert error["code"] == answer.status
        assert error["reason"], (method, query[:200], answer.body)


@pytest.mark.parametrize("parameter", PARAMETERS)
def test_odd_values_of_a_parameter(parameter: str) -> None:
    async def story(api: WholeApi) -> None:
        await api.send("POST", MAPS, MAP)
        for value in VALUES:
            query = f"{parameter}={quote(value, safe='')}"
            await _ask(api, "GET", query, b"")
            await _ask(api, "GET", f"watch=1&timeoutSeconds=1&{query}", b"")
            await _ask(api, "GET", query, b"", "/x")
            await _ask(api, "POST", query, MAP)
            await _ask(api, "PUT", query, MAP, "/x")
            await _ask(api, "PATCH", query, b"{}", "/x")
            await _ask(api, "DELETE", f"dryRun=All&{query}", b"", "/x")
            await _ask(api, "DELETE", f"dryRun=All&{query}", b"")
        assert (await api.send("GET", f"{MAPS}/x")).status == 200, "it still answers"

    served(story)


def test_continue_tokens_that_nobody_gave() -> None:
    async def story(api: WholeApi) -> None:
        for token in TOKENS:
            for more in ("", "&limit=1", "&resourceVersion=1", "&resourceVersionMatch=Exact"):
                await _ask(api, "GET", f"continue={quote(token, safe='')}{more}", b"")

    served(story)


def test_selectors_that_are_none() -> None:
    async def story(api: WholeApi) -> None:
        await api.send("POST", MAPS, MAP)
        for text in SELECTORS:
            for parameter in ("labelSelector", "fieldSelector"):
                query = f"{parameter}={quote(text, safe='')}"
                await _ask(api, "GET", query, b"")
                await _ask(api, "GET", f"watch=1&timeoutSeconds=1&{query}", b"")

    served(story)


@pytest.mark.parametrize("amount", ["9" * 5000, "0" * 100_000 + "x", "9" * 100_000 + "x", "0." + "1" * 5000])
def test_amounts_that_take_long_to_read(amount: str) -> None:
    claims = "/api/v1/namespaces/default/persistentvolumeclaims"
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": amount}}}

    async def story(api: WholeApi) -> None:
        answer = await api.send("POST", claims, orjson.dumps({"metadata": {"name": "x"}, "spec": spec}))
        assert answer.status == 400, answer.body[:300]

    served(story)


def test_blanks_at_the_end_of_a_selector_are_read_once() -> None:
    """They were looked at again from each of them, which took minutes."""
    assert str(parse_label_selector("a=b" + " \t\r\n" * 30_000)) == "a=b"
    assert str(parse_label_selector(" " * 120_000)) == ""


def test_a_parameter_that_comes_often_is_read_once() -> None:
    """Every value was copied for every further one, before anybody was asked who they are."""
    info = parse_request_info("GET", "/api/v1/pods?" + "a&" * 60_000)
    assert len(info.query["a"]) == 60_000
