"""Numbers that a text measures things with: how much, of what, in whatever writing.

1T, 1.5 trillion, 175B, 12,288, 2048K, "a trillion", "ten-fold", "an order of magnitude" and "28
cents" become values with a kind; a range has two ends. Texts are folded ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from rag.names import is_name_like
from rag.words import STOPWORDS, stem

Measure = Literal[
    "accelerators", "parameters", "tokens", "money", "percent", "context", "speed", "factor",
    "time", "count",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number or a range of a text, and what it measures."""

    kind: Measure
    low: float
    high: float
    start: int  # of its first digit or word in the text
    end: int  # behind its unit
    nouns: tuple[str, ...] = ()  # of a count or percentage: stems of the words that follow
    vague: bool = False  # only its order is told: "billion-parameter models"
    named: bool = False  # it stands at a name ("PaLM-540B", "175B GPT-3"): that one's, perhaps


_SCALES = {
    "k": 1e3, "thousand": 1e3, "m": 1e6, "million": 1e6, "b": 1e9, "bn": 1e9, "billion": 1e9,
    "t": 1e12, "trillion": 1e12, "hundred": 1e2, "tb": 1e12,
}  # fmt: skip
_WORDS = {
    "a": 1, "an": 1, "one": 1, "single": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6,
    "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "twenty": 20,
    "thirty": 30, "forty": 40, "fifty": 50, "hundred": 100, "half a": 0.5, "dozen": 12,
    "a dozen": 12,
}  # fmt: skip
_DIGITS = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?(?:[eE]\+?\d+(?!\w))?"
_SCALE = r"(?:[kKMBT]|bn|TB)(?![\w])|(?:hundred|thousand|million|billion|trillion)s?\b"
_NUMBER = (
    rf"(?:{_DIGITS})|(?:\b(?:half a|an?|one|single|two|three|four|five|six|seven|eight|nine|ten"
    r"|eleven|twelve|twenty|thirty|forty|fifty|hundred|(?:a )?dozen)\b)"
)
_BARE_SCALE = r"(?<![\w-])(?:thousand|million|billion|trillion)(?=[-\s](?:parameter|token))"
_TO = r"(?:\s*(?:-|--|~|to|and|sim)\s*|\s*(?:x|times|\\times)\s*(?:-|--|~|to|and|sim)\s*)"
_AMOUNT = re.compile(
    rf"(?P<sign>US\$|[$€£]\s*)?(?:(?P<first>{_NUMBER})(?P<scale>[-\s]?(?:{_SCALE}))?"
    rf"(?:{_TO}(?P<second>{_DIGITS})(?P<scale2>[-\s]?(?:{_SCALE}))?)?|(?P<bare>{_BARE_SCALE}))",
    re.IGNORECASE,
)
_FOLD = re.compile(
    r"\b(?P<word>two|three|four|five|six|seven|eight|nine|ten|twenty|hundred)-?fold\b"
    r"|\b(?:(?P<orders>an|one|two|three|four|several|many|\d)\s+)?orders?[\s-]of[\s-]magnitude"
    r"|\bfactors? (?:of )?(?:up to )?(?P<factor>\d+(?:\.\d+)?)(?![\d.]*\w)",
    re.IGNORECASE,
)
_ACCELERATOR = (
    r"(?:GPU|TPU|NPU|IPU|GCD|accelerator|A100|H100|H200|H800|A800|V100|P100|T4|MI\d+X?|Ascend"
    r"|graphics card|chip|RTX)s?"
)
_OR_SO = r"[-\s+]*(?:or (?:more|fewer|less) )?"
_UNITS: tuple[tuple[Measure, re.Pattern[str]], ...] = (
    ("percent", re.compile(
        r"\s*(?:\\?%(?!\s?-?ile)|percent\b|per cent\b|pp\b|percentage points?\b)", re.IGNORECASE)),
    ("time", re.compile(
        r"[-\s]*(?:\w+[-\s]+){0,2}(?:GPU|TPU|device|core|node)[-\s*]*(?:hours?|hrs?|days?)\b"
        r"|[-\s]*(?:hours?|minutes?|seconds?|days?|weeks?|ms|milliseconds?)\b", re.IGNORECASE)),
    ("money", re.compile(
        r"[-\s]*(?:US)?[-\s]*(?:dollars?|USD|cents?|euros?|pounds?|bucks|EUR|GBP)\b",
        re.IGNORECASE)),
    ("parameters", re.compile(
        rf"{_OR_SO}(?:(?:model|activated|active|total|trainable|learnable|additional|free|extra"
        r"|billion|million) )?(?:param(?:eter)?s?\b|weights\b)", re.IGNORECASE)),
    ("tokens", re.compile(
        rf"{_OR_SO}(?:(?:of )?(?!(?:and|to|of|in)\b)[\w-]+[-\s]){{0,3}}?tokens?\b(?!/)",
        re.IGNORECASE)),
    ("accelerators", re.compile(
        rf"{_OR_SO}(?:(?!(?:GPU|TPU|to|of|in|on|with|and)\b)[\w./-]+[-\s]+){{0,2}}?"
        rf"(?:x )?{_ACCELERATOR}\b(?:[-\s](?:GPU|TPU|chip|card|accelerator)s?\b)?"
        r"(?![-\s*]*(?:hours?|hrs?|days?|memory|kernel|utili))",
        re.IGNORECASE)),
    ("factor", re.compile(r"[-\s]*(?:x|times|-?fold|\\times)(?![\w])", re.IGNORECASE)),
)  # fmt: skip
_CARD = dict(_UNITS)["accelerators"]
_MONEY_BEFORE = re.compile(
    r"\b(?:budget|cost|price)s? of (?:just |only |about |around )?\\?$", re.I
)
_BUDGET_AFTER = re.compile(r"\s+(?:training |compute )?budget\b", re.IGNORECASE)
_NO_SIZE = re.compile(
    r"[-\s]*(?:\w+[-\s]){0,2}?(?:flops?|tflops?|bytes?|tokens?|images?|samples?|pairs?|examples?"
    r"|words?|users?|nodes?|edges?|interactions?|instances?|videos?|games?|questions?|documents?"
    r"|urls?|datasets?|elements?|frames?|corpor\w+|multilingual|context|matches|points|bits?)\b",
    re.IGNORECASE,
)
_COUNTED_BEHIND = re.compile(
    r"[-\s]*(?!each\b|per\b|for\b|and\b|in\b|to\b|on\b|with\b)[a-z]{3,}", re.I
)
_SIZE_BEFORE = re.compile(
    r"\b(?:models?|networks?|LLMs?) (?:(?:that|which) (?:are|is) )?(?:larger|bigger|smaller)"
    r" than $",
    re.IGNORECASE,
)
_CORPUS = re.compile(r"[-\s]*(?:\w+[-\s]){0,2}?(?:corp(?:us|ora)|words|text)\b", re.IGNORECASE)
_CONTEXT_NEAR = re.compile(
    r"\bcontexts?\b|\bsequences?\b|\bwindows?\b|\binput(?:s)? (?:up|of)\b|\blong[- ](?:input|text)",
    re.IGNORECASE,
)
_FAST = (
    r"(?:fast(?:er|est)?\b|speed\w*|throughput\w*|latenc\w+|accelerat\w*|quicker|fps\b"
    r"|(?:less|lower|shorter|reduc\w+ in) (?:\w+ )?time|converge\w*|performance (?:improve|gain"
    r"|boost)\w*"
    r"|performance\b)"
)
_NOT_FAST = (
    r"(?:larger|smaller|bigger|fewer|longer|cheaper|costs?\b|memory|compress\w*|sizes?\b|param\w*"
    r"|data\b|labell?ed|savings?|bandwidth|communicat\w+|footprint|storage|scales?\b|flops\b"
    r"|compute\b|tokens?\b|samples?\b|models?\b|energy|power\b|length)"
)
_ANY_WORD = re.compile(rf"\b(?:(?P<fast>{_FAST})|{_NOT_FAST})", re.IGNORECASE)
_CHANGED = re.compile(  # what an earlier verb says was changed by the factor behind it
    rf"\b(?:(?P<fast>{_FAST}|time\b)|larger|smaller|fewer|longer|cheaper|costs?\b|memory"
    rf"|compress\w*"
    r"|sizes?\b|param\w*|savings?|bandwidth|communicat\w+|footprint|storage|flops\b|energy)",
    re.IGNORECASE,
)
_BREAK = re.compile(r"[;:()]|,\s|\.\s|\b(?:while|but|whereas)\b")
_REACH = 60  # characters before or behind a factor in which stands what it is a factor of
_FOLLOWING = 6  # words behind a number among which is what it counts
_LEADS_ON = frozenset("from of in on for with to by across per via and or that which at as".split())
_WORD = re.compile(r"[^\W\d_]+")
_ONE_CARD = re.compile(
    r"\b(?:RTX|GTX|an?|single) (?:NVIDIA )?$", re.IGNORECASE
)  # "an RTX 4090 GPU"
_RATIO_BEHIND = re.compile(r"\s*(?:\\?%|percent\b|x\b|times\b|\\times\b)", re.IGNORECASE)
_LATEX = re.compile(r"(?:sim|approx|[gl]eq?|times|sub|pm)$")  # what is left of a \sim
_PLAIN_MODEL = re.compile(r"(?:[A-Z]*LL?Ms?|GPUs?|TPUs?|MLLMs?|MoEs?|NLG|NLP)\b")
_NAME_BEFORE = re.compile(r"(?:[A-Za-z]|[A-Za-z]-|[A-Za-z][.\d]*-|\d\.|v)$")


