from typing import Any

import pytest

from pilothouse.controllers.garbage_collector.graph import (
    NOTHING,
    Graph,
    Identity,
    Node,
    Outcome,
    Owner,
    Seen,
    next_identity,
    partition,
    read_metadata,
)

NS = "ns"


def _id(name: str, namespace: str = NS, kind: str = "A", version: str = "v1") -> Identity:
    return Identity(kind, version, namespace, name, f"uid-{name}")


def _owner(name: str, *, blocks: bool = False, kind: str = "A", version: str = "v1", called: str = "") -> Owner:
    return Owner(kind, version, called or name, f"uid-{name}", blocks)


def _seen(name: str, *owners: Owner | str, namespace: str = NS, **flags: bool) -> Seen:
    read = tuple(_owner(owner) if isinstance(owner, str) else owner for owner in owners)
    return Seen(_id(name, namespace), read, going=any(flags.values()), **flags)


def _graph(*seen: Seen) -> Graph:
    graph = Graph()
    for one in seen:
        graph.observe(one)
    return graph


def _uids(*names: str) -> list[str]:
    return [f"uid-{name}" for name in names]


@pytest.mark.parametrize(
    ("metadata", "seen"),
    [
        ({}, Seen(_id("a"))),
        ({"finalizers": ["orphan", "foregroundDeletion"]}, Seen(_id("a"))),
        ({"deletionTimestamp": "t"}, Seen(_id("a"), going=True)),
        ({"deletionTimestamp": "t", "finalizers": ["orphan"]}, Seen(_id("a"), going=True, orphaning=True)),
        ({"deletionTimestamp": "t", "finalizers": ["foregroundDeletion"]}, Seen(_id("a"), going=True, waiting=True)),
        ({"ownerReferences": [{"apiVersion": "v1", "kind": "A", "name": "o", "uid": "uid-o", "blockOwnerDeletion": True,
                               "controller": True}]}, Seen(_id("a"), (_owner("o", blocks=True),))),
        ({"ownerReferences": [{"apiVersion": "v1", "kind": "A", "name": "o", "uid": "uid-o",
                               "blockOwnerDeletion": None}]}, Seen(_id("a"), (_owner("o"),))),
    ],
)  # fmt: skip
def test_what_matters_of_metadata(metadata: dict[str, Any], seen: Seen) -> None:
    assert read_metadata("v1", "A", {"name": "a", "namespace": NS, "uid": "uid-a", **metadata}) == seen


def test_an_owner_not_seen_is_virtual_until_it_is() -> None:
    graph = Graph()
    outcome = graph.observe(_seen("a", "o"))
    assert list(outcome.delete) == _uids("o")
    assert graph.nodes["uid-o"].virtual
    assert graph.nodes["uid-o"].identity == _id("o")
    assert graph.observe(_seen("b", "o")) == Outcome()
    assert graph.observe(_seen("o")) == Outcome()
    assert not graph.nodes["uid-o"].virtual
    assert [node.identity for node in graph.dependents("uid-o")] == [_id("a"), _id("b")]


def test_an_owner_that_nobody_claims_any_more_is_nothing() -> None:
    graph = _graph(_seen("a", "o"), _seen("b", "o"))
    graph.remove("uid-a")
    assert graph.nodes["uid-o"].virtual
    graph.observe(_seen("b"))
    assert [*graph.nodes] == ["uid-b"]
    graph = _graph(_seen("o"), _seen("a", "o"))
    graph.remove("uid-a")
    assert [*graph.nodes] == ["uid-o"]


def test_what_has_not_changed_asks_for_nothing() -> None:
    graph = _graph(_seen("a", "o"), _seen("o", waiting=True))
    assert graph.observe(_seen("o", waiting=True)) is NOTHING
    assert graph.observe(_seen("a", "o")) is NOTHING
    assert graph.remove("uid-never-seen") is NOTHING
    assert graph.deny(_id("never seen")) is NOTHING
    assert Outcome() == NOTHING


def test_siblings_share_their_references() -> None:
    graph = _graph(_seen("o"), _seen("a", "o"), _seen("b", "o"), _seen("c", _owner("o", blocks=True)))
    a, b, c = (graph.nodes[uid].owners for uid in _uids("a", "b", "c"))
    assert a is b
    assert c != a


