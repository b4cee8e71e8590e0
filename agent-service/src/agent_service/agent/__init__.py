"""The assistant as the SDK knows it: its prompt, its memory, and what is stored while it works."""
