"""The chat: questions, answers that grow, and the conversations that a person has kept."""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from rag.errors import StoreError
from rag.history import History, Place
from rag.types import Paper
from ui.page.answer import CHANGED, GONE, html_text
from ui.page.busy import Busy, Visit
from ui.page.door import QUIET, block, wire
from ui.page.kept import html_conversations
from ui.page.people import People
from ui.page.turns import (
    PACE,
    SEARCHING,
    STOPPED,
    Chat,
    Turn,
    answering,
    following,
    html_turn,
    stopped,
)

KEPT_TURNS = 30
"""How many turns of a conversation are remembered and shown."""

EXAMPLES = 3
"""How many questions of the collection's own are offered: an answer, a comparison, a list."""

TALK = "What can I ask here?"
"""The example of the remaining shape, which needs no collection."""

_UNHURRIED = 3  # people answered at once; with more, no answer pauses for its reader
_TIMES = itertools.count(1)
_CUT_OFF = "This was not answered to the end; ask again."
_CLICKED = "(written, _, page) => [written, window.paperchatClick?.() ?? '', page]"
_DOOR = "window.paperchat = (what) => trigger('click', what);"

_WELCOME = (
    '<div class="pc-welcome"><h2>What would you like to know?</h2>'
    "<p>Every sentence of an answer is quoted from an abstract of this collection, and a click on"
    " its number shows you where. If the abstracts do not say, PaperChat tells you so.</p></div>"
)
_EVIDENCE = (
    '<section id="pc-evidence" role="region" aria-label="Evidence" tabindex="-1" hidden>'
    '<header><h2>Evidence</h2><button type="button" class="pc-close" data-do="close"'
    ' aria-label="Close the evidence (Esc)" title="Close (Esc)">&#215;</button></header>'
    '<div class="pc-evidence-top"></div>'
    '<div class="pc-evidence-body" tabindex="0" role="group" aria-label="The abstract"></div>'
    "</section>"
)
_SAID = '<p id="pc-said" role="status"></p>'


@dataclass(frozen=True, slots=True)
class Session:
    """What one open page is in the middle of."""

    conversation: str = ""  # empty until something has been asked
    turns: tuple[Turn, ...] = ()
    editing: int | None = None  # the turn whose question is being rewritten


class Page:
    """The session of an open page, which what two clicks begin at once may both want to change.

    Gradio would hand each of them what it was when the click came, and keep what comes last.
    """

    def __init__(self) -> None:
        self.session, self.lock = Session(), threading.Lock()

    def __deepcopy__(self, _: object) -> Page:
        return Page()  # how gradio makes one for each open page

    def keep(self, session: Session, visit: Visit) -> bool:
        """Let the page be in *session*, unless something was clicked after what *visit* does."""
        with self.lock:
            latest = visit.latest()
            if latest:
                self.session = session
        return latest


