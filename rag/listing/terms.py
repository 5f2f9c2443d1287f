"""Literal mentions: does a text hold this name, or these words?

A name stands as a whole ("GPT-3" is in "GPT-3 175B" and not in "GPT-3.5" or "GPT-3o"; "T5" is not
in "CodeT5"), written with a hyphen, a space or nothing between its parts. Words stand by their
stems, singular or plural, hyphenated or joined, in British or American spelling.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from rag.names import is_name_like
from rag.words import STOPWORDS, compounds, stem

Span = tuple[int, int]
How = Literal["stemmed", "inflected", "exact"]

# Prefixes that writers join, hyphenate or set apart: pretraining, pre-training, pre training.
_JOINED = re.compile(
    r"^(anti|auto|back|bench|bi|check|co|cross|data|de|down|fine|hyper|inter|intra|macro|meta|micro"
    r"|mini|multi|non|over|post|pre|pseudo|quasi|re|run|self|semi|speed|sub|super|trans|uni|un"
    r"|under|up|work)(?=\w{4})"
)
_BRITISH = re.compile(r"(?<=[a-z]{3})is(?=(?:e|ed|es|er|ers|ing|ation|ations|able)$)")
_DOUBLED = re.compile(r"(?<=[a-z]{3}[ae])ll(?=(?:ing|ed|er|ers)$)")  # modelling, labelled
_OUR = re.compile(r"(?<=[a-z]{3})our(?=s?$)")  # behaviour, colours
_RUN = re.compile(r"[^\W_]+(?:\.\d+)*(?:\+\+|\+(?!\w)|\#(?!\w))?")
_ROOT_AND_VERSION = re.compile(r"([^\W\d_]{2,})(v?\d+(?:\.\d+)*)")
_SHOUTED = re.compile(r"[A-Z]{2,}")
_LONGEST_ACRONYM = 8


def find(form: str, text: str, how: How = "stemmed") -> tuple[Span, ...]:
    """Where *form*, a name or words, stands in folded *text*.

    Words stand by their stems; *inflected*, a noun must be that noun; *exact*, only a plural is
    allowed.

    >>> find("GPT-3", "Unlike GPT-3.5, GPT3 and GPT 3 (175B) did.")
    ((16, 20), (25, 30))
    >>> find("fine-tuned model", "finetuning models; we fine tune a model")
    ((0, 17),)
    >>> find("optimization", "optimal or optimizations", "inflected")
    ((11, 24),)
    >>> find("scaling", "Scaling at scale", "exact")
    ((0, 7),)
    """
    wanted = _compiled(form, how)
    if wanted.needle not in text.lower():
        return ()
    if not wanted.stems:
        return tuple(found.span() for found in wanted.pattern.finditer(text))
    return tuple(
        found.span() for found in wanted.pattern.finditer(text) if wanted.means(found.groups())
    )


def find_any(
    forms: Iterable[str], text: str, masks: Iterable[str] = (), how: How = "stemmed"
) -> tuple[Span, ...]:
    """Where any of *forms* stands in folded *text*, in order, outside of any of *masks*.

    >>> find_any(["BERT"], "BERT and Sentence BERT", masks=["Sentence BERT"])
    ((0, 4),)
    """
    hidden = [span for mask in masks for span in find(mask, text)]
    return tuple(
        sorted(
            {
                (start, end)
                for form in forms
                for start, end in find(form, text, how)
                if not any(low <= start and end <= high for low, high in hidden)
            }
        )
    )


def is_name(form: str) -> bool:
    """Whether *form* is matched as a name: as written, and without inflection.

    >>> [is_name(form) for form in ("SWE-bench", "MATH", "Llama 3.1", "human evaluation", "Claude")]
    [True, True, True, False, False]
    """
    words = compounds(form)
    return any(is_name_like(word) and not _plain_compound(word) for word in words) or (
        len(words) > 1
        and words[0][:1].isalpha()
        and any(word.lstrip("vV").replace(".", "").isdigit() for word in words[1:])
    )


def _plain_compound(word: str) -> bool:
    """Whether *word* is marked as a name only by the capitals of a hyphenated title word."""
    return bool(re.fullmatch(r"[A-Z]?[a-z]+(?:-[A-Z]?[a-z]+)+", word))


def _name_pattern(form: str) -> re.Pattern[str]:
    """Its parts with hyphen, space or nothing between, whole, and with any version if it has none.

    Letters that are all capitals mean themselves: "MATH" is a data set and "math" is not.
    """
    runs = [part for run in _RUN.findall(form) for part in _root_and_version(run)]
    parts = [re.escape(run) for run in runs]
    version = bool(len(runs) > 1 and re.fullmatch(r"v?\d+(?:\.\d+)*", runs[-1]))
    if version:  # "Llama 3, 3.1 and 3.2" holds Llama 3.1 and Llama 3.2
        parts.insert(-1, r"(?:v?\d+(?:\.\d+)*(?:\s*,\s*(?:and\s+)?|\s*/\s*|\s+and\s+|\s*&\s*))*v?")
        parts[-1] = parts[-1].removeprefix("v")
    body = (r"[-\s_~@*()]*" if "(" in form else r"[-\s_~@*]*").join(parts)
    open_ended = not any(char.isdigit() for char in form) and form[-1:].isalpha() and len(form) > 2
    tail = r"(?:\d[\d.]*[a-zA-Z]?)?" if open_ended else ""
    shouted = all(_SHOUTED.fullmatch(run) for run in runs)
    signs = r"(?![\w+#])" if form[-1:] in "+#" else r"(?:'?s)?(?!\w|\.\d)"
    return re.compile(rf"(?<!\w){body}{tail}{signs}", 0 if shouted else re.IGNORECASE)


def _root_and_version(run: str) -> tuple[str, ...]:
    split = _ROOT_AND_VERSION.fullmatch(run)
    return (split[1], split[2]) if split else (run,)


@lru_cache(maxsize=65536)
def canonical(word: str) -> str:
    """The stem of *word* in its American spelling.

    >>> canonical("Optimisation") == canonical("optimizations"), canonical("modelling")
    (True, 'model')
    """
    return stem(_OUR.sub("or", _DOUBLED.sub("l", _BRITISH.sub("iz", word.lower()))))


def words_of(form: str) -> list[str]:
    """The words of *form*, hyphenated compounds taken apart."""
    return [part for word in compounds(form) for part in re.split("[-/]", word) if part]


def singular(phrase: str) -> str:
    """*phrase* with its last word in the singular, where it is a plural in small letters.

    >>> [singular(phrase) for phrase in ("neural networks", "case studies", "analysis", "LLMs")]
    ['neural network', 'case study', 'analysis', 'LLMs']
    """
    *before, last = phrase.split(" ")
    if not _PLURAL_NOUN.fullmatch(last):
        return phrase
    return " ".join((*before, f"{last[:-3]}y" if last.endswith("ies") else last[:-1]))


_PLURAL_NOUN = re.compile(r"[a-z][a-z-]{2,}(?<!s)(?<!u)(?<!i)(?<!ic)s|[a-z-]{2,}ies")


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A form as it is looked for; a name has no stems, its pattern is all."""

    pattern: re.Pattern[str]
    needle: str  # lower-case letters that a text must hold: cheaper to look for than the pattern
    stems: tuple[str, ...] = ()
    joined: str = ""
    endings: tuple[str, ...] = ()  # of its words, where they must be those very nouns

    def means(self, held: Sequence[str]) -> bool:
        same = tuple(map(canonical, held)) == self.stems
        if not same and canonical("".join(held)) != self.joined:
            return False
        return not self.endings or tuple(map(_ending, held)) == self.endings


