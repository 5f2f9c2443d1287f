"""What a question of a conversation means on its own, resolved by rules and without a model."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.names import marked_names
from rag.retrieve import Library
from rag.route import route
from rag.text import fold, squeeze
from rag.types import Answer
from rag.words import content_words

# What a follow-up refers with. "that" and "this" count where they stand for something, not where
# they join clauses ("which paper shows that …").
_PRONOUN = re.compile(r"\b(?:it|its|it's|they|they're|them|their|theirs)\b", re.IGNORECASE)
_EXPLETIVE = re.compile(
    r"\b(?:is|was|would|will|can|could) it (?:be )?(?:\w+ ){1,2}(?:to|that|for)\b"
    r"|\b(?:does|did|would|will) it (?:matter|take|make sense|help|pay|hurt)\b",
    re.IGNORECASE,
)
_THING = (
    r"(?:one|ones|papers?|study|studies|works?|authors?|models?|methods?|approach|systems?"
    r"|technique|framework|data ?sets?|benchmark|idea|results?|tool|problem|number|figure|score"
    r"|claim|people|first|second|third|last|former|latter|other)"
)
_POINTS = re.compile(
    rf"\b(?:this|that|these|those|the|the same|the other) {_THING}\b"
    r"|\b(?:this|that|these|those)(?= *(?:[?!.,;]|$))"
    r"|\b(?:is|was|are|were|does|do|did|has|had|have|can|could|will|would|how|why|of|about|than"
    r"|with|from) (?:this|that|these|those)\b"
    r"|\b(?:what|anything|something|where) else\b|\bthe (?:former|latter)\b|\bboth of\b",
    re.IGNORECASE,
)
_GOES_ON = re.compile(
    r"^(?:and|but|so|also|then|what about|how about|why|how so|really)\b", re.IGNORECASE
)
_FRESH = re.compile(
    r"^\W*(?:and |so |but |also |then )?(?:(?:what|who)(?:'s| is| are) (?!the\b|your\b)|define\b"
    r"|papers? (?:on|about)\b|(?:is|are) there\b|which papers?\b"
    r"|(?:any|some)(?:thing| papers?)?\b|(?:who|anyone|anybody) else\b|(?:an|which) ?other\b)",
    re.IGNORECASE,
)
# Asked first it means this tool, asked after an answer the paper.
_HOW_IT_WORKS = re.compile(r"^\W*(?:and |so |but )?how (?:do|does|did) (?:it|this|that) ", re.I)
# Written like names, and names of nothing that a paper could introduce.
_COMMON = frozenset(
    "gpu gpus cpu cpus tpu tpus llm llms lm lms ai ml nlp rl api apis rag ram vram sft".split()
)
_FEW_WORDS = 2  # of content, before a pronoun: with more of them, it refers to one of them
_FEW_WORDS_IN_ALL = 4
_MOST_WORDS_POINTING = 6
_MOST_CHARACTERS = 500  # what is longer explains itself


@dataclass(frozen=True, slots=True)
class Resolved:
    """A question as it has to be asked without its conversation, and how that was found."""

    question: str
    reason: str  # empty where nothing was carried over


def resolve(library: Library, question: str, conversation: Sequence[Answer]) -> Resolved:
    """*question* with what it refers to: a follow-up carries the paper last answered from.

    A question that names nothing of its own and points back ("and how big is it?") is read with
    the title of the last answer's first source. Any other stays as it is, and so does small talk.
    """
    past = [answer for answer in conversation if answer.sources]
    if not past or not _points_back(question):
        return Resolved(question, "")
    if route(question).shape == "chat" and not _HOW_IT_WORKS.search(question):
        return Resolved(question, "")
    title = past[-1].sources[0].title
    head, colon, _ = title.partition(":")
    name = head if colon and 0 < len(head.split()) <= 5 else title
    return Resolved(f"{question.strip()} ({name})", "carries the paper last answered from")


def _points_back(question: str) -> bool:
    text = squeeze(fold(question))
    if len(text) > _MOST_CHARACTERS:
        return False
    names = [name for name in marked_names(text) if name.lower() not in _COMMON]
    start = min((text.find(name) for name in names), default=len(text))
    pronoun = _PRONOUN.search(_EXPLETIVE.sub("", text[:start]))
    words = len(content_words(text))
    if pronoun:
        before = len(content_words(pronoun.string[: pronoun.start()]))
        return before <= _FEW_WORDS or words <= _FEW_WORDS_IN_ALL
    if names:
        return False
    if _POINTS.search(text) and words <= _MOST_WORDS_POINTING:
        return True
    return not _FRESH.search(text) and bool(_GOES_ON.search(text) or words <= 2)
