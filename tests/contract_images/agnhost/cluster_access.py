"""The API server as a pod finds it: its address in the environment, and a service account's files."""

import os
import ssl
from pathlib import Path

from contract_images.agnhost.fetch import Answer, fetch

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


class ClusterAccess:
    """Requests with the pod's token, to servers that the cluster's CA vouches for."""

    def __init__(self, account: Path = ACCOUNT) -> None:
        self._account = account
        self._tls = ssl.create_default_context(cafile=str(account / "ca.crt"))

    def token(self) -> str:
        """The token as it is now: it is renewed in its place."""
        return (self._account / "token").read_text().strip()

    def get(self, url: str) -> Answer:
        """What a URL, or a path of the API server, answers. Raises OSError."""
        if url.startswith("/"):
            host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ["KUBERNETES_SERVICE_PORT"]
            url = f"https://[{host}]:{port}{url}" if ":" in host else f"https://{host}:{port}{url}"
        return fetch(url, headers={"Authorization": f"Bearer {self.token()}"}, tls=self._tls)