@dataclass(frozen=True, slots=True)
class Desk:
    """What the chat works with, and the components that it shows it in."""

    chat: Chat
    history: History
    people: People
    parts: Mapping[str, Any]
    asking: set[int] = field(default_factory=set)  # the pages that are being answered
    busy: Busy = field(default_factory=Busy)

    def visit(self, request: Any, click: Mapping[str, Any]) -> Visit:
        """Who sent *request* to do something that ends what their page was doing.

        *click* is what the page says of it: its number, and what the page shows.
        """
        number = click.get("click")
        counted = number if isinstance(number, int) else 0
        return self.busy.visit(self.people.owner_of(request), str(request.session_hash), counted)

    def shown(self, session: Session, *, past: bool = True) -> dict[Any, Any]:
        """Every component as it is for *session*; the earlier turns only if *past*.

        They need not be sent again when a question is added: the page's script moves the turn
        that was the last one to those before it.
        """
        parts, turns = self.parts, session.turns
        working = bool(turns and turns[-1].step)
        update = parts["gr"].update
        told: dict[Any, Any] = {
            parts["now"]: self._now(session, fresh=not past),
            parts["ask"]: update(visible=not working),
            parts["stop"]: update(visible=working),
            parts["examples"]: update(visible=not turns),
            parts["banner"]: _banner(session),
        }
        if past:
            papers = self._papers() if turns[1:] else {}
            earlier = "".join(html_turn(turn, _notes(turn, papers)) for turn in turns[:-1])
            # another number each time: what the script has added since must go
            told[parts["past"]] = f'<div id="pc-past" data-at="{next(_TIMES)}">{earlier}</div>'
        return told

    def _now(self, session: Session, *, fresh: bool) -> str:
        """The last turn, or the welcome; what is *fresh* cannot have changed since."""
        mark, last = html_text(session.conversation), _WELCOME
        if session.turns:
            turn = session.turns[-1]
            looked = not fresh and turn.answer is not None and not turn.step
            last = html_turn(turn, _notes(turn, self._papers()) if looked else None)
        return f'<div id="pc-here" data-conversation="{mark}">{last}</div>'

    def nothing(self) -> dict[Any, Any]:
        """What leaves every component as it is."""
        return {self.parts["banner"]: self.parts["gr"].skip()}

    def _papers(self) -> dict[str, Paper]:
        return {paper.id: paper for paper in self.chat.papers()}

    def listed(self, owner: str, session: Session) -> dict[Any, Any]:
        """The list of conversations, with the open one marked."""
        kept = self.history.conversations(owner) if owner else ()
        return {self.parts["kept"]: html_conversations(kept, session.conversation)}

    def answered(
        self, question: str, page: Page, session: Session, visit: Visit, *, written: bool
    ) -> Iterator[dict[Any, Any]]:
        """Answer *question* at the end of *session*, or in place of the turn being edited.

        One that was *written* leaves the field it was written in; else what stands there stays.
        """
        past, rewritten = _before(session)
        begun = self._begun(question, page, replace(session, turns=past), visit)
        if begun is None:
            yield self.nothing()
            return
        session, number, place = begun
        turn, first = None, True
        pace = PACE if len(self.asking) < _UNHURRIED else 0
        self.asking.add(id(page))
        growing = answering(self.chat, question, past, pace, number)
        try:
            for turn in map(_lasting, growing):
                earlier = page.session.turns[:-1]  # as they are rated now
                asking = replace(session, turns=(*earlier, turn))
                if not page.keep(asking, visit):
                    yield self.nothing()  # gradio tells the last thing once more at the end
                    break
                if turn.steps and turn.step:  # nothing but the turn has changed
                    told: dict[Any, Any] = {self.parts["now"]: self._now(asking, fresh=True)}
                else:
                    told = self.shown(asking, past=rewritten and first)
                if first:
                    told |= self.listed(visit.owner, asking)
                if first and written:
                    told[self.parts["box"]] = ""
                yield told
                first = False
        finally:  # also when a person leaves or stops: what is whole is kept, the rest is said
            growing.close()
            self.asking.discard(id(page))
            visit.done()
            if place is not None and turn is not None:
                whole = turn.answer if turn.done and not turn.step else None
                self.history.keep(place, whole, turn.problem or ("" if whole else STOPPED))

    def _begun(
        self, question: str, page: Page, session: Session, visit: Visit
    ) -> tuple[Session, int, Place | None] | None:
        """Put the question after *session*: what it then belongs to, its number and its place.

        None if something was clicked since. Whoever stops it either finds it begun, on the page
        and in the history alike, or comes before it has: then it stays in its field.
        """
        with page.lock:
            if not visit.latest():
                return None
            number, place = following(session.turns), None
            if visit.owner:
                begun = (visit.owner, session.conversation, number, question)
                place = self.history.begin(*begun, instead=session.editing is not None)
                number = place.number
                session = replace(session, conversation=place.conversation)
            session = replace(session, editing=None)
            begins = Turn(question, number, step=SEARCHING)
            page.session = replace(session, turns=(*session.turns, begins))
        return session, number, place

    def broken_off(self, page: Page, written: str, visit: Visit) -> dict[Any, Any]:
        """Stop what *page* is being answered; what is *written* in the field stays there.

        But a question that has just begun goes from it: the page may not have been told so yet.
        """
        with page.lock:
            session = page.session
            begun = [turn.question for turn in session.turns if turn.step]
            session = replace(session, turns=tuple(map(stopped, session.turns)))
            page.session = session
        told = {**self.shown(session), **self.listed(visit.owner, session)}
        if written.strip() in begun:
            told[self.parts["box"]] = ""
        return told

    def resumed(self, session: Session, here: object, owner: str) -> Session:
        """*session*, or the conversation that the page shows if the server knows it no more.

        As when the server was started anew under an open page, or the page was away for long.
        """
        lost = not session.turns and isinstance(here, str) and bool(here)
        return self.opened(owner, here) if lost and isinstance(here, str) else session

    def opened(self, owner: str, conversation: str) -> Session:
        """A kept conversation as it was left; an empty one if it is not the owner's."""
        try:
            kept = self.history.turns(owner, conversation) if owner else ()
        except StoreError:
            return Session()
        turns = tuple(
            Turn(
                one.question,
                one.number,
                answer=one.answer,
                shown=len(one.answer.statements) if one.answer else 0,
                problem=one.problem or ("" if one.answer else _CUT_OFF),
                rating=one.rating,
            )
            for one in kept[-KEPT_TURNS:]
        )
        return Session(conversation, turns) if turns else Session()


