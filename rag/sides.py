"""What a question compares, and on what: read from its words alone. Pure rules.

`cut` breaks a question into pieces at the words that set things side by side ("vs", "and");
`rag.compare` finds out which pieces are papers. What is left of the question, with each side
written as a mark, is read by `axes_in`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.names import marked_names
from rag.question import compares
from rag.text import squeeze
from rag.words import STOPWORDS, compounds

MARK = "\ue000"  # a private character: stands for a side in what is left of a question
MOST_SIDES = 5
MOST_AXES = 7

# Sets what stands before it beside what stands after it.
_JOINS = re.compile(
    r"\s*(?:,\s*(?:and|or|und|oder|y|et|ou|as well as)\s+|,\s+|\s+(?:and|or|vs\.?|v\.|versus"
    r"|against"
    r"|than|with|to|from|next to|beside|alongside|compared (?:to|with)|as opposed to|rather than"
    r"|instead of|as well as"
    r"|und|oder|gegen(?:über)?|y|o|et|ou|contre|contra|frente a)\s+|\s+&\s+"
    r"|\s+/\s+|\s*(?:和|与|與|跟|と)\s*)",
    re.IGNORECASE,
)
_STOPS = re.compile(
    r"[?!;:。？！：；]+\s*|(?<=[^\W\d_])\.(?:\s+|$)|(?<=[\ue000)'\"’”])\.(?:\s+|$)|(?<=\d)\.(?:\s+|$)"
    r"|\.{2,}\s*|\s[-–—]+\s|\s+(?:[-=]+>|[→⇒])\s+|\n+"
)
_STRONG = re.compile(
    r"\b(?:vs|v|versus|against|than|next to|beside|alongside|compared (?:to|with)|as opposed to"
    r"|gegen(?:über)?|contre"
    r"|frente a)\b",
    re.IGNORECASE,
)
_PLAIN_JOIN = re.compile(
    r"\s*(?:,\s*(?:and\s+|or\s+)?|\s(?:and|or|vs\.?|v\.|versus|against|und|oder|y|o|et|ou)\s+"
    r"|&|/|和|与|と)\s*(?:the\s+)?",
    re.IGNORECASE,
)
# These join sides only after a word that calls for them: "compare X with Y", "from X to Y".
_CALLED_FOR = {
    "with": re.compile(r"\b(?:compar\w*|contrast\w*|versus|stack\w*|fare\w*)\b", re.IGNORECASE),
    "to": re.compile(r"\b(?:compar\w*|from|relat\w*|similar)\b", re.IGNORECASE),
    "from": re.compile(
        r"\b(?:dif+e?rs?|dif+e?re?nt|chang\w*|apart|distinguish\w*|separat\w*)\b", re.IGNORECASE
    ),
}
# What may stand before the first side and belongs to none.
_LEAD = re.compile(
    r"^(?:(?:(?:could|can|would|will) you"
    r"|and|so|but|ok|now|please|hi|well|also|on|in|of|for|by|from|between|betwen|among|with"
    r"|as"
    r"|how|what's|whats|what|which|who|where|when|why|is|are|was|were|do|does|did|can|could|would"
    r"|will"
    r"|should|has|have|tell me|show me|give me|explain|describe|i see|there are|there's|one|me"
    r"|sets?|distinguish(?:es)?|separates?|weigh|place|hold|compare|comparing|comparison|contrast|contrasting|rank|order|sort|put|list|difference[s]?"
    r"|diff(?:e)?rence[s]?|differ|different|similarit(?:y|ies)|changed|change|changes|better"
    r"|about|regarding|considering|either|both|whether|versus|vs|the difference|(?:en )?qu[ée]|se"
    r"|diferencian|diferencia[s]?|entre|wie|worin|was|unterscheide[nt]|sich|unterschied|zwischen"
    r"|vergleiche?|comparez?|quelle|est|la|les?|différences?|compara(?:r)?)\b[\s,:'’]*)+",
    re.IGNORECASE,
)
# Where a described side ends and the question goes on: not inside "the system that is …".
_GOES_ON = re.compile(
    r"(?<!\bthat)(?<!\bwhich)(?<!\bwho)(?<!\bto)\s+(?:both|each|all|differ\w*|diffrent|compare[sd]?"
    r"|relate[sd]?|stack(?:s|ed)? up|fare[sd]?|do|does|did|aim[s]?|tr(?:y|ies)|tackle[s]?"
    r"|handle[s]?"
    r"|approach(?:es)?|(?:dis)?agree|perform[s]?|have|has|get[s]?|got|in terms of|in how"
    r"|when it comes|regarding"
    r"|actually|really|with respect to|in (?:common|order|model|scale|cost)|for that)\b.*$",
    re.IGNORECASE | re.DOTALL,
)
# … but "Learning by Teaching" goes on in capitals, as titles do.
_AFTER_NAME = re.compile(
    r"(?<=\S)\s+(?i:on|in|for|at|by|when|with|regarding)\b(?!\s+[A-Z][a-z]).*$", re.DOTALL
)
_DETERMINED = re.compile(
    r"^(?:the|that|this|an?|its|their|der|die|das|den|el|la|le|il|[\w-]+['’]s)(?!\w)", re.IGNORECASE
)
_QUOTED = re.compile(r"[\"“”„«»]([^\"“”„«»]{3,150})[\"“”„«»]|(?<!\w)['‘]([^'’‘]{3,150})['’](?!\w)")
_SEVERAL_OF = re.compile(
    r"\b(?:(?:the|these|those|there are|i see|i know|you have|are there)\s+(?:here\s+)?)?"
    r"(?<![\w-])(?P<count>two|three|four|five|2|3|4|5|both|pair of)\s+(?:of the\s+)?"
    r"(?P<kind>(?:[\w-]+\s+){0,3}?(?:papers?|systems?|works?|methods?|models?|frameworks?"
    r"|benchmarks?"
    r"|data ?sets?|approaches|techniques?|studies|tokeni[sz]ers?|algorithms?|surveys?"
    r"|optimi[sz]ers?"
    r"|libraries|tools?|agents?|schemes?|strategies|ones))\b(?:\s+here)?(?P<what>[^?.!;:]*)",
    re.IGNORECASE,
)
_COUNTS = {"two": 2, "both": 2, "pair of": 2, "three": 3, "four": 4, "five": 5}

_ASKS = re.compile(
    r"^(?:and\s+|or\s+|but\s+)?(?:(?:with|on|in|at|for|to|by|of|from|under)\s+)?(?:how|what|what's"
    r"|whats|which|who|where|when|why|do|does|did|is|are|was|were|can|could|has|have|will|would)\b",
    re.IGNORECASE,
)
_ORDERS = re.compile(
    r"^(?:and\s+|then\s+)?(?:please\s+)?(?:compare|contrast|rank|order|sort|put|list|tell|give|say"
    r"|show|name)\b",
    re.IGNORECASE,
)
_AXES_FOLLOW = re.compile(
    r"\b(?:in terms of|with (?:respect|regard) to|regarding|concerning|when it comes to|as to"
    r"|by how"
    r"|especially|espescially|particularly|mainly|namely|on|in|by|for)\b\s*",
    re.IGNORECASE,
)
_AFTER_SIDES = re.compile(
    r"\b(?:in terms of|with (?:respect|regard) to|regarding|concerning|when it comes to|as to"
    r"|esp\w*ally|particularly|mainly|namely|(?:compare|differ)\w* (?:in|on|by)"
    r"|on|in(?! (?:common|order)))\b\s*",
    re.IGNORECASE,
)
_BETWEEN = re.compile(
    rf"\b(?:differen\w*|diffren\w*|compar\w*|gap)\s+(?:in|of|on)\s+([^{MARK}]+?)\s+(?:between|of"
    rf"|for)\s+{MARK}",
    re.IGNORECASE,
)
# "Average score for A, B and C": what is asked stands before the sides.
_OF_SIDES = re.compile(
    rf"^(?:and\s+)?(?:what(?:'s| is| are| was| were)\s+)?(?:the\s+)?([^{MARK}]+?)"
    rf"\s+(?:for|of|in)\s+(?:the\s+)?{MARK}(?:\W|{MARK}|\b(?:and|or|vs|versus|against"
    rf"|the)\b)*[^{MARK}]*$",
    re.IGNORECASE,
)
_AND_ASKS = re.compile(
    r"\s*,?\s+and\s+(?=(?:(?:on|in|at|with|for|to|by|of|from|under)\s+)?(?:how|what|which|who|where"
    r"|when|why|do|does|did|is|are|was|were|can)\b)|\s*,\s+(?=(?:(?:on|in|at|with|for|to|by|of"
    r"|from)\s+)?"
    r"(?:how|what|which|who|where|when|why)\b)|\s*;\s*",
    re.IGNORECASE,
)
# Words that compare in languages that put no spaces between words.
_IDLE_UNSPACED = re.compile(
    r"比较|对比|比較|区别|區別|不同|差异|有什么|什么|哪些|请|するとどう|してください|して|ください|違い|何|です|か|の|を|は|的|吗|呢"
)
_ASKS_BY_ITSELF = re.compile(r"\b(?:where|when|why|who)\b", re.IGNORECASE)
# Not inside brackets: "scale (params, GPUs)" is one axis.
_ITEMS = re.compile(
    r"\s*,\s*(?:and\s+|or\s+)?(?![^()]*\))|\s+and\s+(?:in\s+|on\s+)?(?![^()]*\))|\s*&\s*",
    re.IGNORECASE,
)
_IDLE = re.compile(
    r"\b(?:compar\w+|contrast\w*|versus|vs|differ\w*|diffren\w*|similar\w*|alike|in common"
    r"|side by side"
    r"|rank|order|sort|put|them|both|each|either|one|ones|two|three|four|five|papers?|first|last"
    r"|biggest"
    r"|largest|smallest|fastest|highest|lowest|best|please|main|betwen|between|if any|here"
    r"|stack up|fare"
    r"|relate|changed?|apart|sets?|distinguish\w*|separat\w*|weigh|trade-?offs?|pros|cons|about"
    r"|for each|respectively|question|explain|tell|me|whats|what's|better"
    r"|worse"
    r"|qué|que|en|se|entre|diferenci\w*|quels?|quelles?|von|unterschie\w*|unterscheid\w*|wie"
    r"|worin|sich|zwischen|und"
    r"|oder"
    r"|différen\w*|comparez?|vergleich\w*|der|die|das|la|le|les|el|los|quelle|est|sont|es|son)\b",
    re.IGNORECASE,
)
_MARKS = re.compile(rf"{MARK}(?:'s)?")
_STANDS_FOR_SIDES = re.compile(
    r"\b(?:each(?: one| of them)?|either(?: one| of them)?|both(?: of them)?|they|them|the two|it"
    r"|which one|each paper|the papers|the systems)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of the question between joins: a side, or not."""

    start: int
    end: int
    text: str
    joined: str  # the join before it, lower case; "" where a sentence or clause begins


