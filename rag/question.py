"""What a question asks for, read from its words: pure rules, each with its reason.

`focus` finds the question inside a long paste or behind markup; `Wanted` says what kind of sentence
would answer it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

from rag.text import fold, squeeze
from rag.words import STOPWORDS, compounds, stem, without_numbering

LONG_WORDS = 80  # a longer question is searched for the part that asks
LONG_CHARACTERS = 1000  # likewise: Chinese puts no spaces between words
MOST_FOCUS_WORDS = 60

_TAG = re.compile(r"</?[A-Za-z][^<>]{0,500}>")
# Folding makes ？ a question mark like any other; after a Chinese word no space follows it.
_PIECES = re.compile(r"(?<=[.!?])\s+|(?<=。)|(?<=[\u3040-\u30ff\u3400-\u9fff][?!])|\n+")
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
    r"|depth|exponent|miou|fps|duration|parameter count|param(?:s|eter)? (?:size|count)|size of"
    r"|score (?:of|on)|accuracy (?:of|on)"
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
    r"|(?:web|postal|mail(?:ing)?) address|funding|hyper-?parameters?|learning rate|batch size"
    r"|random seed|epochs?|wall-?clock|electricity|carbon|watts?|dollars?|usd|how long did)\b",
    re.IGNORECASE,
)

_COUNTED = re.compile(
    r"\b(?:how many|number of|amount of|count of|how much|(?:share|percentage|fraction|proportion)"
    r" of|into how many|to how many)\s+([^?.,;:]{2,60})",
    re.IGNORECASE,
)
_MEASURED = re.compile(
    r"\b(accuracy|score|percent(?:age)?|rate|size|length|depth|latency|throughput|speed-?up|cost|price"
    r"|width|memory|ratio|exponent|duration|days|hours|seconds|minutes|temperature|epochs?|steps?"
    r"|bits?|parameters?|params|perplexity|bleu|rouge|f1|miou|map|mfu|auc|win rate|pass@\d+)\b",
    re.IGNORECASE,
)
_NAMED_KIND = re.compile(
    r"\b(?:which|what|whose|names? of(?: the)?|list (?:the|those|these|all))\s+([^?.,;:]{2,60})",
    re.IGNORECASE,
)
_NOT_NOUNS = frozenset(
    "did does do was were is are has have had can could will would led gave came got fits"
    " happens happened changed changes causes caused drives drove lets keeps helps".split()
)
# Kinds that the paper itself is: asking for one asks for the paper, not for a name inside it.
_PAPER_ITSELF = frozenset(
    """
    paper work approach method technique study framework system tool idea mechanism problem part
    step kind type way thing reason advantage effect difference result finding role goal aim purpose
    issue challenge strategy property advanc improvement benefit limitation drawback factor number
    percentage share amount score accuracy size rate happen extra single main sort trick concept
    """.split()
)
_SAME_QUANTITY = {
    "gpu": frozenset("gpu gpus a100 h100 v100 h800 a800 rtx tpu acceler devic card".split()),
    "accuraci": frozenset("accuraci % percent point accur".split()),
    "score": frozenset("score % percent point".split()),
    "rate": frozenset("rate % percent".split()),
    "percentag": frozenset("% percent".split()),
    "percent": frozenset("% percent".split()),
    "paramet": frozenset("paramet param size model b".split()),
    "param": frozenset("paramet param size model".split()),
    "size": frozenset("size paramet token sampl exampl task problem instanc question".split()),
    "speedup": frozenset("speedup speed x faster time".split()),
    "cost": frozenset("cost usd dollar $ price".split()),
}
_NUMBER_WORDS = frozenset(
    """
    one two three four five six seven eight nine ten eleven twelve dozen dozens hundred hundreds
    thousand thousands million millions billion billions trillion half third quarter double doubled
    twice triple magnitude single
    """.split()
)
# A number that is part of a name (GPT-4, H100) counts nothing.
_FIGURES = re.compile(r"[^\W\d_]+-?\d\w*|\d[\d.,]*\w*|[^\W\d_]+|%|\$")
_BESIDE = 4  # words between a number and what it counts

_ORDER_PIECES = re.compile(
    r"(?<=[.!?;])\s+|\n+|;|\s--\s|\b(?:user|question|human)\s*:", re.IGNORECASE
)
_ORDERS = re.compile(
    r"\b(?:system|assistant|developer)\s*:|\bend system\b"
    r"|\b(?:ignore|disregard|forget|override) (?:all|any|the|your|every|previous|prior"
    r"|everything|what)"
    r"|\b(?:reply|respond|answer|output|say|print) (?:only|just|nothing but|with only|exactly)\b"
    r"|\bfrom now on\b|\byou are now\b|\bsystem prompt\b|\bhidden (?:rules|instructions|prompt)"
    r"|\bdeveloper mode\b|\bjailbreak|\bpwned\b"
    r"|\b(?:drop table|union (?:all )?select|insert into|delete from|select \S+ from"
    r"|update \w+ set)\b"
    r"|'\s*or\s*'?\d'?\s*=\s*'?\d",
    re.IGNORECASE,
)
_COMPARES = re.compile(
    r"\b(?:compar\w+|contrast\w*|versus|vs\.?|v\.|differen\w+|differ|differs|both|each|respectively"
    r"|in common|similar\w*|alike|side by side|rather than|instead of|in order|rank (?:them|the)"
    r"|which of the (?:two|three|four)|the (?:two|three|four) (?:papers|systems|methods|works)"
    r"|better|worse|faster|larger|bigger|smaller|cheaper|advance over|improve (?:on|over|upon))\b"
    r"|\bhow do(?:es)? .{1,60} (?:and|relate to|stack up)\b|\b(?:the )?first .{1,60}the second\b",
    re.IGNORECASE,
)
_SEVERAL = re.compile(
    r"\b(?:which|what|how many|list (?:all|every|the|me)|every|all|any|other|more|several|some)"
    r" (?:of the |of these )?(?:the )?(?:\w+ ){0,2}(?:papers|abstracts|works|studies)\b"
    r"|\bevery (?:paper|abstract|work)\b"
    r"|\b(?:everything|anything|all) (?:on|about)\b|\bwho (?:else|all|actually)\b"
    r"|\banyone else\b|\blist (?:all|every)\b|\b(?:papers|works)"
    r" (?:on|about|that|which|mentioning|using)\b",
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


def asked_quantity(question: str) -> str:
    """The noun that a wanted number counts or measures, as a stem; empty if none is asked for.

    >>> asked_quantity("How many interaction trajectories are there in AgentInstruct?")
    'trajectori'
    >>> asked_quantity("what learning rate did they use?")
    'rate'
    """
    found = _COUNTED.search(question)
    if found:
        lower = [word.lower() for word in compounds(found[1])]
        words = list(takewhile(lambda word: word not in STOPWORDS, lower))
        # "how many experts sit in": the counted noun is the first plural, else the last word
        plural = next((word for word in words if word.endswith("s") and len(word) > 2), "")
        return stem(plural or (words[-1] if words else ""))
    measured = _MEASURED.findall(question)
    if not measured:
        return ""
    noun = measured[0].lower().partition("@")[0]  # pass@1 is told as "pass@1" or "pass rate"
    return stem(noun.split()[-1])


def asked_kind(question: str) -> str:
    """The noun that "which" or "what" asks the name of, as a stem; empty if none is asked for.

    >>> asked_kind("Which public CTR datasets is OptFS tested on?")
    'dataset'
    """
    for found in _NAMED_KIND.finditer(question):
        noun = ""
        for word in compounds(found[1]):
            lower = word.lower()
            if lower in STOPWORDS or lower in _NOT_NOUNS:
                break
            noun = lower
        if noun and noun not in _PAPER_ITSELF and stem(noun) not in _PAPER_ITSELF:
            return stem(noun)
    return ""


def has_quantity(sentence: str, noun: str) -> bool:
    """Whether *sentence* gives a number beside the *noun* (a stem), in words or in figures."""
    words = _FIGURES.findall(fold(sentence))
    terms = [stem(word.lower()) for word in words]
    wanted_terms = _SAME_QUANTITY.get(noun, frozenset({noun}))
    at = [i for i, term in enumerate(terms) if term in wanted_terms]
    figures = [i for i, word in enumerate(words) if _is_figure(word)]
    return any(abs(i - j) <= _BESIDE for i in at for j in figures)


def has_name_of(sentence: str, noun: str, question: str) -> bool:
    """Whether *sentence* speaks of the *noun* (a stem) and holds a name the question does not."""
    words = compounds(sentence)
    asked = {word.lower() for word in compounds(question)}
    terms = {stem(part.lower()) for word in words for part in re.split("[-/]", word)}
    names = [word for word in words[1:] if word[:1].isupper() and word.lower() not in asked]
    return bool(names) and noun in terms


def has_figure(sentence: str) -> bool:
    """Whether *sentence* gives a number, in figures or in words; one in a name does not count."""
    words = _FIGURES.findall(without_numbering(fold(sentence)))
    return any(_is_figure(word) for word in words)


def missing_formal_words(question: str, sentences: Sequence[str]) -> set[str]:
    """Words for what abstracts hardly tell (licence, venue, …) that no sentence has, as stems."""
    formal = " ".join(found[0] for found in _FORMAL.finditer(question))
    asked = {stem(word.lower()) for word in compounds(formal)}
    held = {stem(word.lower()) for text in sentences for word in compounds(text)}
    return {word for word in asked if word not in STOPWORDS} - held


def _is_figure(word: str) -> bool:
    return word[0].isdigit() or word == "%" or word.lower() in _NUMBER_WORDS


def focus(question: str) -> str:
    """The part of *question* that asks: all of it, unless it is long or wrapped in markup.

    Tags are dropped with what stands inside them. Of a paste of more than LONG_WORDS words (or
    LONG_CHARACTERS) the last sentence that asks is kept (people put the question last), with the
    sentence before it as its context; if nothing asks, the last words.

    >>> focus('<img src=x onerror="f()"><b>POINTS</b> - how did they filter data?')
    'POINTS - how did they filter data?'
    """
    text = without_orders(squeeze_lines(_TAG.sub(" ", fold(question))))
    if len(text.split()) <= LONG_WORDS and len(text) <= LONG_CHARACTERS:
        return squeeze(text)
    pieces = [piece.strip() for piece in _PIECES.split(text) if piece.strip()]
    asking = [i for i, piece in enumerate(pieces) if piece.endswith("?") or _ASKS.match(piece)]
    if not asking:
        return _end_of(text)
    last = asking[-1]
    chosen = pieces[last]
    if last > 0 and len(chosen.split()) < 12:
        chosen = f"{pieces[last - 1]} {chosen}"
    return _end_of(chosen)


def without_orders(text: str) -> str:
    """*text* without the pieces that give orders to a machine; all of it if nothing else is left.

    Orders to a model ("ignore your instructions"), SQL and the like cannot do harm here, but their
    words would be looked up with the rest.

    >>> without_orders("'; DROP TABLE papers; -- what does Llumnix reschedule?")
    'what does Llumnix reschedule?'
    """
    if not _ORDERS.search(text):
        return text
    pieces = [piece.strip(" \t-'\"") for piece in _ORDER_PIECES.split(text)]
    kept = [
        piece for piece in pieces if any(c.isalnum() for c in piece) and not _ORDERS.search(piece)
    ]
    return "\n".join(kept) or text


def asks_for_several(question: str) -> bool:
    """Whether papers are wanted in the plural: a list, a count, a survey of the collection."""
    return bool(_SEVERAL.search(question))


def compares(question: str) -> bool:
    """Whether the question sets things side by side."""
    return bool(_COMPARES.search(question))


def _end_of(text: str) -> str:
    return " ".join(text.split()[-MOST_FOCUS_WORDS:])[-LONG_CHARACTERS:]


def squeeze_lines(text: str) -> str:
    """Trim every line, and drop empty ones, keeping the line breaks that separate pieces."""
    return "\n".join(line for line in (squeeze(line) for line in text.splitlines()) if line)
