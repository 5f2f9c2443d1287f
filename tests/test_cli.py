"""The command line: what a person and a program get, and what no mistake of theirs may break."""

from __future__ import annotations

import contextlib
import errno
import io
import json
import os
import pty
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from rag import app
from ui import cli
from ui.cli import main
from ui.format import markdown, record, search_record
from ui.page.people import matches

ROOT = Path(__file__).parent.parent
COMMANDS = ["chat", "ask", "search", "compare", "verify", "index", "doctor"]
QUESTION = "What MFU does MegaScale reach?"
SMALL_QUESTION = "How fast does Ostrich run?"
SMALL = [
    {
        "title": "Ostrich: Fast Training of Bird Models",
        "abstract": "We present Ostrich, a system for training models of birds. "
        "Ostrich runs at 70 km/h on eight GPUs. It needs no feathers.",
        "id": "bird-1",
    },
    {
        "title": "Penguin: Cold Storage for Checkpoints",
        "abstract": "Checkpoints are large. Penguin keeps them cold and loads them in 3 seconds.",
    },
    {
        "title": "Heron: Patient Search over Long Documents",
        "abstract": "Long documents tire readers. Heron waits, and finds the passage in 12 ms.",
    },
]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A working folder of its own, under an environment without our names."""
    for name in [*os.environ]:
        if name.startswith(("PAPERCHAT_", "OPENAI_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(capsys):
    """Runs a command in this process: exit code, standard output, standard error."""

    def run(*arguments):
        capsys.readouterr()
        code = main([str(one) for one in arguments])
        return (code, *capsys.readouterr())

    return run


@contextlib.contextmanager
def started(*arguments, before=(), **options):
    """A command in a process of its own, its streams being pipes of bytes unless said otherwise."""
    streams = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **options.pop("env", {})}
    command = [*before, sys.executable, "-m", "ui.cli", *arguments]
    with subprocess.Popen(command, **{**streams, **options}, env=environment) as process:
        try:
            yield process
        except BaseException:
            process.kill()  # a test that failed waits for nothing
            raise


def finished(*arguments, given=b"", **options):
    """What came of a command in a process of its own: exit code, standard output and error."""
    with started(*arguments, **options) as process:
        out, err = process.communicate(given, timeout=60)
    return process.returncode, out, err


def corpus(folder, papers, name="papers.jsonl"):
    """A file of *papers* in *folder*."""
    file = folder / name
    file.write_text("".join(json.dumps(paper) + "\n" for paper in papers), encoding="utf-8")
    return file


def more(count):
    """Other papers than those of SMALL."""
    return [
        {"title": f"Sparrow {n}: Models of Size {n}", "abstract": f"Sparrow {n} weighs {n} grams."}
        for n in range(count)
    ]


def rows(file):
    """The records in a file of JSON lines."""
    return [json.loads(line) for line in file.read_text(encoding="utf-8").split("\n")[:-1]]


def sentence(code, out, err):
    """The one sentence of a command that could not run: exit code 2, and nothing but it."""
    assert (code, out) == (2, "" if isinstance(out, str) else b"")
    err = err if isinstance(err, str) else err.decode()
    assert re.fullmatch(r"paperchat: [^\n]+[.?!]\n", err), err
    assert "Traceback" not in err
    assert "something went wrong" not in err
    return err


def answers(run, store):
    """What an index says, and which index it is; timings left out."""
    code, out, err = run("ask", "--store", store, "--json", SMALL_QUESTION)
    assert (code, err) == (0, "")
    got = json.loads(out)
    return got["answer"], got["index"], got["retrieved"]


@pytest.fixture(scope="session")
def small_store(tmp_path_factory):
    """A store of the papers in SMALL, to be copied and never written to."""
    store = tmp_path_factory.mktemp("small") / "store"
    file = corpus(store.parent, SMALL)
    app.index(app.Settings.from_environment(store=store, environment={}), [file])
    return store


@pytest.fixture
def store(small_store, folder):
    """A store of the papers in SMALL that may be changed."""
    return Path(shutil.copytree(small_store, folder / "store"))


# --- Help and arguments ---------------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_helps(run, command):
    """Help says what a command does, shows an example of it, and names the option for the store."""
    code, out, err = run(command, "--help")

    assert (code, err) == (0, "")
    assert f"example:\n  paperchat {command}" in out
    assert "--store DIR" in out


def test_help_lists_every_command(run):
    """Nothing that can be run has to be guessed."""
    code, out, _ = run("--help")

    assert code == 0
    assert re.findall(r"^    (\w+) ", out, re.MULTILINE) == [
        "chat", "ask", "search", "compare", "verify", "index", "password", "eval", "doctor"
    ]  # fmt: skip


def test_help_and_version_come_at_once():
    """Neither loads a library: at most 0.3 s of the processor, the best of five tries."""
    for option in ("--help", "--version"):
        spent = []
        for _ in range(5):
            before = os.times()
            code, out, err = finished(option)
            spent.append(sum(os.times()[2:4]) - sum(before[2:4]))  # of ended child processes
            assert (code, err) == (0, b"")
            assert b"paperchat" in out
        assert min(spent) <= 0.3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "paperchat chat"),
        (["serch"], "'search'"),
        (["ask", "--frobnicate"], "--frobnicate"),
        (["ask", "--mode", "magic", "why?"], "extractive"),
        (["ask", "--mode", "llm", "why?"], "OPENAI_API_KEY"),
        (["ask", "--batch", "in.jsonl"], "--out"),
        (["ask", "--out", "out.jsonl"], "--batch"),
        (["ask", "--batch", "in.jsonl", "--out", "out.jsonl", "why?"], "one of them"),
        (["ask", "--store", "", "why?"], "empty"),
        (["search", "birds", "-n", "0"], "from 1"),
        (["search", "birds", "-n", "few"], "from 1"),
        (["compare"], "two to five"),
        (["compare", "Ostrich"], "two to five"),
        (["compare", *"ABCDEF"], "two to five"),
        (["compare", "Ostrich", " "], "empty"),
        (["compare", "Ostrich", "Heron", "--axis", ""], "empty"),
        (["compare", "Ostrich", "Heron", "--axis"], "--axis"),
        (["chat", "--port", "70000"], "65535"),
        (["chat", "--port", "-1"], "65535"),
        (["index", ""], "empty"),
        (["index", "\x1b[31mred\ntwo"], "[31mred two"),
        (["doctor", "now"], "now"),
    ],
)
def test_a_mistake_in_the_arguments_is_one_sentence(run, arguments, said):
    """It says what to write instead, in one line, and ends with exit code 2."""
    assert said in sentence(*run(*arguments))


def test_an_unknown_setting_is_one_sentence(run, monkeypatch):
    """A misspelt name in the environment is told by every command before it does anything."""
    monkeypatch.setenv("PAPERCHAT_STROE", "x")

    for command in COMMANDS:
        assert "PAPERCHAT_STORE" in sentence(*run(command))


@pytest.mark.parametrize(
    "command",
    [
        ["ask", "why?"],
        ["search", "birds"],
        ["compare", "A", "B"],
        ["verify", "--claim", "A is B.", "--title", "A"],
        ["doctor"],
    ],
)
def test_without_an_index_the_way_to_one_is_named(run, folder, command):
    """Nothing is made by a command that only reads."""
    assert "paperchat index" in sentence(*run(*command, "--store", folder / "none"))
    assert not (folder / "none").exists()


def test_eval_gets_its_own_arguments(run):
    """`paperchat eval` is `python -m eval`, with its options, errors and exit codes."""
    code, out, err = run("eval", "--only", "singel")
    assert (code, out) == (2, "")
    assert "'single'" in err

    code, out, _ = run("eval", "--help")
    assert code == 0
    assert "--cases" in out

    code, *_ = run("eval", "--nonsense")
    assert code == 2


# --- Questions ------------------------------------------------------------------------------------


def test_ask_prints_what_a_person_is_shown(run, seed_store, seed_chat):
    """Standard output is the answer's Markdown, and nothing goes to standard error."""
    got = run("ask", "--store", seed_store, QUESTION)

    assert got == (0, markdown(seed_chat.ask(QUESTION)) + "\n", "")
    assert "55.2%" in got[1]


