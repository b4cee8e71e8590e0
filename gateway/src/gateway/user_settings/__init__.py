"""What a user has set for themselves: when the assistant asks, what it is told, how the page looks."""
