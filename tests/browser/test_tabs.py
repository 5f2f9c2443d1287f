"""What a person does beside asking: keep, browse, compare, check, add; and who can read it all."""

from __future__ import annotations

import json
import re
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from rag.app import PaperChat, index, open_chat
from rag.history import History
from rag.settings import Settings
from ui.page.people import hashed

QUESTION = "What MFU does MegaScale reach?"
COMPARISON = "How do MegaScale and ByteScale differ in hardware and speed?"
PAYLOADS = Path(__file__).parents[3] / "shared" / "data" / "hostile" / "xss-payloads.txt"
HOSTILE = [
    "<img src=x onerror=alert(1)>",
    '"><script>alert(1)</script>',
    "<svg/onload=alert(1)> ![x](http://203.0.113.1/x.png) [y](javascript:alert(1))",
    "${alert(1)} {{constructor.constructor('alert(1)')()}}",
    '<a href="javascript:alert(1)" onmouseover=alert(1)>x</a><iframe src=//203.0.113.1>',
]
HERONS = "Herons and how they fish"
ABSTRACT = "We watch herons. They catch {} fish an hour in shallow water. Rain makes no difference."


def _store(folder: Path, papers: list[dict[str, str]]) -> Settings:
    """A store that holds *papers*; run again, it holds what they say now."""
    file = folder / "papers.jsonl"
    file.write_text("\n".join(map(json.dumps, papers)), encoding="utf-8")
    settings = Settings.from_environment(store=folder / "store", environment={})
    index(settings, [file], prune=True)
    return settings


@pytest.fixture
def herons(tmp_path: Path) -> tuple[PaperChat, Settings]:
    """A small collection of its own."""
    others = [
        {"title": f"Bird {at} in flight", "abstract": f"We film bird {at}. It flies {at} km a day."}
        for at in range(8)
    ]
    settings = _store(tmp_path, [{"title": HERONS, "abstract": ABSTRACT.format(7)}, *others])
    return open_chat(settings), settings


def test_a_conversation_survives_a_reload_and_a_restart(serve, visit, seed_chat, tmp_path):
    """The same person finds it again, goes on, and may rename and delete it."""
    file = tmp_path / "kept.sqlite"
    visitor = visit(serve(seed_chat, history=History(file)))
    page = visitor.page
    visitor.ask(QUESTION)
    page.reload()
    visitor.finished(1)
    assert "MegaScale" in visitor.ask("And on how many GPUs?").inner_text()
    page.goto(serve(seed_chat, history=History(file)))  # cookies are the host's, whatever the port
    page.locator(".pc-kept-title").click()
    visitor.finished(2)
    assert page.locator(".pc-question").first.inner_text() == QUESTION
    visitor.evidence(page.locator("#turn-0 .pc-marker").first)

    page.locator(".pc-menu summary").click()
    page.get_by_text("Rename").click()
    page.locator(".pc-kept input").fill("GPUs")
    page.locator(".pc-kept input").press("Enter")
    page.locator(".pc-kept-title", has_text=re.compile("^GPUs$")).wait_for()
    page.locator(".pc-menu summary").click()
    page.locator("[data-do=deleting]").click()
    page.get_by_text("Delete for good").click()
    page.locator(".pc-kept").wait_for(state="detached")
    assert page.locator(".pc-turn").count() == 0


def test_a_conversation_is_downloaded(address, visit):
    """The file holds the question, the quotation and the title."""
    visitor = visit(address)
    visitor.ask(QUESTION)
    visitor.page.locator(".pc-menu summary").click()
    with visitor.page.expect_download() as download:
        visitor.page.get_by_role("link", name="Markdown").click()
    text = Path(download.value.path()).read_text(encoding="utf-8")

    assert QUESTION in text
    assert "55.2%" in text


def test_a_source_that_has_changed_since_says_so(serve, visit, herons, tmp_path):
    """The old answer keeps the abstract that it was made from, and tells that there is another."""
    chat, _ = herons
    visitor = visit(serve(chat))
    visitor.ask("How many fish do herons catch an hour?")
    _store(tmp_path, [{"title": HERONS, "abstract": ABSTRACT.format(9)}])
    visitor.page.reload()
    turn = visitor.finished(1)
    panel = visitor.evidence(turn.locator(".pc-marker").first)

    assert "has changed since" in panel.locator(".pc-changed").inner_text()
    assert "catch 7 fish" in panel.locator(".pc-abstract").inner_text()
    assert "catch 9 fish" in visitor.ask("How many fish do herons catch an hour?").inner_text()


