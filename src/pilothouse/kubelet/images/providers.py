"""Credentials for images from programs of the node's: a question in JSON to one's input, its answer from its output.

Only those are asked whose list of images fits, and no more than once while an answer counts; for which images that is
the program says. One that is told of service accounts gets a token of the pod's own. What fails gives no credentials,
and is logged: the image may be had without. Upstream: pkg/credentialprovider/plugin/plugin.go.
"""

import asyncio
import hashlib
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from pilothouse.api.machinery.errors import StatusError
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.authentication_v1 import TokenRequest
from pilothouse.api.types.core_v1 import Pod, ServiceAccount
from pilothouse.kubelet.counts.provider_counts import ProviderCounts
from pilothouse.kubelet.images.credentials import Credential, Owner, choose, place_matches, repository
from pilothouse.kubelet.images.provider_config import PER_TOKEN, Provider
from pilothouse.runtime.clock import Clock, Instant
from pilothouse.runtime.durations import parse_duration
from pilothouse.runtime.log import Log
from pilothouse.runtime.metrics import Metrics

log = Log(__name__)
PATIENCE = 60.0
"""Seconds for one program."""
_EVERYTHING = "global"

Auths = Sequence[tuple[str, Credential]]
"""What they are for, and what to show there."""
Accounts = Callable[[str, str], Awaitable[ServiceAccount]]
"""By namespace and name. May raise StatusError."""
Tokens = Callable[[Pod, JsonObject], Awaitable[TokenRequest]]


class ProviderError(Exception):
    """A program gave no answer that can be used."""


@dataclass(frozen=True, slots=True)
class _Caller:
    """Whom a program is asked for."""

    token: str = ""
    annotations: Mapping[str, str] | None = None
    account: Owner | None = None
    key: tuple[str, ...] = ()
    """For whom else its answer counts: whoever has the same."""


class CredentialProviders:
    """Those of one node."""

    def __init__(
        self, providers: Sequence[Provider], accounts: Accounts, tokens: Tokens, clock: Clock,
        counts: ProviderCounts | None = None,
    ) -> None:  # fmt: skip
        counts = counts or ProviderCounts(Metrics())
        self._providers = [_Asked(provider, accounts, tokens, clock, counts) for provider in providers]

    async def credentials(self, image: str, pod: Pod) -> list[Credential]:
        """What to show the registry of `image`, in the order in which to try."""
        name = repository(image)
        known = [auth for asked in self._providers for auth in await asked.auths(name, pod)]
        return choose(name, known)


