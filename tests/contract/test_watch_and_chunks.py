"""sig-api-machinery: watches of ConfigMaps, and lists in pieces.

Upstream waits ten seconds to see that nothing comes. Here the next thing that does come is what must have come: events
of one watch are in order, so what would have come is not there when a later one is.
"""

import random
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from contract.api import Api, Json, Objects, Refused, Watch, eventually
from contract.conformance import Checks, conformance

KEY = "watch-this-configmap"
SECONDS, SOON = 60, 10
HOURS = 7200
"""How long a watch is to last at least that must not end by itself."""
EXPIRY_SECONDS = 600
TOTAL, PAGE = 400, 17


@pytest.fixture
def configmaps(api: Api, namespace: str) -> Objects:
    """The ConfigMaps of the test's namespace."""
    return api.objects("v1", "ConfigMap", namespace)


def _watch(configmaps: Objects, *values: str, since: str | None = None) -> Watch:
    return configmaps.watch(label=f"{KEY} in ({','.join(values)})", since=since, silence=SECONDS, seconds=HOURS)


def _labelled(name: str, value: str) -> Json:
    return {"metadata": {"name": name, "labels": {KEY: value}}}


def _mutate(configmaps: Objects, name: str, value: str) -> Json:
    return configmaps.change(name, lambda item: item.setdefault("data", {}).update(mutation=value))


def _relabel(configmaps: Objects, name: str, value: str) -> Json:
    return configmaps.change(name, lambda item: item["metadata"]["labels"].update({KEY: value}))


def _sees(changes: Watch, kind: str, item: Json | None = None) -> bool:
    event = next(changes)
    return event["type"] == kind and (item is None or event["object"] == item)


@conformance("Watchers should observe add, update, and delete watch notifications on configmaps")
def test_watchers_with_different_selectors(configmaps: Objects, check: Checks) -> None:
    with _watch(configmaps, "a") as a, _watch(configmaps, "b") as b, _watch(configmaps, "a", "b") as both:
        made = configmaps.create(_labelled("one", "a"))
        check("added", all(_sees(changes, "ADDED", made) for changes in (a, both)))
        first = _mutate(configmaps, "one", "1")
        check("modified", all(_sees(changes, "MODIFIED", first) for changes in (a, both)))
        second = _mutate(configmaps, "one", "2")
        check("modified-again", all(_sees(changes, "MODIFIED", second) for changes in (a, both)))
        configmaps.delete("one")
        check("deleted", all(_sees(changes, "DELETED") for changes in (a, both)))
        other = configmaps.create(_labelled("two", "b"))
        check("not-of-others", _sees(b, "ADDED", other))
        check("other-added", _sees(both, "ADDED", other))
        configmaps.delete("two")
        check("other-deleted", all(_sees(changes, "DELETED") for changes in (b, both)))
        last = configmaps.create(_labelled("three", "a"))
        check("nothing-of-the-other", _sees(a, "ADDED", last))


@conformance("Watchers should be able to start watching from a specific resource version")
def test_watch_from_a_version(configmaps: Objects, check: Checks) -> None:
    configmaps.create(_labelled("one", "from-version"))
    first = _mutate(configmaps, "one", "1")
    second = _mutate(configmaps, "one", "2")
    configmaps.delete("one")
    with _watch(configmaps, "from-version", since=first["metadata"]["resourceVersion"]) as changes:
        check("modified", _sees(changes, "MODIFIED", second))
        check("deleted", _sees(changes, "DELETED"))


@conformance(
    "Watchers should be able to restart watching from the last resource version observed by the previous watch"
)
def test_watch_again(configmaps: Objects, check: Checks) -> None:
    with _watch(configmaps, "restarted") as changes:
        made = configmaps.create(_labelled("one", "restarted"))
        _mutate(configmaps, "one", "1")
        check("added", _sees(changes, "ADDED", made))
        last = next(changes)
        check("modified", last["type"], "MODIFIED")
    second = _mutate(configmaps, "one", "2")
    with _watch(configmaps, "restarted", since=last["object"]["metadata"]["resourceVersion"]) as changes:
        configmaps.delete("one")
        check("modified-meanwhile", _sees(changes, "MODIFIED", second))
        check("deleted", _sees(changes, "DELETED"))


@conformance("Watchers should observe an object deletion if it stops meeting the requirements of the selector")
def test_what_leaves_the_selector_is_deleted(configmaps: Objects, check: Checks) -> None:
    with _watch(configmaps, "to-be-changed") as changes:
        made = configmaps.create(_labelled("one", "to-be-changed"))
        first = _mutate(configmaps, "one", "1")
        _relabel(configmaps, "one", "wrong")
        check("added", _sees(changes, "ADDED", made))
        check("modified", _sees(changes, "MODIFIED", first))
        check("left", _sees(changes, "DELETED"))
        _mutate(configmaps, "one", "2")
        restored = _relabel(configmaps, "one", "to-be-changed")
        third = _mutate(configmaps, "one", "3")
        configmaps.delete("one")
        check("not-seen-outside", _sees(changes, "ADDED", restored))
        check("modified-again", _sees(changes, "MODIFIED", third))
        check("deleted", _sees(changes, "DELETED"))


