"""A question put plainly before its clauses are read: what brackets hold, and what is idle, told.

People put other names, examples, remarks and what they do not want in brackets; each is turned into
the words that say so outside of them.
"""

from __future__ import annotations

import re
from functools import lru_cache

from rag.listing.slips import one_slip
from rag.listing.wording import either
from rag.names import is_name_like
from rag.text import squeeze
from rag.words import stem

_ASIDE = re.compile(r"(?:\s+|(?<=[a-z]{3}))[(\[]([^()\[\]]*)[)\]]")
_PLURAL_SIGN = re.compile(r"(?<=[a-z])\((?:e?s)\)")
_RULED_OUT = re.compile(
    r"^\W*(?:(?:but|and|please|so|i mean|that is|i\.e\.,?|though)[\s,:]+)*"
    r"(?:no|not(?: the| about| on| counting| just| only)?|without|excluding|exclude|except(?: for)?"
    r"|ignor(?:e|ing)|leave out|leaving out|skip(?:ping)?|other than|rather than|instead of"
    r"|nothing (?:about|on|with)|apart from|minus|(?:i )?don'?t (?:mean|count|want|include))\s+"
    r"(?P<what>.+)$",
    re.IGNORECASE,
)
_NO_MATTER = re.compile(r"^(?:matter|need|preference|limit|idea)\b", re.IGNORECASE)
_ENOUGH = (
    r"(?:on (?:their|its) own )?(?:(?:is|are) (?:not|n't) (?:enough|sufficient|relevant|wanted|what"
    r" i want)|(?:is|are)n't (?:enough|sufficient|wanted)|do(?:es)?(?:n't| not) (?:count|qualify"
    r"|suffice|matter|interest me)|(?:is|are) (?:of )?no (?:good|interest)|must not count)"
)
_NOT_ENOUGH = re.compile(rf"^(?P<what>.+?),? {_ENOUGH}\W*$", re.IGNORECASE)
_ALL_FINE = re.compile(  # "(10 or 100, both fine)"
    r"[,;]?\s*\b(?:both|either|all|any|each)(?: of (?:them|these))? (?:(?:is|are|will) )?(?:fine"
    r"|ok(?:ay)?|good|counts?|do)\b|[,;]?\s*\b(?:does(?:n't| not) matter|no matter) which\b",
    re.IGNORECASE,
)
_FRIENDS = re.compile(
    r",?\s+(?:and|or) (?:(?:its|their|all (?:its|their)|other|such) )?(?:friends|relatives|cousins"
    r"|co|the like|the rest|others|siblings|variants|derivatives|descendants)\b",
    re.IGNORECASE,
)
_ANY_SORT = re.compile(
    r"\b(?:any|all|whatever|whichever|every|each|either|no matter|regardless|all "
    r"sorts|various|different)\b",
    re.IGNORECASE,
)
_FOR_EXAMPLE = re.compile(
    r"^\W*(?:e\.?g\.?|for (?:example|instance)|say|such as|like|incl(?:\.|uding|udes?)?|think)\W",
    re.IGNORECASE,
)
_VERSION = re.compile(r"v?\d+(?:\.\d+)*[a-z]{0,2}|[a-z]?\d+|[.…]+", re.IGNORECASE)
_ALSO_AS = re.compile(
    r",?\s+(?:(?:also|even|or|and|including|incl\.|too) )+(?:(?:when|if|where|those|ones) )?"
    r"(?:[\w']+ ){0,4}?(?:spel\w+|writ\w+|wrote|abbreviat\w+|shorten\w+|expand\w+|call\w*|known"
    r"|term(?:ed)?|phras\w+)(?: (?:it|them|this|that))?(?: out)?(?: in full)?(?: as)? "
    r"(?=[\w\"'])",
    re.IGNORECASE,
)
_IDLE = re.compile(
    r"(?<=\w) (?:proper|per se|as such|alone)(?=\W|$)"
    r"|\b(?:actual|certain|particular|genuine|proper|so-called|so much as|some kind of"
    r"|some sort of|any "
    r"kind of|any sort of|whatever kind of|one particular|somewhere)\s+(?=\w)"
    r"|\b(?:some|any)(?:thing|where)(?: (?:to (?:do|say|offer)|at all|said|else))? (?=(?:on"
    r"|about|with|for|of|by"
    r"|like|in)\b)|(?<=\w) (?:anything|something|stuff|and whatnot|or whatever)(?=\W*$| [/,;.]|"
    r" (?:or|and)\b)"
    r"|,? (?:even )?(?:if )?(?:only |just )?in passing\b"
    r"|,?\s+in (?:any|whatever|whichever|every|some)(?: \w+)? (?:shape|guise|spelling|variant"
    r"|incarnation|form|version|size|flavou?r)s?(?: or (?:shape|form|size|version))?\b",
    re.IGNORECASE,
)
_EXCLUDES = re.compile(
    r"[,;]\s+(?:and |but )?no(?! (?:matter|more|less|fewer|larger|need|limit|bigger"
    r"|longer)\b)\s+(?=\S)"
    r"|[,;]\s+(?:and |but )?not (?!(?:just|only|more|less|fewer|necessarily|on|about|counting"
    r"|even|including|too|so|that|the other)\b)(?=\S)"
    r"|[,;:]?\s+(?:(?:and|but)\s+)?(?:leaving (?:out|aside)|leave out|skip|ignore|ignoring"
    r"|omitting|skipping"
    r"|excluding|barring|disregarding|not counting|not including|as opposed to"
    r"|(?:rather than|instead of)(?! (?-i:[a-z]+ing)\b)|i\.e\.?,? not"
    r"|that is,? not|please no|but please no|with the exception of"
    r"|no matter how many)\s+(?=\S)",
    re.IGNORECASE,
)
_COULD = re.compile(
    r"\s+(?:that |which )?(?:one|you|we|i|people|anyone|anybody|others|everyone) (?:can|could|may"
    r"|might) (?:(?:install|use|reuse|download|try|import|run|get|find|build on|and|or)\b ?)+"
    r"(?=\W*$)",
    re.IGNORECASE,
)
ASKS_AGAIN = either(  # what asks once more behind what is wanted, and tells nothing
    "(?:which|what)_papers_(?:are_there|do_(?:you|we)_have|are_they|should_i_\\w+)",
    "which(?:_(?:ones?|papers|works|of_them))?(?:_(?:are|is)_(?:they|it|that|those|there))?",
    "count_them",
    "who(?:_(?:are_they|is_it|else|(?!does)\\w+s_(?:it|that|this|them|one)"
    "(?:,?(?:_or|_and)?_\\w+s(?:_(?:with|on|against))?_(?:it|that|this|them))*))?(?:_in_the_abstract)?",
    "any (?:which|what)(?:_papers)?_(?:did|do|does|claim|have|has|say)_(?:that|it|so|this)",
    "by_wh(?:om|ich) and_where how_many(?:_(?:are_(?:there|here|they)|of_them|in_all|in_total"
    "|papers))?",
    "how_many_do_(?:we|you)_have list_(?:them|all|please|it)(?:_all|_of_them|_too|_please)*",
    "(?:please_)?list(?:_please)? name_them(?:_all)? all_of_(?:them|those) what_are_they",
    "(?:names|titles)_please (?:show|give|tell)_me(?:_(?:all|which|them|the_list))* and_which",
    "what(?:'s|_is|_do_(?:we|you)_have|_have_(?:you|we)_got)(?:_(?:there|here|in_here|in_there|available))?",
    "in_which_(?:ones|papers|works) i_want_(?:them_)?all the_full_list show_them(?:_all)? and_who",
    "(?:is_there_)?anything(?:_(?:here|in_here|(?:on|about)_(?:that|it|this)))?",
)
ONLY_AGAIN = re.compile(rf"^(?:and )?(?:{ASKS_AGAIN})?\W*$", re.IGNORECASE)
_TAIL = re.compile(
    rf"(?:[\s,;:.?!-]+(?:(?:and|or|then|also|so) )*(?:{ASKS_AGAIN}|please|thanks)\b)+[\s?!.]*$",
    re.IGNORECASE,
)
_FOR_A_TEXT = re.compile(  # "I'm writing a related-work section on X. Give me every paper."
    r"^\W*(?:i(?:'m| am)|we(?:'re| are)) (?:now |just |currently )?(?:writing|preparing|drafting"
    r"|compiling|putting together|working on|doing) (?:an?|my|our|the) (?:[\w-]+ ){0,3}?(?:section"
    r"|chapter|survey|review|talk|lecture|paper|article|proposal|thesis|report|overview|essay"
    r"|paragraph|course) (?:on|about) (?P<what>[^.?!]{3,160})[.?!]\W*(?:give|show|list|name|find"
    r"|what|which|who|anything|i need|i want|send)\b[^.?!]{0,60}[.?!]?\s*$",
    re.IGNORECASE,
)
_MY_TEXT = re.compile(  # "my thesis chapter is about X; whom must i cite"
    r"^\W*(?:my|our) (?:[\w-]+ ){0,3}?(?:section|chapter|survey|review|talk|lecture|paper|proposal"
    r"|thesis|report|overview|essay|paragraph|course|project) (?:is|will be) (?:about|on)"
    r" (?P<what>[^.?!;]{3,160}?)[.?!;,]\W*(?:who|whom|what|which|give|show|list|name|find)\b"
    r"[^.?!]{0,60}[.?!]?\s*$",
    re.IGNORECASE,
)
_REFERENCES = re.compile(  # "need 4 refs on X"
    r"^\W*(?:(?:i|we|please|pls|could|can|you|give|send|find|me|us|need|want|looking for|some|any|a"
    r"|few|couple of|good|\d{1,2}|two|three|four|five)\b\W*)*(?:refs?|references|citations|pointers"
    r"|reading)\b(?: (?:on|about|for|to|regarding)|\s*:)\s*(?P<what>[^.?!]{3,160}?)[.?!]?\s*$",
    re.IGNORECASE,
)
_FRAME = re.compile(
    r"^\W*(?:i(?:'m| am| was)? (?:(?:currently|just|now|trying|writing|working|preparing|doing"
    r"|putting together|making|collecting|looking|after|interested|compiling|gathering|hunting"
    r"|searching|wondering|curious) ?(?:to |for |on |in |about |which |if )?)"
    r"[^:.;?]{0,60}[:.;] +|(?:for|in) (?:my|our|a) (?:related work|survey|review|thesis|talk|course"
    r"|lecture|reading (?:list|group)|slides?|report|seminar|class|bibliography)[\w ]{0,30}[,:] *"
    r"|i(?:'d| would) (?:be (?:grateful|glad|happy|thankful|interested) (?:for|in|to (?:see|have))"
    r"|appreciate|love(?: to (?:see|have|get))?) )",
    re.IGNORECASE,
)


