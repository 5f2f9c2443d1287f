"""What in a question points back at its conversation, read from its words alone. Pure rules."""
