"""The real openai client against the scripted server, told to fail in each way."""

from __future__ import annotations

import gc
import logging
import statistics
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate

import openai
import pytest

from rag.errors import ModelError
from rag.llm import DEFAULT_MODEL, OpenAIChat, Patience, capped
from rag.llm.chat import PATIENCE
from rag.llm.meter import TOKENS_A_MESSAGE, TOKENS_A_REPLY, prompt_tokens
from rag.types import Message, Usage
from tests import scripted
from tests.scripted import fail, in_turn, limited, one_in, refusing, say

KEY = "sk-secret-0123456789"
QUICK = Patience(first_pause=0.001, connect=1, silence=0.3, deadline=3)
ASKED = [Message("system", "Be brief."), Message("user", "What is a zebra?")]


@pytest.fixture
def chat(scripted_server):
    """The language model at that server."""
    return OpenAIChat(scripted.MODEL, KEY, scripted_server.url, QUICK)


def spoken(chat, messages=ASKED, most_tokens=100, as_json=False):
    """The pieces, and the reply that they were of."""
    reply = chat(messages, most_tokens, as_json)
    return list(reply), reply


def failing(chat, **how):
    """The pieces that came before the error, and the error."""
    pieces = []
    with pytest.raises(ModelError) as caught:
        for piece in chat(ASKED, **how):
            pieces.append(piece)  # noqa: PERF402 - the pieces before an error are kept
    return pieces, caught.value


def test_pieces_come_as_the_server_sends_them(scripted_server, chat):
    """The first piece is there long before the last, and together they are the answer."""
    scripted_server.script = say("A zebra is a striped horse.", delay=0.03)
    began = time.monotonic()
    times, pieces = [], []

    for piece in (reply := chat(ASKED)):
        pieces.append(piece)
        times.append(time.monotonic() - began)

    assert "".join(pieces) == "A zebra is a striped horse."
    assert len(pieces) == len(scripted.tokens("A zebra is a striped horse."))
    assert times[0] < times[-1] - 0.1
    assert reply.finished == "stop"


def test_what_is_asked_for(scripted_server, chat):
    """Messages, length, temperature 0, a stream and its counts; an object where one is wanted."""
    spoken(chat, most_tokens=77)
    spoken(chat, as_json=True)

    plain, as_json = (request.body for request in scripted_server.requests)
    assert plain == {
        "model": scripted.MODEL,
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "What is a zebra?"},
        ],
        "temperature": 0,
        "max_tokens": 77,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    assert as_json["response_format"] == {"type": "json_object"}
    assert scripted_server.requests[0].key == KEY


def test_nothing_is_asked_before_somebody_listens(scripted_server, chat):
    """A reply that nobody reads costs nothing, and one that is closed first says nothing."""
    chat(ASKED)
    reply = chat(ASKED)
    reply.close()

    assert list(reply) == []
    assert scripted_server.requests == []


# --- Counts and prices ----------------------------------------------------------------------------


def test_the_servers_counts_are_taken(scripted_server):
    """What the server counted is what is told, with its price where one is set."""
    counts = {"prompt_tokens": 1_000, "completion_tokens": 500}
    scripted_server.script = say("Yes.", usage=counts)

    _, free = spoken(OpenAIChat("m", KEY, scripted_server.url, QUICK))
    _, priced = spoken(OpenAIChat("m", KEY, scripted_server.url, QUICK, price=(0.15, 0.60)))

    assert free.usage == Usage(1_000, 500)
    assert priced.usage == Usage(1_000, 500, cost_usd=pytest.approx(0.00045))


WRONG_COUNTS = [False, {"prompt_tokens": -1, "completion_tokens": 3}, {"prompt_tokens": "many"}]


@pytest.mark.parametrize("counts", WRONG_COUNTS, ids=str)
def test_counts_that_are_missing_or_wrong_are_estimated_and_say_so(scripted_server, chat, counts):
    """Without usable counts, tiktoken counts, and the usage is labelled an estimate."""
    scripted_server.script = say("A zebra is a striped horse.", usage=counts)

    _, reply = spoken(chat)

    assert reply.usage.estimated
    assert reply.usage.completion_tokens == 8
    assert reply.usage.prompt_tokens == 3 + 6 + 2 * TOKENS_A_MESSAGE + TOKENS_A_REPLY
    assert reply.usage.cost_usd is None