@dataclass(frozen=True, slots=True)
class Several:
    """Things named together by one description: "two papers on checkpointing"."""

    count: int
    description: str


def asks_to_compare(question: str) -> bool:
    """Whether the question may set two things or more side by side."""
    cues = (_STRONG, _MAY_COMPARE, _OTHER_TONGUES)
    return (
        compares(question)
        or any(cue.search(question) for cue in cues)
        or bool(_ONE_OR_OTHER.match(question))
        or _names_joined(question)
    )


def names_against(question: str) -> bool:
    """Whether two words that are written as names stand on both sides of a "vs".

    >>> names_against("TL-Training vs ToolACE: how many examples?")
    True
    """
    names = {name.lower() for name in marked_names(question)}
    found = _VERSUS.finditer(question)
    return any({one["left"].lower(), one["right"].lower()} <= names for one in found)


_VERSUS = re.compile(
    r"(?P<left>[\w^+.-]*\w\+*)\s+(?:vs\.?|versus|v\.)\s+(?P<right>[\w^+.-]*\w\+*)", re.IGNORECASE
)


def _names_joined(question: str) -> bool:
    """Whether two words that are written as names stand side by side: "CodeGen2 and OpenCoder"."""
    names = [re.escape(name) for name in marked_names(question)]
    either = "|".join(sorted(names, key=len, reverse=True))
    capital = r"[A-Z][\w-]*"
    more = rf"(?:\s+{capital}){{0,3}}"
    pairs = (
        rf"\b(?:{either}){more}{_PLAIN_JOIN.pattern}{capital}",
        rf"\b{capital}{more}{_PLAIN_JOIN.pattern}(?:{either})",
    )
    return bool(names) and any(re.search(pair, question) for pair in pairs)