def test_a_question_needs_no_quotation_marks(run, seed_store):
    """Words that a shell has parted are one question."""
    whole = run("ask", "--store", seed_store, QUESTION)

    assert run("ask", "--store", seed_store, *QUESTION.split()) == whole


def test_ask_prints_the_record_on_one_line(run, seed_store, seed_chat):
    """--json is the contract's record, whose index and answer are those of the library."""
    code, out, err = run("ask", "--store", seed_store, "--json", QUESTION)

    wanted = record(seed_chat.ask(QUESTION), id=None, turn=0)
    assert (code, err, out.count("\n")) == (0, "", 1)
    assert {**json.loads(out), "timings_ms": 0} == {**wanted, "timings_ms": 0}


def test_a_refusal_is_an_answer(run, seed_store):
    """That the papers do not say is a result: exit code 0, on standard output."""
    code, out, err = run("ask", "--store", seed_store, "--json", "Who won the cup in 1998?")

    assert (code, err) == (0, "")
    assert json.loads(out)["abstained"]


def test_the_store_may_come_from_the_environment(run, seed_store, monkeypatch):
    """PAPERCHAT_STORE is where to look if --store does not say."""
    monkeypatch.setenv("PAPERCHAT_STORE", str(seed_store))

    assert "55.2%" in run("ask", QUESTION)[1]


@pytest.mark.parametrize("more", [[], ["-"]])
def test_a_question_may_come_by_a_pipe(seed_store, more):
    """Without QUESTION, or with -, standard input is read; a byte-order mark is no part of it."""
    got = finished("ask", "--store", seed_store, *more, given=f"\ufeff{QUESTION}\n".encode())

    assert got[0] == 0
    assert b"55.2%" in got[1]
    assert got[2] == b""


@pytest.mark.parametrize("command", ["ask", "search"])
def test_without_a_question_a_terminal_is_told_how_to_ask(command):
    """Nobody is left before a program that waits for input without a word."""
    terminal, its_end = pty.openpty()
    try:
        got = finished(command, stdin=its_end, given=None)
    finally:
        os.close(terminal)
        os.close(its_end)

    assert f'paperchat {command} "' in sentence(*got)


def test_standard_input_may_be_closed():
    """A job without standard input is told so, as one without a question is."""
    script = 'exec "$0" -m ui.cli ask <&-'
    got = subprocess.run(
        ["/bin/sh", "-c", script, sys.executable],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=False,
    )

    assert "pipe one in" in sentence(got.returncode, got.stdout, got.stderr)


