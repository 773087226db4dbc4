"""The chain every request goes through, a file a step, in upstream's order."""
