"""What a list is asked for: criteria read from a question, as values. Pure rules.

A question is cut into what asks (which papers, how many, list all), what it asks for, and remarks
("GPT-3.5 doesn't count"). What it asks for becomes clauses that a paper must all meet: literal
words, amounts, kinds of paper, things that a paper brings, and topics.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from rag.kinds import BROUGHT, KINDS, kind_asked
from rag.names import is_name_like
from rag.plural import PAPERS, asks_for_list, is_english
from rag.quantities import Kind as Measure
from rag.quantities import Quantity, quantities
from rag.terms import canonical, words_of
from rag.text import fold, squeeze
from rag.words import STOPWORDS

__all__ = [
    "Amount", "Brings", "Clause", "Criteria", "Criterion", "IsKind", "Topic", "Words",
    "asks_for_list", "described", "read_criteria",
]  # fmt: skip

Field = Literal["any", "title", "abstract"]


@dataclass(frozen=True, slots=True)
class Words:
    """The text holds one of these literally."""

    alternatives: tuple[tuple[str, ...], ...]  # of each the first spelling that any paper has
    where: Field = "any"
    exact: bool = False  # no acronym stands for it, nor what an acronym stands for
    used: bool = False  # in the paper's own work, rather than in passing
    masks: tuple[str, ...] = ()  # longer names that it may be a part of and that do not count


@dataclass(frozen=True, slots=True)
class Amount:
    """A sentence states an amount of a measure within bounds."""

    measure: Measure
    low: float = 0.0
    high: float = float("inf")
    above: bool = False  # more than *low*, not exactly it
    below: bool = False  # less than *high*
    about: tuple[str, ...] = ()  # stems that the sentence must speak of, for what has no unit
    own: bool = True  # of the paper's own work, not of what is usual, needed or compared with
    training: bool = False  # of training, not of a corpus or an input


@dataclass(frozen=True, slots=True)
class IsKind:
    """The paper is of one of `rag.kinds.KINDS`, by its name."""

    kind: str
    where: Field = "any"


@dataclass(frozen=True, slots=True)
class Brings:
    """The paper introduces something that the noun names."""

    noun: str


@dataclass(frozen=True, slots=True)
class Topic:
    """The paper is about this, as far as words and meaning tell."""

    text: str
    alternatives: tuple[str, ...]  # phrases any of which would be it
    examples: tuple[str, ...] = ()  # named with it: each of them is a sign of it, too


Criterion = Words | Amount | IsKind | Brings | Topic


@dataclass(frozen=True, slots=True)
class Clause:
    """Criteria of which one must hold; with *negated*, none may."""

    any_of: tuple[Criterion, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Criteria:
    """What a paper must meet to be listed: every clause."""

    clauses: tuple[Clause, ...]
    counts: bool = False  # "how many": the number is wanted first
    remarks: tuple[str, ...] = field(default=())  # pieces of the question that added nothing


def read_criteria(question: str) -> Criteria | None:
    """The criteria of *question*, folded and focused; None where nothing is asked for.

    >>> [clause.any_of for clause in read_criteria("which papers mention T5 or BERT?").clauses]
    [(Words(alternatives=(('T5',), ('BERT',)), where='any', exact=False, used=False, masks=()),)]
    >>> read_criteria("how many surveys are there on pruning?").clauses[0].any_of
    (IsKind(kind='survey', where='any'),)
    """
    text = squeeze(question)
    asked, remarks = _pieces(text)
    if not is_english(text):
        clauses = _foreign(text)
    else:
        clauses = tuple(_clauses(_unframed(asked), asked))
    for remark in remarks:
        clauses = _remarked(clauses, remark)
    clauses = tuple(clause for clause in clauses if clause.any_of)
    if all(clause.negated and isinstance(clause.any_of[0], Topic) for clause in clauses):
        return None  # all that is not about something is no list
    return Criteria(clauses, bool(_COUNTS.search(text)), tuple(remarks))


# --- the pieces of a question --------------------------------------------------------------------

_COUNTS = re.compile(
    r"\b(?:how many|number of|count(?: of)?|how often|wie viele|wieviele|cuant[oa]s|combien"
    r"|quant[ioea]s?"
    r"|hoeveel|ile|kac|сколько)\b|多少|几篇|幾篇|いくつ|何本|何件|몇",
    re.IGNORECASE,
)
_PIECE = re.compile(r"(?<=[.?!;])\s+|\s+(?:-|--)\s+|(?<=\?)(?=\S)")
_ONLY_ASKS = re.compile(
    rf"^\W*(?:(?:and|so|but|then|please|also|thanks|thank you|which|what|ones?|who|list|name|give"
    rf"|tell|show|me|all|of|them"
    rf"|the|are|is|they|those|these|there|how|many|{PAPERS}|papers?|abstracts?|titles?|names?|in"
    rf"|this|here|collection|corpus|for|i|i'd"
    rf"|i'm|like|want|need|would|to|see|know|have|a|full|complete|with|its?|too|if|any|you|can|do"
    rf"|exactly|count"
    rf"|benchmarks?|only|just|each|one|from|by|y|e|et|und|ey|careful|mind|note|note that|version"
    rf"|egal|cuales|quels"
    rf"|lesquels|welche|quali|quais|not|articles|i\.e\.?|that|thing|things|every|single"
    rf"|last)\b\W*)+$",
    re.IGNORECASE,
)
_REMARK = re.compile(
    r"\b(?:do|does)(?:n't| not) count\b|\bdon'?t count\b|\bis (?:a )?(?:different|another|not "
    r"(?:the same|it|meant))\b"
    r"|\bare (?:different|other|not (?:the same|meant))\b|^\W*(?:careful|mind|beware|note|not|no"
    r"|don'?t mean|i don'?t mean"
    r"|excluding|ignore|ignoring|without|except|leave out|skip|only|just)\b|\bnot meant\b|\bis "
    r"out\b|\bare out\b",
    re.IGNORECASE,
)


def _pieces(text: str) -> tuple[str, list[str]]:
    """What asks, and the remarks beside it; pieces that only ask once more are dropped."""
    parts = [part.strip() for part in _split_outside_brackets(text) if part.strip()]
    said = [part for part in parts if not _ONLY_ASKS.match(part)] or parts[:1]
    remarks = [part for part in said[1:] if _REMARK.search(part)]
    rest = [part for part in said if part not in remarks]
    asking = [part for part in rest if asks_for_list(part)]
    main = asking[0] if asking else rest[0]
    if main is not rest[0] and _ONLY_ASKS.match(_unframed(main) or "which"):
        main = rest[0]
    return main, remarks


def _split_outside_brackets(text: str) -> Iterator[str]:
    start = 0
    for cut in _PIECE.finditer(text):
        before = text[start : cut.start()]
        if before.count("(") > before.count(")") or before.count('"') % 2:
            continue
        yield before
        start = cut.end()
    yield text[start:]


# --- what asks is taken off ----------------------------------------------------------------------

_LEAD = re.compile(
    r"^\W*(?:(?:hi|hello|hey|please|pls|ok|so|and|also|now|well|then|can you|could you|would you"
    r"|do you know"
    r"|i'?m (?:looking for|after|reading up on|interested in|collecting|searching for|writing "
    r"about)"
    r"|i am (?:looking for|after|reading up on|interested in|collecting|searching for)"
    r"|i(?:'d| would) like(?: to (?:see|have|know|read))?|i (?:need|want)(?: to (?:see|know|read))?"
    r"|show|give|tell|find|list|get|enumerate|collect|count|number of|the number of|name(?= "
    r"(?:all|every|the|me|some))|me|us|which|what|wich"
    r"|how many|how often|all|any|every|each|the|of|these|those|your|our|other|others|more"
    r"|further|some|several"
    r"|in (?:which|what|how many)|is there|are there|do you have|have you got|do we have|what is "
    r"there|what's there"
    r"|there|is|are|was|were|do|does|did|have|has|you|we|here|who|whose|whom|else|actually|really"
    r"|also|even"
    r"|else|anyone|anybody|everyone|everybody|everything|evrything|anything|whatever|something"
    r"|besides|in here"
    r"|ones?|single|paper|papers|papers'|paper's|abstracts?|abstract's|abstracts'|works?(?= "
    r"(?:that|which|who|on|about|use|mention|do|here|are|in|compare|deal|propose|evaluate)\b)"
    r"|studies(?= )|study(?= that)|articles?|publications?|preprints?|authors(?! of)|teams|people"
    r"|groups|titles?(?= that| which)"
    r"|that|which|where|they|it|in (?:this|the|your) (?:collection|corpus|library)|from (?:this"
    r"|the|your) collection"
    r"|contained|got|new(?= papers)|recent(?= papers)|than one|thing|things|to read|can i read"
    r"|relevant(?= papers)|between them)\b[\s,:]*"
    r"(?:'s?\s+)?)+",
    re.IGNORECASE,
)
_TRAIL = re.compile(
    r"(?:[\s,:;.?!-]+(?:please|pls|thanks|which|what|ones?|and|them|all|of|list|in (?:this|the"
    r"|your) (?:collection|corpus|library|list|set)"
    r"|here|in here|for me|too|(?:which |what |any |the |other )?(?:papers|abstracts|works"
    r"|studies|articles|publications)"
    r"|do you have|are there|have you got|is there|there|etc|and so on|or so|at all|exactly"
    r"|again|everywhere|anywhere|somewhere"
    r"|who|whose|you have|you got|available|in total|altogether|overall|and which|so far|right "
    r"now))+[\s?!.,:;-]*$|[\s?!.,:;-]+$",
    re.IGNORECASE,
)
_COLON_ASKS = re.compile(
    r"^(?P<object>[^:]{2,80}): *(?P<asks>(?:in |from )?(?:which|what|how many|any)\b.*)$",
    re.IGNORECASE,
)
_STANDS_FOR = re.compile(
    r"\b(?:(?:does|do|is|are) )?(?:it|this|that|the (?:model|name|method|term|system|word"
    r"|dataset|benchmark|data set|topic))\b",
    re.IGNORECASE,
)


def _unframed(text: str) -> str:
    """*text* without the words that only ask for papers.

    >>> _unframed("Can you list all papers in the collection that mention LoRA, please?")
    'mention LoRA'
    """
    colon = _COLON_ASKS.match(text)
    if colon and asks_for_list(colon["asks"]):
        rest = _STANDS_FOR.sub(" ", _unframed(colon["asks"]))
        return squeeze(f"mention {colon['object']}" if len(rest.split()) <= 4 else text)
    lead = _LEAD.match(text)
    rest = text[lead.end() :] if lead else text
    trail = _TRAIL.search(rest)
    while trail and trail.start() > 0:
        rest = rest[: trail.start()]
        trail = _TRAIL.search(rest)
    return squeeze(_INNER.sub(" ", rest))


_INNER = re.compile(
    r"(?<=\w) (?:papers|abstracts)(?= (?:on|about|that|of|with|for|in|which|who|whose)\b|$)"
    r"|\b(?:whose|where|in which|of which) (?:the )?(?:abstracts?|titles?|authors)\b|^(?:an?"
    r"|the) (?=paper|abstract)",
    re.IGNORECASE,
)

# --- clauses -------------------------------------------------------------------------------------

_MENTIONS = (
    r"(?:mention(?:s|ed|ing)?|nam(?:es?|ed|ing)(?= )|cit(?:es?|ed|ing)|contain(?:s|ed|ing)?"
    r"|includ(?:es?|ing) (?:the )?(?:word|term|phrase|name)s?"
    r"|br(?:ings?|ought) up|bring(?:s|ing)? .{0,3}up|speaks? (?:of|about)|spoke (?:of|about)"
    r"|talks? (?:of|about)|refer(?:s|red|ring)? to|says?\b|writes? about"
    r"|us(?:es?|ed|ing) (?:the|a) (?:\w+ )?(?:word|term|phrase|expression|acronym|abbreviation"
    r"|name)s?|(?:word|term|phrase|expression)s?(?= \")"
    r"|(?:call|describe)s? (?:themselves|itself)(?: as)?|turns? up|appears?|occurs?|ha(?:s|ve) "
    r"(?:the )?(?:word|term|phrase)s?|points? to|invokes?"
    r"|mention(?:ed)? (?:across|in))"
)
_USES_IT = (
    r"(?:evaluat(?:es?|ed|ing)(?: (?:themselves|their \w+|models?|\w+))?(?: (?:on|against|with"
    r"|using))|evaluat(?:es?|ed|ing)"
    r"|test(?:s|ed|ing)?(?: (?:\w+ )?(?:on|with|against))|reports? (?:their |any |the "
    r")?(?:results?|numbers?|scores?|performance|accuracy|figures)(?: (?:on|for|with|in))"
    r"|report(?:s|ed|ing)?(?: on)?|benchmark(?:s|ed|ing)?(?: (?:\w+ )?(?:on|against|with))"
    r"|experiment(?:s|ed|ing)?(?: (?:on|with))|validat(?:es?|ed|ing)(?: on)?"
    r"|us(?:es?|ed|ing)|employ(?:s|ed|ing)?|adopt(?:s|ed|ing)?|appl(?:y|ies|ied|ying)|rel(?:y|ies"
    r"|ied|ying)(?: on)|built?d?(?:s|ing)?(?: up)?(?: on)|based(?: on)"
    r"|pre-?train(?:s|ed|ing)?(?: (?:\w+ )?(?:on|with))|train(?:s|ed|ing)?(?: (?:\w+ )?(?:on"
    r"|with|in|using))?|fine-?tun(?:es?|ed|ing)|r[ua]n(?:s|ning)?(?: (?:\w+ )?(?:on|with|at))|works?(?: "
    r"with)|working with"
    r"|compar(?:es?|ed|ing)(?: \w+)?(?: (?:with|against|to))|leverag(?:es?|ed|ing)"
    r"|utili[sz](?:es?|ed|ing)|ha(?:s|ve) (?:results|numbers) (?:on|for)|show(?:s|ed|ing)? "
    r"results on"
    r"|do(?:es)? experiments (?:on|with)|measur(?:es?|ed|ing)(?: on)?|conduct(?:s|ed)?"
    r"|perform(?:s|ed)?|carr(?:y|ies|ied) out)"
)
_ABOUT = (
    r"(?:(?:is |are )?(?:all )?about|on|concerning|regarding|deal(?:s|ing)? with|concerns?"
    r"|covers?|covering|focus(?:es|ed|ing)? on|stud(?:y|ies|ied|ying)"
    r"|investigat(?:es?|ed|ing)|address(?:es|ed|ing)?|tackl(?:es?|ed|ing)|explor(?:es?|ed|ing)"
    r"|looks? (?:at|into)|work(?:s|ed|ing)? on|examin(?:es?|ed|ing)"
    r"|discuss(?:es|ed|ing)?|considers?|analy[sz](?:es?|ed|ing)|touch(?:es)? on|related to|to do "
    r"with|does|do|doing|is doing|reading up on|for|interested in|of|from|in|with)"
)
_BRINGS = (
    r"(?:propos(?:es?|ed|ing)|introduc(?:es?|ed|ing)|present(?:s|ed|ing)?|com(?:es?|ing) (?:up "
    r")?with|releas(?:es?|ed|ing)|contribut(?:es?|ed|ing)|creat(?:es?|ed|ing)"
    r"|build(?:s|ing)?|built|develop(?:s|ed|ing)?|offer(?:s|ed|ing)?|provid(?:es?|ed|ing)"
    r"|publish(?:es|ed|ing)?|design(?:s|ed|ing)?|construct(?:s|ed|ing)?|bring(?:s|ing)?)"
)
_WEAK = r"(?:or|at least|even|just|merely|only|either|actually|explicitly|directly|also|really|ever|and/or)"
_SEVERAL_VERBS = re.compile(
    rf"\b(?:{_USES_IT}|{_MENTIONS}|{_ABOUT}),? (?:{_WEAK} )+(?P<last>{_MENTIONS}|{_USES_IT})\b",
    re.IGNORECASE,
)
_VERB = re.compile(
    rf"^\W*(?:(?:{_WEAK}|to|can|will|may|been|being|that|which|who|also|they|it) )*(?P<not>(?:do"
    rf"|does|did|are|is|have)?(?:n't| not|not)? ?(?:not|never|n't) )?(?:{_WEAK} )*"
    rf"(?:(?P<mention>{_MENTIONS})|(?P<bring>{_BRINGS})(?! (?:up)?(?:on|upon|with|from|in)\b)(?= (?:an?|the|their|its|own|new|novel"
    rf"|some|any|first|two|code|\w+s\b|\w+ \w+))"
    rf"|(?P<use>{_USES_IT})|(?P<about>{_ABOUT}))\b[\s:]*",
    re.IGNORECASE,
)
_NEGATIVE = re.compile(
    r"[,;]?\s+(?:but not|but no|and not|but without|but never|but (?:do|does|are|is)(?:n't| not)|and "
    r"(?:do|does)(?:n't| not)|yet not|except(?: for| the)?|excluding|apart from|without|minus"
    r"|not counting|aside from|(?<!something )(?<!anything )(?<!things )(?<!stuff )other than"
    r"|but none of)\s+",
    re.IGNORECASE,
)
_AND_VERB = re.compile(
    rf",?\s+(?:and|but)(?: (?:also|then|at the same time|they|still))*\s+(?=(?:{_MENTIONS}"
    rf"|{_BRINGS}|{_USES_IT}|(?:is |are )?about|deals? with|focus\w* on|work on)\b)"
    r"|\s+(?:that|which|who) (?:also )?(?=(?:mention|cite|name|evaluate|report|test|benchmark|experiment)s?\b)"
    r"|,?\s+(?:and|but) also\s+(?=\w)|,?\s+and (?=(?:have|has|with|are|is) )",
    re.IGNORECASE,
)
_BRACKETS = re.compile(r"\s*\(([^()]*)\)")
_QUOTED = re.compile(r"\"([^\"]{2,80})\"|(?<!\w)'([^']{2,80})'(?!\w)")
_WHERE = re.compile(
    r"\b(?:in|within) (?:the |their |its |his )?(?P<where>titles?|abstracts?|names?)\b"
    r"|\b(?P<head>titles?|abstracts?)(?: that)? (?=contain|with|has|have|mention|say|name"
    r"|includ)|\bTITLE\b",
    re.IGNORECASE,
)
_IDLE = re.compile(
    r"(?<!call )(?<!calls )(?<!describe )\b(?:itself|themselves|by name|for whatever (?:purpose"
    r"|reason)|in any (?:way|form|sense|variant|version)|(?:in )?(?:any|whatever|every|either) "
    r"(?:variant|version|size|form|flavou?r|kind|edition)s?"
    r"|version egal|egal welche version|explicitly|specifically|somehow|anywhere|at all"
    r"|somewhere|in passing|literally|verbatim|in their (?:experiments|evaluation|work|paper"
    r"|text)|in the text|of any kind)\b",
    re.IGNORECASE,
)


def _clauses(rest: str, asked: str) -> Iterator[Clause]:
    """The clauses of what is left of a question when its asking words are gone."""
    rest = _active(_SEVERAL_VERBS.sub(lambda verbs: verbs["last"], rest))
    aside = _KIND_ASIDE.match(rest)
    if aside and (ruled_out := kind_asked(aside["kind"])):  # "except surveys, that mention X"
        yield Clause((IsKind(ruled_out[0].name),), negated=True)
        rest = rest[aside.end() :]
    kind = kind_asked(rest)
    noun = kind is not None and kind[0].name != "open release" and kind[1][0] == 0
    if kind and noun and _VERB.match(rest[kind[1][1] :]):  # "surveys that mention X"
        yield Clause((IsKind(kind[0].name),))
        rest = squeeze(rest[kind[1][1] :])
    positive, *negative = _NEGATIVE.split(rest)
    verb = _VERB.match(positive)
    for part in _AND_VERB.split(positive):
        yield from _clause(part, asked)
    for part in negative:
        # "mention A but not B": what is ruled out is ruled out in the same way
        said = part if _VERB.match(part) else f"{verb[0] if verb else ''}{part}"
        yield from (replace(clause, negated=True) for clause in _clause(said, asked))


_KIND_ASIDE = re.compile(
    r"^\W*(?:except(?: for)?|excluding|other than|apart from|besides|not counting|leaving out) "
    r"(?P<kind>[\w -]{4,30}?),? (?:(?:that|which|who) |(?=on\b|about\b|mention))",
    re.IGNORECASE,
)
_PASSIVE = re.compile(
    r"^(?P<what>.+?) (?:(?:is|are|was|were|be|being|gets?) )?(?P<verb>mentioned|named|cited|used"
    r"|discussed|evaluated on|introduced|proposed|released|presented|contributed|created)(?: "
    r"(?:across|in|by|here)\b(?: (?:the|all|these|this|our)(?: (?:papers?|abstracts?|collection"
    r"|corpus))?)?)*(?P<more>(?: (?:for|of|about|on) .+)?)$",
    re.IGNORECASE,
)


def _active(rest: str) -> str:
    """ "benchmarks introduced here for code" as "introduce benchmarks for code"."""
    found = _PASSIVE.match(rest)
    if not found or _VERB.match(rest):
        return rest
    verb = found["verb"].lower()
    active = {"evaluated on": "evaluate on", "cited": "mention", "named": "mention"}.get(
        verb, verb.removesuffix("d")
    )
    active = {"mentione": "mention", "presente": "present", "contribute": "contribute"}.get(
        active, active
    )
    brings = active in {"introduce", "propose", "release", "present", "contribute", "create"}
    article = "new " if brings else ""
    what = re.sub(r" (?:is|are|was|were)$", "", found["what"])
    return squeeze(f"{active} {article}{what}{found['more']}")


def _clause(part: str, asked: str) -> Iterator[Clause]:
    """One predicate with its object, as one clause or more."""
    where, part = _field(part)
    part = squeeze(_IDLE.sub(" ", part))
    verb = _VERB.match(part)
    rest = part[verb.end() :] if verb else part
    negated = bool(verb and verb["not"])
    amount = _amount(part, asked)
    if amount:
        found, left = amount
        yield Clause((found,), negated)
        yield from _residue(left)
        return
    if verb and verb["mention"]:
        made: Iterator[Clause] = _mentioned(rest, where, used=False)
        if _WORD_ITSELF.search(part):
            made = map(_exactly, made)
    elif kind := _kinds(part, where):
        made = kind
    elif (verb and verb["bring"]) or (not verb and _BROUGHT_NOUN.match(rest)):
        made = _brought(rest)
    elif verb and verb["use"]:
        made = _used(rest, where)
    elif _QUOTED.search(rest) or where != "any":
        made = _mentioned(rest, where, used=False)
    else:
        made = _topic(rest)
    yield from (replace(clause, negated=negated or clause.negated) for clause in made)


_WORD_ITSELF = re.compile(
    r"\b(?:words?|terms?|phrases?|expressions?|acronyms?|abbreviations?)\b", re.IGNORECASE
)


def _exactly(clause: Clause) -> Clause:
    exact = (replace(one, exact=True) if isinstance(one, Words) else one for one in clause.any_of)
    return replace(clause, any_of=tuple(exact))


def _field(part: str) -> tuple[Field, str]:
    """Where the words must stand, and *part* without saying so."""
    found = _WHERE.search(part)
    if not found:
        return "any", part
    said = (found["where"] or found["head"] or "title").lower()
    where: Field = "title" if said.startswith(("title", "name")) else "any"
    return where, squeeze(part[: found.start()] + " " + part[found.end() :])


# --- literal words -------------------------------------------------------------------------------

_GENERIC = frozenset(
    """
    model models dataset datasets data set sets benchmark benchmarks corpus suite task tasks test game games
    family series method methods algorithm algorithms system systems framework library gpu gpus architecture
    architectures technique techniques language languages version versions leaderboard optimizer paper papers
    """.split()
)
_ARTICLES = re.compile(
    r"^(?:(?:the|an?|any|at least one|one or more|some|both|either|all|such|things like|something like|something called"
    r"|what is called|models? like|models? such as"
    r"|benchmarks? (?:like|such as)|datasets? (?:like|such as)|(?:the )?(?:words?|terms?"
    r"|phrases?|expressions?|name|acronym|dataset|data set|benchmark|model|optimizer|library)(?= "
    r"[A-Z\"'])) )+",
    re.IGNORECASE,
)
_AND = re.compile(
    r"\s+(?:and also|and|as well as|together with|along with|plus|&)\s+|\s*,\s*(?:and\s+)",
    re.IGNORECASE,
)
_OR = re.compile(
    r"\s*,\s*(?:or\s+)?|\s+(?:or|and/or|resp\.)\s+|\s+/\s+|(?<=[a-z]{3})/(?=[a-z]{3})",
    re.IGNORECASE,
)
_LISTED = re.compile(
    r"\b(?:and so on|and such|etc\.?|e\.?g\.?,?|i\.?e\.?,?|for example|for instance|such as|like"
    r"|including|or similar|and the like|\.\.\.)\b|\.\.\.|…",
    re.IGNORECASE,
)


def _mentioned(rest: str, where: Field, *, used: bool) -> Iterator[Clause]:
    """Literal words: alternatives joined by "or", or several that must all be there."""
    quoted = [a or b for a, b in _QUOTED.findall(rest)]
    if quoted:
        joined = bool(_AND.search(_QUOTED.sub("#", rest))) or "both" in rest
        groups = [[phrase] for phrase in quoted] if joined else [quoted]
        for group in groups:
            yield Clause(
                (Words(tuple((phrase,) for phrase in group), where, exact=True, used=used),)
            )
        return
    brackets = [inside for inside in _BRACKETS.findall(rest)]
    plain = _cut_tail(_BRACKETS.sub(" ", rest))
    for number, part in enumerate(_AND.split(plain)):
        names = [name for name in map(_form, _OR.split(part)) if name]
        names += [] if number else [form for inside in brackets for form in _bracketed(inside)]
        if names:
            yield Clause((Words(tuple(_spellings(names)), where, used=used),))


def _bracketed(inside: str) -> Iterator[str]:
    """Other names in brackets: an acronym, a spelled-out form, examples; not a remark."""
    for part in _OR.split(_LISTED.sub(" ", inside)):
        form = _form(part)
        if (
            form
            and len(form.split()) <= 4
            and not _REMARK.search(part)
            and not _IDLE.search(part)
            and not _ONLY_ASKS.match(part)
        ):
            yield form


def _form(part: str) -> str:
    """A name or words without article and quotes."""
    form = _ARTICLES.sub("", squeeze(part).strip(" ,.;:?!\"'"))
    return _ARTICLES.sub("", form)


def _spellings(names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """For each of *names* the spellings to try, best first.

    A modifier stands for all that "or" joins ("emergent abilities or capabilities"), and what a
    name is ("the Atari games", "the T5 model") need not be said with it.
    """
    first = names[0].split()
    for name in names:
        words = name.split()
        tried = [name]
        if len(words) == 1 and len(first) > 1 and name.islower() and name not in names[:1]:
            tried.insert(0, " ".join((*first[:-1], name)))
        if (
            len(words) > 1
            and words[-1].lower() in _GENERIC
            and (words[-2][:1].isupper() or is_name_like(words[-2]))
        ):
            shorter = " ".join(words[:-1])
            tried = [shorter] if is_name_like(words[-2]) else [*tried, shorter]
        yield tuple(tried)
        if (
            len(words) > 1
            and words[0].lower().removesuffix("'s") in _MAKERS
            and words[1][:1].isupper()
        ):
            yield (" ".join(words[1:]),)


# Who makes a model is said with its name or not: "OpenAI Codex".
_MAKERS = frozenset(
    "openai google meta facebook microsoft nvidia deepmind anthropic apple amazon alibaba "
    "huggingface ibm baidu"
    " tencent huawei salesforce bytedance".split()
)


_TAIL = re.compile(
    r"\s+(?:in|for|within|as|during|at|across|throughout|among|to|when|while) (?:the |their |its "
    r"|an? |any |whatever |some |all )?"
    r"(?:papers?|abstracts?|work|experiments?|evaluations?|text|collection|baselines?|comparison"
    r"|example|purpose|motivation|way|form|place|one|training|intro\w*)\b.*$"
    r"|,? (?:whatever|no matter|regardless|including|even if)\b.*$",
    re.IGNORECASE,
)


def _cut_tail(text: str) -> str:
    return squeeze(_TAIL.sub(" ", text)).strip(" ,.;:?!")


_LONG_OBJECT = re.compile(r"\b(?:for|to|that|which|when|where|in order|by|of)\b", re.IGNORECASE)


_USED_WITH = re.compile(
    r"^(?:(?:with|on|using|from|against|to|by|via|through|in|under)\s+)+", re.IGNORECASE
)
_FROM_NAME = re.compile(
    r"^(?P<what>[a-z][\w -]{3,60}?) (?:from|with|on|for|of|to|in) (?P<name>.+)$"
)


def _used(rest: str, where: Field) -> Iterator[Clause]:
    """What is used or evaluated on: a name or a short phrase is looked for, more is a topic."""
    rest = _USED_WITH.sub("", rest)
    plain = _cut_tail(_BRACKETS.sub(" ", rest))
    names = any(is_name_like(word) or word[:1].isupper() for word in plain.split())
    both = _FROM_NAME.match(plain)
    if both and names and is_name_like(both["name"].split()[0]):
        yield from _mentioned(both["what"], where, used=True)  # "use distillation from GPT-4"
        yield from _mentioned(both["name"], where, used=True)
    elif (_LONG_OBJECT.search(plain) and not names) or len(plain.split()) > 7:
        yield from _topic(rest)
    else:
        yield from _mentioned(rest, where, used=True)


# --- kinds and what is brought ---------------------------------------------------------------------

_BROUGHT_NOUN = re.compile(
    r"^(?:the |an? |new |novel |any |own |original |first |public |open |\w+ )*?(?:benchmarks"
    r"|datasets|data sets|corpora|leaderboards|optimizers|libraries|toolkits)\b(?! (?:of|like) "
    r"[A-Z])",
    re.IGNORECASE,
)
_HEAD_END = re.compile(
    r"\s(?:target\w*|cover\w*|test\w*|measur\w*|assess\w*|evaluat\w*|focus\w*|contain\w*|has|have|are|for|of|on|to|that|which|with|in|about|from|where|by|aimed|covering|designed|based"
    r"|using|specifically)\b",
    re.IGNORECASE,
)
_NEW = re.compile(
    r"^(?:(?:an?|the|their|its|own|new|novel|first|original|some|any|several|two|three|public"
    r"|open|open-source|at least one|one|more|completely|brand-new)\s+)+",
    re.IGNORECASE,
)
_HOSTS = frozenset("github huggingface gitlab zenodo kaggle".split())  # where code is put
_PLAIN_METHOD = frozenset(
    "method methods approach approaches technique techniques way ways algorithm algorithms solution solutions strategy strategies idea ideas paradigm scheme recipe mechanism mechanisms".split()
)


def _kinds(part: str, where: Field) -> Iterator[Clause] | None:
    """A clause for the kind of paper that *part* asks for, and one for its subject; None if none."""
    asked = kind_asked(part)
    if not asked:
        return None
    kind, _ = asked
    rest = kind.asked.sub(" ", part)
    rest = re.sub(r"^\W*(?:/|or|and)\W", " ", squeeze(rest))
    place = _PREPOSITION.sub("", squeeze(rest))
    if place.lower() in _HOSTS:
        return iter((Clause((IsKind(kind.name, where),)), Clause((Words(((place,),)),))))
    return _with_subject(Clause((IsKind(kind.name, where),)), rest)


def _brought(rest: str) -> Iterator[Clause]:
    """What a paper brings: the noun, and what it is for or of as a topic."""
    plain = squeeze(rest)
    cut = _HEAD_END.search(plain)
    head, tail = (plain[: cut.start()], plain[cut.start() :]) if cut else (plain, "")
    words = _NEW.sub("", _BRACKETS.sub(" ", head).strip()).split()
    if not words:
        return _topic(rest)
    if words[-1].lower() in _PLAIN_METHOD:
        return _topic(" ".join((*words[:-1], tail)).strip())
    *others, last = re.split(r" (?:or|and/or|/) ", " ".join(words))
    noun, modifiers = _noun_and_modifiers(last.split())
    nouns = [_noun_and_modifiers(_NEW.sub("", other).split())[0] for other in others]
    brought = tuple(Brings(each) for each in (*nouns, noun))
    return _with_subject(Clause(brought), " ".join((*modifiers, tail)))


def _noun_and_modifiers(words: list[str]) -> tuple[str, list[str]]:
    """The longest known noun at the end of *words*, in the singular, and the words before it."""
    for count in (2, 1):
        noun = " ".join(_singular(word.lower()) for word in words[-count:])
        if len(words) >= count and noun in BROUGHT:
            return noun, words[:-count]
    return _singular(words[-1].lower()), words[:-1]


def _singular(word: str) -> str:
    if word == "corpora":
        return "corpus"
    if word.endswith("ies"):
        return f"{word[:-3]}y"
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


def _with_subject(clause: Clause, rest: str) -> Iterator[Clause]:
    yield clause
    yield from _residue(rest)


# --- topics --------------------------------------------------------------------------------------

_EMPTY = frozenset(
    """
    paper papers abstract abstracts work works study studies article articles thing things one ones something anything
    everything model models method methods approach approaches technique techniques system systems new novel kind kinds
    type types subject topic topics area field question questions problem problems use used using run ran runs train trained
    training trains pre-train pretrain pre-trained pretrained fine-tune report reports claim claims show shows achieve achieves reach reaches get gets be being
    is are was were has have had having actually really experiments experiment size sizes scale scales up least most
    more less than over under own collection here tell tells us state states give gives speedup speed-up speedups speed-ups faster
    cost costs amount amounts number numbers literature review reviews available first introduce introduced propose
    handle handling handles support supports process processes they
    proposed llm llms language large neural network networks exist existing name names list with on of for in the a an at by to from about and or not their its his
    themselves itself do does call calls called come comes themself whose who that which what how many written write writes
    """.split()
)
_PREPOSITION = re.compile(
    r"^(?:(?:on|about|of|for|in|with|that|which|are|is|to|from|covering|regarding|concerning"
    r"|related to|dealing with|deal with|having|who|a|an|the|and|or|using|aimed at|at|by|where"
    r"|as|work on|focus(?:ed|ing)? on|specifically|specially|testing|evaluating|measuring"
    r"|assessing)\s+)+",
    re.IGNORECASE,
)
_OTHER_THAN = re.compile(
    r"^(?P<head>.+?) (?:for|of|in|on) (?:something|anything|things|stuff|domains?|tasks?|data"
    r"|models?|settings?) (?:other than|besides|beyond|but|except|apart from|outside(?: of)?) "
    r"(?P<not>[^:(,]+)[:(,]?\s*(?P<examples>.*?)\)?$",
    re.IGNORECASE,
)
_PRONOUN_PART = re.compile(r"\b(?:it|them|that|this|these|those)\b", re.IGNORECASE)
_DANGLING = re.compile(
    r"(?:\s+(?:with|of|for|on|in|at|to|that|which|have|has|are|is|and|or|by|from|the|a|an))+$",
    re.IGNORECASE,
)
_TOPIC_OR = re.compile(r"\s*,\s*(?:(?:and|or)\s+)?|\s+(?:or|and/or)\s+|\s+/\s+", re.IGNORECASE)


def _residue(rest: str) -> Iterator[Clause]:
    """A topic of what is left of a clause, if that says anything."""
    rest = re.sub(
        r"^\W*(?:their|its|his|the)(?: own)? (?:code|models?|weights|data|checkpoints)\W*$",
        "",
        rest,
    )
    left = _PREPOSITION.sub("", squeeze(rest).strip(" ,.;:?!-/()"))
    if any(word.lower() not in _EMPTY and word.lower() not in STOPWORDS for word in words_of(left)):
        yield from _topic(left)


def _topic(rest: str) -> Iterator[Clause]:
    """Topics: "X or Y" is one with alternatives, "both X and Y" are two."""
    other = _OTHER_THAN.match(rest)
    if other:
        yield from _topic(other["head"])
        examples = _phrases(other["examples"])
        if examples:
            yield Clause((Words(tuple((example,) for example in examples)),))
        return
    both = re.match(r"^both (.+?) (?:and|as well as) (.+)$", rest, re.IGNORECASE)
    if both:
        yield from (clause for part in both.groups() for clause in _topic(part))
        return
    brackets = [inside for inside in _BRACKETS.findall(rest)]
    plain = squeeze(_BRACKETS.sub(" ", rest))
    head, colon, after = plain.partition(":")
    examples = [phrase for inside in brackets for phrase in _phrases(_LISTED.sub(" ", inside))]
    if colon:
        plain = head
        examples += [] if _PRONOUN_PART.search(after) else _phrases(after)
    such = re.split(
        r",?\s+(?:such as|like|e\.g\.,?|including|for example|for instance)\s+", plain, maxsplit=1
    )
    if len(such) == 2:
        plain, more = such
        examples += _phrases(_LISTED.sub(" ", more))
    alternatives = _phrases(_with_heads(plain))
    if alternatives:
        text = _DANGLING.sub("", squeeze(plain).strip(" ,.;:?!-"))
        yield Clause((Topic(_PREPOSITION.sub("", text), tuple(alternatives), tuple(examples)),))


def _with_heads(text: str) -> str:
    """ "parallel / HPC code" as "parallel code / HPC code"."""
    parts = re.split(r"\s+/\s+", text)
    head = _DANGLING.sub("", parts[-1]).split()
    if len(parts) == 1 or len(head) < 2:
        return text
    return " / ".join((*(f"{part} {head[-1]}" for part in parts[:-1]), parts[-1]))


def _phrases(text: str) -> list[str]:
    """The alternatives in *text*, without leading prepositions and articles, each once."""
    parts = (
        _DANGLING.sub("", _PREPOSITION.sub("", squeeze(part).strip(" ,.;:?!-()\"'")))
        for part in _TOPIC_OR.split(text)
    )
    found = [part for part in parts if len(part) > 1 and not _ONLY_ASKS.match(part)]
    last = found[-1].split() if found else []
    if len(last) > 1 and last[0].endswith("ing"):  # "selecting or filtering data": selecting data
        found = [
            f"{p} {' '.join(last[1:])}" if p.endswith("ing") and " " not in p else p for p in found
        ]
    return list(dict.fromkeys(found))


# --- amounts -------------------------------------------------------------------------------------

_MORE = re.compile(
    r"(?:(?P<open>(?:more|greater|higher|larger|longer|bigger|faster|better|other) than|over"
    r"|above|exceed\w*|beyond|north of|>)|at least|no (?:less|fewer) than|(?:a )?minimum(?: of)?"
    r"|not less than|>=|≥|from)\s*(?:about |around |some |roughly )?(?:a |an )?$",
    re.IGNORECASE,
)
_LESS = re.compile(
    r"(?:(?P<open>(?:less|fewer|smaller|lower|shorter|cheaper) than|under|below|<)|at most|no "
    r"(?:more|larger|bigger|greater) than|(?:a )?maximum(?: of)?|up to|within|not more than|<="
    r"|≤)\s*(?:about |around |some |roughly )?(?:a |an )?$",
    re.IGNORECASE,
)
_OR_MORE = re.compile(
    r"^\s*(?:\+|or (?:more|above|larger|higher|longer|greater|bigger|over|better|up)\b|and (?:up"
    r"|above|more|over|larger)\b|plus\b|upwards\b)|\bor more\b",
    re.IGNORECASE,
)
_OR_LESS = re.compile(
    r"^\s*(?:or (?:less|fewer|below|smaller|lower|under|shorter)\b|and (?:below|under|less"
    r"|smaller)\b|max\b|tops\b)|\bor (?:less|fewer)\b",
    re.IGNORECASE,
)
_MONEY = re.compile(
    r"\b(?:(?:in )?(?:actual |real )?money|dollars?|dollar amounts?|usd|us\$|cents|euros?|price "
    r"tag|monetary)\b|\$",
    re.IGNORECASE,
)
_OWN_WORK = re.compile(
    r"\b(?:train\w*|run\w*|ran|us(?:e|es|ed|ing)|actually|model\w*|scal\w+|deploy\w*|evaluat\w*"
    r"|pre-?train\w*|fine-?tun\w*|own|with)\b",
    re.IGNORECASE,
)
_ANY_AMOUNT = re.compile(
    r"\b(?:state|states|stating|report|reports|reporting|give|gives|giving|claim|claims|tell"
    r"|tells|say|says|disclose\w*|mention|mentions|with|quote\w*|name|names|put)\b",
    re.IGNORECASE,
)
_MEASURES: tuple[tuple[Measure, re.Pattern[str]], ...] = (
    ("speed", re.compile(r"\bspeed-?ups?\b|\bfaster\b|\bthroughput\b", re.IGNORECASE)),
    ("context", re.compile(r"\bcontext(?: (?:length|window|size)s?)?\b", re.IGNORECASE)),
    (
        "parameters",
        re.compile(
            r"\b(?:params?|parameters?|model sizes?|(?:smaller|larger|bigger) (?:than|models))\b",
            re.IGNORECASE,
        ),
    ),
    ("accelerators", re.compile(r"\b(?:gpus?|tpus?|accelerators?|chips)\b", re.IGNORECASE)),
    ("tokens", re.compile(r"\btokens?\b", re.IGNORECASE)),
)


def _amount(part: str, asked: str) -> tuple[Amount, str] | None:
    """The bounds that *part* sets, and what is left of it; None if it sets none."""
    bare = squeeze(_BRACKETS.sub(" ", part))
    for quantity in quantities(bare):
        if quantity.kind == "count" and quantity.high <= 1:
            continue  # "at least one Qwen model"
        bounds = _bounds(bare, quantity)
        if bounds is not None:
            start, end, limits = bounds
            rest = squeeze(f"{bare[:start]} {bare[end:]}")
            return _as_amount(limits, quantity, rest, asked), _beside_amount(limits, rest)
    if _MONEY.search(bare):
        return Amount("money", own=False), ""
    return None


def _bounds(text: str, quantity: Quantity) -> tuple[int, int, Amount] | None:
    """Where the bound stands and what it is; None for a number that bounds nothing."""
    before, after = text[: quantity.start], text[quantity.end :]
    inside = text[quantity.start : quantity.end]
    kind, low, high = quantity.kind, quantity.low, quantity.high
    behind = _OR_MORE.search(after) if _OR_MORE.match(after) else _OR_MORE.search(inside)
    less_behind = _OR_LESS.search(after) if _OR_LESS.match(after) else _OR_LESS.search(inside)
    end = quantity.end + max(
        (found.end() for found in (_OR_MORE.match(after), _OR_LESS.match(after)) if found),
        default=0,
    )
    if more := _MORE.search(before):
        return more.start(), end, Amount(kind, low=low, above=bool(more["open"]))
    if less := _LESS.search(before):
        return less.start(), end, Amount(kind, high=high, below=bool(less["open"]))
    if behind:
        return quantity.start, end, Amount(kind, low=low)
    if less_behind:
        return quantity.start, end, Amount(kind, high=high)
    if high > low and re.search(r"\b(?:between|from|of)\s*$", before):
        start = re.search(r"\b(?:between|from|of)\s*$", before)
        return (start.start() if start else quantity.start), end, Amount(kind, low=low, high=high)
    if kind in {"count", "time"} or quantity.named:
        return None  # a number that belongs to what is named
    return quantity.start, end, Amount(kind, low=low, high=high)


def _as_amount(limits: Amount, quantity: Quantity, rest: str, asked: str) -> Amount:
    """*limits* with what the sentence must be about, and whether the amount must be its own."""
    measure = limits.measure
    if measure == "factor" and re.search(
        r"\b(?:speed|fast|quick|latenc|throughput)", asked, re.IGNORECASE
    ):
        measure = "speed"
    about: tuple[str, ...] = ()
    if measure == "time":
        about = quantity.nouns
    if measure in {"percent", "factor"}:
        about = tuple(
            dict.fromkeys(
                canonical(word) for word in words_of(rest) if word.lower() not in _EMPTY | STOPWORDS
            )
        )
    elif measure == "count":
        about = quantity.nouns[-1:] if len(quantity.nouns) < 2 else quantity.nouns[:1]
    training = measure == "tokens" and bool(re.search(r"\btrain|\btuned", asked, re.IGNORECASE))
    own = measure in {"parameters", "accelerators", "tokens", "context"} and not re.search(
        rf"\b{_MENTIONS}\b", asked, re.IGNORECASE
    )
    return replace(limits, measure=measure, about=about, own=own, training=training)


def _beside_amount(limits: Amount, rest: str) -> str:
    """What else a clause with an amount asks for: nothing where its other words are the measure's."""
    return (
        ""
        if limits.measure in {"percent", "factor", "speed", "time", "count", "money"}
        else _MEASURED_WORDS.sub(" ", rest)
    )


