"""The page as visitors meet it, in a real browser over the bundled papers."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from rag.errors import UsageError
from rag.types import (
    Answer,
    Cell,
    Citation,
    Evidence,
    Hit,
    Paper,
    Source,
    Statement,
    Subject,
    Table,
)
from ui.app import launch
from ui.page.answer import html_answer
from ui.page.turns import Chat, Turn, answering, how_it_was_made, html_turn, stopped

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
COMPARISON = "How do MegaScale and ByteScale differ in hardware and speed?"
LIST = "Which papers mention ImageNet?"
ELEMENTS = """
    a article blockquote br button details div h2 h3 li mark ol p pre span summary table tbody td th
    thead tr ul
    """.split()
ATTRIBUTES = """
    aria-label aria-pressed class colspan data-at data-do data-for data-kind data-state data-turn
    data-verdict data-way hidden href id open role rowspan scope tabindex title type
    """.split()
PAYLOADS = Path(__file__).parents[3] / "shared" / "data" / "hostile" / "xss-payloads.txt"


def test_an_answer_shows_its_title_and_its_evidence(address, visit, seed_chat):
    """The number is shown with a marker that opens the named paper's abstract at the proof."""
    visitor = visit(address)
    turn = visitor.ask(QUESTION)

    assert "55.2%" in turn.locator(".pc-words").inner_text()
    number = turn.locator(".pc-source", has_text=TITLE).locator(".pc-number").inner_text()
    panel = visitor.evidence(turn.locator(".pc-words .pc-marker", has_text=number).first)
    assert panel.locator("h3").inner_text() == TITLE
    assert panel.locator(".pc-badge").inner_text() == "Word for word in the abstract"
    abstract = next(paper.abstract for paper in seed_chat.papers() if paper.title == TITLE)
    assert panel.locator(".pc-abstract").text_content() == abstract
    marks = panel.locator("mark.pc-here").all_inner_texts()
    assert any("55.2%" in mark for mark in marks)
    assert all(mark in abstract for mark in marks)
    assert _in_sight(panel.locator("mark.pc-here").first, panel.locator(".pc-evidence-body"))


def test_a_comparison_is_a_table_of_quotations(address, visit, seed_chat):
    """Both titles head their columns, every cell is quoted or says so, and a marker opens proof."""
    visitor = visit(address)
    turn = visitor.ask(COMPARISON)
    abstracts = {paper.title: paper.abstract for paper in seed_chat.papers()}
    titles = turn.locator("thead th > span").all_inner_texts()
    assert [title.split(":")[0] for title in titles] == ["MegaScale", "ByteScale"]

    for row in turn.locator("tbody tr:not(.pc-caution)").all():
        cells = row.locator("td").all_inner_texts()
        assert len(cells) == len(titles)
        for title, cell in zip(titles, cells, strict=True):
            quotations = [part.split("”")[0] for part in cell.split("“")[1:]]
            quoted = [piece for whole in quotations for piece in whole.split(" […] ")]
            assert all(piece in abstracts[title] for piece in quoted)
            assert quoted or cell == "not stated in the abstract"

    panel = visitor.evidence(turn.locator("td .pc-marker", has_text="[2]").first)
    assert panel.locator("h3").inner_text() == titles[1]
    marks = panel.locator("mark.pc-here").all_inner_texts()
    assert marks
    assert all(mark in abstracts[titles[1]] for mark in marks)


def test_a_side_that_is_missing_is_seen_to_be(address, visit):
    """Its column is there, named, and says in words that no paper here is about it."""
    turn = visit(address).ask("Compare MegaScale, Zzyzx-9 and ByteScale on hardware.")

    missing = turn.locator("thead th.pc-missing")
    assert missing.all_inner_texts() == ["Zzyzx-9\nnot in this collection"]
    assert "Zzyzx-9" in turn.locator(".pc-message").inner_text()
    assert set(turn.locator("td.pc-missing").all_inner_texts()) == {"not in this collection"}


def test_a_long_list_is_folded_and_opens(address, visit):
    """Ten papers are seen with their quotations; one click shows the rest, and nothing is lost."""
    visitor = visit(address)
    turn = visitor.ask(LIST)
    items = turn.locator(".pc-item")
    count = items.count()
    assert count > 10
    assert f"{count} " in turn.locator(".pc-message").inner_text()
    assert items.nth(9).is_visible()
    assert not items.nth(10).is_visible()

    turn.get_by_text(f"Show the other {count - 10}").click()
    items.nth(count - 1).locator("blockquote").first.wait_for(state="visible")
    assert all(
        "imagenet" in words.lower() for words in turn.locator("blockquote").all_inner_texts()
    )
    assert len(set(turn.locator(".pc-item .pc-title").all_inner_texts())) == count


