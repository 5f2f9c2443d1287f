from __future__ import annotations

import json
import sys

import numpy as np
import pytest

from eval import retrieval, speed
from eval.speed import Measured, Times, Warm
from rag.errors import UsageError
from rag.rank import Signals


def row(value=2.0, target=3.0, other=4.0):
    """One measurement in seconds."""
    return Measured("cold", "cold ask", "s", value, target, "another", other)


def asked(lexical, whole):
    """A question with the same signals from both vectors, naming nothing."""
    zeros, nobody = np.zeros(len(whole)), np.zeros(len(whole), dtype=bool)
    signals = Signals(np.array(lexical), zeros, np.array(whole), np.array(whole), nobody, nobody)
    return retrieval.Asked(signals, 1.0)


@pytest.mark.parametrize(
    ("value", "target", "verdict"), [(3.0, 3.0, "met"), (3.1, 3.0, "missed"), (9.0, None, "")]
)
def test_a_target_is_an_upper_bound(value, target, verdict):
    """A value at its target meets it, and a row without a target says nothing."""
    assert row(value=value, target=target).verdict == verdict


def test_a_row_shows_both_sides_and_their_ratio():
    """Ours, the target, the alternative's and ours divided by it stand in one line."""
    last = speed.table([row()]).splitlines()[-1]

    assert last == "| cold ask | 2.00 s | ≤ 3 s | met | another | 4.00 s | 0.50 |"


def test_an_alternative_that_did_not_run_is_no_number():
    """Nothing is made up for it."""
    assert speed.table([row(other=None)]).endswith("| another | not measured | – |")


def test_a_table_is_rectangular():
    """Every line has as many cells as the heading."""
    lines = speed.table([row(), row(target=None), row(other=None)]).splitlines()

    assert len({line.count("|") for line in lines}) == 1


def test_the_record_is_one_line_with_every_row():
    """A program reads the same figures as a person."""
    line = speed.record([row()], 0.5)

    assert "\n" not in line
    cold = json.loads(line)["measured"]["cold"]
    assert (cold["value"], cold["other"], cold["ratio"]) == (2.0, 4.0, 0.5)


def test_percentiles_are_of_each_side():
    """The product's median and 95th percentile stand beside those of its parts."""
    times = Times([float(i) for i in range(101)], [7.0])
    fast = Times([0.5], [0.5])
    warm = Warm(times, fast, Times([1.0], [3.0]), Times([2.0], [4.0]), 300.0)

    rows = {row.key: row for row in speed.warm_rows(warm, 600.0)}

    assert (rows["p50_read"].value, rows["p50_read"].other) == (50.0, 0.5)
    assert (rows["p95_read"].value, rows["p50_unread_lexical"].other) == (95.0, 1.0)
    assert (rows["cpu_unread_dense"].value, rows["cpu_unread_dense"].other) == (0.5, 4.0)
    assert rows["memory"].ratio == 0.5


def test_every_way_meets_every_question():
    """Each way has one time a question, and they take turns."""
    asked = []

    ways = [lambda question: asked.append(f"a{question}"), lambda q: asked.append(f"b{q}")]
    taken = speed.milliseconds(ways, "12")

    assert [len(times.clock) for times in taken] == [2, 2]
    assert [len(times.processor) for times in taken] == [2, 2]
    assert asked[-4:] == ["a1", "b1", "a2", "b2"]


def test_peak_memory_is_in_megabytes(tmp_path):
    """The kernel counts in kB; where it says nothing, neither do we."""
    status = tmp_path / "status"
    status.write_text("VmPeak:\t 9999 kB\nVmHWM:\t  204800 kB\n", encoding="ascii")

    assert speed.peak_memory(status) == 200.0
    assert speed.peak_memory(tmp_path / "absent") is None


def test_a_process_that_fails_is_named():
    """What it said last is told, in place of a time."""
    with pytest.raises(UsageError, match="no such thing"):
        speed.seconds([sys.executable, "-c", "raise SystemExit('no such thing')"], {})


def test_judgements_keep_relevant_documents():
    """A score of 0 means not relevant, and the heading is no judgement."""
    text = "query-id\tcorpus-id\tscore\n1\t7\t1\n1\t8\t0\n1\t9\t2\n3\t7\t1\n"

    assert retrieval.read_judgements(text) == {"1": {"7", "9"}, "3": {"7"}}


@pytest.mark.parametrize("line", ["1 7 1", "1\t7", "1\t7\tyes"])
def test_a_broken_judgement_is_named(line):
    """A line of another form is an error, or its document would count as not relevant."""
    with pytest.raises(ValueError, match="line 2"):
        retrieval.read_judgements(f"query-id\tcorpus-id\tscore\n{line}\n")


def test_queries_are_read_by_id():
    """Ids are texts, as they are in the judgements."""
    assert retrieval.read_queries('{"_id": 4, "text": "a b"}\n\n') == {"4": "a b"}


def test_rank_fusion_counts_from_one_and_skips_no_match():
    """The first adds 1 / (constant + 1); a score of 0 adds nothing; ties keep their order."""
    fused = retrieval.reciprocal_ranks([np.array([0.0, 5.0, 5.0])], constant=1)

    assert fused.tolist() == [0.0, 1 / 2, 1 / 3]


@pytest.mark.parametrize("name", list(retrieval.METHODS))
def test_every_method_puts_the_best_on_every_side_first(name):
    """A paper that is ahead in words and in meaning is first, whatever fuses them."""
    scores = retrieval.METHODS[name](asked([1.0, 9.0, 2.0], [0.1, 0.9, 0.2]))

    assert scores.shape == (3,)
    assert int(scores.argmax()) == 1


@pytest.mark.parametrize(("product", "said"), [(0.75, "met"), (0.74, "missed")])
def test_the_gain_is_over_the_better_part(product, said):
    """The product is held against the better of words alone and meaning alone."""
    scores = {retrieval.BM25: 0.60, retrieval.MINILM: 0.6999, retrieval.PRODUCT: product}

    assert retrieval.scifact_table(scores).endswith(f"{said}.")


def test_absent_scifact_is_said(tmp_path):
    """Without the data the report says what to name."""
    assert "--scifact" in retrieval._scifact_part(tmp_path, None)
