"""What people do with a chat in a hurry: stop, ask again, edit, leave, two windows."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from rag.app import PaperChat
from rag.history import History
from rag.settings import Settings
from rag.types import Answer
from tests.scripted import drip_pieces

QUESTION = "What MFU does MegaScale reach?"
OTHER = "Which problem does ByteScale address?"
FIELD = "#pc-question textarea"


class Slow:
    """A chat whose answers grow for a while, so that there is something to break into."""

    def __init__(self, chat: PaperChat, seconds: float = 0.4) -> None:
        self.chat, self.seconds, self.running = chat, seconds, 0

    def stream(self, question: str, conversation: Sequence[Answer] = ()) -> Iterator[Answer]:
        """The answer as the real one gives it, after some steps of writing."""
        answer = self.chat.ask(question, conversation)
        self.running += 1
        try:
            for _ in range(4):
                yield replace(answer, statements=(), trace={"step": "writing"})
                time.sleep(self.seconds / 4)
        finally:
            self.running -= 1
        yield answer

    def __getattr__(self, name: str) -> object:
        return getattr(self.chat, name)


def _questions(page) -> list[str]:
    return page.locator(".pc-question").all_inner_texts()


def _kept(history: History) -> list[list[str]]:
    """The questions of every conversation that was kept, whoever's it is."""
    owners = {row[0] for row in history._rows("SELECT owner FROM conversations", ())}
    return [
        [turn.question for turn in history.turns(owner, one.id)]
        for owner in sorted(owners)
        for one in history.conversations(owner)
    ]


def _begin(page, question: str) -> None:
    page.fill(FIELD, question)
    page.press(FIELD, "Enter")


def test_a_new_conversation_stays_new_while_an_answer_is_being_written(serve, visit, seed_chat):
    """What was being written does not come back over what was chosen instead."""
    visitor = visit(serve(Slow(seed_chat, 2)))
    page = visitor.page
    _begin(page, QUESTION)
    page.locator(".pc-turn[data-state=working]").wait_for()
    page.click("[data-do=new]")
    page.locator(".pc-welcome").wait_for()
    page.wait_for_timeout(2500)

    assert page.locator(".pc-turn").count() == 0
    assert page.locator("#pc-ask").is_visible()
    assert visitor.ask(OTHER).locator(".pc-statement").count() > 0
    assert _questions(page) == [OTHER]


def test_asking_again_and_again_gives_one_answer(serve, visit, seed_chat):
    """A double click on "Ask again", or on another turn's, leaves no turn twice and none out."""
    history, slow = History(), Slow(seed_chat)
    visitor = visit(serve(slow, history=history))
    page = visitor.page
    visitor.ask(QUESTION)
    visitor.ask("And on how many GPUs?")
    page.locator("#turn-1 [data-do=retry]").dblclick()
    visitor.finished(2)
    assert _questions(page) == [QUESTION, "And on how many GPUs?"]
    page.locator("#turn-0 [data-do=retry]").dblclick()
    page.locator("#turn-1").wait_for(state="detached")
    visitor.finished(1)
    page.wait_for_timeout(800)

    assert _questions(page) == [QUESTION]
    assert _kept(history) == [[QUESTION]]
    assert page.locator(".pc-statement").count() > 0
    assert slow.running == 0


def test_what_is_being_typed_outlives_an_answer_asked_again(serve, visit, seed_chat):
    """Asking again takes nothing from the field, and Enter in an empty one stops nothing."""
    visitor = visit(serve(Slow(seed_chat, 1)))
    page = visitor.page
    visitor.ask(QUESTION)
    page.fill(FIELD, "And on how")
    page.locator("#turn-0 [data-do=retry]").click()
    page.locator(".pc-turn[data-state=working]").wait_for()
    visitor.finished(1)

    assert page.input_value(FIELD) == "And on how"
    page.fill(FIELD, "")
    page.locator("#turn-0 [data-do=retry]").click()
    page.locator(".pc-turn[data-state=working]").wait_for()
    page.press(FIELD, "Enter")
    assert visitor.finished(1).locator(".pc-statement").count() > 0


def test_fifty_hasty_turns_are_neither_lost_nor_doubled(serve, visit, seed_chat):
    """Asking, stopping, asking again and editing in any order: page and history stay the same.

    A question that a stop meets before it has begun stays in its field.
    """
    history, chance = History(), random.Random(7)
    visitor = visit(serve(Slow(seed_chat, 0.1), history=history))
    page, wanted = visitor.page, []
    for number in range(50):
        what = chance.choice(["ask", "ask", "stop", "retry", "edit"]) if wanted else "ask"
        if what == "retry":
            at = chance.randrange(len(wanted))
            page.locator(".pc-turn [data-do=retry]").nth(at).click()
            wanted = wanted[: at + 1]
        else:
            if what == "edit":
                at = chance.randrange(len(wanted))
                page.locator(".pc-turn [data-do=edit]").nth(at).click()
                page.locator(".pc-banner").wait_for()
                wanted = wanted[:at]
            _begin(page, f"What does MegaScale reach, number {number}?")
            wanted.append(f"What does MegaScale reach, number {number}?")
            if what == "stop":
                page.wait_for_timeout(chance.randrange(120))
                page.keyboard.press("Escape")
                # Time for the stop to reach its question on a busy machine, and not the next one.
                page.wait_for_timeout(1_200)
                if page.input_value(FIELD) == wanted[-1]:
                    wanted.pop()
        assert _settled(page, wanted) == (wanted, []), (number, what)
        if len(wanted) > 6:
            break_off = page.locator("[data-do=new]")
            assert _kept(history)[0] == wanted
            break_off.click()
            page.locator(".pc-welcome").wait_for()
            wanted = []
    if wanted:
        assert _kept(history)[0] == wanted
        page.reload()
        visitor.finished(len(wanted))
        assert _questions(page) == wanted
    assert visitor.errors == []