def test_a_cap_holds_before_anything_is_sent(scripted_server, chat):
    """A call that could pass the cap is not made; what earlier ones used counts, no more."""
    prompt = prompt_tokens(ASKED)
    scripted_server.script = say("Yes.", usage={"prompt_tokens": prompt, "completion_tokens": 1})
    question = capped(chat, 2 * prompt + 101)

    assert question.name == scripted.MODEL
    assert spoken(question, most_tokens=100)[0] == ["Yes."]
    assert spoken(question, most_tokens=100)[0] == ["Yes."]
    with pytest.raises(ModelError, match="PAPERCHAT_MOST_TOKENS"):
        question(ASKED, 100)

    assert len(scripted_server.requests) == 2


def test_running_answers_count_against_the_cap(scripted_server, chat):
    """Two answers at once cannot pass together what each alone keeps."""
    question = capped(chat, 2 * prompt_tokens(ASKED) + 150)
    first = question(ASKED, 100)

    with pytest.raises(ModelError, match="MOST_TOKENS"):
        question(ASKED, 100)
    first.close()

    assert spoken(question, most_tokens=100)[0] == ["Yes."]


# --- Patience -------------------------------------------------------------------------------------

PASSING = {
    "408": fail(408),
    "409": fail(409),
    "429": limited(),
    "500": fail(500),
    "502": fail(502),
    "503": fail(503),
    "hang up": scripted.hang_up(),
    "cut before the first piece": say("Never.", cut_after=0),
    "silence": scripted.silence(5),
    "silence before the headers": scripted.silence(5, headers=False),
}


@pytest.mark.parametrize("passing", PASSING.values(), ids=PASSING.keys())
def test_what_passes_is_tried_again(scripted_server, chat, passing):
    """A limit, a broken server and a lost line before the first piece are met with patience."""
    scripted_server.script = in_turn(passing, passing, "Yes.")

    pieces, reply = spoken(chat)

    assert pieces == ["Yes."]
    assert len(scripted_server.requests) == 3
    assert reply.finished == "stop"


STAYING = {
    "quota": (scripted.quota(), "billing"),
    "no balance": (fail(402, "Insufficient Balance"), "billing"),
    "wrong key": (scripted.wrong_key(), "OPENAI_API_KEY"),
    "forbidden": (fail(403), "OPENAI_API_KEY"),
    "unknown model": (scripted.unknown_model(), "PAPERCHAT_MODEL"),
    "bad request": (fail(400, "the prompt is cursed"), "the prompt is cursed"),
    "too long": (
        fail(400, "This model's maximum context length is 512 tokens.", param="max_tokens"),
        "512 tokens",
    ),
    "unprocessable": (fail(422), "chat model"),
}


@pytest.mark.parametrize(("act", "advice"), STAYING.values(), ids=STAYING.keys())
def test_what_stays_is_not_tried_again(scripted_server, chat, act, advice):
    """An empty account, a wrong key and a bad request are said at once, in one line."""
    scripted_server.script = act

    pieces, error = failing(chat)

    assert pieces == []
    assert advice in str(error)
    assert "\n" not in str(error)
    assert len(scripted_server.requests) == 1


def test_patience_ends(scripted_server):
    """A server that stays broken is given up after the last attempt, in its own words."""
    scripted_server.script = fail(503, "the card\nis  hot")
    chat = OpenAIChat("m", KEY, scripted_server.url, Patience(attempts=3, first_pause=0.001))

    assert "503: the card is hot" in str(failing(chat)[1])
    assert len(scripted_server.requests) == 3


def test_nobody_answers():
    """A server that does not run is named, and what to check."""
    with scripted.Scripted() as gone:
        pass
    chat = OpenAIChat("m", None, gone.url, Patience(calls=2, first_pause=0.01, connect=0.5))

    assert "OPENAI_BASE_URL" in str(failing(chat)[1])


