"""Owns conversations and runs, and runs the assistant."""