def test_a_thumb_down_is_kept_with_its_reason(serve, visit, seed_chat):
    """Whoever runs the page finds the question and what is wrong with the answer."""
    history = History()
    visitor = visit(serve(seed_chat, history=history))
    turn = visitor.ask(QUESTION)
    turn.locator("[data-way=down]").click()
    turn.locator(".pc-why input").fill("no <b>year</b>")
    turn.locator("[data-reason='Something is missing']").click()
    visitor.page.get_by_text("this was noted").wait_for()
    visitor.page.wait_for_timeout(500)

    ((turns, _),) = history.rated("down")
    assert turns[-1].question == QUESTION
    assert turns[-1].reason == "Something is missing: no <b>year</b>"


def test_papers_are_searched_opened_and_asked_about(address, visit):
    """The list narrows as one types, a click shows the abstract, and another asks about it."""
    visitor = visit(address)
    visitor.tab("Papers")
    page = visitor.page
    assert page.locator(".pc-count").first.inner_text() == "385 papers"
    page.fill("#pc-seek", "megascale")
    page.locator(".pc-count", has_text=re.compile(r"^\d papers?$")).wait_for()
    page.locator(".pc-paper", has_text="MegaScale: Scaling").click()
    page.locator("#pc-read .pc-abstract").wait_for()
    visitor.pictured("papers")
    page.locator("#pc-read").get_by_text("Ask about this paper").click()

    assert "MegaScale" in page.locator("#pc-question textarea").input_value()


def test_ticked_papers_are_compared(address, visit):
    """Two ticks and a click give the table, whose markers open the abstract in place."""
    visitor = visit(address)
    visitor.tab("Papers")
    page = visitor.page
    for name in ("megascale", "bytescale"):
        page.fill("#pc-seek", name)
        page.locator(".pc-count", has_text=re.compile(r"^\d papers?$")).wait_for()
        page.locator(".pc-papers li", has_text=re.compile(name, re.IGNORECASE)).first.locator(
            "input"
        ).check()
        page.wait_for_timeout(300)
    page.locator("[data-do=compare]").click()
    heads = page.locator("#pc-compared thead th")
    heads.first.wait_for()

    assert heads.count() == 2
    page.locator("#pc-compared td .pc-marker").first.click()
    page.locator("#pc-compared mark.pc-here").first.wait_for(state="visible")


def test_a_point_of_the_map_opens_its_paper(address, visit):
    """The map shows every paper with its topics, and asks no other host for anything."""
    visitor = visit(address)
    visitor.tab("Papers")
    page = visitor.page
    page.locator("[data-do=map]").click()
    page.locator("#pc-plot .point").first.wait_for()
    assert page.locator("#pc-plot .point").count() == 385
    assert page.locator("#pc-plot .annotation").count() >= 3
    visitor.pictured("map")
    box = page.locator("#pc-plot .point").first.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.locator("#pc-read .pc-abstract").wait_for()

    assert visitor.hosts() == {"127.0.0.1"}
    assert visitor.errors == []


def test_a_text_is_checked_sentence_by_sentence(address, visit):
    """Each sentence has its verdict in words, and the evidence opens under it."""
    visitor = visit(address)
    visitor.tab("Check a text")
    page = visitor.page
    page.fill("#pc-claims", "MegaScale reaches 65.2% MFU. It runs on 12,288 GPUs.")
    page.locator("[data-do=check]").click()
    rows = page.locator(".pc-checked > li")
    rows.first.wait_for()

    assert rows.count() == 2
    assert "says otherwise" in rows.first.locator(".pc-badge").inner_text()
    rows.first.locator(".pc-open").click()
    rows.first.locator("mark.pc-here").first.wait_for(state="visible")
    visitor.pictured("check")


def test_papers_are_looked_over_and_added_while_the_chat_goes_on(serve, visit, herons):
    """What is wrong is told before, and what was added can be asked about after."""
    chat, settings = herons
    go = threading.Event()

    def slowly(paths, tell):
        go.wait(30)
        return index(settings, paths, progress=tell)

    visitor = visit(serve(chat, indexer=slowly))
    page = visitor.page
    visitor.tab("Add papers")
    good = {"title": "On otters", "abstract": "We count otters. An otter eats 4 kg of fish a day."}
    rows = f'{json.dumps(good)}\n{{"title": "Nothing more"}}\n'
    file = {"name": "new.jsonl", "mimeType": "text/plain", "buffer": rows.encode()}
    wrong = {"name": "run.exe", "mimeType": "text/plain", "buffer": b"x"}
    page.set_input_files("#pc-files", [file, wrong])
    page.get_by_text("On otters").wait_for()
    assert "new.jsonl:2" in page.locator("#pc-waiting").inner_text()
    assert "run.exe" in page.locator("#pc-waiting .pc-problem").inner_text()
    page.get_by_text("Index them").click()
    page.locator("#pc-waiting progress").wait_for()
    visitor.tab("Chat")
    assert "7 fish" in visitor.ask("How many fish do herons catch an hour?").inner_text()
    go.set()
    visitor.tab("Add papers")
    page.get_by_text("Done: 1 new").wait_for()
    visitor.tab("Chat")
    assert "4 kg" in visitor.ask("How much does an otter eat?").inner_text()


