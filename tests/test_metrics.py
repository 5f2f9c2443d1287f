from __future__ import annotations

import ir_measures
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ir_measures import RR, Qrel, R, ScoredDoc, nDCG

from eval.metrics import (
    Span,
    axes_covered,
    confusion,
    count_exact,
    covered,
    every_side_found,
    evidence_precision,
    evidence_recall,
    f1,
    fact_found,
    interval,
    is_exact,
    key_fact_recall,
    mean,
    named_by,
    ndcg_at,
    on_gold,
    overlap,
    p50,
    p95,
    precision,
    proved,
    recall,
    recall_at,
    reciprocal_rank,
    same_evidence,
    share,
    shared,
    silence_said,
)

ALPHABET = "abcdefghijklmnopqrstuvwxyz"

ITEMS = st.sampled_from(ALPHABET)


@given(st.lists(ITEMS, max_size=24, unique=True), st.sets(ITEMS, min_size=1))
@settings(max_examples=150, deadline=None)
def test_ranking_measures_agree_with_ir_measures(ranking, gold):
    """Recall, reciprocal rank and nDCG give what the reference implementation gives."""
    wanted = [R @ 1, R @ 5, R @ 20, RR, nDCG @ 10]
    judged = [Qrel("q", item, 1) for item in sorted(gold)]
    # ir_measures orders by score, so that the first gets the largest.
    ranked = [ScoredDoc("q", item, -float(rank)) for rank, item in enumerate(ranking)]
    reference = ir_measures.calc_aggregate(wanted, judged, ranked)

    got = [recall_at(k, ranking, gold) for k in (1, 5, 20)]
    got += [reciprocal_rank(ranking, gold), ndcg_at(10, ranking, gold)]

    assert got == pytest.approx([reference[measure] for measure in wanted], abs=1e-9)


def test_ndcg_by_hand():
    """Gold at ranks 2 and 3 of 2: (1/log2 3 + 1/log2 4) / (1/log2 2 + 1/log2 3)."""
    assert ndcg_at(10, "xab", "ab") == pytest.approx((0.6309298 + 0.5) / (1 + 0.6309298), abs=1e-6)


def test_a_cut_counts_ranks_up_to_it():
    """The item at rank k is in, the one at rank k + 1 is out."""
    assert (recall_at(2, "ab", "b"), recall_at(1, "ab", "b")) == (1.0, 0.0)
    assert ndcg_at(2, "ab", "b") > 0
    assert ndcg_at(1, "ab", "b") == 0


def test_a_repeated_item_counts_once():
    """A ranking that repeats a paper gains nothing by it."""
    assert ndcg_at(10, ["a", "a"], {"a"}) == 1.0
    assert recall_at(2, ["a", "a", "b"], {"a", "b"}) == 1.0
    assert reciprocal_rank(["x", "x", "a"], {"a"}) == 0.5


def test_an_empty_ranking_scores_nothing():
    """No result is 0, and not absent."""
    assert (recall_at(5, [], {"a"}), reciprocal_rank([], {"a"}), ndcg_at(10, [], {"a"})) == (
        0,
        0,
        0,
    )


def test_citation_precision_and_recall_by_hand():
    """Of three cited papers two are gold, of four gold papers two are cited."""
    assert precision({"a", "b", "x"}, {"a", "b", "c", "d"}) == pytest.approx(2 / 3)
    assert recall({"a", "b", "x"}, {"a", "b", "c", "d"}) == pytest.approx(2 / 4)
    assert (precision({"a"}, {"a"}), recall({"a"}, {"a"})) == (1.0, 1.0)


def test_citing_nothing_scores_nothing():
    """Saying nothing is not precise."""
    assert (precision(set(), {"a"}), recall(set(), {"a"})) == (0.0, 0.0)


@pytest.mark.parametrize(
    "measure",
    [
        lambda: recall_at(1, "a", ""),
        lambda: reciprocal_rank("a", ""),
        lambda: ndcg_at(1, "a", ""),
        lambda: precision("a", ""),
        lambda: recall("a", ""),
        lambda: f1("a", ""),
        lambda: evidence_precision([], []),
        lambda: evidence_recall([], []),
        lambda: key_fact_recall([], ["a"]),
        lambda: share([]),
        lambda: interval([]),
    ],
)
def test_no_gold_is_an_error(measure):
    """Nothing to measure against is neither 0 nor 1."""
    with pytest.raises(ValueError, match="at least one"):
        measure()


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        (Span("p", 0, 10), Span("p", 5, 20), 5),
        (Span("p", 5, 20), Span("p", 0, 10), 5),
        (Span("p", 2, 4), Span("p", 0, 10), 2),
        (Span("p", 0, 5), Span("p", 5, 10), 0),
        (Span("p", 0, 5), Span("p", 8, 10), 0),
        (Span("p", 0, 10), Span("q", 0, 10), 0),
    ],
)
def test_shared_characters(one, other, both):
    """Spans share the characters of their intersection, and none across papers."""
    assert shared(one, other) == both