def test_dependents_of_what_is_gone_are_looked_at() -> None:
    graph = _graph(_seen("o"), _seen("a", "o"), _seen("b", "o", "p"), _seen("p"))
    outcome = graph.remove("uid-o")
    assert outcome == Outcome(delete=dict.fromkeys(_uids("a", "b")), absent=[_id("o")])
    assert graph.remove("uid-a") == Outcome()
    assert graph.observe(_seen("b", "p")) == Outcome()
    assert graph.dependents("uid-o") == []


@pytest.mark.parametrize(
    ("flags", "delete", "orphan"),
    [
        ({"waiting": True}, ["a", "b", "o"], []),
        ({"orphaning": True}, [], ["o"]),
        ({"going": True}, [], []),
    ],
)
def test_an_owner_that_is_going(flags: dict[str, bool], delete: list[str], orphan: list[str]) -> None:
    graph = _graph(_seen("o"), _seen("a", "o"), _seen("b", "o"))
    seen = Seen(_id("o"), (), **{"going": True, **flags})
    outcome = graph.observe(seen)
    assert (list(outcome.delete), outcome.orphan) == (_uids(*delete), _uids(*orphan))
    fresh = _graph(_seen("a", "o"), _seen("b", "o"))
    outcome = fresh.observe(seen)
    assert (list(outcome.delete), outcome.orphan) == (_uids(*delete), _uids(*orphan))


def test_who_waits_is_looked_at_when_nothing_blocks_it_any_more() -> None:
    blocks = _owner("o", blocks=True)
    graph = _graph(_seen("o"), *(_seen(name, blocks) for name in "abc"), _seen("d", "o"), _seen("o", waiting=True))
    assert [node.identity.name for node in graph.blocking("uid-o")] == ["a", "b", "c"]
    assert graph.remove("uid-a") == Outcome()
    assert graph.observe(_seen("b", "o")) == Outcome()
    assert list(graph.observe(_seen("c")).delete) == _uids("o")
    assert not graph.is_blocked("uid-o")
    assert list(graph.observe(_seen("late", blocks)).delete) == _uids("late")
    assert graph.is_blocked("uid-o")
    assert list(graph.remove("uid-late").delete) == _uids("o")


def test_who_waits_for_whom() -> None:
    def chain(*links: str) -> Graph:
        """Each link is an object and those that it blocks; capitals wait."""
        return _graph(
            *(
                Seen(
                    _id(link[0].lower()),
                    tuple(_owner(name, blocks=True) for name in link[1:]),
                    going=link[0].isupper(),
                    waiting=link[0].isupper(),
                )
                for link in links
            )
        )

    for links, found in (
        (("A", "Ba", "cb"), False),
        (("Aa",), True),
        (("Ab", "Ba"), True),
        (("Ab", "ba"), False),
        (("Ac", "Ba", "Cb", "Da"), True),
        (("A", "Bac", "Cb"), False),
    ):
        assert chain(*links).waits_for_itself("uid-a") is found, links


def test_who_does_not_wait_is_left_alone_when_dependents_go() -> None:
    graph = _graph(_seen("o"), _seen("a", _owner("o", blocks=True)))
    assert graph.observe(_seen("a")) == Outcome()
    graph.observe(_seen("b", _owner("o", blocks=True)))
    assert graph.remove("uid-b") == Outcome()


@pytest.mark.parametrize(
    ("dependent", "doubtful", "misplaced"),
    [
        (_seen("a", "o"), False, False),
        (_seen("a", "o", namespace="else"), True, True),
        (_seen("a", _owner("o", called="x")), True, False),
        (_seen("a", _owner("o", kind="X")), True, False),
        (_seen("a", _owner("o", version="v2")), True, False),
        (_seen("a", "o", namespace=""), True, True),
    ],
)
def test_references_that_do_not_fit_their_owner(dependent: Seen, doubtful: bool, misplaced: bool) -> None:
    """The order in which the two are seen does not matter."""
    claim = dependent.owners[0].within(dependent.identity.namespace)
    expected = Outcome(
        delete=dict.fromkeys(_uids("a") if doubtful else []),
        misplaced=[(dependent.identity, claim)] if misplaced else [],
    )
    assert _graph(_seen("o")).observe(dependent) == expected
    assert _graph(dependent).observe(_seen("o")) == expected


def test_a_cluster_scoped_owner_fits_dependents_anywhere() -> None:
    graph = _graph(_seen("o", namespace=""))
    for namespace in ("", "x", "y"):
        assert graph.observe(_seen(f"a{namespace}", "o", namespace=namespace)) == Outcome()