_MEASURED_WORDS = re.compile(
    r"\b(?:params?|parameters?|gpus?|tpus?|accelerators?|chips?|cards?|tokens?|context|contexts"
    r"|length|lengths|window|windows|sequences?|actually|clusters?)\b(?:\s*/\s*\w+)?",
    re.IGNORECASE,
)


# --- remarks -------------------------------------------------------------------------------------

_COUNTS_NOT = re.compile(
    r"(?P<what>.+?),? (?:(?:do|does)(?:n't| not) count|is (?:a )?(?:different|another)\b.*|are "
    r"(?:different|other)\b.*|(?:is|are) not (?:meant|the same|it|what i mean)\b.*|(?:is|are) "
    r"out|not meant)",
    re.IGNORECASE,
)
_NOT_THIS = re.compile(
    r"^\W*(?:careful|note|mind|beware|and|but|please)*[\s,:]*(?:not(?: the)?|no|excluding|ignore"
    r"|ignoring|without|except(?: for)?|leave out|skip|i don'?t mean|don'?t (?:count|mean"
    r"|include))\s+(?P<what>.+)$",
    re.IGNORECASE,
)


def _remarked(clauses: tuple[Clause, ...], remark: str) -> tuple[Clause, ...]:
    """*clauses* with what a remark rules out: longer names are masked, kinds are negated."""
    found = _COUNTS_NOT.search(remark) or _NOT_THIS.search(remark)
    if not found:
        return clauses
    what = re.sub(
        r"^\W*(?:careful|note|mind|beware|and|but)[\s,:]+", "", found["what"], flags=re.IGNORECASE
    )
    kind = kind_asked(what)
    if kind and len(what.split()) <= 4:
        return (*clauses, Clause((IsKind(kind[0].name),), negated=True))
    names = [form for part in _AND.split(what) for form in map(_form, _OR.split(part)) if form]
    masks = tuple(name for name in names if len(name.split()) <= 4)
    return tuple(
        replace(clause, any_of=tuple(_masked(one, masks) for one in clause.any_of))
        for clause in clauses
    )