def quantities(text: str) -> tuple[Quantity, ...]:
    """The quantities of folded *text*, in order.

    >>> [(q.kind, q.low, q.high) for q in quantities("5.3x to 15.2x faster on 12,288 GPUs")]
    [('speed', 5.3, 15.2), ('accelerators', 12288.0, 12288.0)]
    >>> [(q.kind, q.low) for q in quantities("a 7B model, 1.5 trillion tokens, $100K")]
    [('parameters', 7000000000.0), ('tokens', 1500000000000.0), ('money', 100000.0)]
    """
    found = [*_amounts(text), *_folds(text)]
    return tuple(sorted(found, key=lambda quantity: (quantity.start, quantity.end)))


def _amounts(text: str) -> Iterator[Quantity]:
    for match in _AMOUNT.finditer(text):
        before = text[max(0, match.start() - 24) : match.start()]
        part_of_name = bool(_NAME_BEFORE.search(_LATEX.sub("", before)))
        kind, end = _kind_of(match, text, part_of_name)
        if kind is None:
            continue
        if kind == "factor":
            kind = _factor_kind(text, match.start(), end)
        low, high = _ends(match, part_of_name)
        nouns = _nouns_behind(text, end) if kind in {"count", "percent"} else ()
        if kind == "time":
            nouns = tuple(stem(word.lower()) for word in _WORD.findall(text[match.end() : end]))
        named = part_of_name or _beside_name(before, text[match.end() : match.end() + 24])
        if kind == "count" and not nouns:
            continue
        vague = bool(match["bare"])
        yield Quantity(kind, low, high, match.start(), end, nouns, vague, named)