@pytest.mark.parametrize(
    "headers",
    [{"retry_after": 0.2}, {"retry_after_ms": 200}, {"retry_after": "date"}],
    ids=["seconds", "milliseconds", "a date"],
)
def test_the_server_says_how_long_to_wait(scripted_server, chat, headers):
    """Retry-After is kept in each of its forms, and a wait past the deadline is not begun."""
    if headers.get("retry_after") == "date":
        headers = {"retry_after": formatdate(time.time() + 2, usegmt=True)}  # whole seconds
    scripted_server.script = in_turn(fail(429, **headers), "Yes.")

    assert spoken(chat)[0] == ["Yes."]

    first, second = scripted_server.requests
    assert second.at - first.at >= 0.19


def test_a_wait_past_the_deadline_is_not_begun(scripted_server, chat):
    """Being told to come back in an hour is an answer."""
    scripted_server.script = limited(3_600)
    began = time.monotonic()

    assert "later" in str(failing(chat)[1])
    assert time.monotonic() - began < 1


def test_a_limit_told_to_one_thread_holds_for_all(scripted_server, chat):
    """While one waits as told, no other asks."""
    scripted_server.script = in_turn(limited(0.3), "Yes.")
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(spoken, chat)
        assert scripted_server.wait_until(lambda: len(scripted_server.requests) == 1)
        time.sleep(0.05)
        others = [pool.submit(spoken, chat) for _ in range(3)]
        assert [call.result()[0] for call in (first, *others)] == [["Yes."]] * 4

    told, *rest = (request.at for request in scripted_server.requests)
    assert min(rest) - told >= 0.29


def test_a_limit_without_a_time_holds_for_one_call(scripted_server):
    """A 429 that does not say how long delays the call that met it; the others go on."""
    scripted_server.script = in_turn(limited(), "Yes.")
    patience = Patience(attempts=3, first_pause=0.8, silence=2, deadline=5)
    chat = OpenAIChat("m", KEY, scripted_server.url, patience)
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(spoken, chat)
        assert scripted_server.wait_until(lambda: len(scripted_server.requests) == 1)
        others = [pool.submit(spoken, chat) for _ in range(3)]
        assert [call.result()[0] for call in (first, *others)] == [["Yes."]] * 4

    told, *rest = (request.at for request in scripted_server.requests)
    assert min(rest) - told < 0.7
    assert max(rest) - told >= 0.79


SLOW = {
    "silent before the headers": scripted.silence(5, headers=False),
    "silent after them": scripted.silence(5),
    "comments": scripted.drip(),
    "empty pieces": scripted.drip_pieces(""),
    "half a line": scripted.drip("data: {"),
}


@pytest.mark.parametrize("slow", SLOW.values(), ids=SLOW.keys())
def test_a_first_piece_has_its_time(scripted_server, slow):
    """What is no piece of an answer does not count as life."""
    scripted_server.script = slow
    patience = Patience(calls=2, first_pause=0.01, silence=0.15, deadline=5)
    began = time.monotonic()

    pieces, error = failing(OpenAIChat("m", KEY, scripted_server.url, patience))

    assert pieces == []
    assert "in time" in str(error)
    assert 0.25 < time.monotonic() - began < 1.5
    assert len(scripted_server.requests) == 2


def test_silence_between_pieces_ends_the_answer(scripted_server, chat):
    """What came is given out, then the error; nothing is asked again."""
    scripted_server.script = scripted.silence(5, after=("A zebra ", "is "))
    began = time.monotonic()

    pieces, error = failing(chat)

    assert pieces == ["A zebra ", "is "]
    assert "in time" in str(error)
    assert time.monotonic() - began < 1
    assert len(scripted_server.requests) == 1


def test_a_reader_that_takes_its_time_is_not_the_servers_silence(scripted_server, chat):
    """Only waiting for the server is counted as silence."""
    scripted_server.script = "A zebra is a striped horse."
    pieces = []

    for piece in chat(ASKED):
        pieces.append(piece)
        if len(pieces) < 3:
            time.sleep(0.35)

    assert "".join(pieces) == "A zebra is a striped horse."