def _masked(criterion: Criterion, masks: tuple[str, ...]) -> Criterion:
    return replace(criterion, masks=masks) if isinstance(criterion, Words) else criterion


# --- other languages -----------------------------------------------------------------------------

_FOREIGN_FRAME = frozenset(
    """
    bitte alle welche welcher welchen wie viele wieviele liste auflisten aufzahlen nenne zeige mir gib es gibt die der das den dem des deren dessen in im uber
    zu von mit und oder auch paper papers arbeiten artikel abstract abstracts studien aufsatze veroffentlichungen publikationen zusammenfassung zusammenfassungen beitrage
    erwahnen erwahnt erwahnung nennen nennt verwenden verwendet benutzen benutzt nutzen nutzt behandeln behandelt thema geht um gehen auf testen evaluieren evaluiert werden wird sind ist haben hat sich
    sprechen spricht handeln handelt welchen zum beim version egal sammlung hier ein eine einen einem
    que cuales cuantos cuantas cuanto todos todas los las el la lo un una unos unas lista enumera dame articulos articulo resumenes resumen trabajos estudios publicaciones
    mencionan menciona nombran nombra citan usan usa utilizan utiliza tratan trata hablan habla sobre de del en con por para y e o u tanto como ambos se hay hacen hace proponen evaluan y cuales son tienen su sus
    quels quelles quel quelle combien tous toutes les le des du d l un une dans avec sur et ou aussi articles papiers resumes travaux etudes mentionnent mentionne citent utilisent utilise parlent parle
    traitent traite evoquent nomment qui dont leur leurs est sont y a t il a la fois lesquels emploient evaluent
    quali quanti quante tutti tutte gli i il lo articoli lavori studi pubblicazioni riassunti menzionano citano usano utilizzano parlano trattano di del della che e o con su sia anche nominano
    quais quantos quantas os as um uma artigos resumos trabalhos estudos mencionam citam usam utilizam falam tratam em no na do da dos das ou tambem qual
    welke hoeveel alle artikelen publicaties samenvattingen noemen vermelden gebruiken gaan over een het van met en of ook die
    ktore ile wszystkie prace prac artykuly wspominaja uzywaja o w i lub oraz
    hangi kac tum makaleler makale bahsediyor kullaniyor ve veya
    какие сколько все статьи статей статья работы работ упоминают упоминается упоминается используют посвящены о об в и или про перечисли перечислите аннотации аннотациях
    """.split()
)
_FOREIGN_AND = frozenset("und y e et och en i и 和 と 및".split())
_FOREIGN_OR = frozenset("oder o ou u of lub veya или 或".split())
_HAN = re.compile(
    r"[\u0400-\u04ff\u0600-\u06ff\u0900-\u097f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+"
)


