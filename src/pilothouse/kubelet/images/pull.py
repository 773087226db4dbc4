"""Has an image on the node before a container starts, by its pull policy. API page: "Images".

The first failure is ErrImagePull; until the back-off has passed (10 s doubling to 5 min) the container waits in
ImagePullBackOff. Messages and events are upstream's.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pilothouse.api.core.pod.images import is_image_name
from pilothouse.api.core.pod.images import pull_policy as default_policy
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Container, ImageVolumeSource, Pod
from pilothouse.kubelet.api import Objects, Recorder
from pilothouse.kubelet.containers import field_path
from pilothouse.kubelet.counts.image_counts import ImageCounts
from pilothouse.kubelet.cri.interface import Cri, CriError, Image
from pilothouse.kubelet.events import reference
from pilothouse.kubelet.images.credentials import Credential, find_credentials, split_image
from pilothouse.kubelet.images.policy import UPSTREAMS, ImagePolicy
from pilothouse.kubelet.images.providers import CredentialProviders
from pilothouse.kubelet.images.pull_queue import Pulled, PullQueue, TooManyPulls
from pilothouse.kubelet.images.pull_records import PullRecords
from pilothouse.runtime.backoff import Growth
from pilothouse.runtime.clock import Clock, Instant
from pilothouse.runtime.durations import go_duration
from pilothouse.runtime.metrics import Metrics
from pilothouse.runtime.rate_limit import TokenBucket

_IDENTIFIER = re.compile("[a-f0-9]{64}")
GROWTH = Growth(first=10.0, limit=300.0)
PATIENCE = 3.0
"""Seconds for which a failed pull shows as ErrImagePull before it shows as waiting for the next try."""
RETRY = 10.0
"""Seconds until an image that no pull can bring is looked for again."""


class StartError(Exception):
    """A container cannot be started now. `reason` and the text go into its status."""

    def __init__(self, reason: str, message: str, retry_at: Instant = 0.0) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.retry_at = retry_at


class _AllFailed(CriError):
    """A pull failed with every credential."""

    def __init__(self, errors: Sequence[CriError]) -> None:
        super().__init__(errors[0].code, errors[0].message)
        self._words = f"[{', '.join(dict.fromkeys(map(str, errors)))}]" if len(set(map(str, errors))) > 1 else ""

    def __str__(self) -> str:
        return self._words or super().__str__()


@dataclass(slots=True)
class _Tries:
    failures: int = 0
    retry_at: Instant = 0.0
    error: str = ""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """An image that a pod needs."""

    pod: Pod
    name: str
    policy: str
    field_path: str
    """Of the container that it is for; empty for a volume."""


@dataclass(frozen=True, slots=True)
class _Keys:
    """Credentials, and the Secrets that are not there."""

    found: Sequence[Credential]
    missing: Sequence[str]


def default_tag(image: str) -> str:
    """The name with `:latest` where it has neither tag nor digest. Raises ValueError for what is no name."""
    if _IDENTIFIER.fullmatch(image):
        raise ValueError(f"invalid repository name ({image}), cannot specify 64-byte hexadecimal strings")
    repository = split_image(image)[1].partition(":")[0]
    if repository != repository.lower():
        raise ValueError(f"invalid reference format: repository name ({repository}) must be lowercase")
    if not is_image_name(image):
        raise ValueError("invalid reference format")
    name = image.partition("@")[0]
    return image if "@" in image or ":" in name.rpartition("/")[2] else f"{image}:latest"


def _rounded(seconds: float) -> str:
    return go_duration(int(seconds * 1000) / 1000)


def pull_policy(container: Container) -> str:
    """The policy, by upstream's default where none is given."""
    return container.imagePullPolicy or default_policy(container.image)


