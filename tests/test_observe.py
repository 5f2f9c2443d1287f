"""What whoever runs PaperChat sees of it, and what they do not see."""

from __future__ import annotations

import io
import itertools
import json
import logging
import urllib.request
from contextlib import contextmanager

import pytest

from rag import observe
from rag.errors import SettingsError, UsageError
from rag.settings import Settings
from ui.cli import main

QUESTION = "What MFU does MegaScale reach?"


@contextmanager
def logged(monkeypatch, questions):
    """The log as it is written, each line parsed at the end."""
    stream, rows = io.StringIO(), []
    before = {name: logging.getLogger(name) for name in ("rag", "ui")}
    kept = {name: (list(one.handlers), one.level, one.propagate) for name, one in before.items()}
    monkeypatch.setattr("sys.stderr", stream)
    observe.start_log(questions=questions)
    yield rows
    for name, (handlers, level, propagate) in kept.items():
        one = before[name]
        one.handlers[:], one.propagate = handlers, propagate
        one.setLevel(level)
    observe._with_questions.clear()
    rows += [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.mark.parametrize("questions", [False, True])
def test_each_question_is_one_line(seed_chat, monkeypatch, questions):
    """With a request id of its own, what came of it and how long it took; its text if asked for."""
    with logged(monkeypatch, questions) as rows:
        answer = seed_chat.ask(QUESTION)
        seed_chat.ask("Who won the world cup in 1998?")
        with pytest.raises(UsageError):
            seed_chat.ask(" ")

    first, second, failed = rows
    assert len({row["request"] for row in rows}) == 3
    assert (first["shape"], first["outcome"], first["index"]) == (
        "answer", "answered", answer.index,
    )  # fmt: skip
    assert first["milliseconds"] + 0.1 >= first["timings_ms"]["total"] > 0
    assert second["outcome"] == "off_topic"
    assert failed["problem"] == "UsageError"
    assert [row.get("question") for row in rows[:1]] == [QUESTION if questions else None]
    assert questions or "MegaScale" not in json.dumps(rows)


def test_a_comparison_a_search_and_a_claim_are_lines_as_well(seed_chat, monkeypatch):
    """Each kind of request has its line, what came of it, and no text of it."""
    with logged(monkeypatch, False) as rows:
        seed_chat.compare(["MegaScale", "ByteScale"])
        seed_chat.search("low-bit quantization", 5)
        seed_chat.verify("MegaScale reaches 65.2% MFU.", "MegaScale")
        with pytest.raises(UsageError):
            seed_chat.verify("It is fast.", "No Such Paper At All")

    assert [(row["kind"], row.get("outcome"), row.get("problem")) for row in rows] == [
        ("compare", "answered", None),
        ("search", "found", None),
        ("verify", "contradicted", None),
        ("verify", None, "UsageError"),
    ]
    assert rows[0]["shape"] == "comparison"
    assert all(row["milliseconds"] > 0 for row in rows)
    assert not {"MegaScale", "quantization", "fast"} & set(json.dumps(rows).split())


def test_a_command_and_an_update_are_logged_where_that_is_set(tmp_path, monkeypatch, capsys):
    """`PAPERCHAT_LOG` holds for the command line as for the page, on standard error alone."""
    monkeypatch.setenv("PAPERCHAT_LOG", "json")
    (tmp_path / "birds.csv").write_text("title,abstract\nOn Wrens,Wrens weigh nine grams.\n")
    with logged(monkeypatch, False) as rows:
        assert main(["index", "--store", str(tmp_path / "store"), str(tmp_path / "birds.csv")]) == 0
        claim = ["--claim", "Wrens weigh nine grams.", "--title", "On Wrens"]
        assert main(["verify", "--store", str(tmp_path / "store"), *claim]) == 0

    updated, checked = (row for row in rows if row["level"] == "info")
    assert (updated["message"], updated["new"], updated["generation"]) == ("indexed", 1, 1)
    assert (checked["kind"], checked["outcome"]) == ("verify", "supported")
    assert "{" not in capsys.readouterr().out


def test_warnings_are_lines_too(monkeypatch):
    """With their traceback, if they have one, in the same line."""
    with logged(monkeypatch, False) as rows:
        try:
            raise ValueError("a\nb")
        except ValueError:
            logging.getLogger("rag.shelf").exception("still answering")

    (row,) = rows
    assert (row["level"], row["message"]) == ("error", "still answering")
    assert "ValueError" in row["traceback"]


def test_prometheus_reads_the_metrics(seed_chat):
    """Questions by shape and outcome, times by step, failures, and the size of the collection."""
    port = observe.serve_metrics(0)
    for _ in range(2):
        seed_chat.ask(QUESTION)
    seed_chat.compare(["MegaScale", "ByteScale"])
    seed_chat.verify("MegaScale reaches 65.2% MFU.", "MegaScale")
    with pytest.raises(UsageError):
        seed_chat.ask("")
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as reply:
        said = reply.read().decode()

    lines = dict(line.rsplit(" ", 1) for line in said.splitlines() if not line.startswith("#"))
    asked = 'paperchat_questions_total{mode="extractive",outcome="answered",shape="answer"}'
    assert float(lines[asked]) == 2
    assert float(lines['paperchat_failures_total{problem="UsageError"}']) == 1
    assert float(lines['paperchat_answer_seconds_count{shape="answer"}']) == 2
    assert float(lines['paperchat_answer_seconds_count{shape="comparison"}']) == 1
    assert float(lines['paperchat_step_seconds_count{step="verify"}']) == 3
    claims = 'paperchat_requests_total{kind="verify",outcome="contradicted"}'
    assert float(lines[claims]) == 1
    assert float(lines['paperchat_request_seconds_count{kind="verify"}']) == 1
    assert float(lines["paperchat_papers"]) == 385
    assert "MegaScale" not in said
    with pytest.raises(UsageError, match="--metrics-port"):
        observe.serve_metrics(port)


def test_a_trace_has_the_steps(seed_chat):
    """A span for the question, and in it one for each step, end to end."""
    trace = pytest.importorskip("opentelemetry.trace")
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    spans, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    trace.set_tracer_provider(provider)
    seed_chat.ask(QUESTION)
    seed_chat.verify("MegaScale reaches 65.2% MFU.", "MegaScale")

    *steps, whole, claim = spans.get_finished_spans()
    assert claim.name == "paperchat.verify"
    assert claim.attributes["paperchat.outcome"] == "contradicted"
    assert [span.name for span in steps] == [f"paperchat.{step}" for step in observe.STEPS]
    assert whole.name == "paperchat.ask"
    assert all(span.parent.span_id == whole.context.span_id for span in steps)
    assert all(one.end_time == after.start_time for one, after in itertools.pairwise(steps))
    assert "MegaScale" not in str([dict(span.attributes) for span in (*steps, whole)])


def test_what_the_log_may_hold_is_json_or_questions():
    """Anything else is an error rather than a log that nobody asked for."""
    assert Settings.from_environment(environment={"PAPERCHAT_LOG": "JSON"}).log == "json"
    with pytest.raises(SettingsError, match="PAPERCHAT_LOG"):
        Settings.from_environment(environment={"PAPERCHAT_LOG": "all"})