def test_a_marker_of_a_list_opens_what_is_folded_around_it(address, visit):
    """The evidence of a folded paper is shown, and the paper is unfolded with it."""
    visitor = visit(address)
    item = visitor.ask(LIST).locator(".pc-item").last
    visitor.page.evaluate("link => link.click()", item.locator(".pc-marker").element_handle())

    item.wait_for(state="visible")
    marks = visitor.page.locator("#pc-evidence mark.pc-here").all_inner_texts()
    assert "imagenet" in " ".join(marks).lower()


def test_a_follow_up_shows_how_it_was_read(address, visit):
    """The resolved question stands in small print over the answer, and only over that one."""
    visitor = visit(address)
    first = visitor.ask("What does MegaScale do?")
    then = visitor.ask("and on how many GPUs does it run?")

    assert first.locator(".pc-read-as").count() == 0
    read_as = then.locator(".pc-read-as").inner_text()
    assert read_as.startswith("Read as: ")
    assert "MegaScale" in read_as
    assert then.locator(".pc-question").inner_text() == "and on how many GPUs does it run?"


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
    panel = visitor.evidence(turn.locator(".pc-marker").first)
    assert _overflow(visitor.page) <= 0
    assert panel.bounding_box()["y"] > 844 / 4  # under what it proves, which stays in sight
    panel.locator(".pc-close").click()
    box = visitor.page.locator("#pc-field").bounding_box()
    assert 0 <= box["y"] <= 844 - box["height"]


def test_on_a_phone_only_the_tables_box_scrolls(address, visit):
    """The page keeps its width; inside the box, what a row is about stays in sight."""
    visitor = visit(address, size=(390, 844))
    box = visitor.ask(COMPARISON).locator(".pc-scroll")

    assert _overflow(visitor.page) <= 0
    assert box.evaluate("box => box.scrollWidth - box.clientWidth") > 100
    box.evaluate("box => { box.scrollLeft = box.scrollWidth; }")
    head, edge = box.locator("tbody th").first.bounding_box(), box.bounding_box()
    assert edge["x"] <= head["x"] < edge["x"] + 5
    assert _overflow(visitor.page) <= 0


@pytest.mark.parametrize("question", [COMPARISON, LIST])
def test_tables_and_lists_keep_to_a_phones_width(address, visit, question):
    """Whatever the shape, and also with everything unfolded, no page scrolls sideways."""
    visitor = visit(address, size=(390, 844))
    visitor.ask(question)
    visitor.page.evaluate(
        "document.querySelectorAll('details').forEach((one) => (one.open = true))"
    )

    assert _overflow(visitor.page) <= 0


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
    page.click("[data-do=new]")
    page.locator(".pc-welcome").wait_for()
    page.locator(".pc-example").first.wait_for()
    assert page.locator(".pc-turn").count() == 0


def test_the_examples_are_one_of_each_shape(address, visit):
    """An answer, a comparison, a list and talk about the chat itself, each shown as what it is."""
    visitor = visit(address)
    page, shown = visitor.page, []
    for at in range(4):
        page.locator(".pc-example").nth(at).click()
        turn = visitor.finished(1)
        parts = {"list": ".pc-item", "comparison": "table", "answer": ".pc-statement"}
        shown.append(next((n for n, one in parts.items() if turn.locator(one).count()), "chat"))
        page.click("[data-do=new]")
        page.locator(".pc-example").nth(3).wait_for()

    assert shown == ["answer", "comparison", "list", "chat"]


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


def test_the_proof_is_open_from_the_start_and_closes_with_escape(address, visit):
    """Nobody looks for the proof; Esc puts it away and gives the focus back to its marker."""
    visitor = visit(address)
    turn = visitor.ask(QUESTION)
    panel = visitor.page.locator("#pc-evidence")
    panel.wait_for(state="visible")
    turn.locator(".pc-words .pc-marker").first.focus()
    visitor.page.keyboard.press("Enter")
    assert panel.evaluate("panel => panel === document.activeElement")
    visitor.page.keyboard.press("Escape")
    panel.wait_for(state="hidden")

    assert visitor.page.evaluate("document.activeElement.className").startswith("pc-marker")


