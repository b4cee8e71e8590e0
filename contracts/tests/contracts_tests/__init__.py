"""Tests of what the services say to each other. A package of its own name: `contracts` is the one under test."""
