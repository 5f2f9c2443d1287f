"""What a list is asked for: criteria read from a question, and what meets them in a text. Pure.

`plural` says whether papers are wanted in the plural at all. `asked` reads the criteria: `normal`,
`antecedents` and `frames` leave what is asked for, `clauses` cuts it, and `mentions`, `brought`,
`subjects` and `bounds` read the parts. `terms`, `quantities`, `kinds`, `states`, `closeness` and
`topics` decide for one text; the rest is grammar.
"""
