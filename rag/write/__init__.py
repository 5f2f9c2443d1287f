"""A language model writes over the papers found, and every sentence is checked before it counts."""
