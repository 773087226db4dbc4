"""Verifies a service account's token as somebody would who knows no more than its issuer (OpenID Connect Discovery)."""

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from contract_images.agnhost.cluster_access import ClusterAccess
from contract_images.agnhost.fetch import Answer, fetch
from contract_images.agnhost.flags import Flags
from contract_images.agnhost.logs import log
from contract_images.agnhost.signatures import BadToken, claims, verify

Get = Callable[[str], Answer]


def run(arguments: Sequence[str]) -> int:
    """Verify the token with the cluster's own server, or else with one outside that is asked without it."""
    flags = Flags(arguments, {"token-path": "", "audience": ""})
    try:
        token = Path(flags.text("token-path")).read_text()
    except OSError as error:
        log(str(error))
        return 1
    log("OK: Got token")
    ways: tuple[tuple[str, Callable[[], Get]], ...] = (
        ("validating with in-cluster discovery", lambda: ClusterAccess().get),
        ("falling back to validating with external discovery", lambda: fetch),
    )
    for saying, way in ways:
        log(saying)
        try:
            validate(token, flags.text("audience"), way())
        except (OSError, BadToken) as error:
            log(f"failed to validate: {error}")
        else:
            return 0
    return 1


def validate(token: str, audience: str, get: Get) -> None:
    """Raise BadToken or OSError unless the issuer that `token` names vouches for it, and it is for `audience`."""
    found = claims(token)
    issuer = str(found.get("iss"))
    log(f"OK: got issuer {issuer}")
    log(f"Full, not-validated claims: \n{found}")
    document = _json(get, issuer.rstrip("/") + "/.well-known/openid-configuration")
    if document.get("issuer") != issuer:
        said = document.get("issuer")
        raise BadToken(f'oidc: issuer URL provided to client ("{issuer}") did not match the issuer URL "{said}"')
    log(f"OK: Constructed OIDC provider for issuer {issuer}")
    verify(token, _json(get, document["jwks_uri"])["keys"])
    audiences = found.get("aud", [])
    if audience not in ([audiences] if isinstance(audiences, str) else audiences):
        raise BadToken(f'oidc: expected audience "{audience}" got {audiences}')
    if found.get("exp", 0) < time.time():
        raise BadToken("oidc: token is expired")
    log("OK: Validated signature on JWT")
    log("OK: Got valid claims from token!")
    log(f"Full, validated claims: \n{found}")


def _json(get: Get, url: str) -> dict[str, Any]:
    answer = get(url)
    if answer.status != 200:
        raise BadToken(f"{answer.status}: {answer.body.decode(errors='replace')}")
    try:
        found = json.loads(answer.body)
    except ValueError as error:
        raise BadToken(f"oidc: failed to decode {url}: {error}") from error
    return found if isinstance(found, dict) else {}