# What people call papers else, behind a word that asks for several.
_CALLED = re.compile(
    r"\b((?:which|what|how many|any|all|every|each|these|those|your)(?: (?:of|the|these|your"
    r"|different|single|all|hold|any))*) (?:write-?ups?|submissions|manuscripts|texts|entries"
    r"|records|pieces of (?:work|research))\b(?! (?:of|to)\b)",
    re.IGNORECASE,
)
_POINT = r"(?:subject|topic|focus|theme|point|goal|aim|purpose)"
_PLAINER = tuple(
    (re.compile(pattern, re.IGNORECASE), plain)
    for pattern, plain in (
        (r"\bw/ ", "with "),
        (
            r"\b(mention|use|cite|name|discuss)s? neither (.{2,60}?) nor (.{2,60}?)(?=\W*$)",
            r"do not \1 \2 or \3",
        ),
        (r"\b(?:are|is) there (?=(?:about|on|of|for|that|which|with)\b)", ""),
        (r",? or (?:several|more than one|more of them)\b", ""),
        (
            r"\b(?:has|have|having|includes?|with) (.{2,60}?) (?:among|in|as (?:one|part) of)"
            r" (?:its|their|the) (?:benchmarks?|data ?sets?|evaluations?|experiments?"
            r"|baselines?)\b",
            r"use \1",
        ),
        (
            r"\bwhose (?:\w+ )?(?:evaluation|experiments?|training|methods?) (?=(?:us|rel|run"
            r"|mak)\w+)",
            "that ",
        ),
        (r",? \(?or (?:both|all)(?: of (?:them|these))?\b\)?", ""),
        (r",? (?:and|but) (?:nothing|none|no) (?:else|others?)\b", ""),
        (r"\b(?:an? )?(?:overview|listing) of (?=which|what|all|the papers)", ""),
        (
            r"\b(?:the )?(?:collection|corpus|library)(?:'s)? (?:coverage of|holdings? on)\b",
            "papers on",
        ),
        (
            rf"\b(?:treat|have|take|see)s? (?P<what>[^,;]+?),? as (?:the|its|their|an?) "
            rf"(?:(?:main|primary|central|core|whole|sole) )*{_POINT}\b",
            r"are about \g<what>",
        ),
        (
            r"\bin (?:(?:the|their|its) )?(?:abstracts? (?:and|or) (?:in )?(?:(?:the|their|its) )?"
            r"titles?|titles? (?:and|or) (?:in )?(?:(?:the|their|its) )?abstracts?)\b",
            "in the abstract",
        ),
        (
            r"\b(?:paper )?(?:titles (?:and|or) abstracts|abstracts (?:and|or) titles) (?:have|hold"
            r"|contain)\b",
            "papers mention",
        ),
        (
            r"^\W*in (?:which|what|how many) (?:papers|abstracts|works|articles) (?:do|can|will)"
            r" (?:i|we|you|one) (?:find|see|read|meet|encounter) ",
            "papers that mention ",
        ),
        (r"\b(?:bring|brings|brought) (?=\S)(?!up\b)(.{2,60}?) up\b", r"mention \1"),
        (r"\bdrop(?:s|ped|ping)? the names? (?:of )?", "mention "),
        (
            r"\b(?:has|have|having|with) (.{2,60}?) (?:in|inside|within) (?:it|them|there"
            r"|(?:the|their"
            r"|its) (?:text|abstracts?))(?=\W*$|,? (?:but|and|or)\b)",
            r"mention \1",
        ),
        (
            r",? or (?:its|the|their) (?:abbreviations?|acronyms?|short forms?|plurals?|full"
            r" (?:name"
            r"|form)s?|spell?ed[- ]out (?:form|name)s?)\b",
            "",
        ),
        (r"\bthat(?:'s|'ve| is| are| has| have)(?: been)? (?=[a-z]+(?:ed|ing)\b)", "that "),
        (r"\b(?:gets?|got|receives?) an? (?:\w+ )?(?:mention|nod|shout-?out)\b", "is mentioned"),
        (
            r",? (?:however|no matter how|whichever way) (?:it|they)(?:'s|'re| is| are| may be) "
            r"(?:spel\w+|writ\w+|called|named)\b",
            "",
        ),
        (r"\b(?:mak(?:e|es|ing)|made) use of\b", "use"),
        (r"\b(?:lean(?:s|ing|ed)?|draws?|drawing|drew) (?:up)?on\b", "use"),
        (
            r"\b(?:with|having|holding) the (?:exact |very |literal )?(word|term|phrase|expression"
            r"|acronym)s?\b",
            r"that mention the \1",
        ),
        (r"\b(?:name-?(?:checks?|drops?)|(?:references?|quotes?)(?= (?-i:[A-Z\"])))\b", "mention"),
        (r"\b(than|under|within|over) an? (?=(?:week|day|hour|minute|second|month)\b)", r"\1 1 "),
        (  # "LoRA comes up, as the acronym or written out as …": mention LoRA or …
            r"(?P<what>\S+) (?:comes?|turns?|shows?|crops?|pops?) up,? (?:either |whether |be it )?"
            r"(?:as |by )?(?:an? |the |its )?(?:acronym|abbreviation|short form)s? or "
            r"(?:written|spelled|spelt)(?: out)?(?: in full)?(?: as)? ",
            r"mention \g<what> or ",
        ),
        (
            r" *\((?:by|under|in|with) (?:exactly )?(?:that|this|the|its) (?:very )?"
            r"(?:name|word|term)s?\)",
            "",
        ),
        (r"\bdata set(s?)\b", r"dataset\1"),
        (r" of (?:their|its) (?:very )?own\b(?=\W|$)", ""),
        (r"\b(?:bring|put|take|call)s? (.{2,60}?) into (?:play|use|service)\b", r"use \1"),
        (r"\b(?:some|any)thing (?=(?-i:[A-Z]))", ""),
        (
            r",? (?:(?:whether )?spel\w+ out or (?:not|abbreviated)|abbreviated or (?:not|spel\w+"
            r" out|written out|in full))\b",
            "",
        ),
        (  # "a Pareto front(ier)"
            r"(?P<before>(?:(?-i:[A-Z])\w+ )?)(?P<short>[a-z]{3,})\((?P<end>[a-z]{2,4})\)",
            r"\g<before>\g<short> or \g<before>\g<short>\g<end>",
        ),
        (r"\s+&\s+", " and "),
        (r"\b(?:play|plays|playing) (?:\w+ ){1,2}(?:role|part)\b", ""),
        (r"\b(?:done|doing|do|worked|working|works?) with (?=(?-i:[A-Z]))", "use "),
        (
            rf"(?:,? (?:that|which))? whose (?:(?:whole|main|only|sole|very) )?{_POINT} (?:is"
            rf"|are)(?: on)?\b",
            " about",
        ),
        (
            rf"^(?P<what>[^,;]+?),? as (?:the|its|their|an?) (?:(?:main|primary|central|core"
            rf"|whole|sole) )*{_POINT}\b",
            r"about \g<what>",
        ),
        (
            r",? (?:according to|by|as (?:stated|said) in|going by) (?:its|their|the) (?:own"
            r" )?(?:(?:figures|numbers)(?: in (?:its|their|the) abstracts?)?|abstracts?)\b",
            "",
        ),
        (
            r" in (?:this|the|your) (?:\w+ )?(?:pile|bunch|lot|heap|stack|set) of (?:\w+"
            r" )*papers\b",
            "",
        ),
        (r"[- ]related (?=(?:work|research|papers|stuff)\b)", " "),
        (
            r"\b(benchmark|dataset|data set)s? papers\b(?: (?:about|on|for|in)\b)?",
            r"papers that introduce new \1s for",
        ),
    )
)


