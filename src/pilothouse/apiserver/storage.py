"""Which store an API server runs on: etcd where it is told of one, else a SQLite file of its own."""

from contextlib import AbstractAsyncContextManager
from pathlib import Path

from pilothouse.apiserver.config import EtcdConfig
from pilothouse.net.pki import KeyPair
from pilothouse.runtime.clock import Clock
from pilothouse.store.etcd.connection import EtcdTls
from pilothouse.store.etcd.store import EtcdStore
from pilothouse.store.interface import Store
from pilothouse.store.sqlite import SqliteStore


def open_store(etcd: EtcdConfig | None, state: Path, clock: Clock) -> AbstractAsyncContextManager[Store]:
    """What enters the store. Raises ValueError for servers that cannot be meant, OSError for files that are not there.

    Entering raises StoreInUse or StoreDamaged for a SQLite file.
    """
    if etcd is None:
        return SqliteStore(state, clock)
    return EtcdStore(
        etcd.servers, clock, tls=_tls(etcd), prefix=etcd.prefix, compaction_seconds=etcd.compaction_interval
    )


def _tls(etcd: EtcdConfig) -> EtcdTls | None:
    if etcd.authority is None:
        return None
    pair = None
    if etcd.certificate is not None and etcd.key is not None:
        pair = KeyPair(etcd.certificate.read_bytes(), etcd.key.read_bytes())
    return EtcdTls(etcd.authority.read_bytes(), pair)
