"""Users' settings: approval policy, instructions for the assistant, theme."""