def test_a_question_is_edited_and_asked_again(address, visit):
    """The new wording takes the place of the old one and of what came after it."""
    visitor = visit(address)
    visitor.ask(QUESTION)
    visitor.ask("And on how many GPUs?")
    page, field = visitor.page, visitor.page.locator("#pc-question textarea")
    page.locator("#turn-0 [data-do=edit]").click()
    page.locator(".pc-banner").wait_for()
    assert field.input_value() == QUESTION
    field.fill("Which problem does ByteScale address?")
    field.press("Enter")
    page.locator("#turn-1").wait_for(state="detached")
    visitor.finished(1)

    assert page.locator(".pc-question").all_inner_texts() == [
        "Which problem does ByteScale address?"
    ]
    page.locator("#turn-0 [data-do=retry]").click()
    visitor.finished(1)
    assert page.locator(".pc-turn").count() == 1


def test_an_answer_is_copied_with_its_sources(address, visit):
    """What a person pastes is the Markdown of the command line, quotations and titles."""
    visitor = visit(address)
    visitor.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    visitor.ask(QUESTION).locator("[data-do=copy]").click()
    visitor.page.get_by_text("Copied").wait_for()

    copied = visitor.page.evaluate("navigator.clipboard.readText()")
    assert "> " in copied
    assert TITLE in copied
    assert "55.2%" in copied


class Held:
    """A chat that answers when it is allowed to."""

    def __init__(self, chat: Chat) -> None:
        self.chat, self.go = chat, threading.Event()

    def stream(self, question: str, conversation: Sequence[Answer] = ()) -> Iterator[Answer]:
        """Wait, then answer as the real one does."""
        self.go.wait(30)
        return self.chat.stream(question, conversation)

    def examples(self, most: int) -> Sequence[str]:
        """None."""
        return ()

    def __getattr__(self, name: str) -> object:
        """All else is the real one's."""
        return getattr(self.chat, name)


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


def test_a_comparison_says_how_many_papers_it_reads(seed_chat):
    """The table comes as a whole, after a step that fits it."""
    turns = list(answering(seed_chat, COMPARISON, (), pace=0))

    assert turns[1].step == "Reading 2 papers side by side…"
    assert "<table>" in html_turn(turns[2])
    assert turns[-1].done


def test_a_list_says_that_all_abstracts_are_read(seed_chat):
    """However long the list, a visitor does not wait for it item by item."""
    turns = list(answering(seed_chat, LIST, (), pace=0))

    assert turns[1].step == "Reading all 385 abstracts…"
    assert turns[-1].done
    assert len(turns) <= 12
    assert how_it_was_made(turns[-1].answer).startswith("Read 385 abstracts · ")


def test_a_later_question_comes_with_the_finished_answers_only():
    """What was stopped or failed is no part of the conversation that a question refers to."""
    heard: list[Sequence[Answer]] = []

    class Listening(Held):
        def stream(self, question: str, conversation: Sequence[Answer] = ()) -> Iterator[Answer]:
            heard.append(conversation)
            return iter([_answer("", "")])

    half = Turn("b", 1, answer=_answer("x", "y"), step="Reading 1 paper…")
    whole = Turn("a", 0, answer=_answer("x", "y"), shown=1)
    list(answering(Listening(None), "c", [whole, stopped(half)], pace=0))  # type: ignore[arg-type]

    assert heard == [[whole.answer]]


def test_a_failure_is_told_without_its_traceback(caplog):
    """The visitor reads one sentence; the log keeps the cause."""

    class Broken(Held):
        def stream(self, question: str, conversation: Sequence[Answer] = ()) -> Iterator[Answer]:
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


def _in_sight(element, box) -> bool:
    """Whether the *element* lies inside of the *box* that it scrolls in."""
    one, all_of_it = element.bounding_box(), box.bounding_box()
    return all_of_it["y"] <= one["y"] <= all_of_it["y"] + all_of_it["height"] - 10


def _foreign(place) -> list[str]:
    """Elements, attributes and links inside *place* that the page does not write itself."""
    return place.evaluate(
        """(place, [elements, attributes]) => [...place.querySelectorAll("*")].flatMap((found) => [
          ...[found.localName].filter((name) => !elements.includes(name)),
          ...found.getAttributeNames().filter((name) => !attributes.includes(name)),
          ...[found.getAttribute("href") ?? "#turn-0-source-0"].filter(
            (link) => !/^#turn-\\d+-(source|near)-\\d+$/.test(link)),
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
    plain = _answer(text, text)
    (statement,) = plain.statements
    table = Table(
        subjects=(Subject(text, "id", text), Subject(text)),
        axes=(text,),
        cells=((Cell(text, statement.citations),), (Cell(),)),
        cautions=(text,),
    )
    shown = (
        plain,
        replace(plain, shape="comparison", table=table, standalone_question=f"{text} {text}"),
        replace(plain, shape="list", near=plain.sources),
    )
    answers = (html_answer(one, f"turn-{place}") for place, one in enumerate(shown, 7))
    return "".join(answers) + html_turn(Turn(text, 7, problem=text))
