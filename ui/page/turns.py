"""A conversation, turn by turn: how an answer grows in front of a person."""

from __future__ import annotations

import logging
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from rag.atlas import Atlas
from rag.errors import PaperChatError
from rag.types import Answer, Hit, Judgement, Paper
from ui.format import UNFOLDED, markdown
from ui.page.answer import escaped_lines, html_answer, html_text

PACE = 0.08
"""Seconds between two statements, so that a reader sees the answer grow."""

SEARCHING = "Searching…"
CHECKING = "Checking every quotation against its abstract…"
STOPPED = "Stopped."

_STEPS = {
    "writing": "Writing, and checking each sentence…",
    "checking": "Checking again what did not stand the check…",
}
_ECHO = 400  # characters of a question that are shown again
_BROKEN = "Something failed here while answering; ask again, or look into the server's log."

log = logging.getLogger(__name__)


class Chat(Protocol):
    """What the page needs of the product."""

    def stream(self, question: str, conversation: Sequence[Answer] = ()) -> Iterator[Answer]:
        """Answer *question*, asked after *conversation*: it grows, and the last one is whole.

        Those before have a "step" in their trace. Raises PaperChatError.
        """
        ...

    def compare(self, subjects: Sequence[str], axes: Sequence[str] = ()) -> Answer:
        """Two to five papers side by side. Raises UsageError."""
        ...

    def verify(self, claim: str, title: str) -> Judgement:
        """Whether the abstract of the paper called *title* bears *claim*. Raises UsageError."""
        ...

    def titled(self, title: str) -> Paper:
        """The one paper that *title* means. Raises UsageError, naming the nearest titles."""
        ...

    def search(self, query: str, n: int) -> Sequence[Hit]:
        """The *n* best papers for *query*, best first. Raises UsageError."""
        ...

    def papers(self) -> Sequence[Paper]:
        """All papers, by title."""
        ...

    def atlas(self) -> Atlas:
        """The map of the collection."""
        ...

    def examples(self, most: int) -> Sequence[str]:
        """Questions that the collection can answer, of as many shapes as *most* allows."""
        ...

    def describe(self) -> str:
        """How much the collection holds, e.g. "385 papers"."""
        ...


@dataclass(frozen=True, slots=True)
class Turn:
    """A question and how far its answer has come."""

    question: str
    number: int  # counts from 0 within the conversation
    step: str = ""  # what is being done now; empty when nothing is
    steps: tuple[str, ...] = ()  # what was done before it
    answer: Answer | None = None
    shown: int = 0  # statements written so far
    problem: str = ""  # one sentence, if there is no answer
    rating: str = ""  # what a person thinks of it: "up", "down" or nothing

    @property
    def done(self) -> bool:
        """Whether the whole answer is shown, so that a later question may refer to it."""
        return self.answer is not None and self.shown == len(self.answer.statements)


def following(past: Sequence[Turn]) -> int:
    """The number of the turn that comes after *past*."""
    return past[-1].number + 1 if past else 0


def answering(
    chat: Chat,
    question: str,
    past: Sequence[Turn],
    pace: float = PACE,
    number: int | None = None,
) -> Generator[Turn]:
    """Answer *question* after the turns *past*: the same turn again and again, as it grows.

    *pace* is in seconds; *number* is the turn's (None: the next one). The last turn has no step.
    No error leaves: a turn tells of it.
    """
    turn = Turn(question, following(past) if number is None else number, step=SEARCHING)
    yield turn
    answers = None
    try:
        # Closed with this generator, so that Stop stops the language model too.
        answers = chat.stream(question, [each.answer for each in past if each.answer and each.done])
        for answer in answers:
            step = _STEPS.get(answer.trace.get("step", ""), "")
            if not step:
                break
            yield replace(next_step(turn, step), answer=answer, shown=len(answer.statements))
    except PaperChatError as error:
        yield replace(turn, step="", problem=str(error))
        return
    except Exception:  # the visitor gets a sentence; whoever runs the page gets the traceback
        log.exception("answering failed")
        yield replace(turn, step="", problem=_BROKEN)
        return
    finally:
        if isinstance(answers, Generator):
            answers.close()
    if answer.mode == "llm":
        yield replace(turn, answer=answer, shown=len(answer.statements), step="")
    else:
        yield from _revealed(turn, answer, pace)


def _revealed(turn: Turn, answer: Answer, pace: float) -> Iterator[Turn]:
    """Show *answer*, which is whole already, step by step and statement by statement."""
    turn = next_step(turn, _reading(answer))
    yield turn
    turn = next_step(turn, CHECKING)
    for shown in range(1, min(len(answer.statements), UNFOLDED)):
        time.sleep(pace)
        yield replace(turn, answer=answer, shown=shown)
    time.sleep(pace)
    yield replace(turn, answer=answer, shown=len(answer.statements), step="")