def _before(session: Session) -> tuple[tuple[Turn, ...], bool]:
    """The turns that a new question comes after, and whether those on the page are others."""
    past = [stopped(turn) for turn in session.turns]
    rewritten = session.editing is not None or any(turn.step for turn in session.turns)
    if session.editing is not None:
        past = [turn for turn in past if turn.number < session.editing]
    return tuple(past[-KEPT_TURNS:]), rewritten


def _notes(turn: Turn, now: Mapping[str, Paper]) -> dict[str, str]:
    """What has become of the papers that an answer mentions, by paper id."""
    notes = {}
    for hit in turn.answer.retrieved if turn.answer else ():
        known = now.get(hit.paper.id)
        if known is None:
            notes[hit.paper.id] = GONE
        elif known.content_hash != hit.paper.content_hash:
            notes[hit.paper.id] = CHANGED
    return notes


def _lasting(turn: Turn) -> Turn:
    """The turn as it is remembered: without each hit's sentences, which are most of its memory."""
    if turn.answer is None or turn.step:
        return turn
    hits = tuple(replace(hit, sentences=()) for hit in turn.answer.retrieved)
    return replace(turn, answer=replace(turn.answer, retrieved=hits))


def _banner(session: Session) -> str:
    if session.editing is None:
        return ""
    return (
        '<p class="pc-banner">You are editing an earlier question; the turns after it will go.'
        ' <button type="button" class="pc-act" data-do="keep">Keep it as it is</button></p>'
    )


def build(gr: Any, chat: Chat, history: History, people: People) -> None:
    """Lay the chat out, and say what happens on each click."""
    with gr.Row(elem_id="pc-desk"):
        with gr.Column(elem_id="pc-aside", min_width=0):
            kept = block(gr, html_conversations((), ""), elem_id="pc-conversations")
        with gr.Column(elem_id="pc-middle", min_width=0):
            with gr.Column(elem_id="pc-conversation"):
                past = block(gr, '<div id="pc-past"></div>')
                now = block(gr, f'<div id="pc-here">{_WELCOME}</div>', elem_id="pc-now")
                with gr.Row(elem_id="pc-examples") as row:
                    examples = [
                        gr.Button(text, elem_classes="pc-example")
                        for text in (*chat.examples(EXAMPLES), TALK)
                    ]
            with gr.Column(elem_id="pc-composer"):
                banner = block(gr, "")
                with gr.Row(elem_id="pc-field"):
                    box = _box(gr)
                    ask = gr.Button("Ask", variant="primary", elem_id="pc-ask", min_width=0)
                    stop = gr.Button("Stop", visible=False, elem_id="pc-stop", min_width=0)
                block(gr, _HINT)
        with gr.Column(elem_id="pc-beside", min_width=0):
            block(gr, _EVIDENCE)
    block(gr, _SAID)
    door = block(gr, "", js_on_load=_DOOR, elem_id="pc-door")
    parts = {
        "gr": gr,
        "kept": kept,
        "past": past,
        "now": now,
        "examples": row,
        "banner": banner,
        "box": box,
        "ask": ask,
        "stop": stop,
        "click": gr.Textbox(visible=False),  # its number, and the conversation that is shown
        "page": gr.State(Page()),
    }
    _wire(gr, Desk(chat, history, people, parts), examples, door)


_HINT = '<p class="pc-hint">Enter asks, Shift + Enter starts a new line, Esc stops or closes.</p>'


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