_MAY_COMPARE = re.compile(
    r"\b(?:rank|order|sort)\b.*\b(?:by|them)\b|\bdif+e?re?n\w*\b|\bwhich (?:one|of (?:them|these"
    r"|those))\b"
    r"|\bdoes either\b|\bwhat about\b|\bnext to each other\b|\bthe [\w ,-]{2,60} one and the\b"
    r"|\bone\b.{8,200}\b(?:another|the other|the newer one|the older one)\b|\bfor (?:each"
    r"|both)\b|\bthan\b|\bwhat changed\b|\b(?:dis)?agree\b"
    r"|\bor the [\w -]{3,60} one\b|\b\w+ or \w+\s*[?:,-]"
    r"|\btrade-?offs?\b|\bpros?\b.{0,8}\bcons?\b|\b(?:dis)?advantages\b"
    r"|\bstrengths and weaknesses\b"
    r"|\bweigh\w*\b.{0,60}\b(?:two|up|against|them|these)\b|\b(?:sets?|tells?)\b.{1,60}\bapart\b"
    r"|\btell apart\b|\b(?:distinguish|separat)\w*\b.{2,80}\bfrom\b|\bdo they share\b|\bpart ways\b"
    r"|\b(?:who|which) wins\b|\bwins where\b|\bdecide between\b|\bpreferable to\b",
    re.IGNORECASE | re.DOTALL,
)
# "LoRA or full fine-tuning for code models?": two things and no question word
_ONE_OR_OTHER = re.compile(
    r"^\W*(?!(?:what|which|who|whose|how|why|when|where|is|are|was|were|do|does|did|can|could|would"
    r"|should|will|has|have|any|anything|anyone|anybody|papers?|works?|all|list|show|name|find|i|we"
    r"|my|our)\b)"
    r"(?:[^\s?.:;,]+ ){1,6}or (?:[^\s?.:;,]+[ ?.]*){1,8}$",
    re.IGNORECASE,
)
_OTHER_TONGUES = re.compile(
    r"\b(?:unterschied\w*|unterscheid\w*|vergleich\w*|diferenci\w*|compar[aáeé]\w*|différen\w*"
    r"|\bl['’]une?\b.{8,200}\bl['’]autre\b|\bein[se]?\b.{8,200}\b(?:eins|ander\w*)\b.{0,200}\bbeiden?\b"
    r"|\buno\b.{8,200}\b(?:el otro|la otra|otro)\b"
    r"|gegenüber|mejor que|besser als|schneller als|größer als)\b|区别|比较|对比|違い|比べ",
    re.IGNORECASE,
)