def test_thinking_is_a_sign_of_life_and_not_said(scripted_server, chat):
    """A model that thinks for longer than it may be silent is waited for."""
    scripted_server.script = say("Yes.", thinking=["hm "] * 6, delay=0.1)

    assert spoken(chat)[0] == ["Yes."]


THOUGHTS = {
    ("<think>It has ", "stripes.</think>", "\n\nA zebra", "."): "A zebra.",
    ("\n<th", "ink>hm", "</thi", "nk>A zebra", "."): "A zebra.",
    ("<think>", "</think>", " ", "A"): "A",
    ("<think>for ever",): "",
    ("<", "b>A", " zebra"): "<b>A zebra",
    (" <th",): " <th",
    ("A <think> is ", "a tag"): "A <think> is a tag",
}


@pytest.mark.parametrize(("pieces", "answer"), THOUGHTS.items(), ids=str)
def test_thoughts_in_the_answer_are_left_out(scripted_server, chat, pieces, answer):
    """A leading <think>…</think> is no part of the answer, wherever it is cut into pieces."""
    scripted_server.script = say(pieces)

    assert "".join(spoken(chat)[0]) == answer


@pytest.mark.parametrize("act", [scripted.drip_pieces(delay=0.02), scripted.drip()], ids=str)
def test_every_answer_has_an_end(scripted_server, act):
    """An answer that goes on for ever meets the deadline, to the instant."""
    scripted_server.script = act
    patience = Patience(first_pause=0.01, silence=9, deadline=0.4)
    began = time.monotonic()

    failing(OpenAIChat("m", KEY, scripted_server.url, patience), most_tokens=10_000)

    assert 0.35 < time.monotonic() - began < 1.0


def test_a_server_that_knows_no_length_is_cut(scripted_server, chat):
    """An answer far past the asked length ends there, and says that it was cut."""
    scripted_server.script = scripted.looping(10_000)

    pieces, reply = spoken(chat, most_tokens=20)

    assert 20 * 4 < len("".join(pieces)) < 20 * 10
    assert reply.finished == "length"
    assert scripted_server.wait_until(lambda: scripted_server.counts.running == 0)


def test_a_cut_answer_says_so(scripted_server, chat):
    """The server's "length" is passed on."""
    scripted_server.script = say("A zebra is", finish="length")

    assert spoken(chat)[1].finished == "length"


# --- Streams that are wrong -----------------------------------------------------------------------


@pytest.mark.parametrize("kind", scripted.MALFORMED)
def test_a_malformed_stream_is_one_sentence(scripted_server, chat, kind):
    """Whatever is sent in place of a chat, it is said once, with the way out."""
    scripted_server.script = scripted.malformed(kind)

    pieces, error = failing(chat)

    assert pieces == []
    assert "does not answer as OpenAI's chat does" in str(error)
    assert "\n" not in str(error)
    assert len(scripted_server.requests) == 1


@pytest.mark.parametrize("kind", scripted.MALFORMED_LATE)
def test_what_came_before_a_broken_event_is_kept(scripted_server, chat, kind):
    """The pieces are given out first, then the error, and nothing is asked again."""
    scripted_server.script = scripted.MALFORMED_LATE[kind]

    pieces, _ = failing(chat)

    assert pieces == ["Hello "]
    assert len(scripted_server.requests) == 1


@pytest.mark.parametrize("chunked", [True, False])
def test_a_cut_stream_ends_in_an_error_after_its_pieces(scripted_server, chat, chunked):
    """A connection that breaks is noticed, also where the body's length is not told."""
    scripted_server.script = say(["A ", "zebra ", "is"], cut_after=2, chunked=chunked)

    pieces, error = failing(chat)

    assert "".join(pieces) == "A zebra "[: len("".join(pieces))]
    assert "broke off" in str(error)
    assert len(scripted_server.requests) == 1 or not pieces


