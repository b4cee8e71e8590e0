"""The assistant over HTTP: runs with their event streams, and conversations."""
