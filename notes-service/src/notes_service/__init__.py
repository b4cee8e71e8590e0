"""Owns the notes: every read and write, their history and their change feed."""

VERSION = "0.1.0"
