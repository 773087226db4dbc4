from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.discovery_v1 import EndpointSlice
from pilothouse.controllers.endpointslice.endpoint import Group, PortKey, identity, port_key
from pilothouse.controllers.endpointslice.packing import MANAGED_BY, SERVICE_NAME, TRIGGER_TIME, Mould, plan_slices

OWNER = {"apiVersion": "v1", "kind": "Service", "name": "web", "uid": "uid-web", "controller": True}
LABELS = {SERVICE_NAME: "web", MANAGED_BY: "me"}
MOULD = Mould("web", "ns", OWNER, LABELS)
HTTP = {"name": "http", "port": 80, "protocol": "TCP"}
ALT = {"name": "http", "port": 81, "protocol": "TCP"}


def _endpoint(name: str, *, ready: bool = True) -> JsonObject:
    target = {"kind": "Pod", "namespace": "ns", "name": name, "uid": f"uid-{name}"}
    return {"addresses": [f"ip-{name}"], "conditions": {"ready": ready}, "targetRef": target}


def _group(names: Iterable[str], *ports: JsonObject, unready: Iterable[str] = ()) -> dict[PortKey, Group]:
    endpoints = [_endpoint(name, ready=name not in unready) for name in names]
    group = Group([*ports], {identity(endpoint): endpoint for endpoint in endpoints})
    return {port_key([*ports]): group}


def _piece(name: str, names: Iterable[str], *ports: JsonObject, **meta: Any) -> EndpointSlice:
    whole = {"name": name, "namespace": "ns", "uid": name, "resourceVersion": "7", "labels": LABELS,
             "ownerReferences": [OWNER], **meta}  # fmt: skip
    endpoints = [_endpoint(one) for one in names]
    return EndpointSlice({"metadata": whole, "addressType": "IPv4", "endpoints": endpoints, "ports": [*ports]})


def _short(manifest: Mapping[str, Any]) -> tuple[str, str]:
    """The name of a slice, and its endpoints' in one word."""
    names = "".join(endpoint["targetRef"]["name"] for endpoint in manifest["endpoints"])
    return manifest["metadata"].get("name", "new"), names


FULL, PART = _piece("full", "abcd", HTTP), _piece("part", "ef", HTTP)
FOREIGN = _piece("foreign", "a", HTTP, ownerReferences=[{**OWNER, "uid": "older"}])


@pytest.mark.parametrize(
    ("existing", "groups", "create", "update", "delete"),
    [
        pytest.param([], _group("abc", HTTP), [("new", "abc")], [], [], id="the first slice"),
        pytest.param([], _group("abcdefghi", HTTP), [("new", "abcd"), ("new", "efgh"), ("new", "i")], [], [],
                     id="as many as it takes"),
        pytest.param([FULL, PART], _group("abcdef", HTTP), [], [], [], id="nothing to do"),
        pytest.param([FULL, PART], _group("fedcba", HTTP), [], [], [], id="order does not matter"),
        pytest.param([FULL, PART], _group("abcdefg", HTTP), [], [("part", "efg")], [], id="room in one"),
        pytest.param([FULL, PART], _group("abcdefghi", HTTP), [("new", "ghi")], [], [],
                     id="not room for all: a new slice, and none is touched"),
        pytest.param([FULL, PART], _group("abcef", HTTP), [], [("full", "abc")], [], id="one went"),
        pytest.param([FULL, PART], _group("abcefg", HTTP), [], [("full", "abcg")], [],
                     id="what is written anyway is filled first"),
        pytest.param([FULL, PART], _group("abcefghi", HTTP), [], [("full", "abcg"), ("part", "efhi")], [],
                     id="then what has room"),
        pytest.param([FULL, PART], _group("abcd", HTTP), [], [], ["part"], id="an empty one goes"),
        pytest.param([FULL, PART], _group("abcdghijk", HTTP), [("new", "ghij")], [("part", "k")], [],
                     id="what would be created replaces what would be deleted"),
        pytest.param([PART], _group("efg", ALT), [], [("part", "efg")], [], id="other ports, the same slice"),
        pytest.param([PART, FULL], _group("abcex", HTTP), [], [("part", "e"), ("full", "abcx")], [],
                     id="the fullest of those written is filled first"),
        pytest.param([_piece("one", "g", HTTP), PART], _group("gefx", HTTP), [], [("part", "efx")], [],
                     id="the fullest of those with room is chosen"),
        pytest.param([PART, FULL], {}, [], [("part", "")], ["full"], id="none left: a placeholder"),
        pytest.param([_piece("p", "", labels={})], {}, [], [("p", "")], [], id="a placeholder has labels"),
        pytest.param([_piece("p", "")], {}, [], [], [], id="the placeholder stays"),
        pytest.param([_piece("p", "", HTTP)], {}, [], [("p", "")], [], id="a placeholder has no ports"),
        pytest.param([], {}, [("new", "")], [], [], id="a placeholder at once"),
        pytest.param([FOREIGN], _group("a", HTTP), [("new", "a")], [], ["foreign"], id="of an older owner"),
        pytest.param([FOREIGN], {}, [("new", "")], [], ["foreign"], id="of an older owner, with nothing to publish"),
        pytest.param([_piece("l", "a", HTTP, labels={**LABELS, "x": "y"})], _group("a", HTTP), [], [("l", "a")], [],
                     id="other labels"),
        pytest.param([FULL, _piece("twice", "ae", HTTP)], _group("abcde", HTTP), [], [("twice", "e")], [],
                     id="published twice"),
        pytest.param([_piece("over", "abcdef", HTTP)], _group("abcdefg", HTTP), [("new", "g")], [], [],
                     id="more than we would put in"),
    ],
)  # fmt: skip
def test_plans(
    existing: list[EndpointSlice], groups: dict[PortKey, Group], create: Any, update: Any, delete: list[str]
) -> None:
    changes = plan_slices(MOULD, "IPv4", groups, existing, 4)
    assert [_short(manifest) for manifest in changes.create] == create
    assert [_short(manifest) for manifest in changes.update] == update
    assert [piece.metadata.name for piece in changes.delete] == delete


