"""What kind of paper an abstract shows: a survey, a thesis, a benchmark, an open release.

A paper *is* a survey by what its title or its own sentences call it. It *brings* a benchmark where
it says that it introduces one: the noun is what the verb takes, not what it is measured on.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from rag.listing.terms import canonical, words_of


@dataclass(frozen=True, slots=True)
class PaperKind:
    """A kind that papers are: how people ask for it, and how papers show it."""

    name: str  # in the words that people are shown, in the singular
    asked: re.Pattern[str]  # in a question
    title: re.Pattern[str]
    text: re.Pattern[str]  # in a sentence of the abstract
    needs: tuple[str, ...]  # letters of which title or abstract must hold some, in lower case


def _kind(name: str, needs: str, *patterns: str) -> PaperKind:
    asked, title, text = (
        re.compile(rf"(?<![\w-])(?:{pattern})", re.IGNORECASE) for pattern in patterns
    )
    return PaperKind(name, asked, title, text, tuple(needs.split()))


_OWN = r"(?:this|our|the present|in this|present)"
# Surveys of the sky, of land and of people are what a paper is made from, not what it is.
_FIELDWORK = "".join(
    rf"(?<!{word} )"
    for word in "sky galaxy redshift digital photometric spectroscopic imaging radio infrared "
    "X-ray legacy lensing deep wide all-sky seismic geological land field household national user "
    "customer online web opinion questionnaire anonymous".split()
)
_PEOPLE_OR_SKY = (
    r"(?:users|developers|engineers|programmers|students|teachers|workers|people|participants"
    r"|respondents|practitioners|researchers|experts|patients|adults|households|companies|galax\w+"
    r"|stars|quasars|clusters|nebulae|fields|square degrees)\b"
)
_OF_THINGS = rf"(?! (?:of |among |with )?(?:\d|(?:[\w-]+ ){{0,2}}?{_PEOPLE_OR_SKY}))"
_SURVEY = (
    rf"{_FIELDWORK}survey(?! (?:data|respon\w+|questions?|questionnaires?|telescopes?|catalogu?es?"
    rf"|area|samples?|design)\b){_OF_THINGS}"
)
_SURVEYED = rf"(?:{_SURVEY}|(?:literature |systematic |critical |scoping )?review)"
_RELEASED = r"(?:code|models?|weights|data|checkpoints|software|implementations?|tools?)"

KINDS = (
    _kind(
        "survey",
        "survey review overview sok tutorial",
        r"(?:survey (?:papers?|articles?|works?)|surveys?|(?<!code )(?<!peer )(?<!product"
        r" )(?<!customer )(?<!movie )"
        r"(?:literature |systematic |scoping )?review(?:s|(?: (?:papers?|articles?)))?(?!"
        r" (?:comments|automation|process|system))"
        r"|overviews?"
        r"|SoKs?|meta-analys[ei]s|literature surveys?|state-of-the-art reports?)\b",
        rf"(?:{_SURVEY}|overview|SoK|tutorial|(?<!code )(?<!peer )(?<!product )review)\b"
        r"|reviews? of\b|surveys of (?:the )?(?:literature|research)\b",
        rf"{_OWN} (?:[\w-]+ ){{0,3}}{_SURVEYED}\b|\bwe (?:also )?(?:survey|review)\b(?!.*\bpropos)"
        rf"{_OF_THINGS}"
        rf"|systematic literature review|\b(?:paper|work|article|report) (?:\w+ )?(?:surveys"
        rf"|reviews)\b"
        rf"|\b(?:provide|present|conduct|offer|give)s? (?:an?|the(?: first)?) (?:[\w-]+,? "
        rf"){{0,4}}{_SURVEYED}\b"
        rf"|(?:extended|comprehensive|systematic) {_SURVEYED} (?:on|of|paper)\b",
    ),
    _kind(
        "thesis",
        "thesis dissertation",
        r"(?:thes[ei]s|dissertations?)\b",
        r"(?:thesis|dissertation)\b",
        r"(?:this|my|our|the|PhD|master'?s?|doctoral) (?:\w+ )?(?:thesis|dissertation)\b",
    ),
    _kind(
        "position paper",
        "position perspective opinion vision manifesto viewpoint essay",
        r"(?:(?:vision(?:,? (?:or |and )|/))?(?:position|perspective|opinion|viewpoint)"
        r"(?:(?:,? (?:or |and )|/)(?:position|perspective|opinion|vision|viewpoint))*"
        r" (?:papers?|pieces?|articles?)"
        r"|(?:position|opinion|viewpoint|vision (?:or|and|/) (?:position|opinion))"
        r"(?: (?:or|and|/) (?:position|perspective|opinion|viewpoint|vision))*$"
        r"|perspectives|manifestos?|essays?)\b",
        r"(?:position|perspectives?|opinion|manifesto|viewpoint|vision paper)\b",
        r"(?:posi?tion|perspective|opinion|vision) (?:paper|piece|article)\b"
        r"|\bthis perspective,? (?:we|paper|article|piece|argues?|outlines?|discuss\w*)\b"
        r"|\b(?:present|outline|share|describe|lay out|offer|articulate)s? (?:our|a) vision"
        r" (?:for|of)\b"
        r"|this essay\b",
    ),
    _kind(
        "empirical study",
        "empirical experimental comparative preliminary evaluation case",
        r"(?:(?:empirical|experimental|comparative|large-scale|measurement) "
        r"(?:stud(?:y|ies)|investigations?|anal?ys[ei]s|evaluations?|comparisons?)"
        r"|empirical (?:papers?|work))\b",
        r"(?:(?:empirical|experimental|comparative|preliminary) (?:\w+ )?(?:study|investigation"
        r"|analysis|evaluation|comparison)"
        r"|empirically|an? evaluation of|case stud(?:y|ies))\b",
        r"(?:we|this (?:paper|work|study)|our) (?:[\w-]+ ){0,4}(?:empirical(?:ly)?|comparative"
        r"|experimental) "
        r"(?:stud|investigat|analy|evaluat|compar|examin|explor|assess)\w*"
        r"|(?:comprehensive|extensive|systematic|large-scale|rigorous|thorough|detailed) empirical "
        r"(?:study|investigation|analysis|evaluation|comparison)\b",
    ),
    _kind(
        "case study",
        "case",
        r"case stud(?:y|ies)\b",
        r"case stud(?:y|ies)\b",
        r"(?:this|our|a|an|two|three|several) (?:[\w-]+ ){0,3}case stud(?:y|ies)\b",
    ),
    _kind(
        "tutorial or guide",
        "tutorial guide primer cookbook guideline handbook lesson",
        r"(?:tutorials?|guides?|how-?tos?|primers?|cookbooks?|practical guid\w+)\b",
        r"(?:tutorial|guide|primer|cookbook|guidelines?|handbook|lessons)\b",
        rf"{_OWN} (?:[\w-]+ ){{0,3}}(?:tutorial|guide|primer|cookbook)\b|\bpractical guide\b",
    ),
    _kind(
        "technical report",
        "report",
        r"(?:technical|tech) reports?\b",
        r"technical report\b",
        r"(?:this|our|technical) (?:\w+ )?report\b",
    ),
    _kind(
        "open release",
        "open available release publish github huggingface",
        r"(?:(?:a )?links? to (?:the |their )?(?:code|repo\w*)|(?:public|open|available) code"
        r"|open[- ]?sourc\w*(?: releases?)?|open[- ]?weights?|publicly (?:available|released?)"
        r"|(?:releas\w+|publish\w*|shar\w+) (?:their |the |its |all |some |any )?(?:own )?"
        rf"(?:model )?(?:(?:open[- ]?)?source )?{_RELEASED}"
        rf"(?:(?:,| or| and|/|, or|, and|and/or) {_RELEASED})*"
        rf"|{_RELEASED} (?:(?:will be|is|are|was|were|has been) )?(?:made )?"
        r"(?:publicly )?(?:available|released?|online|on github|open-?sourced))\b",
        r"open[- ]?source\b",
        r"(?:(?:code|models?|weights|checkpoints?|data(?:sets?)?|implementation|toolkit|library"
        r"|software|package|tools?"
        r"|system|resources?"
        r"|benchmark|everything|LLMs?)\b[^.]{0,60}\b(?:(?:publicly |freely )?available|released?"
        r"|open[- ]?sourced?)"
        r"|(?:we|will|also|fully) (?:\w+ ){0,2}(?:open[- ]?source|release|publish)d?\b"
        r"|available at\b|github\.com|huggingface\.co)",
    ),
)  # fmt: skip

# What papers bring, with other words for the same; any other noun stands for itself.
BROUGHT: dict[str, tuple[str, ...]] = {
    "benchmark": ("benchmark", "test suite", "evaluation suite", "leaderboard", "*bench"),
    "dataset": ("dataset", "data set", "corpus", "corpora"),
    "training set": ("dataset", "data set", "corpus", "corpora", "training set", "training data"),
    "environment": ("environment", "simulator", "testbed", "playground", "gym", "*gym"),
    "simulator": ("simulator", "simulation", "simulation framework"),
    "system": ("system", "framework", "platform", "engine", "infrastructure"),
    "library": ("library", "toolkit", "package", "software"),
    "tool": ("tool", "toolkit", "package", "library"),
    "software tool": (
        "=tool",
        "software tool",
        "toolkit",
        "toolbox",
        "package",
        "=library",
        "=software",
    ),
    "software": ("=software", "=tool", "software tool", "toolkit", "toolbox", "package", "library"),
    "optimizer": ("optimizer", "optimization algorithm"),
    "metric": ("metric", "evaluation metric", "measure"),
    "model": ("model", "language model", "LLM", "transformer", "network"),
    "language model": ("language model", "LLM", "model"),
    "llm": ("language model", "LLM"),
    "architecture": ("architecture", "backbone"),
    "framework": ("framework",),
}

# What was "established" or "released" by nobody in particular is not this paper's.
_BRINGS = (
    r"(?:introduc(?:es?|ing)|propos(?:es?|ing)|presents?|presenting|develops?|developing"
    r"|creat(?:es?|ing)"
    r"|constructs?|constructing|builds?|building|built|designs?|designing|releas(?:es?|ing)"
    r"|curat(?:es?|ing)|establish(?:es)?|establishing|contribut(?:es?|ing)|collects?|collecting"
    r"|offers?"
    r"|offering|provid(?:es?|ing)|unveils?|unveiling|devis(?:es?|ing)|compiles?|compiling"
    r"|assembles?"
    r"|open-sourc(?:es?|ing)|resulting in|serves? as|describes?"
    r"|(?:(?<=we )|(?<=have )|(?<=has )|(?<=also )|(?<=then )|(?<=further )|(?<=automatically ))"
    r"(?:introduc|propos|present|develop|creat|construct|design|releas|curat|establish|contribut"
    r"|collect"
    r"|offer|provid|compil|assembl|generat|open-sourc)ed)"
)
# Between the verb and what it takes no word may lead elsewhere: "propose X and test it on …".
_TAKES = (
    r"(?:(?![^\w-](?:for|to|on|across|with|using|that|which|via|by|in|against|over|from"
    r"|outperform\w*"
    r"|achiev\w*|surpass\w*|evaluat\w*|existing|previous|other|established|standard|popular|public"
    r"|state-of-the-art|several|multiple|various|diverse|many|different)(?![\w-]))[^.;:]){0,110}?"
)


def brings(noun: str, text: str) -> tuple[int, int] | None:
    """Where folded *text*, one sentence, says that its paper brings a *noun* (in the singular).

    >>> brings("benchmark", "We introduce SUPER, the first benchmark for agents.")
    (3, 39)
    >>> brings("benchmark", "We propose PAL and outperform models on this benchmark.") is None
    True
    """
    if not any(needle in text.lower() for needle in needles(noun)):
        return None
    found = _pattern(noun).search(text)
    return found.span() if found else None


@lru_cache(maxsize=256)
def needles(noun: str) -> tuple[str, ...]:
    """Lower-case beginnings of words of which a text must hold one to bring a *noun*."""
    return tuple(name.lstrip("*=").split()[0].lower()[:-1] for name in _names(noun))


def _names(noun: str) -> tuple[str, ...]:
    key = " ".join(canonical(word) for word in words_of(noun))
    return next(
        (names for name, names in BROUGHT.items() if key == " ".join(map(canonical, name.split()))),
        (noun,),
    )


@lru_cache(maxsize=256)
def _pattern(noun: str) -> re.Pattern[str]:
    nouns = "|".join(_noun(name) for name in _names(noun))
    named = ""
    if not _SOFTWARE.isdisjoint(_names(noun)):  # "… in Normaliz, a tool", "QGIS is such a tool"
        named = (
            rf"|(?<![\w-]){_BRINGS}(?![\w-])[^.;:]{{0,110}}?(?-i:\b[A-Z])[\w+-]*, an? "
            rf"(?:[\w-]+,? ){{0,3}}?(?:{nouns})(?!\w)"
            rf"|(?<![\w-])(?-i:[A-Z])[\w+-]* is an? (?:[\w-]+,? ){{0,3}}?(?:{nouns})(?!\w)"
            rf"|\bwe make an? (?:[\w-]+,? ){{0,3}}?(?:{nouns})(?!\w)"
            rf"|\bis such an? (?:[\w-]+,? ){{0,3}}?(?:{nouns})(?!\w)"
        )
    return re.compile(
        rf"(?<![\w-]){_BRINGS}(?![\w-]){_TAKES}(?<![\w-])(?:[\w]+-)*(?:{nouns})(?!\w)"
        rf"|\b(?:(?:a|an|the|two|three|four|its|this)\s+(?:\w+\s+)?(?:new|novel|proposed|first)"
        rf"|our)\s+"
        rf"(?:(?!(?:on|for|of|in|to|with|and|from)\b)[\w-]+,?\s+){{0,3}}?(?:{nouns})(?!\w){named}",
        re.IGNORECASE,
    )


_SOFTWARE = frozenset({"=software", "tool", "toolkit", "library"})
_NO_FURTHER_NOUN = (
    r"(?!-\w)(?! (?:stack|system|engineer|develop|change|creation|use|usage|call|manipulation"
    r"|learning|project|component|process|quality|vulnerab|issue|repositor|code|documentation|test"
    r"|maintenance|design|accelerator|function|retrieval|invocation|selection|integration|support|packag))"
)


def _noun(name: str) -> str:
    if name.startswith("*"):  # a name that ends in it: PyBench
        return rf"\w+{name[1:]}"
    if name.startswith("="):  # in the singular, and no part of another noun: no software stack
        return rf"{name[1:]}{_NO_FURTHER_NOUN}"
    words = [re.escape(word) for word in name.split()]
    last = words[-1]
    words[-1] = f"{last[:-1]}(?:y|ies)" if last.endswith("y") else f"{last}(?:e?s)?"
    return r"[\s-]+".join(words)


def kind_asked(text: str) -> tuple[PaperKind, tuple[int, int]] | None:
    """The kind of paper that folded *text* asks for first, and where."""
    found = [
        (match.start(), kind, match.span()) for kind in KINDS if (match := kind.asked.search(text))
    ]
    if not found:
        return None
    _, kind, span = min(found, key=lambda one: one[0])
    return kind, span
