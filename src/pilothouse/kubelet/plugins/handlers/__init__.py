"""Who takes plugins in, one kind of plugin a file."""