def cut(question: str, whole: Sequence[tuple[int, int]] = ()) -> tuple[Piece, ...]:
    """Break *question* at stops and at joins; quoted titles and *whole* spans are never cut.

    >>> [piece.text for piece in cut("CodeT vs B4: which scores more on 'HumanEval and MBPP'?")]
    ['CodeT', 'B4', "which scores more on 'HumanEval and MBPP'"]
    """
    quoted = [*whole, *(found.span() for found in _QUOTED.finditer(question))]
    breaks = [(found.start(), found.end(), "") for found in _STOPS.finditer(question)]
    breaks += [
        (f.start(), f.end(), squeeze(f[0]).lower())
        for f in _JOINS.finditer(question)
        if _joins_sides(question, f)
    ]
    pieces: list[Piece] = []
    at, joined = 0, ""
    for start, end, join in [*sorted(breaks), (len(question), len(question), "")]:
        if start < at or any(first < end and start < last for first, last in quoted):
            continue
        text = question[at:start]
        if text.strip():
            left = len(text) - len(text.lstrip())
            pieces.append(Piece(at + left, at + len(text.rstrip()), text.strip(), joined))
            joined = join
        elif not join:
            joined = ""
        at = end
    return tuple(pieces)


def _joins_sides(question: str, join: re.Match[str]) -> bool:
    wanted = _CALLED_FOR.get(squeeze(join[0]).lower())
    if wanted is None:
        return True
    stops = [found.end() for found in _STOPS.finditer(question, 0, join.start())]
    return bool(wanted.search(question, stops[-1] if stops else 0, join.start()))


