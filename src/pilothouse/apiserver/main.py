"""The API server's composition root: store, watch cache, chain, front door, in this order."""

from collections.abc import Callable

import orjson

from pilothouse.api.catalogue import with_addons
from pilothouse.api.machinery.schema import Schemas
from pilothouse.api.metrics.definitions import DEFINITIONS
from pilothouse.apiserver.admission.chain import AdmissionChain
from pilothouse.apiserver.allocation.services import ServiceAllocation
from pilothouse.apiserver.authentication.bootstrap_token import BootstrapTokens
from pilothouse.apiserver.authentication.framework import FirstOf
from pilothouse.apiserver.authentication.in_process import InProcessAuthenticator
from pilothouse.apiserver.authentication.service_account import ServiceAccountTokens
from pilothouse.apiserver.authentication.token_keys import TokenKeys
from pilothouse.apiserver.authentication.x509 import CertificateAuthenticator
from pilothouse.apiserver.authorization.escalation import Escalation
from pilothouse.apiserver.authorization.framework import Chain, Masters
from pilothouse.apiserver.authorization.node import NodeAuthorizer
from pilothouse.apiserver.authorization.rbac import Rbac
from pilothouse.apiserver.backup import Backups
from pilothouse.apiserver.bootstrap.cluster_roles import CLUSTER_ROLES
from pilothouse.apiserver.bootstrap.kubernetes_service import published
from pilothouse.apiserver.bootstrap.notation import rules
from pilothouse.apiserver.bootstrap.objects import make_manifests
from pilothouse.apiserver.config import ApiServerConfig
from pilothouse.apiserver.handlers.authenticate import authenticate
from pilothouse.apiserver.handlers.authorize import authorize
from pilothouse.apiserver.handlers.impersonate import impersonate
from pilothouse.apiserver.operations import Operations
from pilothouse.apiserver.reviews.access import AccessReviews
from pilothouse.apiserver.reviews.identity import TokenReviews, self_subject_review
from pilothouse.apiserver.routes import Review
from pilothouse.apiserver.server import ApiServer
from pilothouse.apiserver.storage import open_store, sealed
from pilothouse.apiserver.streaming.proxy import KubeletProxy
from pilothouse.apiserver.streaming.reverse_proxy import ReverseProxy
from pilothouse.apiserver.subresources.proxy import Proxying
from pilothouse.apiserver.subresources.streaming import Streaming
from pilothouse.apiserver.subresources.token import TokenRequests
from pilothouse.apiserver.usage.answers import UsageAnswers
from pilothouse.apiserver.usage.scraper import Scraper
from pilothouse.apiserver.user import MASTERS_GROUP, User
from pilothouse.client.client import Client
from pilothouse.client.memo import Memo
from pilothouse.client.transport import HandlerTransport
from pilothouse.net.server import Listening, serve
from pilothouse.net.tls import ServerTls, client_context
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock

ITSELF = User("system:apiserver", (MASTERS_GROUP,))
"""As whom the server writes what a cluster begins with."""


async def run(
    config: ApiServerConfig, clock: Clock, chance: Chance, ready: Callable[[Listening], None] | None = None
) -> None:
    """Serve until cancelled. `ready` hears of the open door once the cluster's first objects are there.

    Raises StoreInUse or StoreDamaged, OSError when the port is taken, LookupError for an unknown admission plugin,
    ValueError for one that is configured wrongly, PolicyError for an audit policy that is none, ConfigurationError for
    an encryption configuration.
    """
    catalogue = with_addons()
    address = f"{config.advertise_address}:{config.port}"
    async with (
        open_store(config.etcd, config.state, clock) as store,
        ApiServer(
            sealed(store, config.encryption), catalogue, Schemas(DEFINITIONS), clock, chance, address=address
        ) as server,
        Operations(config, server) as operations,
    ):
        assemble(server, config, operations, Backups(store, config.state.parent))
        client = Client(HandlerTransport(server.handle, ITSELF), catalogue, clock, agent="kube-apiserver", memo=Memo())
        await operations.begin(client, ITSELF)
        await make_manifests(client, config.manifests)
        tls = ServerTls(config.serving, config.client_authority, http2=config.http2)
        async with (
            serve(server.handle, config.host, config.port, tls, clock, grace=config.shutdown_grace) as listening,
            operations.serving_on(),
            published(
                client, store, clock,
                cidr=config.service_cidr, address=config.advertise_address, port=listening.port,
            ),
        ):  # fmt: skip
            if ready is not None:
                ready(listening)
            operations.keep_trusted(tls)
            await operations.until_cancelled()


