"""Scheduler: picks a node for every pod that has none, and runs nothing."""
