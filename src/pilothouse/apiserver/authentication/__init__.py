"""Authentication: who sends a request, a way of telling a file."""
