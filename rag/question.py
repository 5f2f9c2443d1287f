"""What a question asks for, read from its words: pure rules, each with its reason.

`focus` finds the question inside a long paste or behind markup; `Wanted` says what kind of sentence
would answer it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rag.text import fold, squeeze

LONG_WORDS = 80  # a longer question is searched for the part that asks
MOST_FOCUS_WORDS = 60

_TAG = re.compile(r"</?[A-Za-z][^<>]{0,500}>")
_PIECES = re.compile(r"(?<=[.!?？。])\s+|\n+")
_ASKS = re.compile(
    r"^(?:and |so |but |please |now )?(?:what|which|who|whose|when|where|why|how|is|are|was|were|do"
    r"|does|did|can|could|should|would|has|have|name|list|give|tell|find|show|explain|describe"
    r"|compare|summari[sz]e)\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(
    r"\bhow (?:many|much|large|big|small|long|often|fast|far|high|low|deep|wide|old|accurate|good"
    r"|well|close)\b"
    r"|\bwhat (?:\w+ ){0,4}?(?:percent(?:age)?|share|fraction|proportion|number|size|score|accuracy"
    r"|rate|factor|speed-?up|ratio|amount|cost|price|length|count|mfu|gain|improvement|reduction"
    r"|throughput|latency|parameters?)\b"
    r"|\b(?:percent(?:age)?|number of|amount of|how-many|speed-?up|by what factor|what factor"
    r"|parameter count|param(?:s|eter)? (?:size|count)|size of|score (?:of|on)|accuracy (?:of|on)"
    r"|pass@\d+|bleu|rouge|f1|mfu|win rate|fraction of|share of|cost of|price of|count)\b"
    r"|\?\s*%|%",
    re.IGNORECASE,
)
_RESULT = re.compile(
    r"\b(?:result|find|found|finding|conclude|conclusion|outperform|beat|better|worse|improv|gain"
    r"|faster|speed|accura|score|reach|achiev|perform|effect|impact|discover|learn|turn out|show"
    r"|compare|advantage|benefit|save|saving|reduc|cut)\w*",
    re.IGNORECASE,
)
_METHOD = re.compile(
    r"\b(?:how (?:do|does|did|is|are|can|to|come)|approach|method|mechanism|technique|idea|trick"
    r"|work|train|built|build|made|design|architecture|combine|consist|component|step|stage|part)\w*",
    re.IGNORECASE,
)
_WHY = re.compile(
    r"\b(?:why|reason|because|problem|limitation|issue|challenge|motivat|drawback|bottleneck|cause"
    r"|gap|shortcoming|weakness|fail)\w*",
    re.IGNORECASE,
)
_WHAT_IS = re.compile(
    r"^\W*(?:what(?:'s| is| are| was| does)|which (?:paper|work|system|model|method|framework"
    r"|benchmark|dataset|tool|approach)|who|describe|explain|tell me|is there|has any|anyone"
    r"|anybody|summari)",
    re.IGNORECASE,
)
_DATA = re.compile(
    r"\b(?:data|dataset|data set|corpus|benchmark|domain|language|task|test|evaluat|measur|sample"
    r"|example|experiment)\w*",
    re.IGNORECASE,
)

_FORMAL = re.compile(
    r"\b(?:who (?:wrote|authored|are the authors|is the (?:first|lead|last) author|funded|paid)"
    r"|authors?|authored|affiliat\w*|universit\w*|published|publication|publish|what year"
    r"|which year|when was|venue|conference|journal|licen[cs]e\w*|citations?|e-?mail|contact"
    r"|address|funding|hyper-?parameters?|learning rate|batch size|random seed|epochs?"
    r"|wall-?clock|electricity|carbon|watts?|dollars?|usd|how long did)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Kinds of sentence a question may want; several can hold."""

    number: bool
    result: bool
    method: bool
    reason: bool
    definition: bool
    data: bool
    formal: bool  # authors, year, venue, licence: what an abstract never tells


def wanted(question: str) -> Wanted:
    """Read the kinds from a folded question.

    >>> wanted("How many GPUs does MegaScale use?").number
    True
    """
    return Wanted(
        number=bool(_NUMBER.search(question)),
        result=bool(_RESULT.search(question)),
        method=bool(_METHOD.search(question)),
        reason=bool(_WHY.search(question)),
        definition=bool(_WHAT_IS.search(question)),
        data=bool(_DATA.search(question)),
        formal=bool(_FORMAL.search(question)),
    )


def focus(question: str) -> str:
    """The part of *question* that asks: all of it, unless it is long or wrapped in markup.

    Tags are dropped with what stands inside them. Of a paste of more than LONG_WORDS words the last
    sentence that asks is kept (people put the question last), with the sentence before it as its
    context; if nothing asks, the last words.

    >>> focus('<img src=x onerror="f()"><b>POINTS</b> - how did they filter data?')
    'POINTS - how did they filter data?'
    """
    text = squeeze_lines(_TAG.sub(" ", fold(question)))
    if len(text.split()) <= LONG_WORDS:
        return squeeze(text)
    pieces = [piece.strip() for piece in _PIECES.split(text) if piece.strip()]
    asking = [i for i, p in enumerate(pieces) if p.endswith(("?", "？")) or _ASKS.match(p)]
    if not asking:
        return " ".join(text.split()[-MOST_FOCUS_WORDS:])
    last = asking[-1]
    chosen = pieces[last]
    if last > 0 and len(chosen.split()) < 12:
        chosen = f"{pieces[last - 1]} {chosen}"
    return " ".join(chosen.split()[-MOST_FOCUS_WORDS:])


def squeeze_lines(text: str) -> str:
    """Trim every line, and drop empty ones, keeping the line breaks that separate pieces."""
    return "\n".join(line for line in (squeeze(line) for line in text.splitlines()) if line)
