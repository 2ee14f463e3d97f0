"""What is seen from outside: metrics, state, sidecar."""