@pytest.mark.parametrize("question", ["", " \n\t ", "x" * 50_000, "why? " * 10_000])
@pytest.mark.parametrize("command", ["ask", "search"])
def test_an_impossible_question_is_one_sentence(run, seed_store, command, question):
    """An empty question and one of 50,000 characters are told so at once."""
    said = sentence(*run(command, "--store", seed_store, question))

    assert ("empty" if not question.strip() else "20,000") in said


def test_more_input_than_a_question_is_one_sentence(run, monkeypatch):
    """A file of any size sent by mistake is neither kept in memory nor asked."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"why? " * 300_000)))

    assert "shorter" in sentence(*run("ask"))


def test_a_long_paste_with_the_question_at_its_end_is_answered(run, seed_store):
    """Two thousand words before the question do not hide it."""
    paste = "Our team met on Tuesday and spoke about the budget of the new office. " * 145

    code, out, _ = run("ask", "--store", seed_store, f"{paste}\n\n{QUESTION}")

    assert len(paste.split()) >= 2000
    assert code == 0
    assert "55.2%" in out


def test_any_bytes_can_be_asked_and_answers_are_utf_8(seed_store):
    """Neither bytes that are no UTF-8 nor a locale that knows ASCII only get in the way."""
    plainest = {"LC_ALL": "C", "LANG": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    asked = f"{QUESTION} naïve 你好 ".encode() + b"\xff\xfe\xed\xa0\x80"

    by_argument = finished("ask", "--store", seed_store, "--json", asked, env=plainest)
    by_pipe = finished("ask", "--store", seed_store, "--json", given=asked, env=plainest)

    for code, out, err in (by_argument, by_pipe):
        assert (code, err) == (0, b"")
        assert "naïve 你好 \ufffd" in json.loads(out.decode())["question"]
        assert "naïve".encode() in out


@pytest.mark.parametrize("env", [{}, {"PYTHONUNBUFFERED": "1"}])
def test_a_reader_that_has_enough_is_no_error(seed_store, env):
    """`paperchat search … | head -1` ends without a word on standard error, buffered or not."""
    with started("search", "--store", seed_store, "GPUs", env=env) as process:
        process.stdout.close()  # before anything is written
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_an_answer_that_cannot_be_written_is_an_error(seed_store):
    """A full disk behind standard output is told, and not taken for success."""
    with Path("/dev/full").open("wb") as full:
        code, _, err = finished("search", "--store", seed_store, "GPUs", stdout=full)

    assert "no space is left" in sentence(code, "", err)


def test_search_prints_ranks_scores_and_titles(run, seed_store, seed_chat):
    """One line for each of the n best papers, or one record with --json."""
    hits = seed_chat.search("training on 10,000 GPUs", 3)

    code, out, err = run("search", "--store", seed_store, "-n", "3", "training on 10,000 GPUs")
    assert (code, err) == (0, "")
    lines = [line.split(maxsplit=2) for line in out.splitlines()]
    assert [(int(rank), title) for rank, _, title in lines] == [
        (hit.rank, hit.paper.title) for hit in hits
    ]

    code, out, _ = run("search", "--store", seed_store, "training on 10,000 GPUs", "--json")
    assert (code, out.count("\n")) == (0, 1)
    assert json.loads(out)["results"][:3] == search_record(hits, id=None)["results"]
    assert len(json.loads(out)["results"]) == 20


# --- Comparisons ----------------------------------------------------------------------------------


def test_compare_prints_a_table(run, seed_store, seed_chat):
    """Standard output is the comparison's Markdown: both papers, in the order they were named."""
    code, out, err = run("compare", "--store", seed_store, "ByteScale", "MegaScale")

    assert (code, err) == (0, "")
    assert out == markdown(seed_chat.compare(["ByteScale", "MegaScale"])) + "\n"
    assert out.index("| ByteScale [1] | MegaScale [2] |") < out.index("| --- | --- | --- |")


@pytest.mark.parametrize(
    "axes", [["--axis", "hardware", "speed"], ["--axis", "hardware", "--axis", "speed"]]
)
def test_compare_prints_the_record_of_the_axes_asked_for(run, seed_store, axes):
    """--axis may be given once or several times, and --json is the contract's record."""
    papers = ["MegaScale", "ByteScale"]
    code, out, err = run("compare", "--store", seed_store, *papers, *axes, "--json")
    got = json.loads(out)

    assert (code, err, out.count("\n")) == (0, "", 1)
    assert (got["shape"], got["table"]["axes"]) == ("comparison", ["hardware", "speed"])
    assert [subject["name"] for subject in got["table"]["subjects"]] == papers
    assert [len(row) for row in got["table"]["cells"]] == [2, 2]


def test_compare_names_a_paper_that_is_not_there(run, seed_store):
    """The others are compared all the same, and that one side is missing is no failure."""
    code, out, err = run("compare", "--store", seed_store, "MegaScale", "Zzyzx", "ByteScale")

    assert (code, err) == (0, "")
    assert "Zzyzx (not in this collection)" in out
    assert "Zzyzx" in out.split("\n")[0]


def test_compare_needs_papers_that_differ(run, seed_store):
    """One paper named twice is told so in one sentence."""
    got = run("compare", "--store", seed_store, "MegaScale", "MegaScale")

    assert "different" in sentence(*got)