_SAID = b'data: {"choices":[{"delta":{"content":"A zebra."}}]}\n\ndata: [DONE]\n\n'
_ROLE = (
    b'data: {"choices":[{"delta":{"role":"assistant","content":null},"finish_reason":null}]}\n\n'
)
_FILTERS = b'data: {"choices":[],"prompt_filter_results":[{"prompt_index":0}],"usage":null}\n\n'
WHOLE = {
    "another content type": scripted.raw(_SAID, "text/plain; charset=utf-8"),
    "no content type": scripted.raw(_SAID, ""),
    "a role alone first": scripted.raw(_ROLE + _SAID),
    "Azure's filters first": scripted.raw(_FILTERS + _ROLE + _SAID),
    "comments between": scripted.raw(b": OPENROUTER PROCESSING\n\n" + _ROLE + b": hm\n\n" + _SAID),
    "usage in every piece": scripted.raw(
        b'data: {"choices":[{"delta":{"content":"A zebra."}}],"usage":{"prompt_tokens":3,'
        b'"completion_tokens":1,"total_tokens":4}}\n\ndata: [DONE]\n\n'
    ),
    "no [DONE]": say("A zebra.", done=False),
    "no finish": say("A zebra.", finish=None),
    "no length told": say("A zebra.", chunked=False),
    "not streamed": refusing("stream", otherwise=say("A zebra.")),
    "no blank lines": scripted.raw(
        b'data:{"choices":[{"delta":{"content":"A zebra."}}]}\r\ndata: [DONE]\r\n'
    ),
    "no line end": scripted.raw(
        b'data: {"choices":[{"delta":{"content":"A zebra."},"finish_reason":"stop"}]}'
    ),
    "parts": scripted.raw(
        b'data: {"choices":[{"delta":{"content":[{"type":"text","text":"A zebra."}]}}]}\n'
        b"data: [DONE]\n"
    ),
    "odd cuts": scripted.raw(
        [b"da", b'ta: {"choices":[{"delta":{"content":"A zebra."}}]', b"}\n\ndata: [DO", b"NE]\n\n"]
    ),
}


@pytest.mark.parametrize("act", WHOLE.values(), ids=WHOLE.keys())
def test_what_can_be_understood_is(scripted_server, chat, act):
    """Servers that leave out what is not needed are served."""
    scripted_server.script = act

    pieces, reply = spoken(chat)

    assert "".join(pieces) == "A zebra."
    assert reply.finished == "stop"


def test_an_empty_answer_is_an_answer(scripted_server, chat):
    """Saying nothing is no error of the server; whoever asked decides."""
    scripted_server.script = say("")

    assert spoken(chat)[0] == []


# --- Parameters that are refused ------------------------------------------------------------------


@pytest.mark.parametrize("told", [True, False], ids=["named", "in words"])
@pytest.mark.parametrize("name", [*scripted.REFUSALS])
def test_a_refused_parameter_is_dropped_once_and_remembered(scripted_server, chat, name, told):
    """One request more the first time, none later, and for another chat of the process neither."""
    names = ("max_tokens", name) if name == "max_completion_tokens" else (name,)
    told = told or name == "stream"
    scripted_server.script = refusing(*names, otherwise="Yes.", told=told)

    first = spoken(chat, as_json=True)[0]
    asked = len(scripted_server.requests)
    second = spoken(chat, as_json=True)[0]
    other = spoken(OpenAIChat(scripted.MODEL, KEY, scripted_server.url, QUICK), as_json=True)[0]

    assert first == second == other == ["Yes."]
    assert asked == 1 + len(names)
    assert len(scripted_server.requests) == asked + 2
    last = scripted_server.requests[-1].body
    assert not set(names) & set(last)
    assert ("max_completion_tokens" in last) == (name == "max_tokens")


def test_all_at_once_can_be_refused(scripted_server, chat):
    """A model that takes nothing but messages is served."""
    names = ("temperature", "max_tokens", "stream_options", "response_format")
    scripted_server.script = refusing(*names, otherwise="Yes.")

    assert spoken(chat, as_json=True)[0] == ["Yes."]