def _foreign(text: str) -> tuple[Clause, ...]:
    """The names, quotations and English terms in a question of another language."""
    quoted = [a or b for a, b in _QUOTED.findall(text)]
    if quoted:
        return (Clause((Words(tuple((phrase,) for phrase in quoted), exact=True),)),)
    kinds = [kind for kind in KINDS if kind.asked.search(_glossed(text))]
    text = re.sub(r"\b(?:d|l|qu|n|s)'(?=\w)", "", text)
    words = [
        word.strip(",.;:?!¿¡()\"'") for word in _HAN.sub(" ", _BRACKETS.sub(" ", text)).split()
    ]
    runs: list[list[str]] = [[]]
    either = False
    for word in words:
        lower = fold(word).lower()
        if lower in _FOREIGN_FRAME or not word:
            either = either or (lower in _FOREIGN_OR and bool(runs[-1]))
            runs.append([])
        else:
            runs[-1].append(word)
    names = [" ".join(run) for run in runs if run]
    clauses = [Clause((IsKind(kinds[0].name),))] if kinds else []
    if kinds:
        names = [name for name in names if not kinds[0].asked.search(_glossed(name))]
    groups = [names] if either else [[name] for name in names]
    clauses += [Clause((Words(tuple((name,) for name in group)),)) for group in groups if group]
    return tuple(clauses)