def test_pods_with_other_ports_have_other_slices() -> None:
    changes = plan_slices(MOULD, "IPv4", {**_group("ab", HTTP), **_group("c", ALT), **_group("d")}, [], 4)
    assert [(_short(made)[1], made["ports"]) for made in changes.create] == [("ab", [HTTP]), ("c", [ALT]), ("d", [])]


def test_a_change_of_state_is_written() -> None:
    changes = plan_slices(MOULD, "IPv4", _group("abcdef", HTTP, unready="f"), [FULL, PART], 4)
    (written,) = changes.update
    assert [endpoint["conditions"]["ready"] for endpoint in written["endpoints"]] == [True, False]
    assert written["metadata"]["resourceVersion"] == "7"


def test_the_revision_of_a_pod_is_not() -> None:
    raw = FULL.literal()
    raw["endpoints"][0]["targetRef"]["resourceVersion"] = "12"
    assert not plan_slices(MOULD, "IPv4", _group("abcd", HTTP), [EndpointSlice(raw)], 4)


def test_a_new_slice_is_whole() -> None:
    (made,) = plan_slices(MOULD, "IPv6", _group("a", HTTP), [], 4).create
    assert made == {
        "metadata": {"generateName": "web-", "namespace": "ns", "labels": LABELS, "annotations": {},
                     "ownerReferences": [OWNER]},
        "addressType": "IPv6", "endpoints": [_endpoint("a")], "ports": [HTTP],
    }  # fmt: skip


def test_an_old_trigger_time_is_not_kept_but_other_annotations_are() -> None:
    known = _piece("part", "ef", HTTP, annotations={TRIGGER_TIME: "2026-01-01T00:00:00Z", "mine": "yes"})
    (written,) = plan_slices(MOULD, "IPv4", _group("e", HTTP), [known], 4).update
    assert written["metadata"]["annotations"] == {"mine": "yes"}
    demanding = Mould("web", "ns", OWNER, LABELS, {"asked": "for"})
    (written,) = plan_slices(demanding, "IPv4", _group("ef", HTTP), [known], 4).update
    assert written["metadata"]["annotations"] == {"asked": "for"}


class _Slices:
    """A store of slices, to which plans are applied."""

    def __init__(self) -> None:
        self.pieces: dict[str, EndpointSlice] = {}
        self._count = 0

    def apply(self, groups: dict[PortKey, Group], most: int) -> int:
        """Plan and write; returns how many writes it took."""
        changes = plan_slices(MOULD, "IPv4", groups, [*self.pieces.values()], most)
        for manifest in changes.create:
            self._count += 1
            name = f"web-{self._count}"
            meta = {**manifest["metadata"], "name": name, "uid": name, "resourceVersion": "1"}
            self.pieces[name] = EndpointSlice({**manifest, "metadata": meta})
        for manifest in changes.update:
            assert manifest["metadata"]["name"] in self.pieces
            self.pieces[manifest["metadata"]["name"]] = EndpointSlice(manifest)
        for piece in changes.delete:
            del self.pieces[piece.metadata.name]
        return len(changes.create) + len(changes.update) + len(changes.delete)

    def published(self) -> Counter[tuple[str, bool, PortKey]]:
        return Counter(
            (endpoint["targetRef"]["name"], endpoint["conditions"]["ready"], port_key(piece.raw["ports"]))
            for piece in self.pieces.values()
            for endpoint in piece.raw["endpoints"]
        )


_PORTS = ((), (HTTP,), (ALT, HTTP))
_PODS = st.dictionaries(st.sampled_from("abcdefghijklmnopqrst"), st.tuples(st.integers(0, 2), st.booleans()))


@given(st.lists(_PODS, min_size=1, max_size=8), st.integers(1, 5))
def test_whatever_comes_and_goes_each_endpoint_is_published_once(
    history: list[dict[str, tuple[int, bool]]], most: int
) -> None:
    slices = _Slices()
    for pods in history:
        groups: dict[PortKey, Group] = {}
        for number, ports in enumerate(_PORTS):
            names = [name for name, (at, _) in pods.items() if at == number]
            if names:
                groups |= _group(names, *ports, unready=[name for name, (_, ready) in pods.items() if not ready])
        slices.apply(groups, most)
        wanted = {(name, ready, port_key([*_PORTS[number]])) for name, (number, ready) in pods.items()}
        assert slices.published() == Counter(wanted)
        assert all(len(piece.endpoints) <= most for piece in slices.pieces.values())
        assert slices.apply(groups, most) == 0
        assert slices.pieces


def test_of_a_thousand_endpoints_one_costs_one_write() -> None:
    slices, names = _Slices(), [f"p{number}" for number in range(1000)]
    assert slices.apply(_group(names, HTTP), 100) == 10
    assert slices.apply(_group(names, HTTP, unready=["p500"]), 100) == 1
    assert slices.apply(_group([*names[1:], "new"], HTTP, unready=["p500"]), 100) == 1
