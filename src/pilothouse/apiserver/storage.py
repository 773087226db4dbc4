"""Which store an API server runs on: etcd where it is told of one, else a SQLite file; encrypted or plain."""

from contextlib import AbstractAsyncContextManager
from pathlib import Path

from pilothouse.apiserver.config import EtcdConfig
from pilothouse.apiserver.encryption.store import encrypting
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


def sealed(store: Store, configuration: Path | None) -> Store:
    """The store with what a configuration wants encrypted. Raises ConfigurationError, OSError."""
    if configuration is None:
        return store
    from pilothouse.apiserver.encryption.configuration import read_configuration

    return encrypting(store, read_configuration(configuration.read_text()))


def _tls(etcd: EtcdConfig) -> EtcdTls | None:
    if etcd.authority is None:
        return None
    pair = None
    if etcd.certificate is not None and etcd.key is not None:
        pair = KeyPair(etcd.certificate.read_bytes(), etcd.key.read_bytes())
    return EtcdTls(etcd.authority.read_bytes(), pair)