def test_a_virtual_owner_claimed_from_nowhere_is_in_doubt_for_those_in_namespaces() -> None:
    graph = _graph(_seen("a", "o", namespace=""))
    assert list(graph.observe(_seen("b", "o")).delete) == _uids("b")


def test_what_the_server_denies_is_gone() -> None:
    graph = _graph(_seen("a", "o"), _seen("b", "o"))
    assert graph.deny(_id("o")) == Outcome(delete=dict.fromkeys(_uids("a", "b")), absent=[_id("o")])
    assert "uid-o" not in graph.nodes
    graph = _graph(_seen("o"), _seen("a", "o"))
    assert graph.deny(_id("o")).absent == [_id("o")]


def test_a_virtual_owner_about_whom_dependents_disagree_is_tried_under_each_name() -> None:
    graph = _graph(_seen("a", "o"), _seen("b", "o", namespace="other"))
    outcome = graph.deny(_id("o"))
    assert outcome == Outcome(delete=dict.fromkeys(_uids("a")), again=_uids("o"), absent=[_id("o")])
    assert graph.nodes["uid-o"].identity == _id("o", "other")
    assert graph.deny(_id("o")) == Outcome(delete=dict.fromkeys(_uids("a")), absent=[_id("o")])
    outcome = graph.deny(_id("o", "other"))
    assert outcome == Outcome(delete=dict.fromkeys(_uids("b")), again=_uids("o"), absent=[_id("o", "other")])
    graph.remove("uid-a")
    assert graph.deny(_id("o", "other")).absent == [_id("o", "other")]
    assert "uid-o" not in graph.nodes


def test_a_real_owner_is_not_gone_because_a_false_name_of_it_is() -> None:
    graph = _graph(_seen("o"), _seen("a", "o", namespace="other"), _seen("b", "o"))
    outcome = graph.deny(_id("o", "other"))
    assert outcome == Outcome(delete=dict.fromkeys(_uids("a")), absent=[_id("o", "other")])
    assert graph.nodes["uid-o"].identity == _id("o")


def test_those_who_agree_and_those_who_do_not() -> None:
    agrees = Node(_id("a"), (_owner("o"),))
    elsewhere = Node(_id("b", "x"), (_owner("o"),))
    otherwise = Node(_id("c"), (_owner("o", called="z"),))
    both = Node(_id("d"), (_owner("o"), _owner("o", called="z"), _owner("p")))
    nodes = [agrees, elsewhere, otherwise, both]
    assert partition(nodes, _id("o")) == ([agrees, both], [elsewhere, otherwise, both])
    assert partition(nodes, _id("o", "")) == ([agrees, elsewhere, both], [otherwise, both])


@pytest.mark.parametrize(
    ("denied", "found"),
    [
        (_id("m"), ("B", "ns2")),
        (_id("m", kind="B"), ("B", "ns2")),
        (_id("m", "ns2", kind="B"), ("A", NS)),
        (_id("m", kind="Z"), ("A", NS)),
        (_id("m", "", kind="A"), ("B", "ns2")),
    ],
)
def test_the_next_name_to_try(denied: Identity, found: tuple[str, str]) -> None:
    nodes = [Node(_id("a"), (_owner("m"), _owner("x"))), Node(_id("b", "ns2"), (_owner("m", kind="B"),))]
    following = next_identity(nodes, denied)
    assert following is not None
    assert (following.kind, following.namespace) == found
    assert next_identity(nodes[:1], _id("m")) is None


def test_what_watches_have_shown_of_a_kind() -> None:
    graph = Graph()
    for version in ("g/v1", "g/v2", "h/v1", "v1"):
        graph.observe(Seen(_id(version, version=version)))
    graph.observe(Seen(_id("b", kind="B", version="g/v1"), (_owner("virtual", version="g/v1"),)))
    assert [node.identity.name for node in graph.of_kind("g", "A")] == ["g/v1", "g/v2"]
    assert [node.identity.name for node in graph.of_kind("", "A")] == ["v1"]


def test_another_version_of_the_same_object_is_the_same_object() -> None:
    graph = _graph(_seen("o"), _seen("a", "o"))
    graph.observe(Seen(_id("o", version="v2")))
    assert graph.nodes["uid-o"].identity.api_version == "v2"
    assert [node.identity.name for node in graph.dependents("uid-o")] == ["a"]
