"""The page as visitors meet it, in a real browser over the bundled papers."""

from __future__ import annotations

import socket
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from rag.errors import UsageError
from rag.types import Answer, Citation, Evidence, Hit, Paper, Source, Statement
from ui.app import Chat, Turn, answering, html_turn, launch, stopped
from ui.format import html_answer

QUESTION = "What MFU does MegaScale reach?"
TITLE = "MegaScale: Scaling Large Language Model Training to More Than 10,000 GPUs"
HOSTILE = [
    "<img src=x onerror=alert(1)>",
    '"><script>alert(1)</script>',
    "<svg/onload=alert(1)> ![x](http://203.0.113.1/x.png) [y](javascript:alert(1))",
    "${alert(1)} {{constructor.constructor('alert(1)')()}} `$$\\href{javascript:alert(1)}{x}$$`",
    "&lt;b&gt; &#60;img src=x onerror=alert(1)&#62; <!-- </article></div><h1>title</h1>",
    '__i18n__{"key": "<iframe src=//203.0.113.1>"}',
]
ELEMENTS = "a article aside blockquote details div h2 h3 mark p span summary".split()
ATTRIBUTES = "aria-label class data-kind data-state data-verdict href id open role".split()
PAYLOADS = Path(__file__).parents[3] / "shared" / "data" / "hostile" / "xss-payloads.txt"


def test_an_answer_shows_its_title_and_its_evidence(address, visit, seed_chat):
    """The number is shown with a marker that opens the named paper's abstract at the proof."""
    visitor = visit(address)
    turn = visitor.ask(QUESTION)

    assert "55.2%" in turn.locator(".pc-words").inner_text()
    source = turn.locator(".pc-source", has_text=TITLE)
    number = source.locator(".pc-number").inner_text()
    turn.locator(".pc-marker", has_text=number).first.click()
    source.locator("mark").first.wait_for(state="visible")
    abstract = next(paper.abstract for paper in seed_chat.papers() if paper.title == TITLE)
    marks = source.locator("mark").all_inner_texts()
    assert any("55.2%" in mark for mark in marks)
    assert all(mark in abstract for mark in marks)


def test_the_page_asks_nothing_of_another_host(address, visit):
    """From opening to answering, every request goes to the machine that serves the page."""
    visitor = visit(address)
    visitor.ask(QUESTION)
    visitor.page.wait_for_timeout(1000)  # a late request would be one too

    assert visitor.hosts() == {"127.0.0.1"}
    assert visitor.errors == []


def test_the_browser_is_told_to_refuse_other_hosts(address, visit):
    """Should a later version of a part ask another host for something, it does not get it."""
    refused = visit(address).page.evaluate(
        """() => new Promise((tell) => {
          document.addEventListener("securitypolicyviolation", (event) => tell(event.blockedURI));
          document.head.append(Object.assign(document.createElement("script"),
            { src: "http://203.0.113.1/x.js" }));
          setTimeout(() => tell("nothing was refused"), 5000);
        })"""
    )

    assert refused == "http://203.0.113.1/x.js"


@pytest.mark.parametrize("question", HOSTILE)
def test_a_hostile_question_is_shown_as_text(address, visit, question):
    """Markup, Markdown, templates and formulas in a question stay the characters they are."""
    visitor = visit(address)
    turn = visitor.ask(question)

    shown = visitor.page.locator(".pc-question").text_content()
    assert shown == " ".join(question.split())
    assert _foreign(turn) == []
    assert visitor.dialogs == []
    assert visitor.hosts() == {"127.0.0.1"}


def test_hostile_papers_are_shown_as_text(address, visit):
    """Whatever stands in a title, an abstract, a statement or a reason makes no element."""
    texts = list(HOSTILE)
    if PAYLOADS.exists():  # the larger collection lies outside the project
        texts += PAYLOADS.read_text(encoding="utf-8", errors="replace").split("\n")[::7]
    visitor = visit(address)
    visitor.page.evaluate(
        "html => { const box = document.createElement('div'); box.id = 'hostile';"
        " box.innerHTML = html; document.body.append(box); }",
        "".join(map(_hostile_answer, filter(str.strip, texts))),
    )
    visitor.page.wait_for_timeout(1000)

    assert _foreign(visitor.page.locator("#hostile")) == []
    assert visitor.dialogs == []
    assert visitor.hosts() == {"127.0.0.1"}


