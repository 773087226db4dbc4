"""The API server, as the cluster's flags change it."""

from pilothouse.apiserver import main
from pilothouse.apiserver.config import ApiServerConfig, CertificateFiles
from pilothouse.apiserver.flags import with_flags
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
        bootstrap_tokens=True,
        manifests=tuple(addons(settings)),
    )
    await main.run(with_flags(config, settings.apiserver_flags), clock, chance, lambda _: ready())
