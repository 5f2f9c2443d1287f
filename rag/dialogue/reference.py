"""Which of the things shown a question means: others, all, one by its place. Pure rules.

Texts are as `rag.text.fold` and `squeeze` leave them.
"""

from __future__ import annotations

import re

from rag.dialogue.cue import COMPARATIVE, subject_words, wants_others, without_opener
from rag.words import content_words

_FEW_BEFORE = 2  # words of content before a pronoun: with more of them, it refers to one of them

_OTHERWISE = re.compile(
    r"\b(?:do|does|doing|did|done|tr(?:y|ies|ied|ying)|work(?:s|ing|ed)?|look(?:s|ed|ing)?|scale"
    r"|level|area|field|topic|subject|line|direction|problem|idea|approach|way|else|others?|similar"
    r"|related"
    r"|there|out|here|list|show|find|das|dazu|thema|esto|eso|tema|sujet|ca|cela|machen|macht|hacer?"
    r"|hace|fait|font|mas|noch|jemand|wer|quien|alguien|quelqu'un|qui|d'autres?)\b",
    re.IGNORECASE,
)
_ALL_OF_THEM = re.compile(
    r"\b(?:which|what) (?:one|of (?:them|these|those|the (?:two|three|four|five)))\b|\bboth\b"
    r"|\b(?:these|those) two\b"
    r"|\bthe two(?=\s*(?:$|[?.!,;]|papers|systems|models|methods|of them|are|is|do|have|differ"
    r"|comp))|\bbetween them\b|\b(?:each|either|neither) (?:one|of them)\b|\beach other\b"
    r"|\bwelche[rsn]? (?:von|der) (?:beiden|ihnen)|\bbeide[ns]?\b|\bcual de (?:los|las) dos\b"
    r"|\bambos\b|\bwhich (?:is|was|are|has|does|do)\b(?=.*\b" + COMPARATIVE + r"\b)|\blequel\b"
    r"|\blaquelle\b|\bles deux\b|哪一?个更|两者|都",
    re.IGNORECASE,
)
_COMPARES = re.compile(
    r"\b(?:compar\w+|versus|vs\.?|than|differ\w*|beat\w*|outperform\w*|better|worse|as \w+ as"
    r"|similar|same|" + COMPARATIVE + r""
    r"|besser|schneller|grosser|mehr|weniger|als|mas|menos|mejor|peor|plus|moins|mieux|que)\b",
    re.IGNORECASE,
)
_VAGUE = re.compile(
    r"\b(?:this|that)\b|\b(?:more|less|fewer|better|worse|higher|lower|greater|similar|same)\b",
    re.I,
)
_DESCRIBED = re.compile(
    r"\b(?:the|that|your) (?P<target>(?!(?:same|other|new|old|whole|only|original)\b)[\w+'-]+"
    r"(?: [\w+'-]+){0,3}?) (?:one|paper|work|study)\b(?! (?:to|that|which|who|with|on|about|of)\b)",
    re.IGNORECASE,
)


_WITH_A_CLAUSE = re.compile(  # "the one that only plays chess"
    r"\b(?:the|that) (?:one|paper) (?:(?:that|which|who|where|with|on|about|for|from|using) )"
    r"(?P<target>[^,.;:?!]{3,60}?)(?= please\b|[,.;:?!]|$)",
    re.IGNORECASE,
)
_ANOTHER_ONE = re.compile(
    r"^\W*(?:[^.?!]{3,60}[.!] )?(?:(?:but|and|so|hm+|hang on|wait)\b[\s,]*)*"
    r"(?:(?:is|was|are)(?:n't|nt| not)? there|there(?:'s| is| was)|you have"
    r"|do(?:n't)? (?:you|we) have) (?:not )?(?:also )?(?:another|(?:this|that|the|an) other) "
    r"(?P<kind>(?:[\w-]+ ){0,3}?)"
    r"(?:one|paper|work|study|benchmark|model|system|data ?set|method)\b(?P<said>[^?]*?\w[^?]*?)"
    r"(?:(?:\?\s*|, (?=(?:what|how|which|who|where|when|why|did|does|do|is|are|was)\b))"
    r"(?P<asked>.+))?\W*$",
    re.IGNORECASE,
)


def another_one(text: str) -> tuple[str, str] | None:
    """How another paper is described that *text* asks for, and what is asked of it.

    >>> another_one("isn't there another one on that, with beans? how many did they cook")
    ('with beans', 'how many did they cook')
    >>> another_one("is there another one?") is None
    True
    """
    found = _ANOTHER_ONE.match(text)
    said = _ON_THAT.sub("", f"{found['kind']}{found['said'].lstrip(' ,')}") if found else ""
    said = said.strip(" ,")
    if not found or not subject_words(said):
        return None
    return said, (found["asked"] or "").strip()


_ON_THAT = re.compile(r"^\W*(?:on|about|like|for) (?:that|this|it|the same)\b", re.IGNORECASE)