def _produce(configmaps: Objects, stop: threading.Event) -> None:
    """Make, change and delete ConfigMaps at random."""
    existing: list[str] = []
    number = updates = 0
    while not stop.wait(0.005):
        choice = random.randrange(3) if existing else 0
        if choice == 0:
            existing.append(f"cm-{number}")
            configmaps.create({"metadata": {"name": existing[-1]}})
            number += 1
        elif choice == 1:
            metadata = {"name": random.choice(existing), "labels": {"mutated": str(updates)}}
            configmaps.update({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})
            updates += 1
        else:
            configmaps.delete(existing.pop(random.randrange(len(existing))))


def _next_version(changes: Watch) -> str:
    """The resourceVersion of what comes next, but for bookmarks."""
    event = changes.first(lambda event: event["type"] != "BOOKMARK")
    return str(event["object"]["metadata"]["resourceVersion"])


@conformance("Watchers should receive events on concurrent watches in same order")
def test_watches_agree_on_the_order(configmaps: Objects, check: Checks) -> None:
    since = configmaps.all()["metadata"]["resourceVersion"]
    stop = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        producing = pool.submit(_produce, configmaps, stop)
        watches: list[Watch] = []
        try:
            for _ in range(100):
                watches.append(configmaps.watch(since=since, bookmarks="true", silence=SOON, seconds=HOURS))
                seen = [_next_version(changes) for changes in watches]
                check("same", {*seen}, {seen[0]})
                since = seen[0]
        finally:
            stop.set()
            for changes in watches:
                changes.close()
        producing.result()


@pytest.fixture
def templates(api: Api, namespace: str) -> Objects:
    """Four hundred PodTemplates."""
    return _make_templates(api, namespace)


def _make_templates(api: Api, namespace: str) -> Objects:
    found = api.objects("v1", "PodTemplate", namespace)
    template = {"spec": {"containers": [{"name": "test", "image": "test2"}]}}

    def make(number: int) -> None:
        found.create({"metadata": {"name": f"template-{number:04}"}, "template": template})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(make, range(TOTAL)))
    return found


def _page(templates: Objects, check: Checks, found: int, limit: int, token: str | None) -> Json:
    page = templates.all(limit=limit, next_page=token)
    check("at-most", len(page["items"]) <= limit)
    left = page["metadata"].get("remainingItemCount")
    if page["metadata"].get("continue"):
        check("remaining", (left or 0) + len(page["items"]) + found, TOTAL)
    else:
        check("none-remaining", left, None)
    names = [item["metadata"]["name"] for item in page["items"]]
    check("in-order", names, [f"template-{number:04}" for number in range(found, found + len(names))])
    return page


@conformance("Servers with support for API chunking should return chunks of results for list calls")
def test_lists_in_pieces(templates: Objects, check: Checks) -> None:
    for _ in range(3):
        found, token, versions = 0, None, set()
        while True:
            page = _page(templates, check, found, PAGE, token)
            versions.add(page["metadata"]["resourceVersion"])
            found += len(page["items"])
            token = page["metadata"].get("continue")
            if not token:
                break
        check("one-version", len(versions), 1)
        check("all", found, TOTAL)
    check("at-once", len(templates.items(limit=TOTAL + 1)), TOTAL)


@conformance(
    "Servers with support for API chunking should support continue listing from the last key if the original version"
    " has been compacted away, though the list is inconsistent"
)
def test_lists_go_on_after_their_version(
    own_forgetful: tuple[Path, Callable[[], None]], tmp_path: Path, check: Checks
) -> None:
    kubeconfig, forget = own_forgetful
    api = Api(kubeconfig, tmp_path / "discovery.json")
    namespaces = api.objects("v1", "Namespace")
    name = namespaces.create({"metadata": {"generateName": "contract-"}})["metadata"]["name"]
    try:
        _go_on(api, _make_templates(api, name), forget, check)
    finally:
        namespaces.delete(name)
        api.close()


def _go_on(api: Api, templates: Objects, forget: Callable[[], None], check: Checks) -> None:
    size = TOTAL // 10
    first = _page(templates, check, 0, size, None)
    refused: list[Refused] = []

    def expires() -> bool:
        forget()
        api.objects("v1", "ConfigMap", "default").patch("e2e-forget", {"data": {"x": uuid.uuid4().hex}})
        try:
            templates.all(limit=size, next_page=first["metadata"]["continue"])
        except Refused as error:
            refused.append(error)
        return bool(refused)

    configmaps = api.objects("v1", "ConfigMap", "default")
    configmaps.create({"metadata": {"name": "e2e-forget"}})
    try:
        eventually(expires, EXPIRY_SECONDS, pause=1.0)
    finally:
        configmaps.delete("e2e-forget")
    check("expired", (refused[0].code, refused[0].reason), (410, "Expired"))
    token = refused[0].status["metadata"].get("continue")
    check("new-token", token)
    page = _page(templates, check, size, size, token)
    check("newer", page["metadata"]["resourceVersion"] != first["metadata"]["resourceVersion"])
    check("full", len(page["items"]), size)
    found, versions = 2 * size, set()
    while token := page["metadata"].get("continue"):
        page = _page(templates, check, found, size, token)
        versions.add(page["metadata"]["resourceVersion"])
        found += len(page["items"])
    check("one-version", len(versions), 1)
    check("all", found, TOTAL)
