"""ResourceQuota: says in each quota's status what is used, and gives back what is used no more.

Read `monitors` (where the objects are seen that quotas count), then `controller`; what an object uses is said by
`api.core.resource_quota`, as for the admission plugin, which charges what is new. API page: core/v1 ResourceQuota;
upstream: pkg/controller/resourcequota.
"""

from pilothouse.controllers.resource_quota.controller import ResourceQuotaController

__all__ = ["ResourceQuotaController"]
