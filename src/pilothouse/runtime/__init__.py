"""What any asynchronous daemon needs, with nothing of Kubernetes in it."""