def trimmed(piece: Piece) -> Piece:
    """*piece* without the question words before a side and what goes on after it."""
    lead = _LEAD.match(piece.text)
    skipped = lead.end() if lead else 0
    rest = piece.text[skipped:]
    kept = _GOES_ON.sub("", f" {rest}")[1:] if rest else ""
    kept = _described(kept) if _DETERMINED.match(kept) else _AFTER_NAME.sub("", kept)
    kept = kept.strip(" ,'’")
    start = piece.start + piece.text.find(kept, skipped) if kept else piece.start
    return Piece(start, start + len(kept), kept, piece.joined)


def _described(text: str) -> str:
    """*text* up to its second "on": "the one on annotations on size" asks for the size."""
    parts = re.split(r"\s+on\s+", text, flags=re.IGNORECASE)
    return text if len(parts) < 3 else text[: text.rfind(parts[-1])].rsplit(None, 1)[0]


def quoted_in(text: str) -> tuple[str, ...]:
    """What stands in quotation marks in *text*."""
    return tuple(a or b for a, b in _QUOTED.findall(text))


def is_described(text: str) -> bool:
    """Whether *text* describes a thing by a noun with an article rather than by a name."""
    return bool(_DETERMINED.match(text)) and len(compounds(text)) >= 3


def is_of_a_kind(text: str) -> bool:
    """Whether *text* describes a thing of the kinds that papers are about: "the … framework"."""
    return bool(_KIND.search(text))


_KIND = re.compile(
    r"\b(?:papers?|ones?|systems?|works?|methods?|models?|frameworks?|benchmarks?|data ?sets?|study"
    r"|studies|approach|techniques?|tokeni[sz]ers?|algorithms?|surveys?|optimi[sz]ers?|library|tool"
    r"|agents?|scheme|strategy|l?lms?|networks?|giant|trick|engine|server|compiler|corpus|laws?"
    r"|theorem|thesis|report|article|papier|artikel|étude|estudio)\b",
    re.IGNORECASE,
)


def asks_on(piece: Piece) -> bool:
    """Whether *piece* asks for a measure, or goes on asking after what it is joined to.

    "how much quicker" than something, or ", how many calls it needs".
    """
    goes_on = piece.joined and not is_strong(piece.joined) and _ASKS_ON.match(piece.text)
    return bool(goes_on or _ASKS_A_MEASURE.match(piece.text))


_ASKS_A_MEASURE = re.compile(r"(?:by\s+)?how (?:much|many|far|often|long)\b", re.IGNORECASE)
_ASKS_ON = re.compile(r"(?:and\s+)?(?:how|what|which|where|when|why|whether)\b", re.IGNORECASE)


def says_changed(text: str) -> bool:
    """Whether *text* says that something changed: what follows are the sides, not this."""
    return bool(re.search(r"\bchang(?:ed|es)\b", text, re.IGNORECASE))


def without_kind(text: str) -> str:
    """*text* without the nouns for what papers are about: "ZeRO paper" names ZeRO."""
    return _KIND.sub(" ", text)


def asks_about(text: str) -> bool:
    """Whether *text* asks the question before of something else: "what about Fuyou"."""
    return bool(re.match(r"(?:and\s+)?(?:what|how) about\b", text, re.IGNORECASE))


