from pilothouse.api.types.discovery_v1 import EndpointSlice
from pilothouse.client.key import Key
from pilothouse.controllers.endpointslice.tracker import SliceTracker

WEB = Key("ns", "web")


def _piece(uid: str, version: int) -> EndpointSlice:
    return EndpointSlice({"metadata": {"name": uid, "namespace": "ns", "uid": uid, "resourceVersion": str(version)}})


def test_a_copy_is_stale_until_it_shows_what_was_written() -> None:
    tracker = SliceTracker()
    assert not tracker.is_stale(WEB, "u", [])
    tracker.wrote(WEB, _piece("a", 10))
    assert tracker.is_stale(WEB, "u", [])
    assert tracker.is_stale(WEB, "u", [_piece("a", 9)])
    assert not tracker.is_stale(WEB, "u", [_piece("a", 10)])
    assert not tracker.is_stale(WEB, "u", [_piece("a", 11), _piece("b", 3)])


def test_a_copy_is_stale_while_it_shows_what_was_deleted() -> None:
    tracker = SliceTracker()
    tracker.deleted(WEB, _piece("a", 10))
    assert tracker.is_stale(WEB, "u", [_piece("a", 10)])
    assert not tracker.is_stale(WEB, "u", [])


def test_an_owner_of_the_same_name_begins_anew() -> None:
    tracker = SliceTracker()
    tracker.is_stale(WEB, "u", [])
    tracker.wrote(WEB, _piece("a", 10))
    assert not tracker.is_stale(WEB, "another", [])
    tracker.wrote(WEB, _piece("b", 12))
    tracker.forget(WEB)
    assert not tracker.is_stale(WEB, "another", [])


def test_others_writes_are_news() -> None:
    tracker = SliceTracker()
    tracker.wrote(WEB, _piece("a", 10))
    assert not tracker.is_news(WEB, _piece("a", 10))
    assert tracker.is_news(WEB, _piece("a", 11))
    assert tracker.is_news(WEB, _piece("b", 5))
    assert tracker.is_news(Key("ns", "db"), _piece("a", 10))


def test_who_deleted_it() -> None:
    tracker = SliceTracker()
    tracker.deleted(WEB, _piece("a", 10))
    tracker.wrote(WEB, _piece("b", 11))
    assert tracker.gone(WEB, _piece("a", 10))
    assert not tracker.gone(WEB, _piece("b", 11))
    assert not tracker.gone(WEB, _piece("c", 12))
    assert not tracker.is_stale(WEB, "u", [])
