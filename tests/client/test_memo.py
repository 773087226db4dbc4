import gc

from pilothouse.api.catalogue import builtin
from pilothouse.api.types.core_v1 import Node, Pod
from pilothouse.client.memo import Memo


def test_entries_live_as_long_as_somebody_holds_them() -> None:
    memo = Memo()
    resource = builtin().of(Pod)
    first = memo.view(resource, {"metadata": {"name": "a", "namespace": "b", "resourceVersion": "1"}})
    again = memo.view(resource, {"metadata": {"name": "a", "namespace": "b", "resourceVersion": "1"}})
    other = memo.view(resource, {"metadata": {"name": "a", "namespace": "b", "resourceVersion": "2"}})
    assert again is first
    assert other is not first
    assert len(memo) == 2
    del first, again
    gc.collect()
    assert len(memo) == 1


def test_without_a_revision_nothing_is_remembered() -> None:
    memo = Memo()
    view = memo.view(builtin().of(Pod), {"metadata": {"name": "a"}})
    assert view.metadata.name == "a"
    assert len(memo) == 0


def test_the_same_bytes_are_decoded_once() -> None:
    memo = Memo()
    resource = builtin().of(Pod)
    first = memo.read(resource, b'{"metadata":{"name":"a"}}')
    assert first.metadata.name == "a"
    assert memo.read(resource, bytes(bytearray(b'{"metadata":{"name":"a"}}'))) is first
    assert memo.read(builtin().of(Node), b'{"metadata":{"name":"a"}}').metadata.name == "a"
    assert memo.read(resource, b'{"metadata":{"name":"b"}}') is not first


def test_few_bytes_are_remembered_and_none_that_are_many() -> None:
    memo = Memo()
    resource = builtin().of(Pod)
    first = memo.read(resource, b'{"metadata":{"name":"a"}}')
    for number in range(300):
        memo.read(resource, b'{"metadata":{"name":"%d"}}' % number)
    assert memo.read(resource, b'{"metadata":{"name":"a"}}') is not first
    large = b'{"metadata":{"name":"%s"}}' % (b"a" * 20_000)
    assert memo.read(resource, large) is not memo.read(resource, large)


def test_managed_fields_are_left_out_where_nobody_reads_them() -> None:
    body = b'{"metadata":{"name":"a","resourceVersion":"1","managedFields":[{"manager":"m"}]}}'
    resource = builtin().of(Pod)
    assert Memo().read(resource, body).metadata.managedFields[0].manager == "m"
    lean = Memo(managed_fields=False).read(resource, body)
    assert lean.metadata.managedFields == ()
    assert lean.metadata.name == "a"