def assemble(server: ApiServer, config: ApiServerConfig, operations: Operations, backups: Backups) -> None:
    """Give the server what its configuration asks for."""
    clock, chance, cache = server.clock, server.chance, server.cache
    keys = TokenKeys(config.service_account_key, config.service_account_issuer)
    tokens = ServiceAccountTokens(keys, cache, clock, (keys.issuer,))
    joining = BootstrapTokens(cache, clock) if config.bootstrap_tokens else None
    who = FirstOf([InProcessAuthenticator(), CertificateAuthenticator(clock), tokens, *([joining] if joining else [])])
    pools = ServiceAllocation(cache, (config.service_cidr,), config.node_ports, chance)
    kubelet_tls = client_context(config.kubelet_authority, config.kubelet_client)
    kubelets = KubeletProxy(kubelet_tls, clock)
    rbac = Rbac(cache)
    may = Chain([Masters(), NodeAuthorizer(cache, rules(*CLUSTER_ROLES["system:node"])), rbac])
    admission = AdmissionChain.of(
        server.served, may, clock, chance,
        enabled=config.enabled_admission, disabled=config.disabled_admission, configurations=config.admission,
        metrics=server.metrics,
    )  # fmt: skip
    backends = ReverseProxy(kubelet_tls, client_context(b"", verify=False), clock)
    usage = UsageAnswers(server.served, Scraper(cache, kubelets, clock, operations.tasks), clock)
    requests = TokenRequests(server.served, keys, tokens.audiences, admission, clock, chance)
    server.assemble(
        outer=operations.outer,
        steps=(
            authenticate(who, anonymous=config.anonymous),
            *operations.audit,
            impersonate(may),
            operations.priority,
            authorize(may),
        ),
        admission=admission,
        event_ttl=config.event_ttl,
        live=operations.life.live(),
        ready=operations.life.ready(),
        guard=Escalation(rbac, may).check,
        allocate=pools.allocate,
        parts={
            **Streaming(server.served, kubelets, admission).parts(),
            **Proxying(server.served, backends, admission, chance).parts(),
            ("serviceaccounts/token", "create"): requests.create,
        },
        reviews={
            **reviews_of(
                AccessReviews(may, rbac, server.served.schemas), TokenReviews(tokens, server.served.schemas, joining)
            ),
            **usage.by_kind(),
        },
        pages=issuer_pages(keys, f"{config.advertise_address}:{config.port}"),
        roots={"pilothouse": backups.answer},
    )


def issuer_pages(keys: TokenKeys, address: str) -> dict[str, tuple[str, bytes]]:
    """What tells others how to verify our tokens."""
    return {
        "/.well-known/openid-configuration": ("application/json", orjson.dumps(keys.provider(address))),
        "/openid/v1/jwks": ("application/jwk-set+json", orjson.dumps(keys.key_set())),
    }


def reviews_of(access: AccessReviews, tokens: TokenReviews) -> dict[tuple[str, str], Review]:
    """The kinds that are questions, by group and plural."""
    return {
        ("authorization.k8s.io", "selfsubjectaccessreviews"): access.of_self,
        ("authorization.k8s.io", "subjectaccessreviews"): access.of_subject,
        ("authorization.k8s.io", "localsubjectaccessreviews"): access.of_subject,
        ("authorization.k8s.io", "selfsubjectrulesreviews"): access.rules,
        ("authentication.k8s.io", "selfsubjectreviews"): self_subject_review,
        ("authentication.k8s.io", "tokenreviews"): tokens.create,
    }
