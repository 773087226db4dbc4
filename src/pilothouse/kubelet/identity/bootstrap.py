"""Bootstrap: a machine that has nothing but a token gets its first client certificate, and a kubeconfig that names it.

A kubelet that rotates its certificate begins at once and lets the rotation ask with the token (`begin`); another one
asks first and waits (`obtain`). Where the kubeconfig is good already nothing is asked.
Upstream: pkg/kubelet/certificate/bootstrap/bootstrap.go.
"""

import base64
import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import yaml
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from pilothouse.api.catalogue import builtin
from pilothouse.api.machinery.view import JsonObject
from pilothouse.client.client import Client
from pilothouse.client.kubeconfig import Access, KubeconfigError, load
from pilothouse.client.memo import Memo
from pilothouse.client.transport import HttpTransport
from pilothouse.kubelet.identity.rotation import pem
from pilothouse.kubelet.identity.signing_requests import CLIENT_SIGNER, USAGES, ask, wait
from pilothouse.kubelet.identity.store import CertificateStore, split, write_secret
from pilothouse.kubelet.identity.template import NODES, Template, client_template
from pilothouse.net.pki import KeyPair
from pilothouse.runtime.clock import Clock, Instant, format_time
from pilothouse.runtime.log import Log

PATIENCE = 3600.0
"""Seconds that the first request may wait to be approved."""
_SERVER_PATIENCE, _PAUSE = 60.0, 2.0
_KEY_FILE = "kubelet-client.key.tmp"
"""The key of a request that is not answered yet: the same is asked again after a restart."""
log = Log(__name__)


@dataclass(frozen=True, slots=True)
class Beginning:
    """How a kubelet that rotates its certificate reaches the API server."""

    asking: Access
    """With what certificates are asked for as long as there is none."""
    own: Access
    """With what all else is done; without an identity as long as there is no certificate."""


def begin(kubeconfig: Path, token_config: Path, store: CertificateStore, now: Instant) -> Beginning:
    """What to begin with. Raises KubeconfigError when the file with the token is not good."""
    if is_good(kubeconfig, now):
        log.info("Current kubeconfig file contents are still valid, no bootstrap necessary")
        own = read(kubeconfig)
        return Beginning(own, own)
    asking = load(token_config)
    write_kubeconfig(kubeconfig, asking, store.path)
    log.info(
        "Use the bootstrap credentials to request a cert, and set kubeconfig to point to the certificate dir"
    )  # fmt: skip
    pair, own = store.current(), replace(asking, token="", token_file=None, certificate=b"", key=b"")
    if pair is not None:
        own = replace(own, certificate=pair.certificate, key=pair.key)
    return Beginning(asking, own)


async def obtain(kubeconfig: Path, token_config: Path, store: CertificateStore, node_name: str, clock: Clock) -> Access:
    """Have a certificate, and a kubeconfig with it. Raises KubeconfigError, StatusError, NotSignedError, OSError."""
    if is_good(kubeconfig, clock.now()):
        log.info("Kubeconfig exists and is valid, skipping bootstrap", path=kubeconfig)
        return read(kubeconfig)
    log.info("Using bootstrap kubeconfig to generate TLS client cert, key and kubeconfig file")
    asking = load(token_config)
    temporary = store.path.parent / _KEY_FILE
    key, template = _key(store, temporary), client_template(node_name)
    transport = asking.transport(clock)
    try:
        await _server(transport, clock)
        client = Client(transport, builtin(), clock, agent="kubelet", memo=Memo())
        asked = await ask(client, template, key, CLIENT_SIGNER, clock.now(), digested_name(key, template))
        log.info("Waiting for client certificate to be issued")
        certificate = await wait(client, clock, asked, PATIENCE)
    finally:
        await transport.close()
    store.update(KeyPair(certificate, pem(key)))
    temporary.unlink(missing_ok=True)
    write_kubeconfig(kubeconfig, asking, store.path)
    return read(kubeconfig)


def is_good(kubeconfig: Path, now: Instant) -> bool:
    """Whether it is there and has a certificate that has not ended."""
    if not kubeconfig.exists():
        return False
    try:
        found = x509.load_pem_x509_certificates(load(kubeconfig).certificate)
    except (KubeconfigError, ValueError) as error:
        log.error("Unable to read existing bootstrap client config", path=kubeconfig, error=error)
        return False
    for each in found:
        if now > (end := each.not_valid_after_utc.timestamp()):
            log.error(
                "Part of the existing bootstrap client certificate is expired", path=kubeconfig, end=format_time(end)
            )
            return False
    return True


def read(kubeconfig: Path) -> Access:
    """A kubeconfig whose certificate and key may lie in one file. Raises KubeconfigError."""
    access = load(kubeconfig)
    try:
        pair = split(access.certificate)
    except ValueError:
        return access
    return replace(access, certificate=pair.certificate, key=pair.key)


def write_kubeconfig(path: Path, server: Access, pair: Path) -> None:
    """Write down how `server` is reached with the certificate and the key in the file `pair`."""
    cluster: JsonObject = {"server": server.server}
    if server.insecure:
        cluster["insecure-skip-tls-verify"] = True
    if server.authorities:
        cluster["certificate-authority-data"] = base64.b64encode(server.authorities).decode()
    user = {"client-certificate": str(pair.absolute()), "client-key": str(pair.absolute())}
    context = {"cluster": "default-cluster", "user": "default-auth", "namespace": "default"}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "default-cluster", "cluster": cluster}],
        "users": [{"name": "default-auth", "user": user}],
        "contexts": [{"name": "default-context", "context": context}],
        "current-context": "default-context",
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    write_secret(path, yaml.safe_dump(document, sort_keys=False).encode())


def digested_name(key: ec.EllipticCurvePrivateKey, template: Template) -> str:
    """What the request is called: the same for the same key and the same wishes, so that it is made once."""
    digest = hashlib.new("sha512_256")
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    for part in (public, template.user.encode(), NODES.encode(), *(each.encode() for each in USAGES[CLIENT_SIGNER])):
        digest.update(_raw(part) + b"|")
    return f"node-csr-{_raw(digest.digest()).decode()}"


def _raw(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _key(store: CertificateStore, temporary: Path) -> ec.EllipticCurvePrivateKey:
    """That of the last certificate, or that of the last try, or a new one."""
    for kept in (store.last.key if store.last else b"", temporary.read_bytes() if temporary.exists() else b""):
        try:
            found = load_pem_private_key(kept, None)
        except ValueError:
            continue
        if isinstance(found, ec.EllipticCurvePrivateKey):
            return found
    made = ec.generate_private_key(ec.SECP256R1())
    temporary.parent.mkdir(parents=True, exist_ok=True)
    write_secret(temporary, pem(made))
    return made


async def _server(transport: HttpTransport, clock: Clock) -> None:
    """Wait a while for the API server; without one the request fails by itself."""
    try:
        async with clock.timeout(_SERVER_PATIENCE):
            while True:
                try:
                    if (await transport.send("GET", "/healthz", {})).status == 200:
                        return
                except OSError as error:
                    log.info("Failed to connect to apiserver", err=str(error))
                await clock.sleep(_PAUSE)
    except TimeoutError:
        log.warning("Error waiting for apiserver to come up", err="timed out waiting to connect to apiserver")
