"""Where a question is cut: what joins its parts, brackets and quotes them, and says nothing."""

from __future__ import annotations

import re

AND = re.compile(
    r"\s+(?:and also|and|as well as|together with|along with|plus|&)\s+|\s*,\s*(?:and\s+)",
    re.IGNORECASE,
)
OR = re.compile(
    r"\s*,\s*(?:or\s+)?|\s+(?:or|and/or|resp\.)\s+|\s+/\s+|(?<=[a-z]{3})/(?=[a-z]{3})",
    re.IGNORECASE,
)
# An aside; what stands in brackets at a sign, or alone, is a formula: O(n^2).
BRACKETS = re.compile(r"(?:(?<=\S)\s+|(?<=[a-z]{3}))\(([^()]*)\)")
QUOTED = re.compile(r"\"([^\"]{2,80})\"|(?<!\w)'([^']{2,80})'(?!\w)")
IDLE = re.compile(
    r"(?<!call )(?<!calls )(?<!describe )\b(?:itself|themselves|by name|for whatever (?:purpose"
    r"|reason)|in any (?:way|form|sense|variant|version)|(?:in )?(?:any|whatever|every|either) "
    r"(?:variant|version|size|form|flavou?r|kind|edition)s?|version egal|egal welche version"
    r"|explicitly|specifically|somehow|anywhere|at all|somewhere|in passing|literally|verbatim"
    r"|in their (?:experiments|evaluation|work|paper|text)|in the text|of any kind)\b",
    re.IGNORECASE,
)
LISTED = re.compile(
    r"\b(?:and so on|and such|etc\.?|e\.?g\.?,?|i\.?e\.?,?|for example|for instance|such as|like"
    r"|including|or similar|and the like)\b|\.\.\.|…",
    re.IGNORECASE,
)
