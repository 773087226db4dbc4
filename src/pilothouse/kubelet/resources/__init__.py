"""What a pod may use: quality of service, cgroups, and the numbers the runtime is given."""
