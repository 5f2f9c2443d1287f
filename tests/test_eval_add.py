"""Answers marked as wrong become drafts of eval cases."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from eval.__main__ import main
from eval.add import append, redacted
from eval.cases import read_cases
from rag.errors import UsageError
from rag.history import FILE, History


def _rated(path: Path | None = None) -> History:
    history = History(path)
    asked = "What does MegaScale do? mail ann@example.org"
    name = history.begin("user:ann", "", 0, asked).conversation
    history.begin("user:ann", name, 1, "And on how many GPUs?")
    history.rate("user:ann", name, 1, "down", "It is 12,288; see https://example.org/x")
    return history


def test_a_thumb_down_becomes_a_draft_once(tmp_path: Path):
    """The turns and the reason are there, who asked and what is private is not."""
    file = tmp_path / "drafts.jsonl"
    history = _rated()
    assert append(history, file) == (1, 0)
    assert append(history, file) == (0, 1)
    text = file.read_text(encoding="utf-8")
    (draft,) = map(json.loads, text.splitlines())

    assert draft["type"] == "conversation"
    assert draft["question"] == "And on how many GPUs?"
    assert "12,288" in draft["note"]
    assert not any(word in text for word in ("ann@", "user:ann", "https:"))


def test_a_draft_does_not_count_until_it_is_reviewed(tmp_path: Path):
    """No eval reads it; without its key it is a case like any other."""
    file = tmp_path / "drafts.jsonl"
    append(_rated(), file)
    with pytest.raises(UsageError, match="review"):
        read_cases([file])
    draft = json.loads(file.read_text(encoding="utf-8"))
    del draft["review"]
    draft.update(gold_papers=["MegaScale"], evidence=["It runs."])
    file.write_text(json.dumps(draft), encoding="utf-8")

    assert [case.id for case in read_cases([file])] == [draft["id"]]


@pytest.mark.parametrize(
    "text",
    ["GPT-4 reaches 55.2% on 12,288 GPUs in 2024", "vit_large_patch16_224?", "10,000,000 tokens"],
)
def test_what_is_no_secret_stays(text):
    """Names of models, figures and years are what a case is about."""
    assert redacted(text) == text


def test_the_command_writes_the_file_and_says_how_many(tmp_path: Path, capsys):
    """`paperchat eval add` is one command; without a page it says that nobody asked."""
    out = str(tmp_path / "drafts.jsonl")
    assert main(["add", "--store", str(tmp_path), "--out", out]) == 2
    assert "nobody has asked" in capsys.readouterr().err
    _rated(tmp_path / FILE).close()

    assert main(["add", "--store", str(tmp_path), "--out", out]) == 0
    assert "1 drafts added" in capsys.readouterr().out