class Endless:
    """A model that goes on writing until nobody listens."""

    def __init__(self, chat) -> None:
        self.chat, self.ended = chat, threading.Event()

    def stream(self, question, conversation=()):
        """The first statement again and again; notes when it is closed."""
        answer = self.chat.ask(question)
        writing = replace(answer, mode="llm", trace={"step": "writing"})
        try:
            while True:
                yield writing
                time.sleep(0.05)
        finally:
            self.ended.set()

    def __getattr__(self, name: str) -> object:
        return getattr(self.chat, name)


@pytest.mark.parametrize("way", ["leaves", "stops"])
def test_a_person_who_leaves_frees_the_model(serve, visit, seed_chat, way):
    """Closing the page ends the writing as Stop does, so that nobody waits for nobody."""
    model = Endless(seed_chat)
    visitor = visit(serve(model))
    visitor.page.fill("#pc-question textarea", QUESTION)
    visitor.page.press("#pc-question textarea", "Enter")
    visitor.page.locator(".pc-statement").first.wait_for()
    assert not model.ended.is_set()
    if way == "leaves":
        visitor.page.close()
    else:
        visitor.page.keyboard.press("Escape")

    assert model.ended.wait(20)


def test_one_signs_in_and_sees_only_ones_own(serve, visit, seed_chat):
    """The door opens to the right password; what Ann asked, Bob does not see."""
    users = (("ann", hashed("x1")), ("bob", hashed("x2")))
    history = History()
    address = serve(seed_chat, users=users, history=history)
    ann, bob = visit.signed(address, "ann", "x1"), visit.signed(address, "bob", "x2")
    ann.ask(QUESTION)
    bob.page.reload()
    bob.page.locator("#pc-question textarea").wait_for()
    bob.page.wait_for_timeout(700)

    assert ann.page.locator(".pc-kept-title").count() == 1
    assert bob.page.locator(".pc-kept-title").count() == 0
    again = visit.signed(address, "ann", "x1")
    again.page.locator(".pc-kept-title").wait_for()


@pytest.fixture(scope="module")
def hostile_chat(tmp_path_factory) -> PaperChat:
    """A collection whose titles and abstracts are attacks."""
    texts = list(HOSTILE)
    if PAYLOADS.exists():  # the larger collection lies outside the project
        texts += PAYLOADS.read_text(encoding="utf-8", errors="replace").split("\n")[::40]
    texts = [text[:300] for text in texts if text.strip()][:64]
    papers = [
        {"title": f"Attack {at} {text[:200]}", "abstract": ". ".join(texts[at : at + 4])}
        for at, text in enumerate(texts[:60])
    ]
    return open_chat(_store(tmp_path_factory.mktemp("hostile"), papers))


def test_hostile_papers_run_nothing_anywhere(serve, visit, hostile_chat):
    """Asked, listed, opened, mapped, compared or checked, they stay the characters they are."""
    visitor = visit(serve(hostile_chat))
    page = visitor.page
    for question in ("What does Attack 3 do?", "Which papers mention alert?", HOSTILE[4]):
        visitor.ask(question)
    visitor.tab("Papers")
    page.locator(".pc-paper").first.wait_for()
    for at in range(0, min(40, page.locator(".pc-paper").count()), 8):
        page.locator(".pc-paper").nth(at).click()
        page.locator("#pc-read .pc-abstract").wait_for()
    for at in range(3):
        page.locator(".pc-tick").nth(at).check()
    page.locator("[data-do=compare]").click()
    page.locator("#pc-compared table").wait_for()
    page.locator("[data-do=map]").click()
    page.locator("#pc-plot .point").first.wait_for()
    page.locator("#pc-plot .point").first.hover(force=True)
    visitor.tab("Check a text")
    page.fill("#pc-claims", f"{HOSTILE[0]} is in “Attack 0”. {HOSTILE[1]}")
    page.locator("[data-do=check]").click()
    page.locator(".pc-checked > li").first.wait_for()
    page.wait_for_timeout(1000)

    assert visitor.dialogs == []
    assert visitor.errors == []
    assert visitor.hosts() == {"127.0.0.1"}
    ours = "#pc-desk, #pc-shelf, #pc-verdicts"
    assert page.locator(ours).locator("script, iframe, img, object, embed, [onerror]").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