_GLOSSES = {
    r"ubersichtsarbeit\w*|uberblicksarbeit\w*|literaturubersicht\w*|encuestas?|revisiones?"
    r"|revision bibliografica|etats? de l'art"
    r"|revues? de litterature|rassegn[ae]|levantamentos?|revisoes|обзор\w*|综述|サーベイ": "survey",
    r"dissertation(?:en)?|doktorarbeit\w*|tesis|tesi|theses?|диссертаци\w*|论文学位": "thesis",
}


def _glossed(text: str) -> str:
    for pattern, word in _GLOSSES.items():
        text = re.sub(pattern, f" {word} ", text, flags=re.IGNORECASE)
    return text


# --- in words ------------------------------------------------------------------------------------

_UNITS = {
    "accelerators": "GPUs or other accelerators", "parameters": "parameters", "tokens": "tokens", "money": "of money",
    "percent": "%", "context": "tokens of context", "speed": "times faster", "factor": "times", "time": "hours or days",
    "count": "",
}  # fmt: skip


def described(criteria: Criteria) -> str:
    """*criteria* as they were read, in words.

    >>> described(read_criteria("which surveys mention RLHF but not DPO?"))
    'it is a survey, and title or abstract mention “RLHF”, and not: title or abstract mention “DPO”'
    """
    return ", and ".join(
        ("not: " if clause.negated else "") + " or ".join(map(_in_words, clause.any_of))
        for clause in criteria.clauses
    )


