"""Who is asking: the result of authentication, read by authorization, admission, audit and managed fields."""

from collections.abc import Mapping
from dataclasses import dataclass, field

ANONYMOUS = "system:anonymous"
AUTHENTICATED_GROUP = "system:authenticated"
UNAUTHENTICATED_GROUP = "system:unauthenticated"
MASTERS_GROUP = "system:masters"
NODES_GROUP = "system:nodes"
NODE_USER_PREFIX = "system:node:"
SERVICE_ACCOUNT_PREFIX = "system:serviceaccount:"


@dataclass(frozen=True, slots=True)
class User:
    """A user, service account or component. Hashable by name and groups, so that decisions can be cached."""

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict, compare=False)

    @property
    def node_name(self) -> str | None:
        """The node this user is the kubelet of, empty where it does not say which; None for anyone else."""
        if NODES_GROUP in self.groups and self.name.startswith(NODE_USER_PREFIX):
            return self.name.removeprefix(NODE_USER_PREFIX)
        return None


def service_account_groups(namespace: str) -> tuple[str, ...]:
    """The groups of every service account of a namespace, besides that of everyone who is somebody."""
    return "system:serviceaccounts", f"system:serviceaccounts:{namespace}"


def service_account_user(
    namespace: str, name: str, uid: str, extra: Mapping[str, tuple[str, ...]] | None = None
) -> User:
    """The user that a service account's token stands for."""
    groups = (*service_account_groups(namespace), AUTHENTICATED_GROUP)
    return User(f"{SERVICE_ACCOUNT_PREFIX}{namespace}:{name}", groups, uid, extra or {})