def asks_for_others(text: str) -> bool:
    """Whether papers other than those shown are asked for, and not said on what.

    >>> asks_for_others("anyone else doing that?"), asks_for_others("any other paper on beans?")
    (True, False)
    """
    return wants_others(text) and not subject_words(_OTHERWISE.sub(" ", text))


def asks_of_all(text: str) -> bool:
    """Whether *text* speaks of both or all that were shown ("which one is faster?")."""
    return bool(_ALL_OF_THEM.search(text))


def speaks_of_several(text: str) -> bool:
    """Whether *text* says "they", which after two things side by side are both."""
    return bool(re.search(r"\b(?:they|them|their|theirs)\b", text, re.IGNORECASE))


def compares_with(text: str) -> bool:
    """Whether *text* sets something beside something else."""
    return bool(_COMPARES.search(text))


def joins_two(text: str) -> bool:
    """Whether *text* joins two things: "the difference between beans and peas"."""
    joint = re.search(r"\b(?:and|or|vs|versus|und|oder|et|ou)\b", without_opener(text)[0], re.I)
    return joint is not None


def is_vague(text: str) -> bool:
    """Whether a comparison leaves open what is compared ("is that more?")."""
    return bool(_VAGUE.search(text))


def described(text: str) -> list[str]:
    """What *text* says of papers it describes: "recipe" of "how big is the recipe one?"."""
    told = [found["target"] for found in _DESCRIBED.finditer(text)]
    return told + [found["target"] for found in _WITH_A_CLAUSE.finditer(text)]


_STANDS_FOR = re.compile(
    r"\b(?P<whose>its|their)\b|\b(?:it|they|them)\b"
    r"|\b(?:(?<=is )|(?<=are )|(?<=was )|(?<=do )|(?<=does )|(?<=did )|(?<=than )|(?<=to )"
    r"|(?<=with )"
    r"|(?<=how )|(?<=and )|(?<=^))(?:this|that|these|those)\b(?: (?:one|paper|model|system"
    r"|method)\b)?",
    re.IGNORECASE,
)
_ELLIPTIC = re.compile(
    r"^\W*(?:and |but |so )?(?=(?:" + COMPARATIVE + r"|compared|vs\.?|versus)\b)", re.I
)


def stands_for(text: str) -> tuple[int, int, bool] | None:
    """The first word of *text* that stands for a thing: its span, and whether it owns something.

    An empty span at the start where only "faster than" is said.
    """
    found = _STANDS_FOR.search(text)
    if found and len(content_words(text[: found.start()])) <= _FEW_BEFORE:
        return (found.start(), found.end(), bool(found["whose"]))
    elliptic = _ELLIPTIC.match(text)
    return (elliptic.end(), elliptic.end(), False) if elliptic else None


def is_beside(text: str, name: str) -> bool:
    """Whether *text* sets something beside *name*: "faster than X"."""
    before = text[: text.find(name)]
    return bool(
        re.search(r"\b(?:than|with|to|vs\.?|versus|from|against|like) (?:the )?$", before, re.I)
    )


_FRAME = re.compile(
    r"^\W*(?:and |so |but )?(?:(?:which|what|who|whose)(?: \w+)? (?:papers?|works?"
    r"|studies)\b(?: that)?|(?:is|are) there\b(?: an?| any)?(?: papers?)?(?: that)?"
    r"|(?P<thing>(?:what|who|how|why|where)(?:'s| is| are| was| were| does| do| did| can)\b)"
    r"|(?:what|who|which)\b) ?",
    re.IGNORECASE,
)
_WHICH_PAPER = re.compile(r",? (?:which|what) (?:paper|work|study)$| \([^()]*\)$", re.IGNORECASE)
_THIRD_PERSON = re.compile(r"^(?:(?P<ies>\w+)ies|(?P<es>\w+(?:ch|sh|ss|x))es|(?P<s>\w+[^s])s)\b")


def predicate(question: str) -> str:
    """What papers do that *question* asks for, so that "which papers" can stand before it.

    >>> predicate("who generates shapes from wavelets"), predicate("what's the agent that plays")
    ('generate shapes from wavelets', 'are about the agent that plays')
    """
    told_of = _WHICH_PAPER.sub("", question)
    frame = _FRAME.match(told_of)
    rest = told_of[frame.end() :] if frame else told_of
    verb = _THIRD_PERSON.match(rest) if frame and not frame["thing"] else None
    plural = frame is not None and re.search(r"\b(?:papers|works|studies)\b", frame[0], re.I)
    if plural and rest:
        return rest
    if rest.split()[:1] in (["is"], ["has"]):
        return {"is": "are", "has": "have"}[rest.split()[0]] + rest[rest.index("s") + 1 :]
    if verb:
        base = f"{verb['ies']}y" if verb["ies"] else verb["es"] or verb["s"]
        return f"{base}{rest[verb.end() :]}"
    return rest if rest.startswith(("on ", "about ")) else f"are about {rest}"
