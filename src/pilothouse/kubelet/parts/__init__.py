"""What the kubelet does all the time, one part a file."""
