"""The administrator's kubeconfig, with everything in the file itself, so that it can be copied elsewhere."""

import base64

import yaml

from pilothouse.cluster.home import Home, write_private
from pilothouse.cluster.pki import LOCAL, Pki
from pilothouse.cluster.settings import Settings

_NAME = "pilothouse"


def render(home: Home, settings: Settings) -> str:
    """The file's text."""
    pki = Pki(home, settings)
    pair = pki.pair("admin", "admin")
    cluster = {"server": f"https://{LOCAL}:{settings.port}", "certificate-authority-data": _text(pki.trusted("admin"))}
    user = {"client-certificate-data": _text(pair.certificate), "client-key-data": _text(pair.key)}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": _NAME, "cluster": cluster}],
        "users": [{"name": _NAME, "user": user}],
        "contexts": [{"name": _NAME, "context": {"cluster": _NAME, "user": _NAME}}],
        "current-context": _NAME,
    }
    return yaml.safe_dump(document, sort_keys=False)


def write(home: Home, settings: Settings) -> None:
    """Put it where the user finds it."""
    write_private(home.admin, render(home, settings).encode())


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")
