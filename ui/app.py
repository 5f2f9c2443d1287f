"""The web page: a chat over the papers, and the only door to gradio.

The page asks nothing of any other host, keeps each visitor's conversation to that visitor, and
renders other people's text as text only: the HTML it shows is written, escaped, by `ui.format`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import sys
import time
import webbrowser
from collections.abc import Awaitable, Callable, Generator, Iterator, MutableMapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from rag.errors import PaperChatError, UsageError
from rag.types import Answer
from ui.format import UNFOLDED, html_answer, html_text

if TYPE_CHECKING:
    from fastapi import FastAPI
    from gradio.blocks import Blocks

PACE = 0.12
"""Seconds between two statements, so that a reader sees the answer grow."""

KEPT_TURNS = 30
"""How many turns of a conversation are remembered and shown."""

EXAMPLES = 4
"""How many of the collection's example questions are offered."""

_STEPS = {
    "writing": "Writing, and checking each sentence…",
    "checking": "Checking again what did not stand the check…",
}
_ECHO = 400  # characters of a question that are shown again
_BODY = 200_000  # bytes of a request; the longest allowed question is far shorter
_BROKEN = "Something failed here while answering; ask again, or look into the server's log."
_WAITING = 64  # questions that may queue
_AT_ONCE = 8  # questions answered at the same time
_VISITORS = 1_000  # conversations kept in memory; the longest unused is forgotten first

log = logging.getLogger(__name__)


class Chat(Protocol):
    """What the page needs of the product."""

    def stream(self, question: str, conversation: Sequence[Answer] = ()) -> Iterator[Answer]:
        """Answer *question*, asked after *conversation*: it grows, and the last one is whole.

        Those before have a "step" in their trace. Raises PaperChatError.
        """
        ...

    def examples(self) -> Sequence[str]:
        """Questions that the collection can answer."""
        ...

    def describe(self) -> str:
        """How much the collection holds, e.g. "385 papers"."""
        ...


# --- A conversation, turn by turn -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Turn:
    """A question and how far its answer has come."""

    question: str
    number: int  # counts from 0 within the conversation
    step: str = ""  # what is being done now; empty when nothing is
    answer: Answer | None = None
    shown: int = 0  # statements written so far
    problem: str = ""  # one sentence, if there is no answer

    @property
    def done(self) -> bool:
        """Whether the whole answer is shown, so that a later question may refer to it."""
        return self.answer is not None and self.shown == len(self.answer.statements)


def answering(
    chat: Chat, question: str, past: Sequence[Turn], pace: float = PACE
) -> Iterator[Turn]:
    """Answer *question* after the turns *past*: the same turn again and again, as it grows.

    *pace* is in seconds. The last turn has no step. No error leaves: a turn tells of it.
    """
    turn = Turn(question, past[-1].number + 1 if past else 0, step="Searching…")
    yield turn
    answers = None
    try:
        # Closed with this generator, so that Stop stops the language model too.
        answers = chat.stream(question, [each.answer for each in past if each.answer and each.done])
        for answer in answers:
            step = _STEPS.get(answer.trace.get("step", ""), "")
            if not step:
                break
            yield replace(turn, answer=answer, shown=len(answer.statements), step=step)
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
        return
    turn = replace(turn, step=_reading(answer))
    yield turn
    for shown in range(1, min(len(answer.statements), UNFOLDED)):
        time.sleep(pace)
        yield replace(turn, answer=answer, shown=shown)
    time.sleep(pace)
    yield replace(turn, answer=answer, shown=len(answer.statements), step="")


def _reading(answer: Answer) -> str:
    """What was read for the answer, as the step that a visitor sees."""
    if answer.coverage is not None:
        read, all_of_them = answer.coverage.papers_read, answer.coverage.papers_in_corpus
        return f"Reading {'all ' if 1 < read == all_of_them else ''}{_count(read, 'abstract')}…"
    if answer.table is not None:
        found = sum(subject.found for subject in answer.table.subjects)
        return f"Reading {_count(found, 'paper')} side by side…"
    return f"Reading {_count(len(answer.retrieved), 'paper')}…"


def stopped(turn: Turn) -> Turn:
    """The turn as it stays when a visitor stops it."""
    return replace(turn, step="", problem="Stopped.") if turn.step else turn


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


# --- Its HTML -------------------------------------------------------------------------------------


