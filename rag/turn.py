"""A question with what its conversation has shown, and the names in both."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rag.dialogue import cue
from rag.dialogue.fragment import fragment
from rag.names import key_of, names_in
from rag.retrieve import Library, introduced_names
from rag.text import fold, squeeze
from rag.types import Answer, Paper
from rag.words import compounds, document_terms

if TYPE_CHECKING:
    from rag.store import Snapshot

LONGEST_NAME = 5  # words at a title's beginning that serve as a paper's name
_HEAD = re.compile(r"[:,?]| --? ")


@dataclass(frozen=True, slots=True)
class Spoken:
    """Something that was spoken of: a paper, or a name that no paper here has."""

    name: str  # as people would call it
    paper_id: str = ""


@dataclass(frozen=True, slots=True)
class Turn:
    """A question with what its conversation has shown: all that a rule reads."""

    library: Library
    shown: str  # the question as it was asked
    text: str  # folded; of the same length as `shown`, so that places in one hold in the other
    past: tuple[Answer, ...]  # small talk left out, at least one; the last one is the latest
    spoken: tuple[Spoken, ...]  # each once, in the order in which they were first spoken of
    recent: tuple[Spoken, ...]  # the same, the one spoken of last at the end
    rows: tuple[Spoken, ...]  # what was last shown side by side or as a list
    listed: tuple[Spoken, ...] = ()  # what was last shown as a list, should rows be too few

    @property
    def current(self) -> Spoken | None:
        """What was spoken of last."""
        return self.recent[-1] if self.recent else None

    @property
    def paper(self) -> Paper | None:
        """The paper spoken of last."""
        return self.paper_of(self.current) if self.current else None

    @property
    def last_question(self) -> str:
        """The question before, as it was understood."""
        return self.past[-1].standalone_question

    def paper_of(self, spoken: Spoken) -> Paper | None:
        """The paper that *spoken* is, if this collection holds it."""
        place = self.library.snapshot.places.get(spoken.paper_id)
        return None if place is None else self.library.snapshot.papers[place]

    def asking(self, question: str) -> Turn:
        """The same conversation with another *question*."""
        return replace(self, shown=question, text=folded(question))

    def tail(self, rest: str) -> str:
        """*rest*, with which the folded text ends, as it was asked."""
        return self.shown[-len(rest) :] if rest and self.text.endswith(rest) else rest


def turn_of(library: Library, question: str, past: tuple[Answer, ...]) -> Turn:
    """*question*, with white space squeezed, after the answers of *past*, small talk left out."""
    first: dict[Spoken, None] = {}
    recent: dict[Spoken, None] = {}
    rows: tuple[Spoken, ...] = ()
    listed: tuple[Spoken, ...] = ()
    for place, answer in enumerate(past):
        shown = _shown(library.snapshot, answer)
        if len(shown) > 1 and (answer.shape != "answer" or place == len(past) - 1):
            rows = shown
            listed = shown if answer.shape == "list" else listed
        said = shown if answer.shape == "comparison" else _foremost(answer, shown, first)
        first.update(dict.fromkeys(said))
        for one in reversed(said):  # of things side by side, the first is gone on about
            recent.pop(one, None)
            recent[one] = None
    return Turn(
        library, question, folded(question), past, tuple(first), tuple(recent), rows, listed
    )


def _foremost(
    answer: Answer, shown: Sequence[Spoken], before: Mapping[Spoken, None]
) -> Sequence[Spoken]:
    """What *answer* is about first: where others were asked for, one not spoken of *before*."""
    if cue.wants_others(folded(answer.question)):
        known = {one.paper_id for one in before}
        return [one for one in shown if one.paper_id not in known][:1] or shown[:1]
    return shown[:1]


def folded(question: str) -> str:
    """*question* folded for matching, as long as it is; itself if folding changes its length."""
    text = fold(question)
    return text if len(text) == len(question) else question


def _shown(snapshot: Snapshot, answer: Answer) -> tuple[Spoken, ...]:
    """What *answer* is about, the rows of its table or its sources, in order."""
    if answer.table is not None:
        return tuple(
            Spoken(called(snapshot, row.paper_id, row.title, answer), row.paper_id)
            for row in answer.table.subjects
            if row.paper_id is not None and row.title is not None
        )
    if not answer.sources and answer.abstention == "no_paper":
        return tuple(Spoken(name) for name in unheard_of(snapshot, answer.standalone_question)[:1])
    return tuple(
        Spoken(called(snapshot, source.paper_id, source.title, answer), source.paper_id)
        for source in answer.sources
    )


def called(snapshot: Snapshot, paper_id: str, title: str, answer: Answer) -> str:
    """What people call a paper: what its title begins with, their own word for it, or the title."""
    head = _HEAD.split(title)[0].strip()
    if head != title and 0 < len(head.split()) <= LONGEST_NAME:
        owners = introduced(snapshot, head).values()
        if paper_id not in snapshot.places or frozenset({paper_id}) in owners:
            return head
    asked = introduced(snapshot, answer.standalone_question)
    own = [name for name, ids in asked.items() if ids == {paper_id}]
    return own[0] if len(own) == 1 else title


# --- Names ----------------------------------------------------------------------------------------


def introduced(snapshot: Snapshot, text: str) -> dict[str, frozenset[str]]:
    """The names in *text* that a few papers introduce, with their ids."""
    found = introduced_names(snapshot, text)
    return {name: ids for name, ids in found.items() if cue.may_name(name)}


def unheard_of(snapshot: Snapshot, text: str) -> list[str]:
    """Names written as such in *text* that no paper, or many a paper, introduces."""
    known = introduced(snapshot, text)
    return [name for name in cue.names_of_its_own(text) if name not in known]


def own_names(turn: Turn, text: str, spoken: Sequence[Spoken]) -> list[str]:
    """Names in *text* that the papers *spoken* of introduce, the longest first."""
    ids = {one.paper_id for one in spoken}
    found = introduced(turn.library.snapshot, text)
    return sorted((name for name, owners in found.items() if owners & ids), key=longest)


def leading_away(turn: Turn, text: str) -> dict[str, frozenset[str]]:
    """Names in *text* that the paper spoken of last neither introduces nor mentions, with owners.

    The owners of a name that no paper introduces are none.
    """
    snapshot, paper = turn.library.snapshot, turn.paper
    unowned = dict.fromkeys(unheard_of(snapshot, text), frozenset[str]())
    held = _held(paper) if paper else frozenset[str]()
    return {
        name: ids
        for name, ids in (introduced(snapshot, text) | unowned).items()
        if (paper is None or paper.id not in ids) and key_of(name) not in held
    }


def _held(paper: Paper) -> frozenset[str]:
    """Keys of the names and words of *paper*."""
    names = {name.key for name in names_in(paper.title, paper.abstract)}
    return frozenset(names | terms_of(paper) | {key_of(word) for word in compounds(paper.abstract)})


def is_current(turn: Turn, name: str) -> bool:
    """Whether *name* is what the paper spoken of last is called, in its title or by the person."""
    said = turn.current.name if turn.current else ""
    return key_of(name) in key_of(f"{said} {turn.paper.title if turn.paper else ''}")


def holds(paper: Paper | None, text: str) -> bool:
    """Whether *paper* has a word that *text* is about."""
    return paper is not None and bool(cue.subject_words(text) & terms_of(paper))


def terms_of(paper: Paper) -> set[str]:
    """The terms under which *paper* is found."""
    return set(document_terms(f"{paper.title} {paper.abstract}"))


def longest(name: str) -> tuple[int, str]:
    """Sorts names, the longest first."""
    return (-len(name), name)


# --- Earlier questions ----------------------------------------------------------------------------


def whole_question(turn: Turn) -> Answer | None:
    """The last answer to a question that had a predicate of its own, or was taken to have one."""
    whole = (
        answer
        for answer in reversed(turn.past)
        if squeeze(answer.question) == squeeze(answer.standalone_question)
        or fragment(squeeze(answer.question)) is None
    )
    return next(whole, None)


def subject_of(turn: Turn, answer: Answer) -> str | None:
    """What the question of *answer* is about by name: what it was answered from first."""
    question, snapshot = answer.standalone_question, turn.library.snapshot
    answered = [Spoken(source.title, source.paper_id) for source in answer.sources]
    named = sorted(introduced(snapshot, question), key=longest)
    found = (*own_names(turn, question, answered), *named, *unheard_of(snapshot, question))
    return next(iter(found), None)


def is_carried(answer: Answer) -> bool:
    """Whether what was asked is only "the cost? (…)": nothing to put a part into."""
    return answer.standalone_question.endswith(")") and (
        answer.question != answer.standalone_question
    )


def asked_before(turn: Turn, meant: Spoken) -> str | None:
    """The question before, or the last whole one, asked of the one *meant*; None as `_asked_of`."""
    last, whole = turn.past[-1], whole_question(turn)
    asked = _asked_of(turn, last, meant) if is_carried(last) else None
    return asked or (_asked_of(turn, whole, meant) if whole else None)


def _asked_of(turn: Turn, answer: Answer, meant: Spoken) -> str | None:
    """The question of *answer*, asked of the one *meant*; None if it is about no paper by name."""
    if answer.shape != "answer" or not answer.sources:
        return None
    asked = answer.standalone_question
    if is_carried(answer):
        return about(turn, asked[: asked.rindex(" (")], meant)
    answered = [Spoken(source.title, source.paper_id) for source in answer.sources[:1]]
    own = own_names(turn, asked, answered)
    return put_whole(turn, asked, own[0], meant.name) if own else None


# --- Writing questions ----------------------------------------------------------------------------


def about(turn: Turn, question: str, *spoken: Spoken) -> str:
    """*question* said to be about what was *spoken* of.

    With the words of another language around it a short name says too little: there, the title.
    """
    if len(spoken) > 1:
        return f"{question} ({joined([side(turn, one) for one in spoken])})"
    foreign = cue.is_foreign(folded(question))
    papers = [turn.paper_of(one) if foreign else None for one in spoken]
    names = [p.title if p else one.name for p, one in zip(papers, spoken, strict=True)]
    return f"{question} ({' and '.join(names)})"


def what_is(turn: Turn, one: Spoken) -> str:
    """What to ask when a paper is pointed at and no more is said."""
    return f"What is {side(turn, one)} about?"


def side(turn: Turn, one: Spoken) -> str:
    """What *one* is called beside others: by a name that is one word, else by its title, quoted."""
    if " " not in one.name:
        return one.name
    paper = turn.paper_of(one)
    title = paper.title if paper else one.name
    return f"'{title}'" if '"' in title else f'"{title}"'


def joined(names: Sequence[str]) -> str:
    """*names* as a list in a sentence: "A, B and C"."""
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)


def spans(text: str, name: str) -> list[tuple[int, int]]:
    """Where *name* stands in *text*, in whatever spacing and hyphens."""
    words = r"[\W_]{0,2}".join(re.escape(word) for word in re.split(r"[\W_]+", name) if word)
    pattern = rf"(?<![A-Za-z0-9_-]){words}(?:\(\)|\+\+|#)?(?![A-Za-z0-9_])"
    return [found.span() for found in re.finditer(pattern, text, re.IGNORECASE)] if words else []


def put(text: str, name: str, other: str) -> str:
    """*text* with *other* in every place of *name*."""
    for start, end in reversed(spans(text, name)):
        text = text[:start] + other + text[end:]
    return text


def put_whole(turn: Turn, text: str, name: str, other: str) -> str:
    """*text* with *other* in the place of *name*, and of the title it is a part of."""
    titles = {one.name for one in turn.spoken}
    titles |= {paper.title for one in turn.spoken if (paper := turn.paper_of(one))}
    for title in sorted(titles, key=longest):
        if title in text and " " in title and spans(title, name):
            return re.sub(rf"[\"']?{re.escape(title)}[\"']?", lambda _: other, text, count=1)
    return put(text, name, other)


def statement(question: str) -> str:
    """*question* without the sign at its end."""
    return question.strip().rstrip(" ?.!？。")
