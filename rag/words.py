"""Words as this product compares them: names keep their digits and signs, the rest is stemmed.

"GPT-4" is not "GPT-3", "Llama 2" is not "Llama 3", "C++" is not "C"; yet "fine-tuning",
"finetuning" and "fine tuning" are one word, and so are singular and plural.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

import Stemmer

from rag.text import fold

# A word: letters and digits, decimals and thousands kept whole, and the signs of C++, C#, ZeRO++.
_PART = r"[^\W_]+(?:(?<=\d)[.,](?=\d)[^\W_]+)*(?:'[^\W_]+)?(?:\+\+|\+(?![^\W_])|\#(?![^\W_]))?"
_COMPOUND = re.compile(rf"{_PART}(?:[-/]{_PART})*")
_SPLIT = re.compile(r"[-/]")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_FREE_NUMBER = re.compile(r"(?<![\w.])(?<![^\W_]-)\d+(?:\.\d+)?")  # not the 4 of GPT-4
_ROOT = re.compile(r"([a-z]{3,})[a-z]?\d[\d.]*[a-z]*")
_HAS_DIGIT = re.compile(r"\d")
# LLMs, RNNs, VMs: Snowball finds no vowel in them and leaves the plural alone.
_ACRONYMS = re.compile(r"[b-df-hj-np-tv-xz]+[b-df-hj-np-rtv-xz]s")
_EAST_ASIAN = r"\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uac00-\ud7af"
_KANA_OR_HAN = re.compile(rf"[{_EAST_ASIAN}]")
# Chinese and Japanese write names without spaces around them: 与NVIDIA的CUTLASS相比
_SCRIPT_BORDER = re.compile(
    rf"(?<=[{_EAST_ASIAN}])(?=[A-Za-z0-9])|(?<=[A-Za-z0-9+#])(?=[{_EAST_ASIAN}])"
)

STOPWORDS = frozenset(
    """
    a about above after again against all also am an and any are as at be because been before
    being below between both but by can cannot could did do does doing done down during each either
    else ever every few for from further get gets getting give given gives go goes going got had has
    have having he her here hers him his how however i if in instead into is it its itself just
    let like made make makes many may me might mine more most much must my myself need needs neither
    no nor not now of off often on once one only onto or other others our ours out over own per
    please quite rather really s same say says see seem seems shall she should show shows since so
    some something such t than that the their theirs them then there these they thing things this
    those through thus to together too toward towards under until up upon us use used uses using
    very via want was we well were what whatever when where whether which while who whom whose why
    will with within without would yes yet you your yours
    actually anybody anyone anything somebody someone tell told know known kind kinds sort way ways
    work works paper papers author authors abstract abstracts article study
    """.split()
)
# What stands before the apostrophe in it'd, they're, we've.
_SHORTENED = frozenset("he her here i it she that there they this we what where who you".split())
# Words that ask rather than name: left out of what a question is about, kept for ranking.
ASKING = frozenset(
    """
    approach based called claim describe does exactly explain find found high idea introduce level
    mean main method new people possible present problem propose proposed question reach report
    reported result results specific technique thing tried try trying
    """.split()
)

_stemmer = Stemmer.Stemmer("english")


@lru_cache(maxsize=200_000)
def stem(word: str) -> str:
    """The Snowball English stem of a lower-case *word*; words with digits or signs stay whole.

    >>> stem("studies"), stem("llama2"), stem("c++"), stem("llms")
    ('studi', 'llama2', 'c++', 'llm')
    """
    if _ACRONYMS.fullmatch(word):
        return word[:-1]
    if len(word) == 4 and word.endswith("pus"):  # GPUs, CPUs, TPUs: Snowball leaves -us alone
        return word[:3]
    return str(_stemmer.stemWord(word)) if word.isalpha() and len(word) > 2 else word


def compounds(text: str) -> list[str]:
    """The words of *text* as written, folded, hyphenated compounds whole.

    >>> compounds("ZeRO++ cuts 12,288 GPUs' cost; fine-tuning in C++.")
    ['ZeRO++', 'cuts', '12288', 'GPUs', 'cost', 'fine-tuning', 'in', 'C++']
    """
    folded = _SCRIPT_BORDER.sub(" ", _THOUSANDS.sub("", fold(text)))
    return [word.removesuffix("'s").removesuffix("'S") for word in _COMPOUND.findall(folded)]


def document_terms(text: str) -> list[str]:
    """The terms under which *text* is found: every form a question might use, with repeats.

    >>> document_terms("GPT-4 fine-tunes Llama 2")
    ['gpt4', 'gpt', 'finetun', 'fine', 'tune', 'llama', '2', 'llama2']
    """
    terms: list[str] = []
    before = ""
    for word in compounds(text):
        lower = word.lower()
        terms.extend(_forms(lower))
        if before and _NUMBER.fullmatch(lower) and len(lower) <= 4:
            terms.append(before + lower)
        before = lower if lower.isalpha() and lower not in STOPWORDS else ""
    return terms


def _forms(lower: str) -> Iterator[str]:
    """A compound's forms: joined, its parts, and a name's root before its number."""
    parts = _SPLIT.split(lower)
    if len(parts) > 1:
        yield stem("".join(parts))
        digits = any(_HAS_DIGIT.search(part) for part in parts)
        yield from (stem(p) for p in parts if p not in STOPWORDS and not (digits and p.isdigit()))
        if len(parts) > 2 and digits:  # "Llama-3.1-8B" is also "Llama 3.1"
            yield from (a + b for a, b in pairwise(parts) if _HAS_DIGIT.search(b))
        return
    if _KANA_OR_HAN.search(lower):
        yield from (lower[i : i + 2] for i in range(max(1, len(lower) - 1)))
        return
    if _is_function_word(lower):
        return
    yield stem(lower)
    root = _ROOT.fullmatch(lower)
    if root:
        yield root[1]


def _is_function_word(lower: str) -> bool:
    """Whether *lower* is a stop word, or one in short form: don't, isn't, you're, I'm."""
    return lower in STOPWORDS or lower.endswith("n't") or lower.partition("'")[0] in _SHORTENED


def query_terms(text: str) -> dict[str, float]:
    """The terms a question searches for, with weights in (0, 1].

    A name's number counts fully and its root less, so that "Llama 2" ranks papers on Llama 2
    above papers on Llama 3; two plain words are also tried as one ("fine tuning").
    """
    weights: dict[str, float] = {}

    def add(term: str, weight: float) -> None:
        weights[term] = max(weight, weights.get(term, 0.0))

    before = ""
    for word in compounds(text):
        lower = word.lower()
        forms = list(_forms(lower))
        for place, form in enumerate(forms):
            whole = place == 0 or not _HAS_DIGIT.search(forms[0])
            add(form, 1.0 if whole else 0.4)
        if before and _NUMBER.fullmatch(lower) and len(lower) <= 4:
            add(before + lower, 1.0)
        elif before and lower.isalpha() and forms:
            add(stem(before + lower), 0.7)
        before = lower if lower.isalpha() and lower not in STOPWORDS else ""
    return weights


def content_words(text: str) -> set[str]:
    """The stems *text* is about: no function words, no words that only ask."""
    return {term for term in document_terms(text) if term not in _ASKING_STEMS}


def numbers(text: str) -> list[str]:
    """The numbers of *text* in order, thousands separators removed, signs and units left out.

    >>> numbers("55.2% MFU on 12,288 GPUs with GPT-4, and -1.5 points")
    ['55.2', '12288', '1.5']
    """
    return _FREE_NUMBER.findall(_THOUSANDS.sub("", fold(text)))


_ASKING_STEMS = frozenset(stem(word) for word in ASKING)


_NUMBERING = re.compile(r"\((?:\d{1,2}|[ivx]{1,4}|[a-h])\)(?=\s)")


def without_numbering(text: str) -> str:
    """*text* without the marks that number its parts, which count nothing.

    >>> without_numbering("We offer (1) data and (ii) two models (2024).")
    'We offer  data and  two models (2024).'
    """
    return _NUMBERING.sub("", text)
