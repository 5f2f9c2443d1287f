"""What a list is asked for: criteria read from a question, and what meets them in a text. Pure.

`asked` reads the criteria; `plural` says whether papers are wanted in the plural at all; `terms`,
`quantities`, `kinds`, `states`, `closeness` and `topics` decide for one text; the rest is grammar.
"""