def test_a_model_without_a_system_role_is_told_by_the_user(scripted_server, chat):
    """What the system says comes before the question, once refused and from then on."""
    scripted_server.script = scripted.no_system()

    assert "".join(spoken(chat)[0]) == "Be brief.\n\nWhat is a zebra?"
    assert len(scripted_server.requests) == 2
    spoken(chat)
    assert len(scripted_server.requests) == 3


# --- Which model ----------------------------------------------------------------------------------


def test_the_first_listed_model_is_taken_once(scripted_server):
    """Without a name, the server's first model that is not for embeddings answers, and is named."""
    scripted_server.models = ("nomic-embed-text", "qwen3-8b", "llama4")
    chat = OpenAIChat(None, None, scripted_server.url, QUICK)

    spoken(chat)
    spoken(chat)

    assert chat.name == "qwen3-8b"
    assert "qwen3-8b" in repr(chat)
    assert [request.body["model"] for request in scripted_server.requests] == ["qwen3-8b"] * 2
    assert len(scripted_server.counts.others) == 1


@pytest.mark.parametrize(
    "models", [(), fail(404), scripted.raw(b"<html>"), scripted.raw(b'{"data": [{}]}')], ids=str
)
def test_a_server_without_a_list_needs_a_name(scripted_server, models):
    """The sentence says which name to set."""
    scripted_server.models = models

    assert "PAPERCHAT_MODEL" in str(failing(OpenAIChat(None, None, scripted_server.url, QUICK))[1])


def test_many_threads_agree_on_the_first_model(scripted_server):
    """All ask the same model; where there is none, none waits for the others."""
    chat = OpenAIChat(None, None, scripted_server.url, QUICK)
    with ThreadPoolExecutor(12) as pool:
        assert list(pool.map(lambda _: spoken(chat)[0], range(12))) == [["Yes."]] * 12
    assert {request.body["model"] for request in scripted_server.requests} == {scripted.MODEL}

    scripted_server.models = scripted.silence(9)
    chat = OpenAIChat(None, None, scripted_server.url, Patience(calls=1, silence=0.3))
    began = time.monotonic()
    with ThreadPoolExecutor(12) as pool:
        assert len(list(pool.map(lambda _: failing(chat), range(12)))) == 12
    assert time.monotonic() - began < 2


def test_a_key_alone_is_openai():
    """With only a key it is OpenAI's server and a model that is named in one place."""
    chat = OpenAIChat(None, KEY, None)

    assert (chat.name, chat.host) == (DEFAULT_MODEL, "api.openai.com")
    with pytest.raises(ModelError, match=r"OPENAI_API_KEY.*OPENAI_BASE_URL"):
        OpenAIChat("m", None, None)


def test_an_address_may_carry_a_query(scripted_server):
    """Azure's addresses end in the version of the interface, which each request repeats."""
    url = scripted_server.url.replace("/v1", "/openai/deployments/zebra?api-version=2026-01-01")

    assert spoken(OpenAIChat("zebra", KEY, url, QUICK))[0] == ["Yes."]

    path = "/openai/deployments/zebra/chat/completions?api-version=2026-01-01"
    assert scripted_server.requests[0].path == path


@pytest.mark.parametrize(
    ("host", "wanted"),
    [("zebra.openai.azure.com", True), ("zebra.azure-api.net", True), ("127.0.0.1:8000", False)],
)
def test_azure_gets_the_key_in_a_header_of_its_own(host, wanted):
    """Azure reads `api-key`; no other server is sent the key a second time."""
    chat = OpenAIChat("zebra", KEY, f"https://{host}/openai/deployments/zebra", QUICK)

    headers = chat._server.client().default_headers

    assert (headers.get("api-key") == KEY) is wanted


def test_an_error_with_status_200_is_told(scripted_server, chat):
    """Servers that say what is wrong in place of an answer are understood, and it is one line."""
    scripted_server.script = scripted.raw(
        b'{"error": {"message": "the model is still loading", "code": 503}}', "application/json"
    )

    _, error = failing(chat)

    assert "the model is still loading" in str(error)
    assert "\n" not in str(error)


