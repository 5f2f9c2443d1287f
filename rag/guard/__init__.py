"""Whether a sentence says what an abstract says: checks by rules, without a model."""