def _ends(match: re.Match[str], part_of_name: bool) -> tuple[float, float]:
    """The range that was written, smaller end first; "3-8B" of Llama-3-8B is none."""
    if match["bare"]:
        value = _SCALES[match["bare"].lower()]
        return value, value
    scale, scale2 = _scale(match["scale"]), _scale(match["scale2"])
    first = _value(match["first"]) * (scale or (scale2 if match["second"] else 0) or 1)
    second = _value(match["second"]) * (scale2 or 1) if match["second"] else first
    return (second, second) if part_of_name else (min(first, second), max(first, second))


def _beside_name(before: str, behind: str) -> bool:
    """Whether a size follows a name ("Mistral 7B") or stands before one ("175B GPT-3")."""
    word = re.search(r"(?:^|\s)([A-Z][\w.+-]*)\s(?:\((?:[gl]eq? ?|~)?)?$", before)
    after = re.match(r"\s([A-Z]\S*[\w])", behind)
    return bool(word and word[1].lower() not in STOPWORDS) or bool(
        after and is_name_like(after[1]) and not _PLAIN_MODEL.match(after[1])
    )


def _kind_of(match: re.Match[str], text: str, part_of_name: bool) -> tuple[Measure | None, int]:
    """What the number measures and where its unit ends; None for a number that is only a name's."""
    end = match.end()
    before = text[max(0, match.start() - 32) : match.start()]
    scaled = bool(match["scale"] or match["scale2"] or match["bare"])
    worded = not (match["first"] or "0")[0].isdigit()
    if match["sign"] or (_MONEY_BEFORE.search(before) and not _COUNTED_BEHIND.match(text, end)):
        return "money", end
    article = worded and match["first"].lower() in {"a", "an"}
    if worded and match["first"].lower() == "single":
        card = _CARD.match(text, end)
        return ("accelerators", card.end()) if card else (None, end)
    one_card = bool(_ONE_CARD.search(before))
    measured = one_card and bool(_RATIO_BEHIND.match(text, end))  # "a 2x speedup", "a 20% gain"
    if (part_of_name or article or (one_card and not measured)) and not scaled:
        return None, end
    for kind, pattern in _UNITS:
        unit = pattern.match(text, end)
        if unit:
            return ("context" if kind == "tokens" and _is_length(match, text) else kind), unit.end()
    if scaled and _BUDGET_AFTER.match(text, end):
        return "money", end
    if scaled and not worded:
        return _scaled_kind(match, text), end
    return (None if part_of_name else "count"), end


