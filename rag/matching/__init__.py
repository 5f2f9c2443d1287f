"""Which papers of a collection meet the criteria of a list, and by which sentence."""
