"""What the shipped models learn from, read in one place so that both scripts split it alike.

* `eval/calibration/questions-and-claims.jsonl.xz`: 3,492 papers outside the seeds, each with an
  everyday question, a technical one with its answer sentence, and three claims;
* `stated-and-not.jsonl.xz`, beside it: for many of those papers one or two questions that the
  abstract answers, with their evidence, and as many as natural that it does not, with the
  sentences that come nearest;
* `hard.jsonl.xz`, beside it: thousands of longer abstracts, each with three questions for details,
  two that it does not answer, one in everyday words, three claims with their false twins, and one
  that it does not decide;
* `axes.jsonl.xz`, beside it: what 800 more abstracts state, and leave open, of what papers are
  compared on, in the few words that people have for it;
* `everyday.jsonl.xz`, beside it: thousands of abstracts more, each with two questions in everyday
  words, from different sides;
* `matched.jsonl.xz`, beside it: abstracts with two questions that they answer, with evidence, and
  two that they do not, worded so that a question alone does not tell which it is;
* `scitldr-train.jsonl.xz` (Apache-2.0), `abstracts-acl.jsonl.xz` (CC BY 4.0) and SciFact's training
  claims (CC BY 4.0), which are not committed: give the folder that holds them.

Rows that `has_learned` refuses are kept for `eval.calibrate`; rows of the split "dev" are measured.
"""

from __future__ import annotations

import json
import lzma
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.embed import has_learned
from rag.sides import asked_of
from rag.text import digest

QUESTIONS = Path(__file__).parents[3] / "eval" / "calibration" / "questions-and-claims.jsonl.xz"
STATED = QUESTIONS.with_name("stated-and-not.jsonl.xz")
HARD = QUESTIONS.with_name("hard.jsonl.xz")
AXES = QUESTIONS.with_name("axes.jsonl.xz")
MATCHED = QUESTIONS.with_name("matched.jsonl.xz")
EVERYDAY = QUESTIONS.with_name("everyday.jsonl.xz")
DEV_PART = 20  # of the papers in HARD, one in so many is measured

Row = dict[str, Any]


def read(path: Path) -> list[Row]:
    """A JSON-lines file, compressed; a line may hold several records, as one of SciTLDR's does."""
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        return [row for line in lines for row in _records(line.strip())]


def _records(line: str) -> Iterator[Row]:
    start = 0
    while start < len(line):
        row, start = json.JSONDecoder().raw_decode(line, start)
        yield row


def papers() -> tuple[list[Row], list[Row]]:
    """Rows to learn from and rows to measure.

    Each has `stated`, a list of (question, sentences that answer it), and `silent`, a list of
    questions that its abstract does not answer; empty where nobody wrote any.
    """
    more = {row["id"]: row for row in read(STATED)}
    rows = [{**row, **_more(more.get(row["id"]))} for row in read(QUESTIONS)]
    learned = [row for row in rows if row["split"] == "train" and has_learned(row["id"])]
    return learned, [row for row in rows if row["split"] == "dev"]


def hard_papers() -> tuple[list[Row], list[Row]]:
    """The rows of HARD to learn from and to measure, in the form of `papers`."""
    rows = [_as_paper(row) for row in read(HARD)]
    measured = [row for row in rows if int(digest("dev", row["id"]), 16) % DEV_PART == 0]
    known = {row["id"] for row in measured}
    return [r for r in rows if has_learned(r["id"]) and r["id"] not in known], measured


def _as_paper(row: Row) -> Row:
    """Its question with the shortest evidence stands as the technical one."""
    first, *others = sorted(row["answered"], key=lambda one: len(one["evidence"]))
    return {
        **row,
        "q_technical": first["question"],
        "a_sentence": first["evidence"][0],
        "stated": [(one["question"], one["evidence"]) for one in others],
        "silent": row["not_stated"],
    }


def matched_papers() -> tuple[list[Row], list[Row]]:
    """The rows of MATCHED to learn from and to measure, in the form of `papers`.

    They have no everyday question: "" stands for it.
    """
    rows = [{**_as_paper(row), "q_everyday": ""} for row in read(MATCHED)]
    return tuple([row for row in rows if row["split"] == split] for split in ("train", "dev"))


def everyday_papers() -> tuple[list[Row], list[Row]]:
    """The rows of EVERYDAY to learn from and to measure; `everyday` is a list of questions."""
    rows = read(EVERYDAY)
    measured = [row for row in rows if int(digest("dev", row["id"]), 16) % DEV_PART == 0]
    known = {row["id"] for row in measured}
    return [row for row in rows if row["id"] not in known], measured


def axis_papers() -> tuple[list[Row], list[Row]]:
    """The rows of AXES to learn from, and the others, in the form of `papers`.

    They have no everyday question: "" stands for it.
    """
    rows = [_of_axes(row) for row in read(AXES)]
    return (
        [row for row in rows if row["split"] == "train"],
        [row for row in rows if row["split"] != "train"],
    )


def _of_axes(row: Row) -> Row:
    stated = [(_as_asked(row, axis), evidence) for axis, evidence in row["stated"]]
    (first, evidence), *others = stated
    return {
        **row,
        "q_everyday": "",
        "q_technical": first,
        "a_sentence": evidence[0],
        "stated": others,
        "silent": [_as_asked(row, axis) for axis in row["silent"]],
    }


def _as_asked(row: Row, axis: str) -> str:
    """*axis* as a comparison asks it of the paper: half of them with the name it gives itself."""
    name, colon, _ = row["title"].partition(":")
    named = colon and len(name.split()) == 1 and int(digest("named", row["id"], axis), 16) % 2
    return asked_of(axis, name if named else "it")


def _more(row: Row | None) -> Row:
    if row is None:
        return {"stated": [], "silent": []}
    pairs = zip(row["stated"], row["stated_evidence"], strict=True)
    return {"stated": list(pairs), "silent": list(row["not_stated"])}


def document(row: Row) -> str:
    """A paper as the store embeds it."""
    return f"{row['title']}\n{row['abstract']}"


def like_batches(
    vectors: NDArray[np.float32], size: int, chance: np.random.Generator, near: int = 4
) -> Iterator[NDArray[np.intp]]:
    """Batches of *size* rows made of groups of *near* similar ones: each other's hard negatives.

    *vectors* (rows, dim) are unit vectors. A row stands in one batch; a last short one is dropped.
    """
    free = np.ones(len(vectors), dtype=bool)
    grouped: list[int] = []
    for row in chance.permutation(len(vectors)):
        if not free[row]:
            continue
        likeness = np.where(free, vectors @ vectors[row], -2.0)
        members = np.argsort(-likeness, kind="stable")[: min(near, int(free.sum()))]
        free[members] = False
        grouped.extend(int(member) for member in members)
    groups = [grouped[i : i + near] for i in range(0, len(grouped), near)]
    order = chance.permutation(len(groups))
    flat = [member for place in order for member in groups[place]]
    for start in range(0, len(flat) - size + 1, size):
        yield np.array(flat[start : start + size])


def questions_of(row: Row) -> Sequence[tuple[str, Sequence[str]]]:
    """The row's pointed questions, each with the sentences that answer it."""
    return [(row["q_technical"], [row["a_sentence"]]), *row["stated"]]
