"""The API server, with its SQLite store or the etcd that the cluster was made with."""

from pathlib import Path

from pilothouse.apiserver import main
from pilothouse.apiserver.config import ApiServerConfig, CertificateFiles, EtcdConfig
from pilothouse.cluster.addons import addons
from pilothouse.cluster.home import Home
from pilothouse.cluster.pki import Pki
from pilothouse.cluster.role import Ready
from pilothouse.cluster.settings import Settings
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock

NAME = "apiserver"


async def run(home: Home, settings: Settings, clock: Clock, chance: Chance, ready: Ready) -> None:
    """Serve until cancelled."""
    pki = Pki(home, settings)
    config = ApiServerConfig(
        state=home.state,
        etcd=_etcd(settings),
        serving=pki.pair(NAME, "serving"),
        certificates=CertificateFiles(
            certificate=home.role(NAME) / "serving.crt",
            key=home.role(NAME) / "serving.key",
            client_authority=home.role(NAME) / "ca.crt",
        ),
        client_authority=pki.trusted(NAME),
        kubelet_client=pki.pair(NAME, "kubelet-client"),
        kubelet_authority=pki.trusted(NAME),
        service_account_key=pki.signing_key(),
        service_account_issuer=f"https://kubernetes.default.svc.{settings.cluster_domain}",
        port=settings.port,
        advertise_address=settings.advertise,
        service_cidr=settings.service_cidr,
        manifests=tuple(addons(settings)),
    )
    await main.run(config, clock, chance, lambda _: ready())


def _etcd(settings: Settings) -> EtcdConfig | None:
    if not settings.etcd_servers:
        return None
    authority, certificate, key = (
        Path(name) if name else None for name in (settings.etcd_cafile, settings.etcd_certfile, settings.etcd_keyfile)
    )
    return EtcdConfig(
        servers=tuple(settings.etcd_servers.split(",")), authority=authority, certificate=certificate, key=key,
        prefix=settings.etcd_prefix,
    )  # fmt: skip
