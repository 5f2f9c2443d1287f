"""Literal words: the names and phrases that a question says papers mention or use."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from rag.listing.criteria import Clause, Field, Words
from rag.listing.frames import ONLY_ASKS, REMARK
from rag.listing.joints import AND, BRACKETS, IDLE, LISTED, OR, QUOTED
from rag.listing.subjects import subject, topic
from rag.listing.wording import either
from rag.names import is_name_like
from rag.text import squeeze

_GENERIC = frozenset(
    """
    model models dataset datasets data set sets benchmark benchmarks corpus suite task tasks test
    game games family series method methods algorithm algorithms system systems framework library
    gpu gpus architecture architectures technique techniques language languages version versions
    leaderboard optimizer paper papers numbers scores results figures card cards chip chips hardware
    accelerator accelerators licence license programming corpora server servers competition exam
    exams tests problems problem issues issue questions environment environments simulator toolkit
    package compiler api supercomputer supercomputers cluster clusters
    """.split()
)
# Who makes a model is said with its name or not: "OpenAI Codex".
_MAKERS = frozenset(
    """
    openai google meta facebook microsoft nvidia deepmind anthropic apple amazon alibaba huggingface
    ibm baidu tencent huawei salesforce bytedance
    """.split()
)
_BEFORE_NAME = either(
    "words? terms? phrases? expressions? name acronym dataset data_set benchmark model optimizer",
    "library",
)
_ARTICLES = re.compile(
    r"^(?:(?:the|an?|any|at least one|one or more|(?:top )?of|on|to|in|from|some|both|either"
    r"|all|such|things like"
    r"|(?:urls?|links?|references?) to|(?:data|code|questions|tasks|problems) (?:from|of)"
    r"|(?:an )?amount of|something (?:like|called)|what is called"
    r"|(?:models?|benchmarks?|datasets?) (?:like|such as)"
    rf"|(?:the )?{_BEFORE_NAME}(?= [A-Z\"'])|(?:the )?(?:words?|terms?|phrases?"
    r"|expressions?|acronyms?|abbreviations?)) )+",
    re.IGNORECASE,
)
_TAIL = re.compile(
    r"\s+(?:in|for|within|as|during|at|across|throughout|among|to|when|while)"
    r" (?:(?:the|their|its|an?|any|whatever|some|all) )?"
    r"(?:papers?|abstracts?|work|experiments?|evaluations?|text|collection|baselines?|comparison"
    r"|example|purpose|motivation|way|form|place|one|training|intro\w*)\b.*$"
    r"|,? (?:whatever|no matter|regardless|including|even if)\b.*$|, (?:whether|be it)\b.*$",
    re.IGNORECASE,
)
_MOST_WORDS_IN_BRACKETS = 4  # more of them are a remark, not another name


_ONE_OF = re.compile(r"^(?:at least )?(?:one|any|either|some)(?: or more)? of ", re.IGNORECASE)


def mentioned(rest: str, wanted: Words) -> Iterator[Clause]:
    """*wanted* with what *rest* names: alternatives joined by "or", or several clauses."""
    quoted = [double or single for double, single in QUOTED.findall(rest)]
    _, colon, after = rest.partition(":")
    if (
        colon
        and after.split()
        and after.split()[0].strip(",;") != after.split()[0].lower().strip(",;")
    ):
        rest = after  # "cite models by name: GPT-3, GPT-4"
    if quoted:
        joined = bool(AND.search(QUOTED.sub("#", rest))) or "both" in rest
        for group in [[phrase] for phrase in quoted] if joined else [quoted]:
            names = tuple((phrase,) for phrase in group)
            yield Clause((replace(wanted, alternatives=names, exact=True),))
        return
    beside = [form for inside in BRACKETS.findall(rest) for form in _bracketed(inside)]
    plain = _cut_tail(BRACKETS.sub(" ", rest))
    parts = [AND.sub(" or ", plain)] if _ONE_OF.match(plain) else AND.split(plain)
    for number, part in enumerate(parts):
        forms = [name for name in map(form_of, OR.split(part)) if _names_something(name)]
        forms += [] if number else beside
        if forms:
            yield Clause((replace(wanted, alternatives=tuple(_spellings(forms))),))


_NOTHING = frozenset("so it this that them".split())  # "… and says so"


def _names_something(name: str) -> bool:
    """Whether *name* is more than a pronoun or words that ask once more: "just the count"."""
    return bool(name) and name not in _NOTHING and not (" " in name and ONLY_ASKS.match(name))


def _bracketed(inside: str) -> Iterator[str]:
    """Other names in brackets: an acronym, a spelled-out form, examples; not a remark."""
    for part in OR.split(LISTED.sub(" ", inside)):
        form = form_of(part)
        remark = REMARK.search(part) or IDLE.search(part) or ONLY_ASKS.match(part)
        if form and len(form.split()) <= _MOST_WORDS_IN_BRACKETS and not remark:
            yield form


def form_of(part: str) -> str:
    """A name or words without article and quotes.

    >>> form_of('the "T5" '), form_of("the dataset GSM8K")
    ('T5', 'GSM8K')
    """
    form = _ARTICLES.sub("", squeeze(part).strip(" ,.;:?!\"'"))
    return _ARTICLES.sub("", form).strip("\"'")


def _spellings(names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """For each of *names* the spellings to try, best first.

    A modifier stands for all that "or" joins ("emergent abilities or capabilities"), and what a
    name is ("the Atari games", "the T5 model") need not be said with it.
    """
    modifier = names[0].split()[:-1]
    for place, name in enumerate(names):
        *before, last = name.split()
        tried = [name]
        if place and modifier and not before and name.islower():
            joined = " ".join((*modifier, name))
            tried = [joined] if "-" in joined else [joined, name]  # "out-of-distribution tests"
        if (shorter := _without_generic(name)) != name:
            tried = [shorter] if is_name_like(shorter.split()[-1]) else [*tried, shorter]
        yield tuple(tried)
        made = before and before[0].lower().removesuffix("'s") in _MAKERS
        if made and (*before[1:], last)[0][:1].isupper():
            yield (_without_generic(" ".join((*before[1:], last))),)


def _without_generic(name: str) -> str:
    """*name* without what it is: "the T5 model", "the Julia programming language"."""
    words = name.split()
    while len(words) > 1 and words[-1].lower() in _GENERIC:
        words.pop()
    shorter = " ".join(words)
    marked = re.search(r"[A-Z\d]", words[-1])
    return shorter if marked or len(words) > 1 else name  # "medical data" is no "medical"


def _cut_tail(text: str) -> str:
    return squeeze(_TAIL.sub(" ", text)).strip(" ,.;:?!")


_USED_WITH = re.compile(
    r"^(?:(?:with|on|using|from|against|to|by|via|through|in|under)\s+)+", re.IGNORECASE
)
_FROM_NAME = re.compile(
    r"^(?P<what>[a-z][\w -]{3,60}?) (?:from|with|on|for|of|to|in) (?P<name>.+)$"
)
_NAME_ON = re.compile(
    r"^(?P<name>(?=\S*[A-Z])[\w.+-]+(?: (?=\S*[A-Z\d])[\w.+-]+)*) (?:on|for|in|to|when)"
    r" (?P<what>[a-z].+)$"
)
_LONG_OBJECT = re.compile(r"\b(?:for|to|that|which|when|where|in order|by|of)\b", re.IGNORECASE)
_MOST_WORDS_USED = 7  # a longer object describes, and is not looked for word by word


BESIDE_NAME = re.compile(r" (?:as|in) (?:it|them|an?|the|its|their|one)\b.*$", re.IGNORECASE)


def used(rest: str, where: Field) -> Iterator[Clause]:
    """What is used or evaluated on: a name or a short phrase is looked for, more is a topic."""
    rest = _USED_WITH.sub("", rest)
    if rest[:1].isupper():  # "Llama 2 as their base model"
        rest = BESIDE_NAME.sub("", rest)
    plain = _cut_tail(BRACKETS.sub(" ", rest))
    names = any(is_name_like(word) or word[:1].isupper() for word in plain.split())
    both = _FROM_NAME.match(plain)
    apart = _NAME_ON.match(plain)
    if apart and not AND.search(plain) and not OR.search(plain):  # "evaluate ChatGPT on exams"
        yield Clause((Words(((apart["name"],),), where, used=True),))
        yield from subject(apart["what"])
        return
    wanted = Words((), where, used=True)
    if both and is_name_like(both["name"].split()[0]):  # "use distillation from GPT-4"
        yield from mentioned(both["what"], wanted)
        yield from mentioned(both["name"], wanted)
    elif (_LONG_OBJECT.search(plain) and not names) or len(plain.split()) > _MOST_WORDS_USED:
        yield from topic(rest)
    else:
        yield from mentioned(rest, wanted)