def html_turn(turn: Turn) -> str:
    """One turn as HTML; everything a person or a paper wrote is escaped."""
    cut = "…" if len(turn.question) > _ECHO else ""
    parts = [f'<h2 class="pc-question">{html_text(turn.question[:_ECHO])}{cut}</h2>']
    if turn.answer is not None:
        parts.append(html_answer(turn.answer, f"turn-{turn.number}", turn.shown))
    if turn.problem:
        parts.append(f'<p class="pc-problem" role="status">{html_text(turn.problem)}</p>')
    if turn.step:
        parts.append(f'<p class="pc-step" role="status">{html_text(turn.step)}</p>')
    elif turn.answer is not None and turn.done:
        parts.append(f'<p class="pc-trace">{html_text(how_it_was_made(turn.answer))}</p>')
    state = "working" if turn.step else "finished"
    return (
        f'<article class="pc-turn" id="turn-{turn.number}" data-state="{state}">'
        f"{''.join(parts)}</article>"
    )


def how_it_was_made(answer: Answer) -> str:
    """What was searched, how long it took, and who wrote the words; empty for small talk."""
    if answer.shape == "chat" or not answer.retrieved:
        return ""
    parts = [f"Searched {_count(answer.papers_in_corpus, 'paper')}"]
    if answer.coverage is not None:
        parts = [f"Read {_count(answer.coverage.papers_read, 'abstract')}"]
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


def _masthead(chat: Chat) -> str:
    size = html_text(chat.describe().strip().rstrip("."))
    return (
        '<header class="pc-masthead"><h1>PaperChat</h1>'
        f"<p>Ask {size}: every answer quotes the sentence that proves it.</p></header>"
    )


_WELCOME = (
    '<div class="pc-welcome"><h2>What would you like to know?</h2>'
    "<p>Answers come from the abstracts of this collection and from nowhere else. "
    "If the abstracts do not say, PaperChat tells you so.</p></div>"
)


# --- The page -------------------------------------------------------------------------------------


def _gradio() -> Any:
    """The library, imported late (4.5 s) and told first to send nothing and to count nothing."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["GRADIO_ANALYTICS_CACHE_FREQUENCY"] = "1000000000"  # in events; 1 would be each
    os.environ["GRADIO_ANALYTICS_MAX_EVENTS"] = "1"
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    import gradio

    return gradio


def build(chat: Chat) -> Blocks:
    """The page over *chat*, not yet served; its look is given to it by `launch`."""
    gr = _gradio()
    with gr.Blocks(title="PaperChat", analytics_enabled=False, fill_width=True) as page:
        _block(gr, _masthead(chat))
        with gr.Column(elem_id="pc-conversation"):
            parts = {
                "past": _block(gr, ""),
                "now": _block(gr, _WELCOME, elem_id="pc-now"),
            }
            with gr.Row(elem_id="pc-examples") as parts["examples"]:
                examples = [
                    gr.Button(text, elem_classes="pc-example")
                    for text in list(chat.examples())[:EXAMPLES]
                ]
        with gr.Column(elem_id="pc-composer"):
            with gr.Row(elem_id="pc-field"):
                parts["box"] = _box(gr)
                parts["ask"] = gr.Button("Ask", variant="primary", elem_id="pc-ask", min_width=0)
                parts["stop"] = gr.Button("Stop", visible=False, elem_id="pc-stop", min_width=0)
            with gr.Row(elem_id="pc-under"):
                _block(gr, '<p class="pc-hint">Enter asks, Shift + Enter starts a new line.</p>')
                parts["clear"] = gr.Button(
                    "New conversation", visible=False, elem_id="pc-clear", min_width=0
                )
        parts["turns"] = gr.State(())
        _wire(gr, chat, parts, examples)
    page.state_session_capacity = _VISITORS
    queued: Blocks = page.queue(
        api_open=False, max_size=_WAITING, default_concurrency_limit=_AT_ONCE
    )
    return queued


def _block(gr: Any, html: str, **options: Any) -> Any:
    return gr.HTML(html, padding=False, apply_default_css=False, js_on_load=None, **options)


def _box(gr: Any) -> Any:
    return gr.Textbox(
        placeholder="Ask about these papers",
        label="Your question",
        show_label=False,
        container=False,
        lines=1,  # with one line at the start, Enter submits and Shift+Enter breaks the line
        max_lines=6,
        autofocus=True,
        elem_id="pc-question",
        html_attributes=gr.InputHTMLAttributes(autocomplete="off", enterkeyhint="send"),
    )


def _wire(gr: Any, chat: Chat, parts: dict[str, Any], examples: Sequence[Any]) -> None:
    """Say what happens on each click; the turns live in the visitor's own session."""

    def show(turns: Sequence[Turn]) -> dict[Any, Any]:
        working = bool(turns and turns[-1].step)
        return {
            parts["turns"]: tuple(turns),
            parts["now"]: html_turn(turns[-1]) if turns else _WELCOME,
            parts["ask"]: gr.update(visible=not working),
            parts["stop"]: gr.update(visible=working),
            parts["clear"]: gr.update(visible=bool(turns)),
            parts["examples"]: gr.update(visible=not turns),
        }

    def ask(question: str | None, turns: Sequence[Turn]) -> Iterator[dict[Any, Any]]:
        question = (question or "").strip()
        past = [stopped(turn) for turn in turns[-KEPT_TURNS:]]
        if not question:
            yield show(past)
            return
        first = {parts["past"]: "".join(map(html_turn, past)), parts["box"]: ""}
        for turn in answering(chat, question, past):
            yield {**first, **show([*past, turn])}
            first = {}

    def stop(turns: Sequence[Turn]) -> dict[Any, Any]:
        return show([stopped(turn) for turn in turns])

    def clear() -> dict[Any, Any]:
        return {parts["past"]: "", **show(())}

    outputs = list(parts.values())
    quiet = {"outputs": outputs, "show_progress": "hidden", "api_visibility": "private"}
    asking = [
        gr.on(
            [parts["box"].submit, parts["ask"].click], ask, [parts["box"], parts["turns"]], **quiet
        )
    ]
    asking += [each.click(ask, [each, parts["turns"]], **quiet) for each in examples]
    parts["stop"].click(stop, [parts["turns"]], cancels=asking, **quiet)
    parts["clear"].click(clear, None, cancels=asking, **quiet)