def _settled(page, wanted: list[str], seconds: float = 20) -> tuple[list[str], list[str]]:
    """The questions on the page, and which turns are not finished, once all is as *wanted*."""
    ends = time.monotonic() + seconds
    found = None
    while found != (wanted, []) and time.monotonic() < ends:
        page.wait_for_timeout(30)
        turns = page.evaluate(
            "[...document.querySelectorAll('.pc-turn')].map((one) =>"
            " [one.querySelector('.pc-question').textContent, one.dataset.state])"
        )
        found = [words for words, _ in turns], [state for _, state in turns if state != "finished"]
    return found


def test_two_windows_of_one_person_lose_no_turn(serve, visit, seed_chat):
    """Both ask in the same conversation; after a reload, each shows what both have asked."""
    history = History()
    visitor = visit(serve(seed_chat, history=history))
    one = visitor.page
    visitor.ask(QUESTION)
    other = one.context.new_page()
    other.goto(one.url)
    other.locator(".pc-kept-title").click()
    other.locator("#turn-0[data-state=finished]").wait_for()
    _begin(one, OTHER)
    one.locator(".pc-turn[data-state=finished]").nth(1).wait_for()
    _begin(other, "What does LongWriter do?")
    other.locator(".pc-turn[data-state=finished]").nth(1).wait_for()

    assert _kept(history) == [[QUESTION, OTHER, "What does LongWriter do?"]]
    assert _questions(other) == [QUESTION, "What does LongWriter do?"]
    for page in (one, other):
        page.reload()
        page.locator(".pc-turn[data-state=finished]").nth(2).wait_for()
        assert _questions(page) == [QUESTION, OTHER, "What does LongWriter do?"]


def test_a_reload_while_answering_keeps_the_question(serve, visit, seed_chat):
    """The turn is there with its question, says that it was broken off, and can be asked again."""
    visitor = visit(serve(Slow(seed_chat, 3)))
    page = visitor.page
    _begin(page, QUESTION)
    page.locator(".pc-turn[data-state=working]").wait_for()
    page.reload()
    turn = visitor.finished(1)

    assert _questions(page) == [QUESTION]
    assert turn.locator(".pc-problem").inner_text()
    turn.locator("[data-do=retry]").click()
    page.locator("#turn-0 .pc-statement").first.wait_for()
    assert _questions(page) == [QUESTION]


def test_a_page_that_the_server_has_forgotten_goes_on(serve, visit, seed_chat, monkeypatch):
    """After a loss of the connection the next question still belongs to what is shown."""
    monkeypatch.setattr("ui.page.session.GRACE", 0.0)
    history = History()
    visitor = visit(serve(seed_chat, history=history))
    page = visitor.page
    visitor.ask(QUESTION)
    page.context.set_offline(True)
    page.wait_for_timeout(500)
    page.context.set_offline(False)
    visitor.ask("And on how many GPUs does it run?")

    assert "MegaScale" in page.locator("#turn-1 .pc-read-as").inner_text()
    assert len(_kept(history)) == 1
    assert len(_kept(history)[0]) == 2


def test_the_keyboard_alone_reaches_everything(address, visit):
    """Tab goes from the question through its proof to what can be done; nothing holds it."""
    visitor = visit(address)
    page = visitor.page
    visitor.ask(QUESTION)
    page.locator("#turn-0 .pc-words .pc-marker").first.focus()
    seen = []
    for _ in range(14):
        page.keyboard.press("Tab")
        seen.append(page.evaluate(_FOCUSED))
    order = [seen.index(one) for one in ("open", "copy", "retry", "edit", "rate", "question")]

    assert order == sorted(order)
    page.locator("#turn-0 [data-way=down]").focus()
    page.keyboard.press("Enter")
    page.locator(".pc-why input").wait_for()
    assert page.evaluate("document.activeElement.closest('.pc-why') !== null")
    page.keyboard.press("Escape")
    assert page.locator(".pc-why").count() == 0
    assert page.evaluate("document.activeElement.dataset.way") == "down"
    page.locator(".pc-menu summary").focus()
    page.keyboard.press("Enter")
    page.locator("[data-do=renaming]").wait_for()
    page.keyboard.press("Escape")
    page.locator("[data-do=renaming]").wait_for(state="hidden")
    assert page.evaluate("document.activeElement.localName") == "summary"


_FOCUSED = """() => { const one = document.activeElement;
  return one.dataset.do ?? (one.matches(".pc-open") ? "open"
    : one.matches("#pc-question textarea") ? "question" : one.localName); }"""


@pytest.mark.parametrize("way", ["leaves", "stops", "begins anew"])
def test_the_models_own_stream_ends_with_the_reader(
    serve, visit, seed_store, scripted_server, monkeypatch, way
):
    """The server of the language model sees its client go, and is free for the next one."""
    scripted_server.script = drip_pieces("and so it goes on ", 0.02)
    environment = {"OPENAI_BASE_URL": scripted_server.url, "PAPERCHAT_MODEL": "scripted-1"}
    chat = PaperChat(Settings.from_environment(store=seed_store, environment=environment))
    visitor = visit(serve(chat))
    page = visitor.page
    _begin(page, QUESTION)
    page.get_by_text("Writing, and checking").wait_for()
    assert scripted_server.wait_until(lambda: scripted_server.counts.running == 1, 10)
    if way == "leaves":
        page.close()
    elif way == "stops":
        page.keyboard.press("Escape")
    else:
        page.click("[data-do=new]")

    assert scripted_server.wait_until(lambda: scripted_server.counts.running == 0, 10)
    assert scripted_server.counts.gone == 1