class _Asked:
    """One program, and what it said."""

    def __init__(
        self, provider: Provider, accounts: Accounts, tokens: Tokens, clock: Clock, counts: ProviderCounts
    ) -> None:
        self._counts = counts
        self._provider = provider
        self._accounts = accounts
        self._tokens = tokens
        self._clock = clock
        self._asking: dict[tuple[str, ...], asyncio.Lock] = {}
        self._said: dict[tuple[str, ...], tuple[Auths, Instant]] = {}

    async def auths(self, repository: str, pod: Pod) -> Auths:
        """What it says of this image, or said before."""
        if not any(place_matches(place, repository) for place in self._provider.images):
            return ()
        try:
            caller = await self._caller(pod)
            if caller is None:
                return ()
            return await self._asked_once(repository, caller)
        except (ProviderError, StatusError, OSError) as error:
            log.error("Failed to get credentials", provider=self._provider.name, image=repository, err=str(error))
            return ()

    async def _asked_once(self, repository: str, caller: _Caller) -> Auths:
        """Whoever comes while the program is being asked the same waits for what it says."""
        key = (repository, *caller.key)
        async with self._asking.setdefault(key, asyncio.Lock()):
            try:
                found = self._known(repository, caller)
                return found if found is not None else await self._ask(repository, caller)
            finally:
                self._asking.pop(key, None)

    async def _caller(self, pod: Pod) -> _Caller | None:
        """None: it is not to be asked."""
        token, name = self._provider.token, pod.spec.serviceAccountName
        if token is None:
            return _Caller()
        if not name:
            return None if token.required else _Caller()
        meta = pod.metadata
        account = await self._accounts(meta.namespace, name)
        present = account.metadata.annotations
        if any(key not in present for key in token.required_keys):
            return None
        annotations = {key: present[key] for key in (*token.required_keys, *token.optional_keys) if key in present}
        bound = {"apiVersion": "v1", "kind": "Pod", "name": meta.name, "uid": meta.uid}
        made = await self._tokens(pod, {"audiences": [token.audience], "boundObjectRef": bound})
        secret = made.status.token
        told = [part for pair in sorted(annotations.items()) for part in pair]
        key = [meta.namespace, name, account.metadata.uid, *told]
        if token.cache == PER_TOKEN:
            key.append(hashlib.sha256(secret.encode()).hexdigest())
        owner = Owner(account.metadata.uid, meta.namespace, name)
        return _Caller(secret, annotations, owner, tuple(key))

    def _known(self, repository: str, caller: _Caller) -> Auths | None:
        now = self._clock.now()
        self._said = {key: said for key, said in self._said.items() if said[1] > now}
        for place in (repository, repository.partition("/")[0], _EVERYTHING):
            if (said := self._said.get((place, *caller.key))) is not None:
                return said[0]
        return None

    async def _ask(self, repository: str, caller: _Caller) -> Auths:
        provider = self._provider
        question: JsonObject = {
            "kind": "CredentialProviderRequest",
            "apiVersion": provider.version,
            "image": repository,
        }
        if caller.token:
            question |= {"serviceAccountToken": caller.token, "serviceAccountAnnotations": caller.annotations}
        began, good = self._clock.monotonic(), False
        try:
            answer = _read(await self._run(orjson.dumps(question)), provider.version)
            good = True
        finally:
            self._counts.ran(provider.name, self._clock.monotonic() - began, good=good)
        place = {"Image": repository, "Registry": repository.partition("/")[0], "Global": _EVERYTHING}.get(
            answer.get("cacheKeyType", "")
        )
        if place is None:
            raise ProviderError(
                f'credential provider plugin did not return a valid cacheKeyType: "{answer.get("cacheKeyType", "")}"'
            )
        auths = [
            (where, Credential(
                {"username": one.get("username") or "", "password": one.get("password") or "", "identity_token": ""},
                account=caller.account,
            ))
            for where, one in (answer.get("auth") or {}).items()
        ]  # fmt: skip
        duration = answer.get("cacheDuration")
        seconds = provider.cached if duration is None else parse_duration(duration)
        if seconds > 0:
            self._said[place, *caller.key] = auths, self._clock.now() + seconds
        return auths

    async def _run(self, question: bytes) -> bytes:
        provider = self._provider
        environment = {**os.environ, **dict(provider.environment)}  # noqa: TID251 - a program is started
        what = f"error execing credential provider plugin {provider.name}"
        child = await asyncio.create_subprocess_exec(
            provider.program, *provider.arguments, env=environment, stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            async with self._clock.timeout(PATIENCE):
                out, told = await child.communicate(question)
        except BaseException as error:
            child.kill()
            await child.wait()
            if isinstance(error, TimeoutError):
                raise ProviderError(f"{what}: context deadline exceeded") from None
            raise
        if child.returncode:
            raise ProviderError(f"{what}: exit status {child.returncode}: {told.decode(errors='replace')}")
        return out


def _read(answer: bytes, version: str) -> dict[str, Any]:
    """An answer. What is wrong with it is not told in full: there may be secrets in it."""
    try:
        found = orjson.loads(answer)
        kind, told = found.get("kind"), found.get("apiVersion")
    except (ValueError, AttributeError):
        raise ProviderError("error reading GVK from response") from None
    if told != version:
        raise ProviderError(
            "apiVersion from credential plugin response did not match expected "
            f"apiVersion:{version}, actual apiVersion:{told}"
        )
    if kind != "CredentialProviderResponse" or not isinstance(found.get("auth") or {}, dict):
        raise ProviderError("error decoding credential provider plugin response from stdout")
    return dict(found)