def is_called_for(join: str) -> bool:
    """Whether *join* is "with" or "to" after a word that calls for it."""
    return join in _CALLED_FOR


def is_strong(join: str) -> bool:
    """Whether *join* ("vs", "against") can only stand between two sides."""
    return bool(_STRONG.search(join)) or join in _CALLED_FOR


def compares_outright(question: str) -> bool:
    """Whether *question* sets things side by side, and not one thing against a yardstick.

    "How much faster is BatchLLM than vLLM?" asks what BatchLLM's abstract says; "BatchLLM vs vLLM"
    asks for both.
    """
    return bool(_OUTRIGHT.search(question) or _OTHER_TONGUES.search(question))


_OUTRIGHT = re.compile(
    r"\b(?:compar\w+|contrast\w*|versus|vs\.?|v\.|against|dif+e?re?n\w*|differs?|each|either"
    r"|respectively"
    r"|side by side|in common|rank|in order|what changed|which one|which of|between|both|the two"
    r"|(?:dis)?agree|beside|alongside|trade-?offs?|pros|weigh|apart|distinguish\w*)\b"
    r"|\b(?:order|sort|put) (?:them|these|those)\b|\bwhich (?:is|was|are|has|of)\b.*\bor\b",
    re.IGNORECASE | re.DOTALL,
)


def asks_generally(question: str) -> bool:
    """Whether *question* asks how things differ in general, whatever it asks besides."""
    return bool(_GENERALLY.search(question))


_GENERALLY = re.compile(
    r"\bhow (?:do|does|are|is) (?:they|these|those|the two|both|it|each)\b.{0,30}\bdif+e?re?n?\w*"
    r"|\bwhat(?:'s| is| are) the dif+e?re?n\w*(?!\s+(?:in|of|on)\b)|^\W*compare\b",
    re.IGNORECASE,
)


def asks_of_each(question: str) -> bool:
    """Whether *question* asks the same of each thing it has named, and not after papers."""
    return bool(_OF_EACH.search(question)) and not _AFTER_PAPERS.match(question)


_OF_EACH = re.compile(
    r"\b(?:(?:of|in|for|does|do|is) each|each (?:one|of them)|(?:any|either|which) of (?:them|these"
    r"|those|the two))\b",
    re.IGNORECASE,
)
_AFTER_PAPERS = re.compile(r"^\W*(?:which|what|how many|list|name|show|find|are there)\b", re.I)


def says_compare(text: str) -> bool:
    """Whether *text* has a word that can only set things side by side."""
    return bool(_SAYS_COMPARE.search(text) or _OTHER_TONGUES.search(text))


_SAYS_COMPARE = re.compile(
    r"\b(?:compar\w+|contrast\w*|dif+e?re?n\w*|differs?|in common)\b", re.IGNORECASE
)


def has_yardstick(question: str) -> bool:
    """Whether *question* measures one thing by others: "more accurate than X and Y"."""
    return bool(re.search(r"\bthan\b", question, re.IGNORECASE))


def are_joined(question: str, spans: Sequence[tuple[int, int]]) -> bool:
    """Whether a word or sign that can join stands between the first and the last of *spans*."""
    between = question[min(end for _, end in spans) : max(start for start, _ in spans)]
    return bool(_CAN_JOIN.search(between))


_CAN_JOIN = re.compile(
    r"\b(?:and|or|to|than|while|whereas|but|vs|versus|against|from|with|beside|over)\b|[,;:/&]",
    re.IGNORECASE,
)


def set_beside(question: str, spans: Sequence[tuple[int, int]]) -> bool:
    """Whether the sides at *spans* open their clause with only joins between: "A or B: …"."""
    if len(spans) < 2:
        return False
    (first, end), (start, _) = spans[0], spans[1]
    stops = [found.end() for found in _STOPS.finditer(question, 0, first)]
    before = question[stops[-1] if stops else 0 : first]
    return not _LEAD.sub("", before).strip() and bool(_PLAIN_JOIN.fullmatch(question[end:start]))


