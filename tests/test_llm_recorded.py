"""Answers recorded from a real server and said again without one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from rag.errors import ModelError
from rag.llm import OpenAIChat, Patience, Recorder, Replay
from rag.types import Message
from tests import scripted
from tests.scripted import in_turn, say

QUICK = Patience(attempts=2, first_pause=0.001)
KEY = "sk-secret-0123456789"


def ask(question):
    """The messages that ask *question*."""
    return [Message("system", "Be brief."), Message("user", question)]


def heard(chat, question, **how):
    """All that a call gives: pieces, counts, end and error."""
    pieces, problem = [], None
    reply = chat(ask(question), **how)
    try:
        for piece in reply:
            pieces.append(piece)  # noqa: PERF402 - the pieces before an error are kept
    except ModelError as error:
        problem = str(error)
    return pieces, reply.usage, problem, reply.finished if problem is None else "error"


@pytest.fixture
def recorder(scripted_server, tmp_path):
    """A recorder of the model at that server, for the file `answers.jsonl`."""
    chat = OpenAIChat(None, KEY, scripted_server.url, QUICK, price=(1.0, 2.0))
    return Recorder(chat, tmp_path / "answers.jsonl")


def test_what_was_recorded_is_said_again(scripted_server, recorder, tmp_path):
    """Pieces, counts, price, end and errors come as they came, and no server is asked."""
    scripted_server.script = in_turn(
        say(["A zebra\u2028is\n", "\x85a horse."]),
        say("Cut he", finish="length"),
        say(["Broken ", "off"], cut_after=1),
        scripted.quota(),
    )
    questions = ["What is a zebra?", "And a line?\nOf two\u2028lines?", "And é?", "And 数?"]
    recorded = [heard(recorder, question) for question in questions]
    asked = len(scripted_server.requests)

    replay = Replay(tmp_path / "answers.jsonl")
    again = [heard(replay, question) for question in questions]

    assert again == recorded
    assert [made[2] is None for made in recorded] == [True, True, False, False]
    assert replay.name == scripted.MODEL
    assert replay.unused() == ()
    assert len(scripted_server.requests) == asked
    assert KEY not in (tmp_path / "answers.jsonl").read_text(encoding="utf-8")


def test_what_was_not_recorded_is_an_error(recorder, tmp_path):
    """Another question, length or form is another call: its hash, first words and the way out."""
    heard(recorder, "What is a zebra?")
    replay = Replay(tmp_path / "answers.jsonl")

    for question, how in (("What is an ape?", {}), ("What is a zebra?", {"most_tokens": 7})):
        with pytest.raises(ModelError, match=r"[0-9a-f]{16}.*What is a.*--record"):
            heard(replay, question, **how)
    with pytest.raises(ModelError, match="--record"):
        heard(replay, "What is a zebra?", as_json=True)


def test_what_is_left_over_is_told(recorder, tmp_path):
    """A recording that no call asked for is named, so that evals can fail on it."""
    for question in ("What is a zebra?", "What is an ape?", "What is an ape?"):
        heard(recorder, question)
    replay = Replay(tmp_path / "answers.jsonl")
    heard(replay, "What is an ape?")

    zebra, ape = replay.unused()

    assert "What is a zebra?" in zebra
    assert "What is an ape?" in ape
    heard(replay, "What is an ape?")
    assert replay.unused() == (zebra,)


def test_the_same_call_twice_has_both_its_answers(scripted_server, recorder, tmp_path):
    """Recordings of one call are said in their order, and the last one stays."""
    scripted_server.script = in_turn("One.", "Two.")
    assert [heard(recorder, "Count.")[0] for _ in range(2)] == [["One."], ["Two."]]

    replay = Replay(tmp_path / "answers.jsonl")

    got = [heard(replay, "Count.")[0] for _ in range(3)]
    assert got == [["One."], ["Two."], ["Two."]]


def test_an_answer_left_early_is_recorded_as_far_as_it_was_heard(
    scripted_server, recorder, tmp_path
):
    """Closing ends the recording, and frees the server as it does without one."""
    scripted_server.script = scripted.drip_pieces()
    reply = recorder(ask("Go on."))
    pieces = iter(reply)
    first = next(pieces)
    reply.close()
    reply.close()

    assert scripted_server.wait_until(lambda: scripted_server.counts.running == 0)
    assert heard(Replay(tmp_path / "answers.jsonl"), "Go on.")[0] == [first]


def test_many_threads_record_whole_lines(scripted_server, recorder, tmp_path):
    """Answers that end together do not run into each other."""
    scripted_server.script = lambda request: say(f"{request.asked} yes" * 50)
    questions = [f"question {number}" for number in range(24)]
    with ThreadPoolExecutor(8) as pool:
        recorded = list(pool.map(lambda question: heard(recorder, question), questions))

    replay = Replay(tmp_path / "answers.jsonl")
    with ThreadPoolExecutor(8) as pool:
        again = list(pool.map(lambda question: heard(replay, question), questions))

    assert again == recorded
    assert replay.unused() == ()


@pytest.mark.parametrize("text", ["{}", "no JSON", "[]", '{"key": 1, "pieces": []}', None])
def test_what_is_no_recording_says_so(tmp_path, text):
    """A missing or foreign file ends in a sentence that names --record."""
    path = tmp_path / "answers.jsonl"
    if text is not None:
        path.write_text(text, encoding="utf-8")

    with pytest.raises(ModelError, match="--record"):
        Replay(path)


def test_a_file_that_cannot_be_written_says_so(scripted_server, tmp_path):
    """It is said before the first question is asked."""
    chat = OpenAIChat(None, KEY, scripted_server.url, QUICK)

    with pytest.raises(ModelError, match="another file"):
        Recorder(chat, tmp_path / "missing" / "answers.jsonl")