@lru_cache(maxsize=4096)
def _compiled(form: str, how: How) -> _Wanted:
    form = _PLURAL.sub("", form)
    words = words_of(form)
    if how == "exact" and words and not is_name(form):
        body = r"[-\s]*".join(re.escape(word) for word in words)
        return _Wanted(re.compile(rf"(?<!\w){body}(?:e?s)?(?!\w)", re.IGNORECASE), words[0].lower())
    if is_name(form) or not words:
        runs = _RUN.findall(form)
        needle = _root_and_version(runs[0])[0].lower() if runs else ""
        return _Wanted(_name_pattern(form) if words and runs else _NOTHING, needle)
    pieces = [piece for word in words for piece in _pieces(word)]
    # Inflections in a row are a superset of what is meant: the stems are compared afterwards.
    between = r"[-\s*()]*" if "(" in form else r"[-\s*]*"  # C*-algebras, O(n log n)
    body = between.join(rf"({_inflected(piece)})" for piece in pieces)
    # Of what is called by a plain word any version counts: "Qwen" is in "Qwen2.5-7B".
    named = len(pieces) == 1 and len(form) > 3 and form.istitle()
    version = r"(?:\d[\d.]*[a-zA-Z]?)?" if named else ""
    pattern = re.compile(rf"(?<!\w){body}{version}(?!\w)", re.IGNORECASE)
    return _Wanted(
        pattern,
        needle=pieces[0].lower()[:3],
        stems=tuple(map(canonical, words)),
        joined=canonical("".join(words)),
        endings=() if how == "stemmed" or _is_somebodys(words) else tuple(map(_ending, pieces)),
    )