_UNMARKED = re.compile(r"\b(do|does|did|is|are|was|has|have|ca|wo)nt\b", re.IGNORECASE)  # doesnt
_SUCH_AS = re.compile(r"\b(?:e\.? ?g\.?|i\.e\.?),? (?!not\b)", re.IGNORECASE)
_FRAME_WORDS = tuple(  # what list questions are made of, and which one slip makes no other word
    """
    which papers abstracts mention mentions mentioned mentioning everything anything anyone anybody
    evaluate evaluated propose introduce release benchmark benchmarks dataset datasets surveys
    without between about articles language languages parameters tokens something concerning
    """.split()
)


_FRAME_STEMS = frozenset(map(stem, _FRAME_WORDS))


def _slips_mended(text: str) -> str:
    """Folded *text* with the words that ask as they are spelt."""
    return _LONG_WORD.sub(lambda found: _mended(found[0]), text)


_LONG_WORD = re.compile(r"(?<![\w-])[a-z]{5,}(?![\w-])")


@lru_cache(maxsize=4096)
def _mended(word: str) -> str:
    if stem(word) in _FRAME_STEMS:
        return word
    meant = [known for known in _FRAME_WORDS if word[0] == known[0] and one_slip(word, known)]
    return meant[0] if meant else word


_GREETING = re.compile(
    r"^\W*(?:(?:hi|hello|hey|hallo|looking for|searching for|dear \w+|good (?:morning|day|evening))"
    r"\b[\s,.!:-]*)+",
    re.IGNORECASE,
)
_OTHER_LANGUAGE = re.compile(
    r"\b(?:(?:an?|any|some) )?(?:natural )?languages? (?:other than|besides|that (?:is|are) not"
    r"|apart from|outside) ([A-Z]\w+)",
)


