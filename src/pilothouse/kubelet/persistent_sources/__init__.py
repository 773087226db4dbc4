"""Where persistent volumes come from, one kind a file."""
