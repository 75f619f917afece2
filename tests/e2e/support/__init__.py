"""What the tests share: the control plane, the server under test, and stand-ins for others."""