@pytest.mark.parametrize(
    ("shown", "same", "covers"),
    [
        (Span("p", 100, 200), True, True),
        (Span("p", 150, 250), True, True),  # exactly half of both
        (Span("p", 151, 251), False, False),  # one character less
        (Span("p", 120, 150), True, False),  # all of the shorter, under half of gold
        (Span("p", 0, 400), True, True),
        (Span("p", 200, 300), False, False),
        (Span("p", 150, 150), False, False),
        (Span("q", 100, 200), False, False),
    ],
)
def test_evidence_is_shared_by_half(shown, same, covers):
    """Precision asks for half of the shorter span, recall for half of the gold one."""
    gold = Span("p", 100, 200)

    assert (same_evidence(shown, gold), same_evidence(gold, shown)) == (same, same)
    assert on_gold([[shown]], [gold]) == [same]
    assert covered([shown], [gold]) == [covers]
    assert evidence_precision([[shown]], [gold]) == float(same)
    assert evidence_recall([shown], [gold]) == float(covers)


def test_one_character_can_be_evidence():
    """The shortest span matches itself."""
    assert same_evidence(Span("p", 3, 4), Span("p", 3, 4))


def test_evidence_precision_by_hand():
    """Of four statements the first and second rest on gold, one by its second span."""
    gold = [Span("p", 0, 10), Span("p", 20, 30)]
    right, wrong = Span("p", 0, 10), Span("p", 50, 60)

    statements = [[right], [wrong, Span("p", 20, 30)], [wrong], []]

    assert on_gold(statements, gold) == [True, True, False, False]
    assert evidence_precision(statements, gold) == 0.5
    assert evidence_precision([], gold) == 0.0


def test_evidence_recall_by_hand():
    """Of three gold spans one is covered; halves of two shown spans do not add up."""
    gold = [Span("p", 0, 10), Span("p", 20, 40), Span("q", 0, 10)]
    shown = [Span("p", 1, 9), Span("p", 20, 26), Span("p", 34, 40)]

    assert covered(shown, gold) == [True, False, False]
    assert evidence_recall(shown, gold) == pytest.approx(1 / 3)
    assert evidence_recall([], gold) == 0.0


@pytest.mark.parametrize(
    ("text", "start", "end", "exact"),
    [
        ("cde", 2, 5, True),
        ("abcdef", 0, 6, True),
        ("cdf", 2, 5, False),
        ("cde", 1, 4, False),
        ("ef", -2, 6, False),
        ("cde", -4, -1, False),
        ("", 2, 2, False),
        ("ef", 4, 9, False),
    ],
)
def test_exact_evidence(text, start, end, exact):
    """Evidence is its range of the abstract, counted from the start and within it."""
    assert is_exact(text, start, end, "abcdef") is exact


@pytest.mark.parametrize(
    ("found", "gold", "wanted"),
    [
        ("ab", "ab", 1.0),
        ("abx", "abcd", 4 / 7),
        ("aab", "ab", 1.0),
        ("xy", "ab", 0.0),
        ("", "ab", 0.0),
        ("a", "abc", 0.5),
    ],
)
def test_f1_by_hand(found, gold, wanted):
    """2 |both| / (|found| + |gold|), which is the harmonic mean of precision and recall."""
    assert f1(found, gold) == pytest.approx(wanted)
    p, r = precision(found, gold), recall(found, gold)
    assert f1(found, gold) == pytest.approx(2 * p * r / (p + r) if p + r else 0.0)


@pytest.mark.parametrize(
    ("said", "gold", "borderline", "exact"),
    [(5, 5, 0, True), (6, 5, 0, False), (4, 5, 0, False), (7, 5, 2, True), (8, 5, 2, False)],
)
def test_a_count_is_forgiven_its_borderline_papers(said, gold, borderline, exact):
    """As many more as were borderline, and none fewer."""
    assert count_exact(said, gold, borderline) is exact