# --- Its look -------------------------------------------------------------------------------------


def _theme(gr: Any) -> Any:
    """The plainest theme, with fonts that are on every machine."""
    sans = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "sans-serif"]
    mono = ["ui-monospace", "Menlo", "Consolas", "monospace"]
    return gr.themes.Base(font=sans, font_mono=mono).set(
        body_background_fill="var(--pc-paper)",
        body_background_fill_dark="var(--pc-paper)",
        body_text_color="var(--pc-ink)",
        body_text_color_dark="var(--pc-ink)",
        button_primary_background_fill="#8f2d20",  # the sign-in page knows none of our names
        button_primary_background_fill_hover="#7a2419",
    )


# Paper, ink, one accent and a highlighter; evidence stands in the margin as a reader's notes do.
_CSS = """
:root {
  --pc-paper: #f8f6f1; --pc-card: #fffefb; --pc-ink: #22242a; --pc-soft: #66645e;
  --pc-rule: #e2ddd2; --pc-accent: #8f2d20; --pc-on-accent: #fffaf5; --pc-mark: #fdeaa8;
  --pc-warn: #8a5a00; --pc-bad: #a3271b; --pc-good: #2f6b45;
  --pc-serif: Charter, "Bitstream Charter", "Iowan Old Style", "Palatino Linotype", Palatino,
    "Source Serif 4", "Noto Serif", "DejaVu Serif", Georgia, serif;
  color-scheme: light;
}
.dark {
  --pc-paper: #17181b; --pc-card: #1f2125; --pc-ink: #eae7e0; --pc-soft: #a5a29b;
  --pc-rule: #36383d; --pc-accent: #f0a48f; --pc-on-accent: #2a100a; --pc-mark: #5c4a10;
  --pc-warn: #e6b450; --pc-bad: #ff9a8b; --pc-good: #8fd0a6;
  color-scheme: dark;
}
body, gradio-app { background: var(--pc-paper) !important; }
.gradio-container {  /* visible: a composer inside a scroller of its own would not stick */
  background: transparent !important; color: var(--pc-ink); overflow: visible !important;
}
.gradio-container .main.fillable {
  width: 100%; max-width: 70rem !important; margin: 0 auto; padding: 0 1.25rem !important;
}
.gradio-container main .column { gap: 0; }
.gradio-container .block { border: 0; background: none; overflow: visible; }
.gradio-container .html-container { padding: 0; }

.pc-masthead {
  display: flex; align-items: baseline; gap: .3rem 1rem; flex-wrap: wrap;
  padding: 1.4rem 0 1rem; border-bottom: 1px solid var(--pc-rule);
}
.pc-masthead h1 {
  font: 700 1.35rem/1.2 var(--pc-serif); letter-spacing: -.01em; margin: 0; color: var(--pc-accent);
}
.pc-masthead p { margin: 0; color: var(--pc-soft); font-size: .95rem; }

#pc-conversation { min-height: calc(100dvh - 11.6rem); padding-bottom: 2rem; }
.pc-welcome {
  padding: clamp(2.5rem, 13vh, 8rem) 0 1.6rem; max-width: 46rem; margin: 0 auto;
}
.pc-welcome h2 {
  font: 600 clamp(1.7rem, 4.5vw, 2.5rem)/1.15 var(--pc-serif); letter-spacing: -.02em;
  margin: 0 0 .6rem; color: var(--pc-ink);
}
.pc-welcome p { color: var(--pc-soft); font-size: 1.05rem; line-height: 1.55; margin: 0; }
#pc-examples {
  display: grid; grid-template-columns: 1fr 1fr; gap: .75rem; align-items: stretch;
  width: 100%; max-width: 46rem; margin: 0 auto;
}
#pc-examples button {
  background: var(--pc-card); color: var(--pc-ink); border: 1px solid var(--pc-rule);
  border-radius: .6rem; padding: .8rem 1rem; font: 400 .98rem/1.4 var(--pc-serif);
  text-align: left; justify-content: flex-start; white-space: normal; box-shadow: none;
  min-width: 0; width: 100%; overflow-wrap: anywhere;
}
#pc-examples button:hover { border-color: var(--pc-accent); color: var(--pc-accent); }

.pc-removed, .pc-notice { color: var(--pc-soft); font-size: .92rem; margin: .9rem 0 0; }
.pc-removed summary { cursor: pointer; }
.pc-removed p { margin: .1rem 0 .5rem; }

.pc-turn {
  display: grid; grid-template-columns: minmax(0, 1fr) 21rem; gap: 0 3rem;
  padding: 2rem 0 1.8rem; scroll-margin-top: .5rem; animation: pc-in .25s ease-out;
}
.pc-turn > * { grid-column: 1; }
.pc-turn > .pc-sources { grid-column: 2; grid-row: 2 / span 5; }
.pc-turn:not(#turn-0) { border-top: 1px solid var(--pc-rule); }
.pc-question {
  grid-column: 1 / -1 !important; margin: 0 0 1.2rem; color: var(--pc-ink);
  font: 600 1.4rem/1.3 var(--pc-serif); letter-spacing: -.01em; overflow-wrap: anywhere;
}
.pc-turn > .pc-side-by-side { grid-column: 1 / -1; margin-bottom: 1.4rem; }
.pc-side-by-side ~ .pc-sources { grid-row: 3 / span 5; }
.pc-side-by-side + .pc-sources { grid-column: 1 / -1; grid-row: auto; }
.pc-words, .pc-sources, .pc-side-by-side { min-width: 0; overflow-wrap: anywhere; }
.pc-read-as { margin: -.8rem 0 1.1rem; color: var(--pc-soft); font-size: .9rem; line-height: 1.45; }
.pc-scroll {
  overflow-x: auto; border: 1px solid var(--pc-rule); border-radius: .6rem;
  background: var(--pc-card);
}
.pc-scroll table { width: 100%; border-collapse: separate; border-spacing: 0; }
.pc-scroll th, .pc-scroll td {
  padding: .75rem .95rem; border-top: 1px solid var(--pc-rule); vertical-align: top;
  width: 24rem; min-width: 11rem; text-align: left; color: var(--pc-ink);
  font: 400 1rem/1.5 var(--pc-serif);
}
.pc-scroll thead th, .pc-scroll thead td { border-top: 0; }
.pc-scroll thead th { font-weight: 600; font-size: 1.08rem; line-height: 1.35; }
.pc-scroll thead th span {
  display: block; margin-top: .3rem; color: var(--pc-soft);
  font: 400 .8rem/1.4 system-ui, sans-serif;
}
.pc-scroll tbody th, .pc-scroll thead td {  /* what a row is about stays in sight */
  position: sticky; left: 0; width: 9rem; min-width: 5rem; background: var(--pc-card);
  border-right: 1px solid var(--pc-rule); overflow-wrap: break-word; hyphens: auto;
}
.pc-scroll tbody th { color: var(--pc-soft); font: 600 .86rem/1.45 system-ui, sans-serif; }
.pc-scroll tbody th::first-letter { text-transform: uppercase; }
.pc-scroll td + td, .pc-scroll th + th { border-left: 1px solid var(--pc-rule); }
.pc-scroll .pc-unsaid { color: var(--pc-soft); font: italic 400 .9rem/1.6 system-ui, sans-serif; }
.pc-scroll .pc-unsaid::before { content: "\\2014\\a0"; }
.pc-scroll .pc-missing {
  width: 11rem; min-width: 9rem; background: repeating-linear-gradient(-45deg, transparent 0 .5rem,
    color-mix(in srgb, var(--pc-soft) 9%, transparent) .5rem .55rem);
}
.pc-scroll thead .pc-missing span { color: var(--pc-warn); font-weight: 600; }
.pc-scroll .pc-caution td { border-top: 0; border-left: 0; padding: 0 .95rem .75rem; }
.pc-caution span {
  position: sticky; left: .95rem; display: inline-block; max-width: min(58rem, 100vw - 5rem);
  color: var(--pc-warn); font: 400 .86rem/1.45 system-ui, sans-serif;
}
.pc-caution span::before { content: "\\26a0\\a0"; }
.pc-statement + .pc-label { margin-top: 1.6rem; }
.pc-statement { margin: 0 0 1.15rem; animation: pc-in .25s ease-out; }
.pc-statement blockquote, .pc-statement > p:first-child {
  margin: 0; padding: 0; border: 0; color: var(--pc-ink); font: 400 1.1rem/1.6 var(--pc-serif);
}
.pc-statement blockquote { border-left: 3px solid var(--pc-accent); padding: .05rem 0 .05rem 1rem; }
.pc-statement blockquote + blockquote { margin-top: .55rem; }
.pc-marker {
  color: var(--pc-accent); font: 600 .85rem/1 system-ui, sans-serif; text-decoration: none;
  white-space: nowrap; padding: .1rem .15rem; border-radius: .25rem;
}
.pc-marker:hover { text-decoration: underline; }
.pc-verdict { margin: .3rem 0 0; font-size: .84rem; line-height: 1.45; color: var(--pc-soft); }
.pc-statement blockquote + .pc-verdict { padding-left: calc(1rem + 3px); }
.pc-verdict::before { content: "\\2713\\a0"; color: var(--pc-good); font-weight: 700; }
[data-verdict="contradicted"] .pc-verdict { color: var(--pc-bad); font-weight: 600; }
[data-verdict="contradicted"] .pc-verdict::before { content: "\\2717\\a0"; color: inherit; }
[data-verdict="not_supported"] .pc-verdict { color: var(--pc-warn); font-weight: 600; }
[data-verdict="not_supported"] .pc-verdict::before { content: "?\\a0"; color: inherit; }
[data-verdict="unverified"] .pc-verdict::before { content: "\\2013\\a0"; color: inherit; }

.pc-sources h3, .pc-abstained h3, .pc-label {
  margin: 0 0 .5rem; color: var(--pc-soft); font: 600 .78rem/1.4 system-ui, sans-serif;
  letter-spacing: .06em; text-transform: uppercase;
}
.pc-source summary { scroll-margin: 1rem; }
.pc-source { border-top: 1px solid var(--pc-rule); padding: .6rem 0; }
.pc-source summary {
  display: grid; grid-template-columns: auto 1fr auto; gap: .5rem; cursor: pointer;
  list-style: none; font: 400 .95rem/1.4 var(--pc-serif); color: var(--pc-ink);
}
.pc-source summary::-webkit-details-marker { display: none; }
.pc-source summary::after {
  content: "\\203a"; color: var(--pc-soft); font-size: 1.2rem; line-height: 1.2rem;
  align-self: start;
  transition: transform .15s;
}
.pc-source[open] summary::after { transform: rotate(90deg); }
.pc-source summary:hover .pc-title { text-decoration: underline; text-underline-offset: .18em; }
.pc-number { color: var(--pc-accent); font: 600 .85rem/1.55 system-ui, sans-serif; }
.pc-about, .pc-abstract, .pc-evidence {
  margin: .5rem 0 0; font-size: .88rem; line-height: 1.6; color: var(--pc-soft);
}
.pc-source mark {
  background: var(--pc-mark); color: var(--pc-ink); padding: .05em .1em; border-radius: .15em;
}
.pc-source.pc-lit summary, .pc-source.pc-lit > p { animation: pc-lit 1.4s ease-out; }

.pc-list { list-style: none; margin: 0; padding: 0; }
.pc-item { padding: 1rem 0 .55rem; border-top: 1px solid var(--pc-rule); }
.pc-item > .pc-title { margin: 0 0 .45rem; font: 600 1.05rem/1.4 var(--pc-serif); }
.pc-item > blockquote, .pc-item > .pc-title ~ p {
  margin: 0 0 .5rem; padding: 0; border: 0; color: var(--pc-ink);
  font: 400 1.02rem/1.55 var(--pc-serif);
}
.pc-item > blockquote { border-left: 3px solid var(--pc-accent); padding-left: 1rem; }
.pc-item > .pc-source { border: 0; padding: 0 0 0 calc(1rem + 3px); }
.pc-item summary {
  display: inline-flex; gap: .3rem; color: var(--pc-soft);
  font: 400 .84rem/1.45 system-ui, sans-serif;
}
.pc-item summary:hover span { text-decoration: underline; text-underline-offset: .18em; }
.pc-more > summary {
  cursor: pointer; padding: .8rem 0; border-top: 1px solid var(--pc-rule); color: var(--pc-accent);
  font: 600 .92rem/1.4 system-ui, sans-serif; list-style: none;
}
.pc-more > summary::-webkit-details-marker { display: none; }
.pc-more > summary::before { content: "+\\a0"; }
.pc-more[open] > summary::before { content: "\\2212\\a0"; }
.pc-more > summary:hover { text-decoration: underline; text-underline-offset: .2em; }
.pc-near {
  margin: 1.4rem 0 .8rem; padding: .9rem 1.1rem .6rem; border: 1px dashed var(--pc-rule);
  border-radius: .6rem;
}
.pc-near h3 {
  margin: 0 0 .3rem; color: var(--pc-soft); font: 600 .84rem/1.4 system-ui, sans-serif;
}
.pc-near ul { list-style: none; margin: 0; padding: 0; }
.pc-near li, .pc-near summary { font: 400 .95rem/1.45 var(--pc-serif); }
.pc-near .pc-source { border: 0; padding: .25rem 0; }
.pc-near .pc-source summary { grid-template-columns: 1fr auto; }

.pc-message p {
  margin: 0 0 .9rem; font: 400 1.1rem/1.6 var(--pc-serif); color: var(--pc-ink);
}
.pc-abstained {
  border: 1.5px dashed var(--pc-warn); border-radius: .6rem; padding: 1rem 1.2rem .9rem;
  margin: 0 0 1rem; background: color-mix(in srgb, var(--pc-warn) 6%, transparent);
}
.pc-abstained h3 {
  color: var(--pc-warn); text-transform: none; letter-spacing: 0; font-size: 1rem;
}
.pc-abstained p { margin: 0; color: var(--pc-ink); line-height: 1.55; }
.pc-problem {
  margin: 0; padding: .7rem 1rem; border-left: 3px solid var(--pc-bad); color: var(--pc-ink);
  background: color-mix(in srgb, var(--pc-bad) 7%, transparent); border-radius: 0 .4rem .4rem 0;
  overflow-wrap: anywhere;
}
.pc-step { margin: 0; color: var(--pc-soft); font-size: .95rem; }
.pc-step::before {
  content: ""; display: inline-block; width: .55rem; height: .55rem; margin-right: .6rem;
  border-radius: 50%; background: var(--pc-accent); animation: pc-beat 1s ease-in-out infinite;
}
.pc-trace { margin: .2rem 0 0; color: var(--pc-soft); font-size: .82rem; }

#pc-composer {
  position: sticky; bottom: 0; z-index: 5; padding: .6rem 0 .8rem; background: linear-gradient(
    to bottom, transparent, var(--pc-paper) .8rem);
}
#pc-field {
  flex-wrap: nowrap; align-items: flex-end; gap: .5rem; padding: .4rem .4rem .4rem .6rem;
  background: var(--pc-card); border: 1px solid var(--pc-rule); border-radius: .9rem;
  box-shadow: 0 4px 18px rgb(40 30 10 / 7%);
}
#pc-field:focus-within { border-color: var(--pc-accent); }
#pc-field textarea {
  background: transparent; border: 0; box-shadow: none; color: var(--pc-ink);
  font: 400 1.05rem/1.5 system-ui, sans-serif; padding: .45rem .3rem;
}
#pc-field textarea::placeholder { color: var(--pc-soft); opacity: 1; }
#pc-question { flex: 1 1 auto; min-width: 0 !important; background: none; }
#pc-ask, #pc-stop {
  flex: 0 0 auto; width: auto; min-height: 2.5rem; padding: 0 1.2rem; border-radius: .6rem;
  font-size: 1rem; font-weight: 600; border: 1px solid var(--pc-accent); box-shadow: none;
}
#pc-ask { background: var(--pc-accent); color: var(--pc-on-accent); }
#pc-stop { background: transparent; color: var(--pc-accent); }
#pc-under { align-items: center; justify-content: space-between; gap: .5rem; min-height: 2rem; }
#pc-under > * { flex: 0 1 auto; width: auto; min-width: 0 !important; }
.pc-hint { margin: 0; padding-left: .3rem; color: var(--pc-soft); font-size: .82rem; }
#pc-clear {
  background: none; border: 0; box-shadow: none; color: var(--pc-soft); font-size: .86rem;
  font-weight: 500; padding: .2rem .4rem; text-decoration: underline; text-underline-offset: .2em;
}
#pc-clear:hover { color: var(--pc-accent); }
.gradio-container :is(a, button, summary, textarea):focus-visible {
  outline: 2px solid var(--pc-accent); outline-offset: 2px;
}
#pc-field textarea:focus-visible { outline: none; }

@keyframes pc-in { from { opacity: 0; transform: translateY(.3rem); } }
@keyframes pc-beat { 50% { opacity: .25; } }
@keyframes pc-lit { from { background: var(--pc-mark); } }
@media (prefers-reduced-motion: reduce) { * { animation: none !important; } }
@media (max-width: 60rem) {
  .pc-turn { grid-template-columns: minmax(0, 1fr); padding: 1.4rem 0; }
  .pc-turn > .pc-sources { grid-column: 1; grid-row: auto; margin: .4rem 0 .8rem; }
}
@media (max-width: 40rem) {
  .gradio-container .main.fillable { padding: 0 .9rem !important; }
  .pc-masthead { padding: .9rem 0 .7rem; }
  .pc-welcome { padding-top: 1.8rem; }
  #pc-examples { grid-template-columns: minmax(0, 1fr); gap: .55rem; }
  .pc-hint { display: none; }
  #pc-under { justify-content: flex-end; min-height: 0; }
  #pc-field textarea { font-size: 16px; }
  .pc-scroll th, .pc-scroll td { min-width: 13.5rem; padding: .6rem .7rem; font-size: .95rem; }
  .pc-scroll tbody th { font-size: .78rem; }
}
"""