def test_an_off_topic_question_gets_an_abstention(address, visit):
    """What no paper is about gets no statement, and the refusal is said in words."""
    turn = visit(address).ask("How long should I boil lentils for a soup?")

    assert turn.locator(".pc-abstained h3").inner_text()
    assert turn.locator(".pc-statement").count() == 0


def test_a_question_that_is_too_long_gets_one_sentence(address, visit):
    """An error of ours is told in the chat, and the next question is answered."""
    visitor = visit(address)
    turn = visitor.ask("why " * 10_000)

    problem = turn.locator(".pc-problem").inner_text()
    assert problem
    assert "Traceback" not in problem
    assert "Error" not in problem
    assert visitor.ask(QUESTION).locator(".pc-statement").count() > 0


def test_a_phone_needs_no_sideways_scrolling(address, visit):
    """At 390 by 844 everything fits the width, and the field stays in sight."""
    visitor = visit(address, size=(390, 844))
    assert _overflow(visitor.page) <= 0
    turn = visitor.ask(QUESTION)
    turn.locator(".pc-marker").first.click()
    turn.locator("details[open]").first.wait_for()

    assert _overflow(visitor.page) <= 0
    box = visitor.page.locator("#pc-field").bounding_box()
    assert 0 <= box["y"] <= 844 - box["height"]


def test_two_visitors_do_not_see_each_other(address, visit):
    """Two conversations at once share nothing on the page."""
    one, other = visit(address), visit(address)
    one.ask(QUESTION)
    other.ask("How does VideoMAE V2 pre-train video models?")
    one.ask("And on how many GPUs?")

    assert one.page.locator(".pc-question").count() == 2
    assert other.page.locator(".pc-question").count() == 1
    assert "VideoMAE" not in one.page.locator(".pc-question").all_inner_texts()
    assert "MegaScale" not in other.page.locator(".pc-question").inner_text()
    third = visit(address)
    assert third.page.locator(".pc-turn").count() == 0


def test_an_example_is_asked_by_a_click_and_a_new_conversation_forgets(address, visit):
    """The offered questions work, and one button leads back to the beginning."""
    page = (visitor := visit(address)).page
    example = page.locator(".pc-example").first
    words = example.inner_text()
    example.click()
    visitor.finished(1)

    assert page.locator(".pc-question").inner_text() == words
    assert page.locator(".pc-example").count() == 0 or not example.is_visible()
    page.click("#pc-clear")
    page.locator(".pc-welcome").wait_for()
    page.locator(".pc-example").first.wait_for()
    assert page.locator(".pc-turn").count() == 0


def test_shift_enter_starts_a_line_and_enter_asks(address, visit):
    """A question may have two lines; Enter alone sends it, and an empty one is no question."""
    visitor = visit(address)
    field = visitor.page.locator("#pc-question textarea")
    field.press("Enter")
    visitor.page.wait_for_timeout(500)  # for a turn that should not come
    field.press_sequentially("What MFU")
    field.press("Shift+Enter")
    field.press_sequentially("does MegaScale reach?")
    assert field.input_value() == "What MFU\ndoes MegaScale reach?"
    assert visitor.page.locator(".pc-turn").count() == 0
    field.press("Enter")
    visitor.finished(1)

    assert visitor.page.locator(".pc-question").inner_text() == QUESTION
    assert field.input_value() == ""


def test_a_source_stays_as_the_reader_left_it_while_the_next_answer_comes(address, visit):
    """The proof is open from the start, and an earlier answer is not disturbed by a later one."""
    visitor = visit(address)
    visitor.ask(QUESTION).locator("summary").first.click()
    visitor.ask(QUESTION)

    assert visitor.page.locator("#turn-0 details[open]").count() == 0
    assert visitor.page.locator("#turn-1 details[open]").count() == 1


class Held:
    """A chat that answers when it is allowed to."""

    def __init__(self, chat: Chat) -> None:
        self.chat, self.go = chat, threading.Event()

    def ask(self, question: str, conversation: Sequence[Answer] = ()) -> Answer:
        """Wait, then answer as the real one does."""
        self.go.wait(30)
        return self.chat.ask(question, conversation)

    def examples(self) -> Sequence[str]:
        """None."""
        return ()

    def describe(self) -> str:
        """The real size."""
        return self.chat.describe()


