"""Who may have which image that is on the node already: what was pulled with whose credentials.

An image that the kubelet has pulled with somebody's credentials is for those alone who can show such credentials
again, as if it were not here; one that was pulled without any, or with the node's own, is for all. What was being
pulled when a kubelet died counts as pulled by unknown means. Files and their form are upstream's:
pkg/kubelet/images/pullmanager; KEP-2535.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import orjson

from pilothouse.api.machinery.view import JsonObject
from pilothouse.kubelet.cri.interface import Image
from pilothouse.kubelet.images.credentials import Credential, repository
from pilothouse.kubelet.images.policy import ImagePolicy, Verify
from pilothouse.runtime.clock import Clock, Instant, format_time
from pilothouse.runtime.log import Log

log = Log(__name__)
_VERSION = "kubelet.config.k8s.io/v1beta1"
_MOST = 100
"""Credentials of one image up to which others that are worth as much are noted."""


class PullRecords:
    """Of one node, below `root`."""

    def __init__(self, root: Path, policy: ImagePolicy, clock: Clock) -> None:
        self._pulling = root / "image_manager" / "pulling"
        self._pulled = root / "image_manager" / "pulled"
        self._policy = policy
        self._clock = clock
        self._at_it: dict[str, int] = {}

    def begin(self, image: str) -> None:
        """It is going to be pulled. Raises OSError."""
        _write(self._pulling, image, {"kind": "ImagePullIntent", "apiVersion": _VERSION, "image": image})
        self._at_it[image] = self._at_it.get(image, 0) + 1

    def end(self, image: str, reference: str = "", credential: Credential | None = None) -> None:
        """It was pulled, as `reference`, with this credential or with none; or it was not. What fails is logged."""
        try:
            if reference:
                self._note(image, reference, _told(credential))
            self._at_it[image] = self._at_it.get(image, 0) - 1
            if self._at_it[image] <= 0:
                del self._at_it[image]
                _path(self._pulling, image).unlink(missing_ok=True)
        except OSError as error:
            log.error("Failed to record how an image was pulled", image=image, err=str(error))

    def adopt(self, images: Sequence[Image]) -> None:
        """After a start: of what was being pulled, what is here was pulled by unknown means. Raises OSError."""
        for path, intent in _all(self._pulling):
            wanted = intent.get("image", "")
            if wanted in self._at_it:
                continue
            for image in images:
                if wanted in (*image.tags, *image.digests):
                    self._note(wanted, image.id, {})
                    path.unlink(missing_ok=True)

    def prune(self, images: Sequence[Image], began: Instant) -> None:
        """Forget what is not among the images that were here when it `began`. Raises OSError."""
        present = {image.id for image in images}
        for path, record in _all(self._pulled):
            if record.get("imageRef") not in present and record.get("lastUpdatedTime", "") < format_time(began):
                path.unlink(missing_ok=True)

    def must_pull(self, image: str, reference: str, credentials: Sequence[Credential]) -> bool:
        """Whether who has these credentials must pull an image that is here, for the registry to judge them."""
        record = _read(_path(self._pulled, reference))
        if not self._verifies(image, ours=record is not None or _path(self._pulling, image).exists()):
            return False
        known = (record or {}).get("credentialMapping", {}).get(repository(image))
        if known is None:
            return True
        return not (known.get("nodePodsAccessible") or any(self._fits(image, reference, known, one)
                                                           for one in credentials))  # fmt: skip

    def _verifies(self, image: str, *, ours: bool) -> bool:
        """As the policy says; `ours`: the kubelet has pulled it."""
        policy = self._policy
        match policy.verify:
            case Verify.NEVER:
                return False
            case Verify.ALWAYS:
                return True
            case Verify.NOT_ALLOWLISTED:
                return ours or not _listed(repository(image), policy.allowlist)
            case Verify.NOT_PRELOADED:
                return ours

    def _fits(self, image: str, reference: str, known: JsonObject, credential: Credential) -> bool:
        """Whether it is one of those; a Secret by what it says, or by being the same object. Either is noted."""
        if credential.account is not None:
            return credential.account.literal() in known.get("kubernetesServiceAccounts", [])
        if credential.secret is None:
            return False
        mine = {**credential.secret.literal(), "credentialHash": credential.hash}
        secrets = known.get("kubernetesSecrets", [])
        fits = any(one["credentialHash"] == credential.hash or _object(one) == _object(mine) for one in secrets)
        if fits and mine not in secrets and len(secrets) < _MOST:
            with suppress(OSError):
                self._note(image, reference, {"kubernetesSecrets": [mine]})
        return fits

    def _note(self, image: str, reference: str, told: JsonObject) -> None:
        record = _read(_path(self._pulled, reference))
        mapping: JsonObject = (record or {}).get("credentialMapping", {})
        name = repository(image)
        merged = _merged(mapping.get(name, {}), told)
        if record is not None and merged == mapping.get(name, {}):
            return
        whole = {
            "kind": "ImagePulledRecord", "apiVersion": _VERSION, "lastUpdatedTime": format_time(self._clock.now()),
            "imageRef": reference, "credentialMapping": {**mapping, name: merged} if merged else mapping,
        }  # fmt: skip
        _write(self._pulled, reference, whole)


def _told(credential: Credential | None) -> JsonObject:
    """For whom an image is that was pulled so."""
    if credential is not None and credential.account is not None:
        return {"kubernetesServiceAccounts": [credential.account.literal()]}
    if credential is not None and credential.secret is not None:
        return {"kubernetesSecrets": [{**credential.secret.literal(), "credentialHash": credential.hash}]}
    return {"nodePodsAccessible": True}


def _merged(old: JsonObject, new: JsonObject) -> JsonObject:
    if old.get("nodePodsAccessible") or new.get("nodePodsAccessible"):
        return {"nodePodsAccessible": True}
    fresh = new.get("kubernetesSecrets", [])
    objects = [_object(one) for one in fresh]
    secrets = [one for one in old.get("kubernetesSecrets", []) if _object(one) not in objects] + fresh
    accounts = [*old.get("kubernetesServiceAccounts", [])]
    accounts += [one for one in new.get("kubernetesServiceAccounts", []) if one not in accounts]
    found = {"kubernetesSecrets": secrets, "kubernetesServiceAccounts": accounts}
    return {name: value for name, value in found.items() if value}


def _object(secret: JsonObject) -> tuple[str, str, str]:
    return secret["uid"], secret["namespace"], secret["name"]


def _listed(name: str, allowlist: Sequence[str]) -> bool:
    """By its name, or by the beginning of its path where an entry ends in `/*`."""
    return any(name == entry or (entry.endswith("/*") and name.startswith(entry[:-1])) for entry in allowlist)


def _path(directory: Path, name: str) -> Path:
    return directory / f"sha256-{hashlib.sha256(name.encode()).hexdigest()}"


def _read(path: Path) -> JsonObject | None:
    try:
        found: JsonObject = orjson.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        log.error("Unable to read a record of an image", path=str(path), err=str(error))
        return {}
    return found


def _all(directory: Path) -> Iterator[tuple[Path, JsonObject]]:
    for path in sorted(directory.glob("sha256-*")):
        if path.suffix != ".new" and (found := _read(path)) is not None:
            yield path, found


def _write(directory: Path, name: str, content: JsonObject) -> None:
    """Whole or not at all."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = _path(directory, name)
    fresh = path.with_suffix(".new")
    fresh.write_bytes(orjson.dumps(content))
    fresh.replace(path)