# Three lines of text on the accent colour.
_ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E"
    "%3Crect width='32' height='32' rx='7' fill='%238f2d20'/%3E"
    "%3Cpath d='M9 8h14v3H9zm0 6h14v4H9zm0 7h9v3H9z' fill='%23fff7ea'/%3E%3C/svg%3E"
)

# A marker opens its source; sources stay as the reader left them while the page is written anew;
# the turn being answered is scrolled to until the reader scrolls.
_HEAD = (
    f'<link rel="icon" href="{_ICON}">'
    + """
<script>
(() => {
  const chosen = new Map();
  let follow = null;
  const reveal = (source) => {
    for (let one = source; one; one = one.parentElement.closest("details")) {
      chosen.set(one.id, true);  // what is folded opens with what is in it
      one.open = true;
    }
    const beside = matchMedia("(min-width: 60rem)").matches;
    const title = source.querySelector("summary") ?? source;
    title.scrollIntoView({ block: beside ? "nearest" : "start", behavior: "smooth" });
    source.classList.add("pc-lit");
    setTimeout(() => source.classList.remove("pc-lit"), 1500);
  };
  document.addEventListener("click", (event) => {
    const marker = event.target.closest("a.pc-marker");
    if (marker) {
      event.preventDefault();
      const source = document.getElementById(marker.hash.slice(1));
      if (source) reveal(source);
    }
    const source = event.target.closest("summary")?.parentElement;
    if (source) chosen.set(source.id, !source.open);
  });
  for (const kind of ["wheel", "touchmove", "keydown"])
    document.addEventListener(kind, (event) => {
      if (kind !== "keydown" || /Arrow|Page|Home|End/.test(event.key)) follow = "reader";
    }, { passive: true });
  new MutationObserver(() => {
    for (const [id, wanted] of chosen) {
      const source = document.getElementById(id);
      if (source && source.open !== wanted) source.open = wanted;
    }
    const turn = document.querySelector("#pc-now .pc-turn");
    if (!turn) { chosen.clear(); return; }
    if (turn.dataset.state !== "working") { if (follow !== "done") finish(turn); return; }
    if (follow === "done" || follow === null) follow = turn.id;
    if (follow === turn.id) turn.scrollIntoView({ block: "start" });
  }).observe(document, {
    subtree: true, childList: true, attributes: true, attributeFilter: ["open", "data-state"],
  });
  const finish = (turn) => {
    if (follow === turn.id) turn.scrollIntoView({ block: "start" });
    follow = "done";
  };
})();
</script>
"""
)