def without_preamble(text: str) -> str:
    """Folded *text* without a greeting and what its papers are wanted for.

    >>> without_preamble("Hi, I'm collecting material for a talk: who uses LoRA?")
    'who uses LoRA?'
    """
    text = _SUCH_AS.sub("such as ", _UNMARKED.sub(r"\1n't", _slips_mended(text)))
    rest = _GREETING.sub("", text)
    if for_a_text := _FOR_A_TEXT.match(rest) or _MY_TEXT.match(rest) or _REFERENCES.match(rest):
        return f"papers on {for_a_text['what']}"
    told = _FRAME.sub("", rest)
    rest = rest if ONLY_AGAIN.match(told) else told or rest or text
    return _CALLED.sub(lambda found: f"{found[1]} papers", rest)


def normalised(text: str) -> str:
    """Folded *text* in the words that clauses are cut along.

    >>> normalised("papers on cooking? (please no recipes)")
    'papers on cooking, excluding recipes'
    >>> normalised("who mentions Megatron in any shape (Megatron-LM, Megatron-Turing...)?")
    'who mentions Megatron?'
    """
    text = _OTHER_LANGUAGE.sub(r"non-\1 language", without_preamble(_PLURAL_SIGN.sub("s", text)))
    for pattern, plain in _PLAINER:
        text = pattern.sub(plain, text)
    text = _without_idle(text)
    text = _FRIENDS.sub("", _ALSO_AS.sub(" or ", text))
    ruled_out: list[str] = []
    while aside := _ASIDE.search(text):
        said, excluded = _outside(aside[1].strip(), text[: aside.start()])
        ruled_out += [excluded] if excluded else []
        text = f"{text[: aside.start()]}{said}{text[aside.end() :]}"
    text = squeeze(text.replace("\x01", "(").replace("\x02", ")"))
    shorter = _TAIL.sub("", text)
    text = shorter if len(shorter.split()) > 2 else text
    text = _COULD.sub("", _without_idle(text))
    text = squeeze(_EXCLUDES.sub(", excluding ", text))
    for what in ruled_out:
        text = f"{text.rstrip(' ?.!,')}, excluding {what}"
    return re.sub(r"\s+(?=[?.!,;])", "", text)