def _wire(gr: Any, desk: Desk, examples: Sequence[Any], door: Any) -> None:
    """Say what happens on each click; the turns live in the visitor's own session."""
    parts = desk.parts

    def ask(
        question: str | None, click: str | None, page: Page, request: Any
    ) -> Iterator[dict[Any, Any]]:
        question, told = (question or "").strip(), _told(click)
        visit = desk.visit(request, told) if question else None
        if visit is None or not visit.latest():  # what is being answered goes on
            yield desk.nothing()
            return
        session = desk.resumed(page.session, told.get("here"), visit.owner)
        yield from desk.answered(question, page, session, visit, written=True)

    def act(page: Page, request: Any, event: Any) -> Iterator[dict[Any, Any]]:
        what = dict(event._data or {})
        aside = what.get("do") in _ASIDE
        visit = Visit(desk.people.owner_of(request)) if aside else desk.visit(request, what)
        try:
            yield from acted(desk, what, page, visit)
        finally:
            visit.done()

    def stop(written: str | None, click: str | None, page: Page, request: Any) -> dict[Any, Any]:
        visit = desk.visit(request, _told(click))
        if not visit.latest():
            return desk.nothing()
        visit.done()
        return desk.broken_off(page, written or "", visit)

    shown = [part for name, part in parts.items() if name not in {"gr", "click", "page"}]
    quiet = {"outputs": shown, "js": _CLICKED, **QUIET}
    box, page, click = parts["box"], parts["page"], parts["click"]
    wired_ask = wire(gr, ask)
    asking = [gr.on([box.submit, parts["ask"].click], wired_ask, [box, click, page], **quiet)]
    asking += [each.click(wired_ask, [each, click, page], **quiet) for each in examples]
    acting = {**quiet, "js": None, "trigger_mode": "multiple"}
    asking.append(door.click(wire(gr, act), [page], **acting))
    parts["stop"].click(wire(gr, stop), [box, click, page], cancels=asking, **quiet)


def _told(click: str | None) -> dict[str, Any]:
    """What the page says of a click; nothing if it says it in no way that can be read."""
    try:
        told = json.loads(click or "{}")
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


_ASIDE = {"rate", "rename"}  # what can be done while an answer is being written


def acted(
    desk: Desk, what: Mapping[str, Any], page: Page, visit: Visit
) -> Iterator[dict[Any, Any]]:
    """Do what a button of the page's own HTML says: `do`, with what it is to be done to.

    What does not fit (a turn that is gone, somebody else's conversation) does nothing, nor does
    what a later click has overtaken.
    """
    owner = visit.owner
    session = desk.resumed(page.session, what.get("here"), owner)
    if what.get("do") not in _ASIDE:
        session = replace(session, turns=tuple(map(stopped, session.turns)))
    turn = next((one for one in session.turns if one.number == what.get("turn")), None)
    name = str(what.get("id", ""))

    def now(session: Session, more: Mapping[Any, Any], *, past: bool = True) -> dict[Any, Any]:
        kept = page.keep(session, visit)
        return {**desk.shown(session, past=past), **more} if kept else desk.nothing()

    match what.get("do"):
        case "retry" if turn:
            again = replace(session, editing=turn.number)
            yield from desk.answered(turn.question, page, again, visit, written=False)
        case "edit" if turn:
            written = {desk.parts["box"]: turn.question}
            yield now(replace(session, editing=turn.number), written, past=False)
        case "keep":
            yield now(replace(session, editing=None), {desk.parts["box"]: ""}, past=False)
        case "rate" if turn and what.get("way") in {"up", "down", ""}:
            _rate(desk, page, session, turn, owner, what)
            yield desk.nothing()  # the page shows it already
        case "new":
            yield now(Session(), desk.listed(owner, Session()))
        case "open":
            opened = desk.opened(owner, name)
            yield now(opened, desk.listed(owner, opened))
        case "rename":
            desk.history.rename(owner, name, str(what.get("title", "")))
            yield desk.nothing()  # the page shows it already, and may have a menu open
        case "delete":
            desk.history.delete(owner, name)
            left = Session() if name == session.conversation else session
            yield now(left, desk.listed(owner, left))


def _rate(
    desk: Desk, page: Page, session: Session, turn: Turn, owner: str, what: Mapping[str, Any]
) -> None:
    """Keep what a person thinks of an answer, whatever else the page is in the middle of."""
    way, reason = str(what["way"]), str(what.get("reason", ""))
    desk.history.rate(owner, session.conversation, turn.number, way, reason)
    with page.lock:
        now = page.session if page.session.turns else session
        rated = (
            replace(one, rating=way) if one.number == turn.number else one for one in now.turns
        )
        page.session = replace(now, turns=tuple(rated))
