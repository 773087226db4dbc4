"""The roles, a module each: `run` builds one component's configuration from the cluster's home and settings."""