# --- Batches --------------------------------------------------------------------------------------

BATCH = """\ufeff{"id": "q1", "question": "What MFU does MegaScale reach?", "gold": 55.2}

{"id": "broken", "question": "why
[1, 2]
{"id": "none", "text": "why?"}
{"id": "empty", "question": " "}
{"id": "number", "question": 5}
{"id": "c1", "turns": ["What is VideoMAE V2?", {"question": "", "n": 1}, {"question": "Who pays?"}]}
{"id": "c2", "turns": {"a": "b"}}
{"id": "\\ud800", "question": "What is \\ud800 VideoMAE V2?\\u2028"}
{"id": 7, "question": "hello", "turns": []}
"""


def test_a_batch_answers_every_row_in_order(run, folder, seed_store, seed_chat):
    """A row is written for each turn, as `ask` would answer it; a bad one says what is wrong."""
    file, out = folder / "in.jsonl", folder / "out.jsonl"
    file.write_text(BATCH, encoding="utf-8")

    code, printed, err = run("ask", "--store", seed_store, "--batch", file, "--out", out)

    assert (code, printed) == (1, "")
    assert err == f'7 of 12 rows failed: see "error" in {out}.\n'
    got = rows(out)
    assert [(row["id"], row.get("turn"), row["error"] is None) for row in got] == [
        ("q1", 0, True),
        (None, None, False),
        (None, None, False),
        ("none", 0, False),
        ("empty", 0, False),
        ("number", 0, False),
        ("c1", 0, True),
        ("c1", 1, False),
        ("c1", 2, True),
        ("c2", None, False),
        ("\ud800", 0, True),
        (7, 0, True),
    ]
    wanted = record(seed_chat.ask(QUESTION), id="q1", turn=0)
    assert {**got[0], "timings_ms": 0} == {**wanted, "timings_ms": 0}
    errors = [row["error"] for row in got if row["error"]]
    assert [re.match(r"line (\d+): ", error)[1] for error in errors] == list("3456789")
    for error, said in zip(
        errors, ["JSON", "object", "question", "empty", "text", "empty", "list"], strict=True
    ):
        assert said in error
        assert "something went wrong" not in error


def test_a_batch_that_goes_well_is_success(run, folder, seed_store):
    """Exit code 0, and not a word."""
    file = corpus(folder, [{"id": "q1", "question": QUESTION}, {"id": "q2", "question": "hi"}])
    out = folder / "out.jsonl"

    assert run("ask", "--store", seed_store, "--batch", file, "--out", out) == (0, "", "")
    assert [row["id"] for row in rows(out)] == ["q1", "q2"]


def test_a_conversation_is_answered_turn_by_turn(run, folder, seed_store, seed_chat):
    """A later turn may refer to an earlier one, as on the page."""
    turns = ["What MFU does MegaScale reach?", "And on how many GPUs does it run?"]
    file, out = corpus(folder, [{"id": "c", "turns": turns}]), folder / "out.jsonl"

    assert run("ask", "--store", seed_store, "--batch", file, "--out", out)[0] == 0

    first = seed_chat.ask(turns[0])
    second = seed_chat.ask(turns[1], [first])
    assert [row["standalone_question"] for row in rows(out)] == [
        first.standalone_question,
        second.standalone_question,
    ]
    assert [row["answer"] for row in rows(out)] == [markdown(first), markdown(second)]


def test_search_takes_rows_of_ours_and_of_beir(run, folder, seed_store, seed_chat, monkeypatch):
    """`question` and `id`, or `text` and `_id`; from standard input too."""
    given = b'{"_id": "1", "text": "swin"}\n{"id": "2", "question": "GPUs"}\r\n{"_id": "3"}'
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given)))
    out = folder / "out.jsonl"

    code, *_ = run("search", "--store", seed_store, "-n", "2", "--batch", "-", "--out", out)

    assert code == 1
    got = rows(out)
    assert got[0] == search_record(seed_chat.search("swin", 2), id="1")
    assert got[1] == search_record(seed_chat.search("GPUs", 2), id="2")
    assert (got[2]["id"], "question" in got[2]["error"]) == ("3", True)


def test_a_row_without_end_is_one_row(run, folder, seed_store, monkeypatch):
    """A binary file taken for a batch is not read into memory, and the rows after it are."""
    monkeypatch.setattr(cli, "_ROW_LIMIT", 1000)
    file, out = folder / "in.jsonl", folder / "out.jsonl"
    file.write_bytes(b"\x00" * 5000 + b'\n{"id": "q", "question": "hi"}\n' + b"[" * 900)

    assert run("ask", "--store", seed_store, "--batch", file, "--out", out)[0] == 1
    assert [row["error"] is None for row in rows(out)] == [False, True, False]
    assert "longer" in rows(out)[0]["error"]


@pytest.mark.parametrize("ended_by", [signal.SIGKILL, signal.SIGINT])
def test_a_batch_that_is_cut_off_keeps_its_rows(folder, store, ended_by):
    """Each row is in the file as soon as it is done, and can be read there."""
    out = folder / "out.jsonl"
    arguments = ["ask", "--store", store, "--batch", "-", "--out", out]
    with started(*arguments) as process:
        process.stdin.write(b'{"id": "q1", "question": "How fast does Ostrich run?"}\n')
        process.stdin.flush()
        wait_until(lambda: out.exists() and out.read_bytes().endswith(b"\n"))
        process.send_signal(ended_by)
        err = process.stderr.read().decode()

    assert [row["id"] for row in rows(out)] == ["q1"]
    if ended_by == signal.SIGINT:
        assert process.returncode == 130
        assert err == f"{out} keeps the rows that are done: 1.\nStopped.\n"