# --- Secrets --------------------------------------------------------------------------------------

TELLING = {
    "wrong key": scripted.wrong_key(),
    "in words": fail(400, f"you sent Bearer {KEY}"),
    "broken": fail(500, f"{KEY} broke us"),
    "in the stream": scripted.raw(b'data: {"error": {"message": "bad %b"}}\n\n' % KEY.encode()),
    "late": scripted.raw(
        b'data: {"choices":[{"delta":{"content":"A "}}]}\n\ndata: {"error":"%b"}\n\n' % KEY.encode()
    ),
    "no JSON": scripted.raw(KEY.encode(), status=400),
    "malformed": scripted.raw(b"data: %b\n\n" % KEY.encode()),
}


@pytest.mark.parametrize("act", TELLING.values(), ids=TELLING.keys())
def test_secrets_stay_secret(scripted_server, act, caplog):
    """No message, repr, traceback or log shows key or password, even where the server does."""
    scripted_server.script = act
    url = scripted_server.url.replace("//", "//me:pass-word-77@")
    chat = OpenAIChat("m", KEY, url, Patience(attempts=2, calls=2, first_pause=0.001))
    with caplog.at_level(logging.DEBUG):
        _, error = failing(chat)

    shown = "".join(traceback.format_exception(error)) + repr(chat) + caplog.text
    shown += repr(error.__context__) + repr(vars(error.__cause__) if error.__cause__ else "")
    assert caplog.text
    assert KEY not in shown
    assert "pass-word-77" not in shown


def test_a_password_in_the_address_is_sent(scripted_server):
    """A server behind a password prompt is reached by http://user:password@host."""
    spoken(OpenAIChat("m", None, scripted_server.url.replace("//", "//me:p%40ss@"), QUICK))

    assert scripted_server.requests[0].headers["authorization"] == "Basic bWU6cEBzcw=="


