"""Tests of servicekit, in a package of their own name: `servicekit` is the one under test."""