def next_step(turn: Turn, step: str) -> Turn:
    """The turn, now doing *step*."""
    return replace(turn, steps=(*turn.steps, turn.step), step=step)


def _reading(answer: Answer) -> str:
    """What was read for the answer, as the step that a visitor sees."""
    if answer.coverage is not None:
        read, all_of_them = answer.coverage.papers_read, answer.coverage.papers_in_corpus
        return f"Reading {'all ' if 1 < read == all_of_them else ''}{count(read, 'abstract')}…"
    if answer.table is not None:
        found = sum(subject.found for subject in answer.table.subjects)
        return f"Reading {count(found, 'paper')} side by side…"
    return f"Reading {count(len(answer.retrieved), 'paper')}…"


def stopped(turn: Turn) -> Turn:
    """The turn as it stays when a visitor stops it."""
    return replace(turn, step="", problem=STOPPED) if turn.step else turn


def count(number: int, noun: str) -> str:
    """The number with its noun, in the plural where that is due.

    >>> count(1, "paper"), count(2000, "paper")
    ('1 paper', '2,000 papers')
    """
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


# --- Its HTML -------------------------------------------------------------------------------------


def html_turn(turn: Turn, notes: Mapping[str, str] | None = None) -> str:
    """One turn as HTML; everything a person or a paper wrote is escaped.

    *notes* says of a paper id what has become of the paper since the answer was made.
    """
    cut = "…" if len(turn.question) > _ECHO else ""
    parts = [f'<h2 class="pc-question">{html_text(turn.question[:_ECHO])}{cut}</h2>']
    if turn.answer is not None:
        parts.append(html_answer(turn.answer, f"turn-{turn.number}", turn.shown, notes))
    if turn.problem:
        parts.append(f'<p class="pc-problem" role="status">{html_text(turn.problem)}</p>')
    parts.append(_steps(turn) if turn.step else _foot(turn))
    state = "working" if turn.step else "finished"
    return (
        f'<article class="pc-turn" id="turn-{turn.number}" data-state="{state}"'
        f' data-turn="{turn.number}">{"".join(parts)}</article>'
    )


def _steps(turn: Turn) -> str:
    """What has been done, and what is being done."""
    done = "".join(f'<li class="pc-done">{html_text(step)}</li>' for step in turn.steps)
    now = f'<li class="pc-step">{html_text(turn.step)}</li>'
    return f'<ol class="pc-steps" role="status">{done}{now}</ol>'


def _foot(turn: Turn) -> str:
    """What can be done with a finished turn, and how its answer was made."""
    buttons = [_button("retry", "Ask again"), _button("edit", "Edit")]
    text = trace = ""
    if turn.answer is not None and turn.done:
        buttons.insert(0, _button("copy", "Copy"))
        buttons += [_thumb("up", turn.rating), _thumb("down", turn.rating)]
        text = f'<pre class="pc-copied" hidden>{escaped_lines(markdown(turn.answer))}</pre>'
        trace = f'<p class="pc-trace">{html_text(how_it_was_made(turn.answer))}</p>'
    return f'<div class="pc-foot">{trace}<div class="pc-acts">{"".join(buttons)}</div>{text}</div>'


def _button(does: str, words: str) -> str:
    return f'<button type="button" class="pc-act" data-do="{does}">{words}</button>'


def _thumb(way: str, rating: str) -> str:
    words = "This answer is good" if way == "up" else "This answer is wrong or lacks something"
    pressed = "true" if rating == way else "false"
    return (
        f'<button type="button" class="pc-act pc-thumb" data-do="rate" data-way="{way}"'
        f' aria-pressed="{pressed}" aria-label="{words}" title="{words}"></button>'
    )


def how_it_was_made(answer: Answer) -> str:
    """What was searched, how long it took, and who wrote the words; empty for small talk."""
    if answer.shape == "chat" or not answer.retrieved:
        return ""
    parts = [f"Searched {count(answer.papers_in_corpus, 'paper')}"]
    if answer.coverage is not None:
        parts = [f"Read {count(answer.coverage.papers_read, 'abstract')}"]
    if not answer.abstained:
        written = f"written by {answer.model}" if answer.mode == "llm" else "quoted, not rewritten"
        parts.append(written)
    if "total" in answer.timings_ms:
        parts.append(_duration(answer.timings_ms["total"]))
    return " · ".join(parts)


def _duration(milliseconds: float) -> str:
    if milliseconds < 1000:
        return f"{max(milliseconds, 1):.0f} ms"
    return f"{milliseconds / 1000:.1f} s"