def test_the_environments_key_stays_at_home(scripted_server, monkeypatch):
    """The key in the process's environment does not reach a server that it was not chosen for."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)

    spoken(OpenAIChat("m", None, scripted_server.url, QUICK))

    assert scripted_server.requests[0].key == "none"


# --- Many at once, and leaving early --------------------------------------------------------------


def test_a_hundred_questions_on_a_server_that_fails_one_in_five(scripted_server):
    """All are answered, none is lost or answered twice, limits are kept, no more than 8 at once."""
    told = []

    def limit(request):
        told.append(request.at)
        return limited(0.3)

    failing = in_turn(*[fail(500), fail(503), limit, scripted.hang_up()] * 10)
    scripted_server.script = one_in(5, failing, lambda request: say(f"{request.asked} yes"))
    patience = Patience(attempts=PATIENCE.attempts, first_pause=0.01, silence=2, deadline=9)
    chat = OpenAIChat("m", KEY, scripted_server.url, patience)

    def ask(number):
        return "".join(spoken(chat, [Message("user", f"question {number}")])[0])

    with ThreadPoolExecutor(100) as pool:
        answers = list(pool.map(ask, range(100)))

    assert answers == [f"question {number} yes" for number in range(100)]
    assert len(scripted_server.requests) == 125
    assert 2 < scripted_server.counts.most_running <= 8
    # Those on their way when the limit is told still arrive; from then on all wait.
    assert len(told) >= 5
    arrived = [request.at for request in scripted_server.requests]
    assert [at for at in arrived for limit in told if limit + 0.15 < at < limit + 0.29] == []


def test_a_server_that_hangs_up_between_refusals_is_there_all_the_same(scripted_server):
    """Only attempts that nobody answers count towards giving up on a server that is not there."""
    bad = [fail(503), fail(500), scripted.hang_up(), fail(503), scripted.hang_up()]
    scripted_server.script = in_turn(*bad, say("yes"))
    patience = Patience(attempts=6, calls=3, first_pause=0.01, silence=2, deadline=9)

    assert spoken(OpenAIChat("m", KEY, scripted_server.url, patience))[0] == ["yes"]


def test_a_question_within_a_question_finds_room(scripted_server):
    """A reader may ask again before the answer has ended, also where one call runs at once."""
    scripted_server.script = "A zebra is a horse."
    chat = OpenAIChat("m", KEY, scripted_server.url, QUICK, calls=1)

    inner = [spoken(chat)[0] for _ in chat(ASKED)]

    assert ["".join(pieces) for pieces in inner] == ["A zebra is a horse."] * len(inner)


def test_no_more_calls_than_allowed(scripted_server):
    """The bound holds for the whole process, and who finds no room in time says so."""
    scripted_server.script = say("Yes.", wait=0.1)
    chat = OpenAIChat("m", KEY, scripted_server.url, QUICK, calls=2)
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: spoken(chat)[0], range(6)))

    assert answers == [["Yes."]] * 6
    assert scripted_server.counts.most_running == 2

    scripted_server.script = scripted.silence(5, after=("A ",))
    hasty = OpenAIChat("m", KEY, scripted_server.url, Patience(deadline=0.1), calls=1)
    first = iter(chat(ASKED))
    next(first)
    with ThreadPoolExecutor(1) as pool:
        assert "PAPERCHAT_CALLS" in str(pool.submit(failing, hasty).result()[1])
    first.close()


def freed(server):
    """Whether the server notices that its reader has gone."""
    return server.wait_until(lambda: server.counts.gone == 1 and server.counts.running == 0)


def test_close_frees_the_connection(scripted_server, chat):
    """The server sees that nobody listens any more, at once; closing again does nothing."""
    scripted_server.script = scripted.drip_pieces()
    reply = chat(ASKED, 10_000)
    pieces = iter(reply)
    next(pieces)

    reply.close()
    reply.close()

    assert freed(scripted_server)
    assert list(pieces) == []
    assert reply.finished == "closed"
    assert reply.usage.completion_tokens > 0


def test_a_reader_that_goes_away_frees_the_connection(scripted_server, chat):
    """A reader that stops half-way and forgets the reply leaves no call running."""
    scripted_server.script = scripted.drip_pieces()
    for piece in chat(ASKED, 10_000):
        assert piece
        break
    gc.collect()

    assert freed(scripted_server)


def test_close_wakes_a_reader_in_another_thread(scripted_server):
    """A reader that waits for a silent server ends as soon as the reply is closed."""
    scripted_server.script = scripted.silence(5, after=("A ",))
    chat = OpenAIChat("m", KEY, scripted_server.url, Patience(silence=9, deadline=9))
    reply, heard = chat(ASKED), []
    reader = threading.Thread(target=lambda: heard.extend(reply))
    reader.start()
    assert scripted_server.wait_until(lambda: scripted_server.counts.running == 1)
    time.sleep(0.1)
    began = time.monotonic()

    reply.close()
    reader.join(2)

    assert not reader.is_alive()
    assert time.monotonic() - began < 0.5
    assert reply.finished == "closed"
    assert freed(scripted_server)


def test_the_door_costs_no_time(scripted_server):
    """First piece and end come as with the bare client: a person loses nothing to the checks."""
    scripted_server.script = say([f"word{n} " for n in range(60)], tokens_a_second=200)
    bare = openai.OpenAI(api_key=KEY, base_url=scripted_server.url, max_retries=0)
    chat = OpenAIChat("m", KEY, scripted_server.url)

    def times(pieces):
        began = time.monotonic()
        next(pieces := iter(pieces))
        first = time.monotonic() - began
        assert len(list(pieces)) >= 59
        return first, time.monotonic() - began

    def raw():
        turns = [{"role": turn.role, "content": turn.content} for turn in ASKED]
        stream = bare.chat.completions.create(model="m", messages=turns, stream=True)
        return (event for event in stream if event.choices and event.choices[0].delta.content)

    times(raw())
    times(chat(ASKED))
    pairs = [(times(raw()), times(chat(ASKED))) for _ in range(3)]
    first = statistics.median(ours[0] - its[0] for its, ours in pairs)
    whole = statistics.median(ours[1] / its[1] for its, ours in pairs)
    assert first < 0.05
    assert whole < 1.25
    bare.close()
