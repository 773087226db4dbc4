"""What is thrown away before pods have to go, one kind a file."""
