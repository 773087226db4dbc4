"""Asks the API server's /healthz again and again with the pod's token, and logs a hash of the token."""

import base64
import hashlib
import time
from collections.abc import Sequence

from contract_images.agnhost.cluster_access import ClusterAccess
from contract_images.agnhost.flags import Flags
from contract_images.agnhost.logs import klog

_PLACE = "main.go:61"


def run(arguments: Sequence[str]) -> int:
    """Ask as often as --poll-interval says, for ever."""
    flags = Flags(arguments, {"poll-interval": 30})
    klog("started", _PLACE)
    access = ClusterAccess()
    while True:
        time.sleep(flags.number("poll-interval"))
        poll(access)


def poll(access: ClusterAccess) -> None:
    """Ask once."""
    klog("calling /healthz", _PLACE)
    klog(f"authz_header={hashed(access.token())}", _PLACE)
    try:
        answer = access.get("/healthz")
    except OSError as error:
        failure = str(error)
    else:
        failure = "" if answer.status == 200 else answer.body.decode(errors="replace")
    if failure:
        klog("status=failed", _PLACE, "E")
        klog(f"error checking /healthz: {failure}", _PLACE, "E")


def hashed(token: str) -> str:
    """What tells tokens apart without telling them."""
    digest = hashlib.sha256(f"salt|Bearer {token}".encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