# --- Serving --------------------------------------------------------------------------------------

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
ASGI = Callable[[Scope, Receive, Send], Awaitable[None]]

# What the page itself asks for. The rest of gradio's server (uploads, proxying, files, runs, API
# calls, recordings) is closed.
_FILES = ("/assets/", "/static/")
_API = "/gradio_api"
_PATHS = {
    "/", "/config", "/theme.css", "/favicon.ico", "/robots.txt", "/manifest.json", "/login",
    "/login_check", "/logout", f"{_API}/theme.css", f"{_API}/queue/join", f"{_API}/queue/data",
    f"{_API}/cancel", f"{_API}/login_check",
}  # fmt: skip
_BEATS = f"{_API}/heartbeat/"

# The browser itself refuses to fetch from, send to, or be framed by another host. gradio's own
# start-up scripts are inline, and its HTML component compiles its (constant) template.
_POLICY = "; ".join(
    [
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'self'",
    ]
)
_HEADERS = [
    (b"content-security-policy", _POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
]


def _guarded(app: ASGI) -> ASGI:
    """Let only the page's own requests through to *app*, and seal its responses."""

    async def guard(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await (app(scope, receive, send) if scope["type"] == "lifespan" else _closed(send))
            return

        async def seal(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *_HEADERS]
            await send(message)

        refusal = _refusal(scope)
        await (_say(refusal, seal) if refusal else app(scope, receive, seal))

    return guard


def _refusal(scope: Scope) -> int:
    """The HTTP status with which to refuse a request; 0 to let it through."""
    path, headers = scope["path"], dict(scope["headers"])
    if not (path in _PATHS or path.startswith((*_FILES, _BEATS))):
        return 404
    if scope["method"] == "POST":
        length = headers.get(b"content-length", b"")
        if not length.isdigit():
            return 411
        return 413 if int(length) > _BODY else 0
    return 0 if scope["method"] in {"GET", "HEAD"} else 405


async def _say(status: int, send: Send) -> None:
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def _closed(send: Send) -> None:
    await send({"type": "websocket.close", "code": 1000})


def application(chat: Chat, users: Sequence[tuple[str, str]] = ()) -> ASGI:
    """The whole page as an ASGI application, for `launch` or any other server.

    *users* are (name, password) pairs; with none, everybody who reaches the page may ask.
    """
    gr = _gradio()
    from fastapi import FastAPI

    app: FastAPI = gr.mount_gradio_app(
        FastAPI(openapi_url=None),
        build(chat),
        path="/",
        theme=_theme(gr),
        css=_CSS,
        head=_HEAD,
        auth=list(users) or None,
        footer_links=[],
        run_history=False,
        show_error=False,
        max_file_size=1,
        ssr_mode=False,
        enable_monitoring=False,
        pwa=False,
        mcp_server=False,
    )
    return _guarded(app)


def launch(
    chat: Chat,
    host: str,
    port: int,
    *,
    open_browser: bool = False,
    users: Sequence[tuple[str, str]] = (),
) -> None:
    """Serve the page until interrupted; the address is written to standard error.

    *port* 0 takes a free one. *users* as in `application`. Raises UsageError if the address
    cannot be used.
    """
    with _listening(host, port) as listener, contextlib.suppress(KeyboardInterrupt):
        address = _address(host, listener.getsockname()[1])
        print(f"PaperChat is at {address} (Ctrl+C stops it).", file=sys.stderr, flush=True)
        if open_browser:
            webbrowser.open(address)  # waits in the listener's queue until the page is ready
        asyncio.run(_serve(chat, users, listener))


async def _serve(chat: Chat, users: Sequence[tuple[str, str]], listener: socket.socket) -> None:
    app = application(chat, users)  # in a running loop: gradio would else leave some open behind
    import uvicorn  # late: comes with gradio

    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
    errors = logging.getLogger("uvicorn.error")

    def before_the_end(_: logging.LogRecord) -> bool:
        return not server.should_exit

    errors.addFilter(before_the_end)  # that Ctrl+C cuts the open pages' streams is no error
    try:
        await server.serve(sockets=[listener])
    finally:
        errors.removeFilter(before_the_end)


def _listening(host: str, port: int) -> socket.socket:
    """A socket bound to the address, so that a second server is told before the slow imports."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except (OSError, OverflowError) as error:
        number = error.errno if isinstance(error, OSError) else None
        problem = f"{host}:{port} cannot be used ({os.strerror(number) if number else error})"
        raise UsageError(f"{problem}: choose another --host or --port.") from error


def _address(host: str, port: int) -> str:
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{shown}:{port}/"