def _in_words(criterion: Criterion) -> str:
    match criterion:
        case Words():
            where = {
                "any": "title or abstract mention",
                "title": "the title has",
                "abstract": "the abstract mentions",
            }
            names = " or ".join(f"“{spelling[0]}”" for spelling in criterion.alternatives)
            masks = f" (not as {', '.join(criterion.masks)})" if criterion.masks else ""
            return f"{where[criterion.where]} {names}{masks}"
        case Amount():
            return f"{'its own work' if criterion.own else 'a sentence'} states {_range_in_words(criterion)}"
        case IsKind():
            article = "an" if criterion.kind[0] in "aeiou" else "a"
            return f"it is {article} {criterion.kind}" + (
                " by its title" if criterion.where == "title" else ""
            )
        case Brings():
            article = "an" if criterion.noun[0] in "aeiou" else "a"
            return f"it introduces {article} {criterion.noun} of its own"
        case Topic():
            also = f" ({', '.join(criterion.examples)})" if criterion.examples else ""
            return f"it is about “{criterion.text}”{also}"


def _range_in_words(amount: Amount) -> str:
    about = f" ({', '.join(amount.about)})" if amount.about else ""
    unit = _UNITS[amount.measure]
    if amount.low <= 0 and amount.high == float("inf"):
        return f"an amount {unit}{about}".strip()
    if amount.low == amount.high:
        return f"{_short(amount.low)} {unit}{about}".strip()
    low = (
        f"{'more than' if amount.above else 'at least'} {_short(amount.low)}"
        if amount.low > 0
        else ""
    )
    high = (
        f"{'less than' if amount.below else 'at most'} {_short(amount.high)}"
        if amount.high < float("inf")
        else ""
    )
    return f"{' and '.join(filter(None, (low, high)))} {unit}{about}".strip()


def _short(value: float) -> str:
    for size, name in ((1e12, " trillion"), (1e9, " billion"), (1e6, " million")):
        if value >= size:
            return f"{value / size:g}{name}"
    return f"{value:,g}"
