"""A client that asks a server again and again, each proving to the other who it is."""

import ssl
import sys
import time
from collections.abc import Sequence

from contract_images.agnhost.fetch import fetch
from contract_images.agnhost.flags import Flags
from contract_images.agnhost.logs import klog, log

_PERIOD = 10.0


def run(arguments: Sequence[str]) -> int:
    """Ask every ten seconds, for ever."""
    flags = Flags(arguments, {"fetch-url": "", "server-trust-bundle": "", "client-cred-bundle": ""})
    url, trusted, credentials = (
        flags.text(name) for name in ("fetch-url", "server-trust-bundle", "client-cred-bundle")
    )
    if not (url and trusted and credentials):
        print("Error: missing required flags", file=sys.stderr)
        return 1
    while True:
        time.sleep(_PERIOD)
        try:
            log(f"Got response body: {poll(url, trusted, credentials)}")
        except OSError as error:
            klog(f"while sending requests to the server: {error}", "client.go:70", "E")


def poll(url: str, trusted: str, credentials: str) -> str:
    """What the server answers; the files are read anew, as they change. Raises OSError."""
    tls = ssl.create_default_context(cafile=trusted)
    tls.load_cert_chain(credentials)
    answer = fetch(url, tls=tls)
    if not 200 <= answer.status < 300:
        raise OSError(f"non-2xx status {answer.status}")
    return answer.body.decode(errors="replace")