def test_a_running_answer_can_be_stopped(serve, visit, seed_chat):
    """Stop ends the waiting at once, and what comes too late is not shown."""
    held = Held(seed_chat)
    visitor = visit(serve(held))
    page = visitor.page
    page.fill("#pc-question textarea", QUESTION)
    page.click("#pc-ask")
    page.get_by_text("Searching…").wait_for()
    page.click("#pc-stop")
    page.get_by_text("Stopped.").wait_for()
    held.go.set()
    page.wait_for_timeout(1000)

    assert page.locator(".pc-statement").count() == 0
    assert visitor.ask(QUESTION).locator(".pc-statement").count() > 0


@pytest.mark.parametrize(
    "path",
    [
        "gradio_api/info",
        "gradio_api/openapi.json",
        "gradio_api/runs",
        "gradio_api/upload",
        "gradio_api/file=/etc/hostname",
        "gradio_api/proxy=http://203.0.113.1/",
        "gradio_api/startup-events",
        "monitoring",
        "docs",
        "openapi.json",
    ],
)
def test_what_the_page_does_not_need_is_closed(address, status, path):
    """Of the server's many routes, only the page's own answer."""
    assert status(address + path) == 404


def test_an_answer_grows_statement_by_statement(seed_chat):
    """Searching, reading, then one statement more each time, until no step is left."""
    turns = list(answering(seed_chat, QUESTION, (), pace=0))

    assert turns[0].step == "Searching…"
    assert turns[1].step.startswith("Reading ")
    assert [turn.shown for turn in turns[2:]] == list(range(1, len(turns) - 1))
    assert turns[-1].done
    assert turns[-1].step == ""


def test_a_later_question_comes_with_the_finished_answers_only():
    """What was stopped or failed is no part of the conversation that a question refers to."""
    heard: list[Sequence[Answer]] = []

    class Listening(Held):
        def ask(self, question: str, conversation: Sequence[Answer] = ()) -> Answer:
            heard.append(conversation)
            return _answer("", "")

    half = Turn("b", 1, answer=_answer("x", "y"), step="Reading 1 paper…")
    whole = Turn("a", 0, answer=_answer("x", "y"), shown=1)
    list(answering(Listening(None), "c", [whole, stopped(half)], pace=0))  # type: ignore[arg-type]

    assert heard == [[whole.answer]]


def test_a_failure_is_told_without_its_traceback(caplog):
    """The visitor reads one sentence; the log keeps the cause."""

    class Broken(Held):
        def ask(self, question: str, conversation: Sequence[Answer] = ()) -> Answer:
            raise ZeroDivisionError("secret")

    last = list(answering(Broken(None), "why?", (), pace=0))[-1]  # type: ignore[arg-type]

    assert last.problem
    assert "secret" not in html_turn(last)
    assert "secret" in caplog.text


def test_a_taken_port_is_one_sentence(seed_chat):
    """A second server on the same port is told to choose another."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"{port}.*--port"):
            launch(seed_chat, "127.0.0.1", port)


def _overflow(page) -> int:
    """How many pixels the page is wider than the window."""
    return page.evaluate("document.documentElement.scrollWidth - window.innerWidth")


def _foreign(place) -> list[str]:
    """Elements, attributes and links inside *place* that the page does not write itself."""
    return place.evaluate(
        """(place, [elements, attributes]) => [...place.querySelectorAll("*")].flatMap((found) => [
          ...[found.localName].filter((name) => !elements.includes(name)),
          ...found.getAttributeNames().filter((name) => !attributes.includes(name)),
          ...[found.getAttribute("href") ?? "#turn-0-source-0"].filter(
            (link) => !/^#turn-\\d+-source-\\d+$/.test(link)),
        ])""",
        [ELEMENTS, ATTRIBUTES],
    )


def _answer(title: str, text: str) -> Answer:
    """An answer whose every part is made of *title* and *text*."""
    paper = Paper("id", title, text, "hash", authors=(title,), year=2024)
    evidence = Evidence("id", title, 0, len(text), text)
    cited = (Citation(1, "id", title, (evidence,)),)
    return Answer(
        question=text,
        standalone_question=text,
        shape="answer",
        mode="extractive",
        statements=(Statement(text, cited, "contradicted", (text,)),),
        sources=(Source(1, "id", title),),
        message=text,
        retrieved=(Hit(paper, 1, 1.0),),
        papers_in_corpus=1,
    )


def _hostile_answer(text: str) -> str:
    return html_answer(_answer(text, text), "turn-7") + html_turn(Turn(text, 7, problem=text))