def _without_idle(text: str) -> str:
    """*text* without idle words, but for those in quotes."""
    parts = enumerate(text.split('"'))
    return squeeze('"'.join(part if i % 2 else _IDLE.sub(" ", part) for i, part in parts))


_IN_ABSTRACT = re.compile(
    r" (?:in|within|inside) (?:its|the|their) (?:abstracts?|titles?|text)\W*$", re.IGNORECASE
)


def _outside(inside: str, before: str) -> tuple[str, str]:
    """What stands for a bracket with *inside* after *before*, and what it rules out."""
    inside = _ALL_FINE.sub("", inside)
    excluded = _RULED_OUT.match(inside) or _NOT_ENOUGH.match(inside)
    if excluded and not _NO_MATTER.match(excluded["what"]):
        return "", excluded["what"].strip(" .,") if len(inside.split()) <= 6 else ""
    *_, head = ["", *_IN_ABSTRACT.sub("", before).split()]
    head = head.strip(",;:?!\"'")
    if re.match(r"(?:the|an?) [a-z]", inside) and _is_marked(head):
        return "", ""  # what the name is: "Adam (the optimizer)"
    if re.match(r"(?:or|and) ", inside):
        return f" {inside} ", ""
    if _is_marked(head):
        items = [item for item in re.split(r"\s*[,;/]\s*|\s+(?:and|or)\s+", inside) if item]
        root = head.lower().rstrip("s")
        same = sum(root in item.lower() and item.lower() != root for item in items)
        sorts = _ANY_SORT.search(inside) or _FOR_EXAMPLE.match(f"{inside} ")
        if sorts or same or inside.endswith(("...", "…", "etc", "etc.")):
            return "", ""
    if all(
        _VERSION.fullmatch(item) for item in re.split(r"[\s,;/]+|\b(?:or|and)\b", inside) if item
    ):
        return "", ""
    return f" \x01{inside}\x02", ""


def _is_marked(word: str) -> bool:
    return is_name_like(word) or bool(re.fullmatch(r"[A-Z][\w.+-]+", word))


def ruled_out_names(remark: str) -> str:
    """What a *remark* says is not enough, "" if it says no such thing.

    >>> ruled_out_names("RoBERTa and friends on their own are not enough")
    'RoBERTa'
    """
    found = _NOT_ENOUGH.match(_FRIENDS.sub("", remark))
    return found["what"] if found else ""