def _is_length(match: re.Match[str], text: str) -> bool:
    """Whether tokens are those of one input, and not those of a training set."""
    around = _around(text, match)
    large = _scale(match["scale2"] or match["scale"]) > 1e6
    return not large and bool(_CONTEXT_NEAR.search(around)) and "train" not in around.lower()


def _scaled_kind(match: re.Match[str], text: str) -> Measure:
    """A number with K, M, B or T and no unit: a context length, a model's size, or a count."""
    scale = (match["scale2"] or match["scale"] or "b").strip("- ").lower()
    around = _around(text, match)
    if scale in {"k", "m"} and _CONTEXT_NEAR.search(around):
        return "context"
    spelled_out = len(scale) > 2
    if scale in {"t", "trillion"} and _CORPUS.match(text, match.end()):
        return "tokens"
    if spelled_out and _SIZE_BEFORE.search(text, max(0, match.start() - 40), match.start()):
        return "parameters"
    if scale == "k" or spelled_out or _NO_SIZE.match(text, match.end()):
        return "count"
    if scale == "m":
        return "parameters" if re.search(r"model|param|LM\b|scale|-\d+M\b", around) else "count"
    return "parameters"


def _around(text: str, match: re.Match[str]) -> str:
    return text[max(0, match.start() - 50) : match.end() + 30]


def _folds(text: str) -> Iterator[Quantity]:
    """What is told as "ten-fold", "orders of magnitude" or "by a factor of 38"."""
    for match in _FOLD.finditer(text):
        if match["word"]:
            value = float(_WORDS[match["word"].lower()])
        elif match["factor"]:
            value = float(match["factor"])
        else:
            orders = (match["orders"] or "").lower()
            plural = match[0].lower().startswith("orders")
            several = orders in {"several", "many"} or (plural and not orders)
            count = 2 if several else _WORDS.get(orders, 0) or float(orders or 1)
            value = 10.0 ** float(count)
        kind = _factor_kind(text, match.start(), match.end())
        yield Quantity(kind, value, value, match.start(), match.end())


def _factor_kind(text: str, start: int, end: int) -> Measure:
    """Whether a factor is one of speed, by the nearest word that says so, behind it or before."""
    behind = re.split(r"\band\b", _BREAK.split(text[end : end + _REACH])[0])[0]
    found = _ANY_WORD.search(behind)
    if found and len(behind[: found.start()].split()) <= _FOLLOWING - 1:
        return "speed" if found["fast"] else "factor"
    window = text[max(0, start - _REACH) : start]
    before = list(_CHANGED.finditer(_BREAK.split(window)[-1]))
    # "(factor up to 38)" tells what it is of before its bracket
    before = before or list(_CHANGED.finditer(window))
    if before:
        return "speed" if before[-1]["fast"] else "factor"
    return "speed" if found and found["fast"] else "factor"


def _nouns_behind(text: str, end: int) -> tuple[str, ...]:
    behind = _BREAK.split(text[end : end + _REACH])[0]
    counted: list[str] = []
    for word in _WORD.findall(behind)[:_FOLLOWING]:
        if word.lower() in _LEADS_ON:
            break
        if word.lower() not in STOPWORDS:
            counted.append(word.lower())
    # "14 language models" are models: a word before another one in the plural only describes it
    plural = [word for word in counted if word.endswith("s")]
    if set(plural) <= {"pairs"}:  # "problem-solution pairs" are problems, too
        plural = counted
    return tuple(stem(word) for word in plural)


def _scale(written: str | None) -> float:
    return _SCALES[written.strip("- ").lower().rstrip("s")] if written else 0.0


def _value(written: str) -> float:
    lower = written.lower()
    return float(_WORDS[lower]) if lower in _WORDS else float(lower.replace(",", ""))
