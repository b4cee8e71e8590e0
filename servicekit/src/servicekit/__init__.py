"""What every service process shares. Knows the messages (`contracts`) and no business rules."""
