"""Manifests behind a URL: one pod or a list, asked for again and again. What cannot be had or read changes nothing.

Source: pkg/kubelet/config/http.go.
"""

import ssl
from collections.abc import Callable, Sequence
from http import HTTPStatus
from urllib.parse import SplitResult, urljoin, urlsplit

from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.static_pods.config import URL, StaticPods
from pilothouse.kubelet.static_pods.manifest import ManifestError, Origin, read_pods
from pilothouse.net.dial import ask, dial
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.log import Log

log = Log(__name__)
LIMIT = 10 << 20
"""Bytes that a manifest may have."""
_PATIENCE = 10.0
"""Seconds for one request."""
_REDIRECTS = 10
_TOLD = 3
"""So many failures in a row are worth a warning each."""


class UrlError(Exception):
    """No answer that could be used."""


class ManifestUrl:
    """One URL, and what it last said."""

    def __init__(self, config: StaticPods, node_name: str, clock: Clock) -> None:
        self._config = config
        self._origin = Origin(URL, config.url, node_name)
        self._clock = clock
        self._data = b""
        self._failures = 0

    async def follow(self, tell: Callable[[Sequence[Pod]], None]) -> None:
        """Tell of all pods whenever they have changed, for ever."""
        while True:
            try:
                async with self._clock.timeout(_PATIENCE):
                    data = await self._fetch()
                self._take(data, tell)
            except (UrlError, ManifestError, OSError, ValueError) as error:
                # A redirect may lead to what is no URL, or to what is no name of a host.
                self._failed(error)
            else:
                self._failures = 0
            await self._clock.sleep(self._config.http_check_frequency)

    def _take(self, data: bytes, tell: Callable[[Sequence[Pod]], None]) -> None:
        if not data:
            self._data = b""
            tell(())
            raise UrlError(f"zero-length data received from {self._config.url}")
        if data != self._data:
            self._data = data
            tell(read_pods(data, self._origin))

    def _failed(self, error: Exception) -> None:
        self._failures += 1
        level = log.warning if self._failures <= _TOLD else log.debug
        level("Failed to read pods from URL", err=str(error) or "timeout")

    async def _fetch(self) -> bytes:
        url = self._config.url
        for _ in range(_REDIRECTS):
            status, location, data = await self._get(urlsplit(url))
            if not 300 <= status < 400 or not location:
                break
            url = urljoin(url, location)
        if status != 200:
            phrase = HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else ""
            raise UrlError(f"{self._config.url}: {status} {phrase}")
        if len(data) > LIMIT:
            raise UrlError("the read limit is reached")
        return data

    async def _get(self, url: SplitResult) -> tuple[int, str, bytes]:
        """Status, where a redirect leads, and the body."""
        if url.scheme not in ("http", "https") or not url.hostname:
            raise UrlError(f'unsupported protocol scheme "{url.scheme}"')
        tls = ssl.create_default_context() if url.scheme == "https" else None
        stream = await dial(url.hostname, url.port or (443 if tls else 80), tls, self._clock, timeout=_PATIENCE)
        target = (url.path or "/") + (f"?{url.query}" if url.query else "")
        given = {"Host": url.netloc.rpartition("@")[2], "User-Agent": "kubelet/v1.37", "Connection": "close"}
        # What may be a password is for the host that was named.
        ours = self._config.url_header if url.hostname == urlsplit(self._config.url).hostname else {}
        try:
            reply = await ask(stream, "GET", target, {**given, **ours})
            return reply.status, reply.headers.get("location", ""), await reply.read(LIMIT + 1)
        finally:
            stream.abort()
            await stream.close()