def _is_somebodys(words: Sequence[str]) -> bool:
    """Whether a proper name tells which, so that the noun behind it may be its kin: a front."""
    return len(words) > 1 and words[0].istitle() and words[-1].islower()


# Endings that make another word: sustainability is not what is sustained.
_ENDINGS = re.compile(
    r"(?:(?:abil|ibil)ity|iz?ation|ation|ition|ment|ness|ity|ism|ist|ance|ence|ency|ive|ous|al|able"
    r"|ible|ful|ly|er|or)$"
)


def _ending(word: str) -> str:
    """What makes *word* another word than its kin; its number and tense do not."""
    lower = word.lower()
    single = f"{lower[:-3]}y" if lower.endswith("ies") else lower.removesuffix("s")
    found = _ENDINGS.search(_BRITISH.sub("iz", single))
    return found[0] if found else ""


_PLURAL = re.compile(r"(?<=[A-Z]{2})'?s$|(?<=[A-Z]\d00)s$")  # LLMs, GPUs
_NOTHING = re.compile(r"(?!)")


def _pieces(word: str) -> list[str]:
    """*word* cut behind a prefix that may be set apart from the rest."""
    prefix = _JOINED.match(word.lower())
    return [word[: prefix.end()], word[prefix.end() :]] if prefix else [word]


def _inflected(word: str) -> str:
    lower = word.lower()
    root = stem(lower)
    same = next(
        (i for i, pair in enumerate(zip(root, lower, strict=False)) if pair[0] != pair[1]),
        min(len(root), len(lower)),
    )
    if not lower.isalpha() or same < 3:
        return rf"{re.escape(lower)}(?:'?s)?"
    start = re.escape(lower[: max(3, same - root.endswith("e"))])  # tune, tuning
    return re.sub(r"i[sz]$", "i[sz]", re.sub("our", "ou?r", start)) + r"[^\W\d_]{0,8}"


def acronym_of(phrase: str, text: str) -> tuple[str, ...]:
    """The acronyms that folded *text* gives for *phrase*, in brackets behind it.

    >>> acronym_of("neural architecture search", "Neural Architecture Search (NAS) is slow.")
    ('NAS',)
    """
    return tuple(
        bracket[1].removesuffix("s")
        for _, end in find(phrase, text)
        if (bracket := _BRACKET.match(text, end)) and _abbreviates(bracket[1], phrase)
    )


def spelled_out(acronym: str, text: str) -> tuple[str, ...]:
    """What folded *text* says *acronym* stands for, the words before its brackets.

    >>> spelled_out("PPO", "as with Proximal Policy Optimization (PPO), we")
    ('Proximal Policy Optimization',)
    """
    found: list[str] = []
    for bracket in re.finditer(rf"\(\s*{re.escape(acronym)}s?\s*[),;]", text):
        before = re.findall(
            r"[^\W_]+(?:'\w+)?|-", text[max(0, bracket.start() - 100) : bracket.start()]
        )
        for count in range(2, min(len(before), 2 * len(acronym) + 2) + 1):
            phrase = " ".join(before[-count:]).replace(" - ", "-")
            if phrase[0] != "-" and _abbreviates(acronym, phrase):
                found.append(phrase)
                break
    return tuple(found)


_BRACKET = re.compile(r"\s*\(\s*([A-Z][A-Za-z]{0,8}[A-Z]s?)\s*[),;]")


def _abbreviates(acronym: str, phrase: str) -> bool:
    """Whether *acronym* has the initials of *phrase*, with or without those of small words."""
    short = acronym.removesuffix("s")
    words = words_of(phrase)
    if not 2 <= len(short) <= _LONGEST_ACRONYM or not words:
        return False
    if words[0][:1].lower() != short[0].lower() or words[0].lower() in STOPWORDS:
        return False
    capitals = "".join(letter for letter in short if letter.isupper()).lower()  # ViT, LoRA
    every = "".join(word[0].lower() for word in words)
    large = "".join(word[0].lower() for word in words if word.lower() not in STOPWORDS)
    return bool({short.lower(), capitals} & {every, large}) and len(words) > 1