def one_and_another(question: str) -> tuple[str, ...]:
    """The descriptions in "one paper here grows by stacking, another by adding"; () if none.

    >>> one_and_another("One paper here stacks layers, another adds pairs. How large?")
    ('paper stacks layers', 'paper adds pairs')
    """
    found = _ONE_ANOTHER.search(question)
    if not found:
        return ()
    kind = found["kind"] or "paper"
    return tuple(squeeze(f"{kind} {found[name]}") for name in ("one", "other"))


_THINGS = (
    r"(?:papers?|systems?|methods?|works?|models?|study|studies|frameworks?|benchmarks?|arbeit\w*"
    r"|articles?|articulos?|trabajos?|papiere?)"
)
# "One paper …, another …", "one of the papers …; the other …", "one for …, the newer one …", and
# the same in German, French, Spanish and Italian.
_ONE_ANOTHER = re.compile(
    r"\b(?:one|ein[se]?|der eine|die eine|das eine|l['’]une?|una?|uno|el uno)\s+"
    rf"(?:(?:of|de|von|degli) (?:them|the|these|those|los|las|den|ihnen)?\s*)?(?P<kind>(?:[\w-]+ )?"
    rf"{_THINGS}\b)?[,\s]*(?:here\s+|of them\s+)?(?P<one>[^;.?!]{{8,200}}?)"
    r"(?:[,;]\s+(?:(?:and|while|but|&|und|et|y|e)\s+)?|\s+(?:and|while|whereas|&|und|et|y)\s+)"
    r"(?:another|the other|a second|the second|the (?:newer|older|later|earlier|first|last)"
    r"|(?:and )?one(?= (?:that|which|for|on|about|where|paper|system))|l['’]autre|une? autre"
    r"|(?:el |la )?otr[oa]|(?:der|die|das) ander[en]+|ein(?:es)? ander\w*|eins|l['’]altr[oa])"
    rf"(?:\s+(?:one|{_THINGS})\b)?[,\s]+(?P<other>[^;.?!]{{8,200}})",
    re.IGNORECASE,
)


def several_in(question: str) -> Several | None:
    """Things described together, with their number; None where there are none.

    >>> several_in("Two papers train LLMs on Frontier. Compare scale.").description
    'papers train LLMs on Frontier'
    """
    found = _SEVERAL_OF.search(question)
    if not found or len(compounds(found["what"])) < 2:
        return None
    count = found["count"].lower()
    number = _COUNTS.get(count) or int(count)
    return Several(min(MOST_SIDES, number), squeeze(f"{found['kind']} {found['what']}"))


def marked(question: str, spans: Sequence[tuple[int, int]]) -> str:
    """*question* with each of the *spans*, which do not overlap, written as MARK."""
    for start, end in sorted(spans, reverse=True):
        question = f"{question[:start]}{MARK}{question[end:]}"
    return question


def axes_in(text: str) -> tuple[str, ...]:
    """What a question with its sides written as MARK asks to compare on; () if it does not say.

    Clauses that ask are axes as they stand; the items of a list after "on", "in terms of" or a
    colon are one each. A clause that only tells what the sides are is none.
    """
    clauses = [squeeze(clause) for clause in _STOPS.split(text) if squeeze(clause)]
    asking = [
        clause
        for clause in clauses
        if (_ASKS.match(clause) or _ORDERS.match(clause)) and _says_something(clause)
    ]
    found: list[str] = []
    after_sides = False
    first = next((i for i, clause in enumerate(clauses) if MARK in clause), 0)
    for place, clause in enumerate(clauses):
        if place < first and _ORDERS.match(clause) and not _AXES_FOLLOW.search(clause):
            continue  # "Compare the compressibility papers: A vs B" only says what they are
        if clause in asking or MARK in clause:
            found += _of_clause(clause, only_told=bool(asking) and clause not in asking)
        elif after_sides:
            found += _items(clause)
        after_sides = after_sides or MARK in clause or bool(_ORDERS.match(clause))
    return tuple(dict.fromkeys(axis for axis in found if _says_something(axis)))[:MOST_AXES]