def test_every_side_is_found_by_one_of_its_papers():
    """A side may have several papers, and one that has none cannot be found."""
    assert every_side_found("ax", [{"a", "b"}, {"x"}, set()])
    assert not every_side_found("ab", [{"a", "b"}, {"x"}])
    assert not every_side_found("", [{"a"}])


@pytest.mark.parametrize(
    ("one", "other", "share"),
    [
        ({"size"}, {"model", "size"}, 1.0),
        ({"train", "cost"}, {"cost", "infer"}, 0.5),
        ({"a", "b", "c"}, {"a", "b", "x", "y"}, 2 / 3),
        ({"cost"}, {"price"}, 0.0),
        (set(), {"a"}, 0.0),
        (set(), set(), 0.0),
    ],
)
def test_overlap_by_hand(one, other, share):
    """Of the shorter wording; nothing is like no words."""
    assert (overlap(one, other), overlap(other, one)) == (share, share)


@pytest.mark.parametrize(
    ("labels", "places"),
    [
        ([{"size"}, {"cost"}], [0]),
        ([{"size", "disk"}, {"cost"}], [0]),  # half
        ([{"size", "disk"}, {"size"}], [1]),  # half, and one that is nearer
        ([{"size"}, {"model", "size"}], [0, 1]),
        ([{"size", "disk", "page"}, {"model", "cost"}], [0, 1]),
        ([{"cost"}], []),
        ([], []),
    ],
)
def test_an_axis_is_named_by_the_nearest_labels(labels, places):
    """Those that share most, from half on."""
    assert named_by({"model", "size"}, labels) == places


def test_axes_are_covered_by_label_or_by_what_is_shown():
    """A label covers every axis that it names; a proved column under another covers one."""
    asked = [{"size"}, {"hardwar"}, {"speed"}]

    assert axes_covered(asked, [{"model", "size"}], [False]) == [True, False, False]
    assert axes_covered(asked, [{"size"}, {"scale"}], [True, True]) == [True, True, False]
    assert axes_covered(asked, [{"result"}, {"scale"}], [True, False]) == [True, False, False]
    assert axes_covered(asked, [], []) == [False, False, False]


@pytest.mark.parametrize(
    ("right", "silent", "wanted"),
    [
        ([True, True], [False, False], True),
        ([True, False], [False, True], True),
        ([False, False], [True, True], False),
        ([True, False], [False, False], False),
        ([], [], False),
    ],
)
def test_a_column_is_proved_by_gold_or_by_silence(right, silent, wanted):
    """Silence alone shows nothing, and one wrong cell spoils the column."""
    assert proved(right, silent) is wanted


def test_silence_is_said_on_its_own_axis():
    """A cell that is silent on something else, or no such axis, says nothing about it."""
    labels = [{"cost"}, {"size"}]

    assert silence_said({"train", "cost"}, labels, [True, False])
    assert not silence_said({"train", "cost"}, labels, [False, True])
    assert not silence_said({"speed"}, labels, [True, True])
    assert not silence_said({"cost"}, [], [])


def test_share_by_hand():
    """Two of three."""
    assert share([True, False, True]) == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("fact", "text"),
    [
        ("Cross-Attention", "which introduces cross-attention between models"),
        ("cross attention", "introduces cross-attention"),
        ("cross-attention", "introduces cross attention"),
        ("finetuning", "without fine-tuning"),
        ("fine-tuning", "without finetuning"),
        ("12,288 GPUs", "on 12288 GPUs"),
        ("12288", "on 12,288 GPUs"),
        ("1,234,567", "it has 1234567 rows"),
        ("61.82%", "accuracy of 61.82 % on"),
        ("91%", r"reaches 91\% accuracy"),
        ("4-bit", "to 4 bit weights"),
        ("4 bit", "to 4bit weights"),
        ("GPT4", "beats GPT-4."),
        ("GPT-4", "beats GPT4."),
        ("token ID", "based on token IDs, with"),
        ("prune", "is pruned"),
        ("train", "trained here"),
        ("batch", "in batches"),
        ("learn", "by learning"),
        ("RTX 3090", "on 4timesRTX 3090 (24G)"),
        ("60x", "60times faster"),
        ("1.71x", "a 1.71x increase"),
        ("2.5", "it is 2.5."),
        ("7", "7, 8 and 9"),
        ("7-8", "layers 7 8"),
        ("数学", "日本語の数学モデル"),
        ("数学", "AI数学"),
        ("++", "with ZeRO++ on"),
        ("+2.65 points", "(+2.65 points on average)"),
    ],
)
def test_a_fact_is_found(fact, text):
    """Case, separators, signs of hand-set text and endings do not hide a fact."""
    assert fact_found([fact], [text])