class ImagePuller:
    """Pulls for all pods of the node."""

    def __init__(
        self, cri: Cri, objects: Objects, recorder: Recorder, clock: Clock, policy: ImagePolicy = UPSTREAMS,
        providers: CredentialProviders | None = None, records: PullRecords | None = None,
        counts: ImageCounts | None = None,
    ) -> None:  # fmt: skip
        self._counts = counts or ImageCounts(Metrics())
        self._providers = providers
        self._records = records
        self._cri = cri
        pace = TokenBucket(policy.pull_rate, policy.pull_burst, clock) if policy.pull_rate else None
        self._queue = PullQueue(cri, clock, policy.at_once, pace)
        self._objects = objects
        self._recorder = recorder
        self._clock = clock
        self._tries: dict[tuple[str, str], _Tries] = {}

    async def ensure(self, pod: Pod, container: Container, sandbox: JsonObject) -> Image:
        """The image, pulled where the policy says so. Raises StartError."""
        where = field_path(pod, container.name)
        return await self._or_told(_Wanted(pod, container.image, pull_policy(container), where), where, sandbox)

    async def ensure_volume(
        self, pod: Pod, container: Container, source: ImageVolumeSource, sandbox: JsonObject
    ) -> Image:
        """The image of a volume that the container mounts; otherwise as `ensure`."""
        policy = source.pullPolicy or default_policy(source.reference)
        wanted = _Wanted(pod, source.reference, policy, "")
        return await self._or_told(wanted, field_path(pod, container.name), sandbox)

    async def _or_told(self, wanted: _Wanted, field_path: str, sandbox: JsonObject) -> Image:
        """What fails keeps a container from starting, and is told of that too."""
        try:
            return await self._ensure(wanted, sandbox)
        except StartError as error:
            self._tell(replace(wanted, field_path=field_path), "Warning", "Failed", f"Error: {error.reason}")
            error.retry_at = error.retry_at or self._clock.now() + RETRY
            raise

    async def _ensure(self, wanted: _Wanted, sandbox: JsonObject) -> Image:
        name = wanted.name
        try:
            full = default_tag(name)
        except ValueError as error:
            message = f'Failed to apply default image tag "{name}": couldn\'t parse image name "{name}": {error}'
            self._tell(wanted, "Warning", "InspectFailed", message)
            raise StartError("InvalidImageName", message) from None
        present = await self._present(wanted, full)
        if present is not None:
            self._tell(
                wanted, "Normal", "Pulled",
                f'Container image "{name}" already present on machine and can be accessed by the pod',
            )  # fmt: skip
            return present
        if wanted.policy == "Never":
            message = f'Container image "{name}" is not present with pull policy of Never'
            self._tell(wanted, "Warning", "ErrImageNeverPull", message)
            raise StartError("ErrImageNeverPull", message)
        self._check_backoff(wanted)
        return await self._pull(wanted, full, sandbox)

    async def _present(self, wanted: _Wanted, full: str) -> Image | None:
        """The image, if it is here and the pod may have it without a pull. Raises StartError."""
        try:
            found = await self._inspect(wanted, full)
        except StartError:
            self._counts.wanted(wanted.policy, present=None, pull=None)
            raise
        needed = wanted.policy == "Always" or found is None or await self._must_pull(wanted.pod, full, found)
        self._counts.wanted(wanted.policy, present=found is not None, pull=needed and wanted.policy != "Never")
        return None if needed else found

    async def review(self) -> None:
        """To be done now and then, and after a start: records tell of what is here alone. Raises CriError, OSError."""
        if self._records is not None:
            began = self._clock.now()
            images = await self._cri.images()
            self._records.adopt(images)
            self._records.prune(images, began)

    async def _must_pull(self, pod: Pod, full: str, present: Image) -> bool:
        """Whether the pod must show that it could pull what is here. Most images are for all."""
        records = self._records
        if records is None or not records.must_pull(full, present.id, ()):
            return False
        return records.must_pull(full, present.id, (await self._keys(pod, full)).found)

    async def _keys(self, pod: Pod, full: str) -> _Keys:
        """What the pod, and the node for it, can show the image's registry."""
        names = [one.name for one in pod.spec.imagePullSecrets if one.name]
        named = {name: await self._objects.secret(pod.metadata.namespace, name) for name in names}
        found = find_credentials(full, [secret for secret in named.values() if secret is not None])
        if self._providers is not None:
            found += await self._providers.credentials(full, pod)
        return _Keys(found, [name for name, secret in named.items() if secret is None])

    async def _inspect(self, wanted: _Wanted, full: str) -> Image | None:
        try:
            return await self._cri.image_status(full)
        except CriError as error:
            message = f'Failed to inspect image "{wanted.name}": {error}'
            self._tell(wanted, "Warning", "InspectFailed", message)
            raise StartError("ImageInspectError", message) from None

    def _check_backoff(self, wanted: _Wanted) -> None:
        tries = self._tries.get((wanted.pod.metadata.uid, wanted.name))
        if tries is None or self._clock.now() >= tries.retry_at:
            return
        message = f'Back-off pulling image "{wanted.name}"'
        self._tell(wanted, "Normal", "BackOff", message)
        raise StartError("ImagePullBackOff", f"{message}: ErrImagePull: {tries.error}", tries.retry_at)

    async def _pull(self, wanted: _Wanted, full: str, sandbox: JsonObject) -> Image:
        name, key = wanted.name, (wanted.pod.metadata.uid, wanted.name)
        self._tell(wanted, "Normal", "Pulling", f'Pulling image "{name}"')
        began = self._clock.monotonic()
        try:
            image, pulled = await self._recorded(wanted.pod, full, sandbox)
        except CriError as error:
            tries = self._tries.setdefault(key, _Tries())
            tries.retry_at = self._clock.now() + GROWTH.wait(tries.failures)
            tries.failures += 1
            tries.error = str(error)
            self._tell(wanted, "Warning", "Failed", f'Failed to pull image "{name}": {error}')
            raise StartError("ErrImagePull", str(error), self._clock.now() + PATIENCE) from None
        if image is None:
            raise StartError("ErrImagePull", f'image "{name}" is gone right after it was pulled')
        self._tries.pop(key, None)
        waited = self._clock.monotonic() - began
        self._counts.pulled(image.size, waited)
        message = (
            f'Successfully pulled image "{name}" in {_rounded(pulled.seconds)} '
            f"({_rounded(waited)} including waiting). Image size: {image.size} bytes."
        )
        self._tell(wanted, "Normal", "Pulled", message)
        return image

    async def _recorded(self, pod: Pod, full: str, sandbox: JsonObject) -> tuple[Image | None, Pulled]:
        """Pull, and have it written down for whom the image is by that. Raises CriError, StartError."""
        if self._records is not None:
            try:
                self._records.begin(full)
            except OSError as error:
                message = f'Failed to record image pull intent for container image "{full}": {error}'
                raise StartError("ErrImagePull", message) from error
        done: tuple[str, Credential | None] = "", None
        try:
            pulled, used = await self._fetch(pod, full, await self._keys(pod, full), sandbox)
            image = await self._cri.image_status(pulled.reference) or await self._cri.image_status(full)
            done = image.id if image else "", used
        finally:
            if self._records is not None:
                self._records.end(full, *done)
        return image, pulled

    async def _fetch(
        self, pod: Pod, full: str, keys: _Keys, sandbox: JsonObject
    ) -> tuple[Pulled, Credential | None]:  # fmt: skip
        """Pull with one credential after the other, without any where there is none; the one that was good."""
        errors: list[CriError] = []
        for credential in keys.found or (None,):
            auth = credential.auth if credential else None
            try:
                return await self._queue.pull(full, auth, sandbox, again=bool(errors)), credential
            except TooManyPulls:
                raise
            except CriError as error:
                errors.append(error)
        if keys.missing:
            self._recorder.event(
                reference(pod), "Warning", "FailedToRetrieveImagePullSecret",
                f"Unable to retrieve some image pull secrets ({', '.join(keys.missing)}); "
                "attempting to pull the image may not succeed.",
            )  # fmt: skip
        raise errors[0] if len(errors) == 1 else _AllFailed(errors)

    def forget(self, uid: str) -> None:
        """The pod is gone."""
        for key in [key for key in self._tries if key[0] == uid]:
            del self._tries[key]

    def _tell(self, wanted: _Wanted, kind: str, reason: str, message: str) -> None:
        self._recorder.event(reference(wanted.pod, wanted.field_path), kind, reason, message)