def _of_clause(clause: str, *, only_told: bool) -> list[str]:
    """The axes of one clause: its own questions, or the list that stands before or after sides."""
    if only_told:
        return []
    before = _BETWEEN.search(clause) or _OF_SIDES.match(clause)
    if before and _says_something(before[1]):
        return _items(before[1])
    if MARK in clause:
        return _after_sides(clause, clause.rfind(MARK))
    if not _ORDERS.match(clause):
        return _questions(clause)
    follow = _AXES_FOLLOW.search(clause)
    return _items(clause[follow.end() :] if follow else _ORDERS.sub("", clause))


def _after_sides(clause: str, last: int) -> list[str]:
    """The axes of a clause whose last side stands at *last*."""
    rest = _MARKS.sub("", clause[last:])
    asks = bool(_ASKS.match(rest.strip(" ,")))
    follow = _AFTER_SIDES.search(rest)
    if follow and not asks:
        return _items(rest[follow.end() :])
    told_what_for = re.match(r"\s*for\b", rest, re.IGNORECASE)
    if _ORDERS.match(clause) or told_what_for or not _says_something(clause):
        return []
    return _questions(rest if asks and not _says_something(clause[:last]) else clause)


def _questions(clause: str) -> list[str]:
    return [_label(part) for part in _AND_ASKS.split(clause)]


def _items(text: str) -> list[str]:
    """The items of a list, unless it is a run of questions."""
    if _ASKS.match(text) or _AND_ASKS.search(text):
        return [item for part in _AND_ASKS.split(text) for item in _items_of(part)]
    return [_label(item) for item in _ITEMS.split(text)]


def _items_of(part: str) -> list[str]:
    return [_label(part)] if _ASKS.match(part) else [_label(item) for item in _ITEMS.split(part)]


def _label(text: str) -> str:
    return squeeze(_BEFORE_AXIS.sub("", squeeze(text).strip(" ,.'’")))


_BEFORE_AXIS = re.compile(
    r"^(?:(?:and|or|but|then|please|der|die|das|den|dem|la|el|le|les|los)\s+|的)", re.IGNORECASE
)


def _says_something(text: str) -> bool:
    """Whether anything is left of *text* without sides, joins and the words that compare."""
    if _ASKS_BY_ITSELF.search(text):
        return True
    rest = _IDLE_UNSPACED.sub(" ", _IDLE.sub(" ", _MARKS.sub(" ", text)))
    return any(word.lower() not in STOPWORDS and len(word) > 1 for word in compounds(rest))


def asked_of(axis: str, name: str) -> str:
    """*axis* as a question about one side called *name*.

    >>> asked_of("how many APIs does each cover", "ToolLLM")
    'how many APIs does ToolLLM cover'
    """
    if axis.count(MARK) == 1:
        return axis.replace(MARK, name)
    axis = label_of(axis)
    asked, count = _STANDS_FOR_SIDES.subn(lambda _: name, axis, count=1)
    if count or name == "it":
        return asked
    return f"{axis} {'for' if _ASKS.match(axis) else 'of'} {name}"


def label_of(axis: str) -> str:
    """*axis* as it stands at the head of a row: of a clause that names the sides, what it asks.

    >>> label_of(f"Does {MARK} get better GPU utilization than {MARK}")
    'better GPU utilization'
    """
    if MARK in axis:
        parts = [part for part in _MARKS.split(axis) if _says_something(part)]
        axis = max(parts, key=len) if parts else ""
        axis = _AROUND.sub("", axis)
    return squeeze(axis).strip(" ?,.:'’\"")


_AROUND = re.compile(
    r"^(?:[\s,]*(?:do|does|did|is|are|has|have|get[s]?|got|actually|really|in|on|and|or|than)\b)+"
    r"|(?:\b(?:than|and|or|with|to|the|of|for|between|vs\.?|versus|from|do|does|did|is|are)\b"
    r"[\s,']*|\s*\bcompares?\s*)+$",
    re.IGNORECASE,
)
