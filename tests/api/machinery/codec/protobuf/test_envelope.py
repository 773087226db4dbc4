"""What stands around messages."""

from pilothouse.api.machinery.codec.protobuf import decode, decode_list, encode, list_of, message, sealed, watch_event
from pilothouse.api.machinery.codec.protobuf.wire import entries

MAP = {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "a"}, "data": {"k": "v"}}


def test_the_bytes_of_a_body() -> None:
    assert encode({"kind": "Eviction", "apiVersion": "policy/v1", "metadata": {}})[:24] == (
        b"k8s\x00\x0a\x15\x0a\x09policy/v1\x12\x08Evict"
    )
    assert encode(MAP).endswith(b"\x1a\x00\x22\x00"), "contentEncoding and contentType"


def test_a_list_is_made_of_messages_that_are_there() -> None:
    items = [message("core.v1.ConfigMap", MAP), message("core.v1.ConfigMap", {})]
    body = sealed("v1", "ConfigMapList", list_of({"resourceVersion": "7", "remainingItemCount": 3}, items))
    inner = {name: value for name, value in MAP.items() if name not in ("kind", "apiVersion")}
    assert decode(body) == {
        "kind": "ConfigMapList",
        "apiVersion": "v1",
        "metadata": {"resourceVersion": "7", "remainingItemCount": 3},
        "items": [inner, {"metadata": {}}],
    }
    assert body == encode(decode(body))


def test_an_event_of_a_watch_has_its_length_in_front() -> None:
    frame = watch_event("ADDED", encode(MAP))
    assert int.from_bytes(frame[:4], "big") == len(frame) - 4
    kind, inner = [value for _, _, value in entries(frame[4:])]
    assert kind == b"ADDED"
    assert isinstance(inner, bytes)
    ((number, _, raw),) = entries(inner)
    assert number == 1
    assert isinstance(raw, bytes)
    assert decode(raw) == MAP


def test_a_list_is_decoded_item_by_item() -> None:
    items = [{"metadata": {"name": name}, "data": {"a": name}} for name in "abc"]
    pods = {"kind": "ConfigMapList", "apiVersion": "v1", "metadata": {"resourceVersion": "7"}, "items": items}
    for sent in (pods, {**pods, "items": []}):
        body = encode(sent)
        found = decode_list(body)
        assert found is not None
        head, each = found
        assert "items" not in head
        several = list(each)
        assert (several, {**head, **({"items": several} if several else {})}) == (sent["items"], decode(body))
    assert decode_list(encode({"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "a"}})) is None
