"""HTTP of the assistant: runs and their event streams, conversations."""