def wait_until(reached, seconds=60):
    """Wait for *reached* to hold, and fail if it never does."""
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_batch_never_overwrites_what_it_reads(run, folder, store):
    """The same file, also under another name or as standard input, stays as it is."""
    file = corpus(folder, [{"id": "q", "question": "hi"}])
    before = file.read_bytes()
    (folder / "link.jsonl").symlink_to(file)

    arguments = ("ask", "--store", store, "--batch")
    assert "--out" in sentence(*run(*arguments, file, "--out", file))
    assert "--out" in sentence(*run(*arguments, file, "--out", folder / "link.jsonl"))
    with file.open("rb") as given:
        got = finished(*arguments, "-", "--out", file, stdin=given, given=None)
    assert "--out" in sentence(*got)

    assert file.read_bytes() == before


@pytest.mark.parametrize(
    ("source", "out", "said"),
    [
        ("none.jsonl", "old.jsonl", "none.jsonl cannot be read"),
        (".", "old.jsonl", "cannot be read"),
        ("in.jsonl", "no/such/folder.jsonl", "cannot be written"),
        ("in.jsonl", ".", "cannot be written"),
        ("in.jsonl", "/dev/full", "No space left"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_sentence(run, folder, store, source, out, said):
    """It is named, and results of an earlier run are not lost to a misspelt name."""
    corpus(folder, [{"id": "q", "question": "hi"}], "in.jsonl")
    (folder / "old.jsonl").write_text("old", encoding="utf-8")

    assert said in sentence(*run("ask", "--store", store, "--batch", source, "--out", out))
    assert (folder / "old.jsonl").read_text(encoding="utf-8") == "old"


# --- The index ------------------------------------------------------------------------------------


def counts(out):
    """The numbers that `index` prints, by name."""
    assert out.count("\n") == 1
    return {name: int(number) for name, number in re.findall(r"(\w+) (\d+)", out)}


def test_index_prints_what_it_did(run, folder):
    """New, changed, unchanged, removed, duplicate and rejected, in this order."""
    store = folder / "store"
    file = corpus(folder, [*SMALL, SMALL[0], {"title": "No abstract"}])
    changed = {**SMALL[0], "abstract": "Ostrich now runs at 80 km/h on eight GPUs."}

    code, out, err = run("index", "--store", store, file)
    assert (code, list(counts(out).values())) == (0, [3, 0, 0, 0, 1, 1])
    assert list(counts(out)) == ["new", "changed", "unchanged", "removed", "duplicate", "rejected"]
    assert err.startswith("papers.jsonl:5: ")

    assert list(counts(run("index", "--store", store, file)[1]).values()) == [0, 0, 3, 0, 1, 1]
    corpus(folder, [changed, SMALL[1]])
    _, out, _ = run("index", "--store", store, file, "--prune")
    assert list(counts(out).values()) == [0, 1, 1, 1, 0, 0]


def test_rejections_are_shown_and_the_rest_counted(run, folder, store):
    """The first 20 as file:line: reason, which no file name can turn into something else."""
    file = corpus(folder, [*[{"title": f"No {n}"} for n in range(25)], *more(1)], "\x1b[31m.jsonl")

    code, out, err = run("index", "--store", store, file)

    assert (code, counts(out)["new"], counts(out)["rejected"]) == (0, 1, 25)
    lines = err.splitlines()
    assert len(lines) == 21
    assert all(re.match(rf"\[31m\.jsonl:{n}: \w", line) for n, line in enumerate(lines[:-1], 1))
    assert lines[-1] == "and 5 more rejected"


def test_rebuild_alone_keeps_to_what_the_index_holds(run, store):
    """Papers that somebody else brought in are indexed anew, and no seeds are mixed in."""
    before = answers(run, store)

    code, out, err = run("index", "--store", store, "--rebuild")

    assert (code, list(counts(out).values())) == (0, [0, 0, 3, 0, 0, 0])
    assert "Every index was made anew: as asked" in err
    assert answers(run, store) == before


def bad_corpus(folder, kind):
    """A path from which no paper can be read."""
    place = folder / kind
    match kind:
        case "binary.txt":
            place.write_bytes(bytes(range(256)) * 100)
        case "binary.jsonl":
            place.write_bytes(os.urandom(5000))
        case "model.bin":
            place.write_bytes(b"\x00" * 100)
        case "empty.txt":
            place.touch()
        case "empty folder":
            place.mkdir()
    return place


@pytest.mark.parametrize(
    "kind", ["binary.txt", "binary.jsonl", "model.bin", "empty.txt", "empty folder", "missing"]
)
def test_a_bad_corpus_is_one_sentence(run, folder, store, kind):
    """It is named, and the index answers as before."""
    before = answers(run, store)

    said = sentence(*run("index", "--store", store, bad_corpus(folder, kind)))

    assert kind in said
    assert answers(run, store) == before


# Runs a command as a user whom the rights of files bind, which they do not bind root.
BOUND = """
import ctypes, os, sys
for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
    ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP
os.execv(sys.argv[1], sys.argv[1:])
"""


@pytest.mark.parametrize("command", ["index", "ask", "store"])
def test_what_may_not_be_read_or_written_is_one_sentence(folder, store, command):
    """A folder or a file without the rights to it is named, and nothing is lost."""
    closed = folder / "closed"
    closed.mkdir()
    corpus(closed, SMALL)
    closed.chmod(0)
    arguments = {
        "index": ["index", "--store", store, closed],
        "ask": ["ask", "--store", closed, "why?"],
        "store": ["index", "--store", closed / "new", corpus(folder, SMALL)],
    }[command]
    try:
        got = finished(*arguments, before=(sys.executable, "-c", BOUND))
    finally:
        closed.chmod(0o700)

    assert "closed" in sentence(*got)


def set_meta(store, key, value):
    """Change one entry of the catalog, as another version would have written it."""
    with contextlib.closing(sqlite3.connect(store / "catalog.sqlite")) as connection, connection:
        connection.execute("UPDATE meta SET value = ? WHERE key = ?", (value, key))


def test_a_store_of_another_version_is_left_alone(run, folder, store):
    """Every command says so, and the version that made it still finds it as it was."""
    before = answers(run, store)
    set_meta(store, "format", "99")

    for command in (["ask", "why?"], ["search", "birds"], ["index"], ["chat"]):
        assert "format 99" in sentence(*run(*command, "--store", store))
    code, out, err = run("doctor", "--store", store)
    assert (code, err) == (1, "")
    assert re.search(r"^FAIL .*format 99", out, re.MULTILINE)

    set_meta(store, "format", "1")
    assert answers(run, store) == before


HOLD = """
import sys
from filelock import FileLock
with FileLock(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_store_that_another_process_writes_to_is_one_sentence(run, folder, store):
    """It can be read meanwhile, and written to as soon as the other one is done."""
    before = answers(run, store)
    file = corpus(folder, more(1))
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, store / "writer.lock"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout.readline() == b"held\n"
        assert "another process" in sentence(*run("index", "--store", store, file))
        assert answers(run, store) == before
        holder.communicate()

    assert run("index", "--store", store, file)[0] == 0


def test_two_processes_at_once_leave_a_whole_index(run, folder):
    """Each either does its work or says that the other one is at it; nothing is lost."""
    store = folder / "store"
    files = [corpus(folder, SMALL, "a.jsonl"), corpus(folder, more(20), "b.jsonl")]
    with (
        started("index", "--store", store, files[0]) as one,
        started("index", "--store", store, files[1]) as other,
    ):
        got = [(*process.communicate(timeout=60), process.returncode) for process in (one, other)]

    for out, err, code in got:
        assert code == 0 or "another process" in sentence(code, out, err)
    assert 0 in [code for *_, code in got]
    assert run("index", "--store", store, *files)[0] == 0
    code, out, _ = run("doctor", "--store", store)
    assert code == 0
    assert "23 papers" in out


@pytest.mark.parametrize("ended_by", [signal.SIGKILL, signal.SIGINT])
def test_an_index_run_that_is_cut_off_changes_nothing(run, folder, store, ended_by):
    """The index answers as before, and the next run does it all."""
    before = answers(run, store)
    file = corpus(folder, more(3000))
    with started("index", "--store", store, file) as process:
        wait_until(lambda: dead(store) == 3000)  # it has begun to write
        time.sleep(0.3)
        process.send_signal(ended_by)
        out, err = process.communicate()

    assert out == b""
    # CPython ends by the signal itself, whoever caught it, if it came while it ran source text:
    # dataclasses do that when a module is imported.
    stopped = {(130, b"Stopped.\n"), (-signal.SIGINT, b"Stopped.\n")}
    assert (process.returncode, err) in stopped | {(-signal.SIGKILL, b"")}
    assert answers(run, store) == before
    file = corpus(folder, more(3))
    assert counts(run("index", "--store", store, file)[1])["new"] == 3
    assert run("doctor", "--store", store)[0] == 0


def dead(store):
    """How many versions the catalog notes as not live."""
    with contextlib.closing(sqlite3.connect(store / "catalog.sqlite")) as connection:
        return connection.execute("SELECT count(*) FROM dead").fetchone()[0]


@pytest.fixture
def tiny_disk(folder):
    """A disk of 24 MB."""
    place = folder / "disk"
    place.mkdir()
    mounted = ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(place)]
    try:
        done = subprocess.run(mounted, capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount command here")
    if done.returncode:
        pytest.skip(f"no disk can be mounted here: {done.stderr.decode().strip()}")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.parametrize("room", [0, 1000])
def test_a_full_disk_leaves_the_index_as_it_was(run, folder, small_store, tiny_disk, room):
    """With *room* KB left, one sentence says so; with room again, all goes on as if nothing was."""
    store = Path(shutil.copytree(small_store, tiny_disk / "store"))
    before = answers(run, store)
    file = corpus(folder, more(400))
    filler = tiny_disk / "filler"
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as handle:
        while True:
            handle.write(b"x" * 4096)
    os.truncate(filler, filler.stat().st_size - room * 1024)

    sentence(*run("index", "--store", store, file))

    filler.unlink()
    assert answers(run, store) == before
    assert counts(run("index", "--store", store, file)[1])["new"] == 400
    # Chroma may have lost a vector from its graph, which no answer needs, and which doctor finds.
    assert run("index", "--store", store, "--rebuild")[0] == 0
    assert run("doctor", "--store", store)[0] == 0


def test_progress_is_for_terminals(folder, store):
    """The bar goes to standard error, and only the counts to standard output."""
    terminal, its_end = pty.openpty()
    with started(
        "index", "--store", store, corpus(folder, more(50)), stderr=its_end, env={"TERM": "xterm"}
    ) as process:
        os.close(its_end)
        shown = b""
        with contextlib.suppress(OSError):  # how a terminal ends
            while piece := os.read(terminal, 65536):
                shown += piece
        out = process.stdout.read().decode()
    os.close(terminal)

    assert counts(out)["new"] == 50
    assert b"embedding" in shown
    assert b"100/100" in shown


def test_doctor_finds_the_index_whole(run, seed_store):
    """A line for each thing looked at, which model answers among them."""
    code, out, err = run("doctor", "--store", seed_store)

    assert (code, err) == (0, "")
    assert all(line.startswith("ok ") for line in out.splitlines())
    assert "385 papers" in out
    assert "answers: extractive" in out


@pytest.mark.parametrize("part", ["chroma", "lexical"])
def test_doctor_finds_damage_that_a_rebuild_mends(run, store, part):
    """A lost part is a FAIL and exit code 1, and the papers are not lost with it."""
    before = answers(run, store)
    for place in store.glob(f"{part}*"):
        shutil.rmtree(place)

    code, out, err = finished("doctor", "--store", store)
    assert (code, err) == (1, b"")
    assert b"\nFAIL " in b"\n" + out

    assert finished("index", "--store", store, "--rebuild")[0] == 0
    code, out, _ = finished("ask", "--store", store, "--json", SMALL_QUESTION)
    assert (code, json.loads(out)["answer"]) == (0, before[0])


# --- The page -------------------------------------------------------------------------------------


@pytest.fixture
def taken():
    """A port that another server listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_a_taken_port_is_one_sentence(run, seed_store, taken):
    """It is named, with the option that chooses another."""
    said = sentence(*run("chat", "--store", seed_store, "--port", taken))

    assert f"{taken}" in said
    assert "--port" in said


def test_chat_indexes_the_bundled_papers_first(run, folder, taken, monkeypatch):
    """A new user needs one command; what is indexed once is not indexed again."""
    (folder / "seeds").mkdir()
    corpus(folder / "seeds", SMALL)
    monkeypatch.setattr(app, "bundled_seeds", lambda: folder / "seeds")  # 385 take a while
    store = folder / "store"

    first = run("chat", "--store", store, "--port", taken)
    second = run("chat", "--store", store, "--port", taken)

    assert first[2].startswith("Making the index ready")
    assert first[2].endswith(second[2])
    assert "Making" not in sentence(*second)
    assert "Ostrich" in answers(run, store)[0]


def test_chat_brings_an_index_of_another_model_up_to_date(run, store, taken):
    """Other commands say so and stop; afterwards it holds the same papers and no others."""
    before = answers(run, store)
    set_meta(store, "space", "0123456789abcdef.0")

    assert "paperchat index" in sentence(*run("ask", "--store", store, SMALL_QUESTION))
    code, _, err = run("chat", "--store", store, "--port", taken)

    assert (code, err.startswith("Making the index ready")) == (2, True)
    assert answers(run, store) == before


def test_chat_serves_until_it_is_interrupted(folder, store):
    """The page asks for the password that PAPERCHAT_AUTH names, and Ctrl+C ends it cleanly."""
    people = folder / "people.txt"
    people.write_text("\ufeff# who may ask\n\n ann : a:secret \n", encoding="utf-8")
    environment = {"PAPERCHAT_AUTH": str(people)}
    with started("chat", "--store", store, "--port", "0", env=environment) as process:
        address = re.search(rb"http://\S+", process.stderr.readline())[0].decode()
        assert b"Sign in to PaperChat" in fetch(address)
        with pytest.raises(urllib.error.HTTPError, match="401"):
            fetch(f"{address}config")
        with pytest.raises(urllib.error.HTTPError, match="400"):
            fetch(f"{address}login", b"username=ann&password=secret")
        assert b"gradio" in fetch(f"{address}login", b"username=ann&password=a%3Asecret")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)

    assert (process.returncode, out, err) == (0, b"", b"")


def test_a_password_is_written_hashed(run, monkeypatch):
    """The line holds the name and what the password can be checked by, never the password."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("a secret\n\n"))
    code, out, _ = run("password", "ann")
    name, _, kept = out.strip().partition(":")

    assert (code, name, matches("a secret", kept)) == (0, "ann", True)
    assert "a secret" not in out
    assert "empty" in sentence(*run("password", "ann"))
    assert "colon" in sentence(*run("password", "a:b"))


def fetch(address, form=None):
    """What the page at *address* answers, straight and not by a proxy."""
    keeping = urllib.request.HTTPCookieProcessor()
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), keeping)
    with opener.open(address, form, timeout=30) as reply:
        return reply.read()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ann:secret\nbob;secret\n", ":2:"),
        ("ann:\n", ":1:"),
        (":secret\n", ":1:"),
        ("ann:secret\nann:secret2\n", ":2:"),
        ("", "no user"),
        ("# ann:secret\n", "no user"),
        (b"ann:secret\xff\n", "UTF-8"),
        (None, "cannot be read"),
    ],
)
def test_a_bad_password_file_never_opens_the_page(run, store, folder, monkeypatch, text, said):
    """Its line is named without the password, and nothing is served."""
    people = folder / "people.txt"
    if text is not None:
        people.write_bytes(text if isinstance(text, bytes) else text.encode())
    monkeypatch.setenv("PAPERCHAT_AUTH", str(people))

    error = sentence(*run("chat", "--store", store))

    assert said in error
    assert "people.txt" in error
    assert "secret" not in error


# --- The last resort ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (RuntimeError("odd\nthing"), 2, "something went wrong (RuntimeError: odd thing)"),
        (ZeroDivisionError(), 2, "(ZeroDivisionError); set PAPERCHAT_DEBUG=1"),
        (MemoryError(), 2, "not enough memory"),
        (OSError(errno.ENOSPC, "No space left on device", "/x/y"), 2, "no space is left for /x/y"),
        (PermissionError(errno.EACCES, "Permission denied", "/x/y"), 2, "/x/y cannot be used"),
        (KeyboardInterrupt(), 130, "Stopped."),
    ],
    ids=lambda value: type(value).__name__,
)
def test_whatever_happens_is_one_line(run, seed_store, monkeypatch, error, code, said):
    """No exception reaches a person as a traceback, and none passes for success."""

    def broken(settings):
        raise error

    monkeypatch.setattr(app, "open_chat", broken)
    got, out, err = run("ask", "--store", seed_store, "why?")

    assert (got, out, err.count("\n")) == (code, "", 1)
    assert said in err


@pytest.mark.parametrize("debug", ["1", "yes"])
def test_the_traceback_is_there_for_who_asks(run, folder, monkeypatch, debug):
    """PAPERCHAT_DEBUG shows it before the sentence, and the exit code stays the same."""
    monkeypatch.setenv("PAPERCHAT_DEBUG", debug)

    code, out, err = run("ask", "--store", folder / "none", "why?")

    assert (code, out) == (2, "")
    assert err.startswith("Traceback")
    assert "\npaperchat: there is no index" in err


def test_one_broken_answer_costs_no_other(run, folder, seed_store, monkeypatch):
    """A row that breaks the product is told in its row, and the batch goes on."""
    ask = app.PaperChat.ask

    def breaks(self, question, conversation=(), mode="auto"):
        if question == "break":
            raise RuntimeError("odd")
        return ask(self, question, conversation, mode)

    monkeypatch.setattr(app.PaperChat, "ask", breaks)
    file = corpus(folder, [{"id": n, "question": n} for n in ("hi", "break", "thanks")])
    out = folder / "out.jsonl"

    assert run("ask", "--store", seed_store, "--batch", file, "--out", out)[0] == 1
    assert [row["error"] is None for row in rows(out)] == [True, False, True]
    assert "RuntimeError: odd" in rows(out)[1]["error"]


def test_progress_speaks_now_and_then_where_nobody_watches(run, folder, store, monkeypatch):
    """A log gets a line at most every ten seconds."""
    file = corpus(folder, more(20))
    assert run("index", "--store", store, file)[2] == ""

    monkeypatch.setattr(cli, "QUIET", 0)
    err = run("index", "--store", store, "--rebuild")[2]

    assert "embedding: 50 of 50\n" in err


def test_verify_says_whether_an_abstract_bears_a_sentence(run, seed_store):
    """A true sentence is supported, one with another figure is not, and both show why."""
    true = "MegaScale achieves 55.2% MFU when training a 175B model on 12,288 GPUs."
    code, out, err = run("verify", "--claim", true, "--title", "MegaScale", "--store", seed_store)
    assert (code, err) == (0, "")
    assert out.startswith("supported")
    false = true.replace("55.2", "65.2")
    arguments = ("--title", "MegaScale", "--json", "--store", seed_store)
    code, out, err = run("verify", "--claim", false, *arguments)
    said = json.loads(out)
    assert (code, err) == (0, "")
    assert said["verdict"] == "contradicted"
    assert said["score"] < 0.5
    assert "65.2%" in said["reasons"][0]
    assert said["evidence"]


def test_verify_of_a_batch_goes_on_after_a_bad_row(run, folder, seed_store):
    """Rows come out in order, the bad one with its error, and the exit code tells of it."""
    claim = "MegaScale trains on more than 10,000 GPUs."
    given = [
        {"id": "a", "claim": claim, "cited_paper": "MegaScale"},
        {"id": "b", "claim": claim, "title": "No Such Paper At All"},
        {"id": "c", "claim": claim},
        {"id": "d", "claim": claim, "title": "MegaScale"},
    ]
    source, target = folder / "claims.jsonl", folder / "verdicts.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in given), "utf-8")
    code, out, _ = run("verify", "--batch", source, "--out", target, "--store", seed_store)
    found = rows(target)
    assert (code, out) == (1, "")
    assert [bool(row.get("error")) for row in found] == [False, True, True, False]
    assert "did you mean" in found[1]["error"]
    assert found[0]["verdict"] == found[3]["verdict"]


def test_verify_needs_a_claim_and_a_title(run, seed_store):
    """What is missing is named in one sentence."""
    code, out, err = run("verify", "--claim", "It is fast.", "--store", seed_store)
    assert "name the sentence with --claim" in sentence(code, out, err)
