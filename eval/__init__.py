"""The grounding evals: cases, measures, gates, and the command that runs them."""