@pytest.mark.parametrize(
    ("fact", "text"),
    [
        ("5%", "at 55% of"),
        ("5%", "at 2.5% of"),
        ("82", "61.82"),
        ("61", "61.82%"),
        ("61", "617"),
        ("2 bits", "32 bits"),
        ("4-bit", "in 64 bit"),
        ("12", "1 2"),
        ("1 2", "12"),
        ("12", "in 12,288 steps"),
        ("288", "in 12,288 steps"),
        ("12,28", "1228,5"),
        ("RAG", "storage"),
        ("rage", "storage"),
        ("RL", "RLHF"),
        ("one", "on each"),
        ("a.c", "abc"),
        ("GPT-4", "GPT-3"),
        ("100%", "100 points"),
    ],
)
def test_a_fact_is_not_found_in_another(fact, text):
    """A part of another number or word, or an expression's sign, is not the fact."""
    assert not fact_found([fact], [text])


def test_one_alternative_in_one_text_is_enough():
    """Alternatives are "or", facts are "and": two of three facts are found."""
    texts = ["It uses eight experts.", "Trained on 2T tokens."]

    assert fact_found(["8 experts", "eight experts"], texts)
    assert key_fact_recall([["8 experts", "eight experts"], ["2T"], ["3T"]], texts) == (
        pytest.approx(2 / 3)
    )
    assert key_fact_recall([["2T"]], []) == 0.0


def test_a_fact_does_not_span_two_texts():
    """The end of one statement and the start of the next are no fact."""
    assert not fact_found(["learning rate"], ["about learning", "rate of decay"])


def test_a_fact_without_letters_is_an_error():
    """A fact of separators would be found everywhere."""
    with pytest.raises(ValueError, match="letter"):
        fact_found([" - "], ["text"])


def test_confusion_by_hand():
    """Rows are gold, columns are got, and repeated pairs add up."""
    pairs = [("a", "x"), ("a", "x"), ("a", "y"), ("b", "y")]

    assert confusion(pairs, ["a", "b", "c"], ["x", "y"]) == ((2, 1), (0, 1), (0, 0))


@pytest.mark.parametrize("pair", [("z", "x"), ("a", "z")])
def test_confusion_loses_no_pair(pair):
    """An unknown label is an error."""
    with pytest.raises(ValueError, match="z"):
        confusion([pair], ["a"], ["x"])


def test_statistics_by_hand():
    """Mean, median and 95th percentile of 1 to 5 and its neighbours, along the last axis."""
    values = np.array([[5.0, 1.0, 2.0, 4.0, 10.0], [1.0, 1.0, 1.0, 1.0, 6.0]])

    assert mean(values).tolist() == [4.4, 2.0]
    assert p50(values).tolist() == [4.0, 1.0]
    assert p95(values).tolist() == pytest.approx([5 + 0.8 * 5, 1 + 0.8 * 5])


def test_interval_of_a_fair_coin():
    """100 tosses, half heads: the binomial 2.5% and 97.5% quantiles are 0.40 and 0.60."""
    low, high = interval([0.0, 1.0] * 50)

    assert (low, high) == (pytest.approx(0.40, abs=0.02), pytest.approx(0.60, abs=0.02))
    assert (low, high) == interval([0.0, 1.0] * 50)


def test_interval_of_a_constant_is_a_point():
    """Where all cases agree, so do all resamples."""
    assert interval([0.7] * 9, p95) == (pytest.approx(0.7), pytest.approx(0.7))


def test_interval_follows_statistic_and_level():
    """A percentile has its own interval, and a lower level a narrower one."""
    values = [float(v) for v in range(200)]

    low, high = interval(values, p95)

    assert 150 < low < 189 < high <= 199
    narrow, wide = interval(values, level=0.5), interval(values, level=0.99)
    assert wide[0] < narrow[0] < 99.5 < narrow[1] < wide[1]


def test_interval_approaches_the_normal_one():
    """The mean of 0 to 199 has a standard error of 57.73 / sqrt(200) = 4.082; 95% is 1.96 of it."""
    low, high = interval([float(v) for v in range(200)], resamples=20_000)

    assert (low, high) == (pytest.approx(91.50, abs=0.3), pytest.approx(107.50, abs=0.3))
