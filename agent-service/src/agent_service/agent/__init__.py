"""The assistant in terms of the SDK: its prompt, its session, and the hooks that store its progress."""
