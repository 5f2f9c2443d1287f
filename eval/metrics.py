"""Measures over plain values: no product types, no files, no clock.

Each measure scores one case; the runner averages over cases. Titles and texts are compared as
they are given, so callers unify spellings (`rag.text`) before they come here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import pairwise
from math import log2
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Statistic = Callable[[Values], Values]
"""Float values (…, n) to one value for each row of n: a mean or a percentile."""


class Amount(NamedTuple):
    """A fact that is a number: any that differs from it by *tolerance* at most will do."""

    number: float
    tolerance: float = 0.0  # in the unit of the number
    unit: str = ""  # what must follow the number, as it is written: "%", "B", "GPUs"


Fact = tuple[str | Amount, ...]
"""One thing that an answer must say: the alternatives, one of which is enough."""

LEVEL = 0.95
"""How sure an interval is, if nobody says otherwise."""

HALF = 0.5
"""The part of a span that must be shared for two spans to count as the same evidence."""


class Span(NamedTuple):
    """A half-open range of characters in one paper's abstract."""

    paper: str
    start: int
    end: int


# Ranking


def recall_at(k: int, ranking: Sequence[str], gold: Collection[str]) -> float:
    """Share of *gold* among the first *k* of *ranking*: |gold ∩ top k| / |gold|, in [0, 1].

    With more than *k* gold items 1 cannot be reached. A repeated item counts where it stands
    first. Raises ValueError if *gold* is empty. Source: Manning, Raghavan, Schütze,
    Introduction to Information Retrieval, 2008, section 8.4; `R@k` of ir_measures.
    """
    return recall(_once(ranking)[:k], gold)


def reciprocal_rank(ranking: Sequence[str], gold: Collection[str]) -> float:
    """1 / rank of the first gold item, ranks from 1; 0 if there is none. In [0, 1].

    Its average over cases is the MRR. Raises ValueError if *gold* is empty. Source: Voorhees,
    The TREC-8 Question Answering Track Report, 1999; `RR` of ir_measures.
    """
    _need(gold)
    ranks = (rank for rank, item in enumerate(_once(ranking), start=1) if item in gold)
    return 1.0 / next(ranks, float("inf"))


def ndcg_at(k: int, ranking: Sequence[str], gold: Collection[str]) -> float:
    """Discounted gain of the first *k* over the best possible one, in [0, 1].

    DCG = Σ 1 / log2(rank + 1) over gold items at rank ≤ k, ranks from 1; the ideal ranking has
    min(|gold|, k) of them on top. Raises ValueError if *gold* is empty. Source: Järvelin and
    Kekäläinen, TOIS 20(4), 2002, with gains of 0 and 1; `nDCG@k` of ir_measures.
    """
    _need(gold)
    top = _once(ranking)[:k]
    gain = sum(1 / log2(rank + 1) for rank, item in enumerate(top, start=1) if item in gold)
    ideal = sum(1 / log2(rank + 1) for rank in range(1, min(len(set(gold)), k) + 1))
    return gain / ideal


def _once(items: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(items))


def _need(gold: Collection[object]) -> None:
    if not gold:
        raise ValueError("a measure against gold needs at least one gold item")


# Citations


def precision(found: Collection[str], gold: Collection[str]) -> float:
    """Share of *found* that is gold: |found ∩ gold| / |found|, in [0, 1]; 0 if nothing was found.

    Nothing found is 0 and not left out, or saying nothing would be the best answer. Raises
    ValueError if *gold* is empty. Source: citation precision after Gao et al., Enabling Large
    Language Models to Generate Text with Citations, 2023, here against papers marked by hand.
    """
    _need(gold)
    return len(set(found) & set(gold)) / max(1, len(set(found)))


def recall(found: Collection[str], gold: Collection[str]) -> float:
    """Share of *gold* that was found: |found ∩ gold| / |gold|, in [0, 1].

    Raises ValueError if *gold* is empty. Source: as `precision`.
    """
    _need(gold)
    return len(set(found) & set(gold)) / len(set(gold))


# Lists


def f1(found: Collection[str], gold: Collection[str]) -> float:
    """Harmonic mean of precision and recall: 2 |found ∩ gold| / (|found| + |gold|), in [0, 1].

    Papers that count neither way must be left out of *found* before. Raises ValueError if *gold*
    is empty. Source: van Rijsbergen, Information Retrieval, 1979, chapter 7, with β = 1; here of
    one list, to be averaged over lists.
    """
    _need(gold)
    return 2 * len(set(found) & set(gold)) / (len(set(found)) + len(set(gold)))


def count_exact(said: int, gold: int, borderline: int = 0) -> bool:
    """Whether *said* is the right count: gold ≤ said ≤ gold + borderline.

    *borderline* is how many papers that count neither way were among those counted, so that
    taking them in is as right as leaving them out, and nothing else is forgiven. Source: ours.

    >>> count_exact(5, 5), count_exact(6, 5, 1), count_exact(6, 5), count_exact(4, 5, 1)
    (True, True, False, False)
    """
    return gold <= said <= gold + borderline


# Comparisons


def every_side_found(found: Collection[str], sides: Sequence[Collection[str]]) -> bool:
    """Whether each of *sides*, given as its gold papers, has one of them in *found*.

    A side without gold papers cannot be found and is passed over. Its mean over comparisons is the
    share of those in which no side crowded another out. Source: ours; for two sides of one paper
    each, the all-answers-found of multi-hop retrieval, Xiong et al., Answering Complex Open-Domain
    Questions with Multi-Hop Dense Retrieval, 2021.
    """
    return all(set(side) & set(found) for side in sides if side)


def overlap(one: Collection[str], other: Collection[str]) -> float:
    """What two wordings share: |one ∩ other| / min(|one|, |other|), in [0, 1]; 0 if one is empty.

    A wording and a longer one that says it with more words have 1: "size" and "model size". Source:
    the overlap coefficient, Simpson, Notes on the Measurement of Faunal Resemblance, 1960.
    """
    shorter = min(len(set(one)), len(set(other)))
    return len(set(one) & set(other)) / max(1, shorter)


def named_by(asked: Collection[str], labels: Sequence[Collection[str]]) -> list[int]:
    """Places of the *labels* that name the axis *asked*, all given as content words.

    Those of the largest `overlap`, if it is half at least: "model size" is named by "size", and by
    "size on disk" only if no label is nearer. Source: ours, as `same_evidence` for words.
    """
    shares = [overlap(asked, label) for label in labels]
    best = max(shares, default=0.0)
    return [place for place, one in enumerate(shares) if one == best] if best >= HALF else []


def axes_covered(
    asked: Sequence[Collection[str]], labels: Sequence[Collection[str]], proved: Sequence[bool]
) -> list[bool]:
    """For each *asked* axis, given as content words, whether a table speaks to it.

    It does under a label that names it (`named_by`), even if its cells say "not stated": that is
    an answer too. A column that names no asked axis makes up for one that no label names if it is
    `proved`. The mean over axes is the axis coverage. Source: ours, after the subtopic recall of
    Zhai, Cohen, Lafferty, Beyond Independent Relevance, 2003, with columns for documents.
    """
    places = [named_by(axis, labels) for axis in asked]
    used = {place for found in places for place in found}
    spare = sum(one for place, one in enumerate(proved) if place not in used)
    flags = []
    for found in places:
        flags.append(bool(found) or spare > 0)
        spare -= not found and spare > 0
    return flags


def proved(right: Sequence[bool], silent: Sequence[bool]) -> bool:
    """Whether a column shows what was wanted of every side: *right* or *silent*, not all silent.

    *right* says for each side's cell whether it is the `same_evidence` as gold of that side, and
    *silent* whether it says that the abstract does not state it. False for no side. Source: ours.
    """
    pairs = zip(right, silent, strict=True)
    return any(right) and all(one or other for one, other in pairs)


def silence_said(
    asked: Collection[str], labels: Sequence[Collection[str]], silent: Sequence[bool]
) -> bool:
    """Whether a row says "not stated" under a label that names the axis *asked* (`named_by`).

    *silent* says it for each of *labels*. A table without such an axis does not say it, and
    silence where a cell should stand is no honesty. Its mean over what abstracts do not state is
    the not-stated honesty. Source: ours, abstention recall cell by cell.
    """
    return any(silent[place] for place in named_by(asked, labels))


# Evidence


def shared(one: Span, other: Span) -> int:
    """Characters that two spans share, 0 or more; 0 in different papers."""
    if one.paper != other.paper:
        return 0
    return max(0, min(one.end, other.end) - max(one.start, other.start))


def same_evidence(one: Span, other: Span) -> bool:
    """Whether two spans share at least half the characters of the shorter one."""
    both = shared(one, other)
    return both > 0 and both >= HALF * min(one.end - one.start, other.end - other.start)


def evidence_precision(statements: Sequence[Sequence[Span]], gold: Collection[Span]) -> float:
    """Share of shown statements, each given as its spans, that rest on gold evidence; in [0, 1].

    A statement rests on gold evidence if one of its spans is the `same_evidence` as a gold span.
    0 if no statement was shown. Raises ValueError if *gold* is empty. Source: ours; the overlap
    of half the shorter span stands in for equal sentences, since splitters differ.
    """
    _need(gold)
    return sum(map(bool, on_gold(statements, gold))) / max(1, len(statements))


def on_gold(statements: Sequence[Sequence[Span]], gold: Collection[Span]) -> list[bool]:
    """For each statement, given as its spans, whether one is the `same_evidence` as a gold span."""
    return [any(same_evidence(span, g) for span in spans for g in gold) for spans in statements]


def evidence_recall(spans: Collection[Span], gold: Collection[Span]) -> float:
    """Share of gold spans of which one shown span covers at least half, in [0, 1].

    Raises ValueError if *gold* is empty. Source: ours, the counterpart of `evidence_precision`.
    """
    _need(gold)
    return sum(map(bool, covered(spans, gold))) / len(gold)


def covered(spans: Collection[Span], gold: Collection[Span]) -> list[bool]:
    """For each gold span, whether one shown span covers at least half of its characters."""
    return [any(shared(span, g) >= HALF * (g.end - g.start) for span in spans) for g in gold]


def is_exact(text: str, start: int, end: int, abstract: str) -> bool:
    """Whether *text* is the non-empty half-open range of *abstract*; no counting from the end."""
    return 0 <= start < end <= len(abstract) and abstract[start:end] == text


def share(flags: Sequence[bool]) -> float:
    """Share of true *flags*, in [0, 1]. Raises ValueError if there are none."""
    if not flags:
        raise ValueError("a share needs at least one value")
    return sum(map(bool, flags)) / len(flags)


# Key facts

_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_ESCAPED = re.compile(r"\\(?=[%&$#_])")
_BEFORE_PERCENT = re.compile(r"\s+(?=%)")
_TIMES = re.compile(r"(?<=\d)times")  # a × whose TeX form lost its backslash: "4timesRTX 3090"
_FIGURE = re.compile(r"(?<![\d.])(?P<number>\d+(?:\.\d+)?)(?![\d]|\.\d)")
ROUNDING = 1e-9
_PIECE = re.compile(r"([\s-]*)([^\s-])")


def key_fact_recall(facts: Sequence[Fact], texts: Sequence[str]) -> float:
    """Share of *facts* found in *texts*, in [0, 1]; a fact is a list of alternatives.

    Facts and texts must have gone through one folding of letters. Raises ValueError if there are
    no facts. Source: nugget recall, Voorhees, TREC 2003 Question Answering, with string matching.
    """
    _need(facts)
    return sum(fact_found(fact, texts) for fact in facts) / len(facts)


def fact_found(alternatives: Fact, texts: Sequence[str]) -> bool:
    """Whether one of *alternatives* occurs in one of *texts*.

    Case, thousands separators and a hyphen, space or nothing between words make no difference.
    "5%" is not found in "55%" or "2.5%", nor "RAG" in "storage"; "token ID" is in "token IDs".

    >>> fact_found(("12,288 GPUs",), ["on 12288 gpus"]), fact_found(("4-bit",), ["in 64 bit"])
    (True, False)
    >>> fact_found((Amount(61.8, 0.1, "%"),), ["61.82% of it"])
    True
    """
    plain = [_plain(text) for text in texts]
    return any(_said(fact, text) for text in plain for fact in alternatives)


def _said(fact: str | Amount, text: str) -> bool:
    if isinstance(fact, Amount):
        return any(_is_near(fact, found) for found in _FIGURE.finditer(text))
    return bool(_pattern(_plain(fact)).search(text))


def _is_near(amount: Amount, found: re.Match[str]) -> bool:
    off = abs(float(found["number"]) - amount.number)
    unit = re.escape(_plain(amount.unit.strip()))
    after = re.match(rf"[\s-]*{unit}(?![a-z])", found.string[found.end() :])
    return off <= amount.tolerance + ROUNDING and (not unit or after is not None)


def _plain(text: str) -> str:
    text = _THOUSANDS.sub("", text.casefold())
    return _BEFORE_PERCENT.sub("", _ESCAPED.sub("", _TIMES.sub("x ", text)))


def _pattern(fact: str) -> re.Pattern[str]:
    """The expression that finds *fact*, bounded so that it is no part of another number or word."""
    pieces = _PIECE.findall(fact)
    if not pieces:
        raise ValueError("a key fact needs at least one letter, digit or sign")
    written = [re.escape(pieces[0][1])]
    for (_, before), (gap, char) in pairwise(pieces):
        digits = before.isdigit() and char.isdigit()  # "1 2" is not 12
        joint = ("", r"[\s-]+") if digits else ("-?", r"[\s-]*")
        written.append(joint[bool(gap)] + re.escape(char))
    return re.compile(_left(pieces[0][1]) + "".join(written) + _right(pieces[-1][1]))


def _left(char: str) -> str:
    if char.isdigit():
        return r"(?<!\d)(?<!\d[.,])"
    return r"(?<![a-z0-9])" if _is_latin(char) else ""


def _right(char: str) -> str:
    if char.isdigit():
        return r"(?!\d)(?![.,]\d)"
    return r"(?:e?s|e?d|ing)?(?![a-z])" if _is_latin(char) else ""


def _is_latin(char: str) -> bool:
    return char.isascii() and char.isalpha()  # other scripts are written without spaces


# Abstention


def confusion(
    pairs: Iterable[tuple[str, str]], rows: Sequence[str], columns: Sequence[str]
) -> tuple[tuple[int, ...], ...]:
    """Count (gold, got) *pairs*: one tuple for each of *rows*, one count for each of *columns*.

    Raises ValueError for a label that is in neither, since a lost pair would flatter the table.
    """
    counts = [[0] * len(columns) for _ in rows]
    for gold, got in pairs:
        counts[list(rows).index(gold)][list(columns).index(got)] += 1
    return tuple(map(tuple, counts))


# Averages and their intervals


def mean(values: Values) -> Values:
    """Arithmetic mean along the last axis."""
    return np.asarray(values.mean(axis=-1))


def p50(values: Values) -> Values:
    """Median along the last axis, in the unit of *values*."""
    return np.asarray(np.percentile(values, 50, axis=-1))


def p95(values: Values) -> Values:
    """95th percentile along the last axis, in the unit of *values*, linear between neighbours.

    Source: Hyndman and Fan, The American Statistician 50(4), 1996, definition 7.
    """
    return np.asarray(np.percentile(values, 95, axis=-1))


def interval(
    values: Sequence[float],
    statistic: Statistic = mean,
    level: float = LEVEL,
    resamples: int = 1000,
    seed: int = 1,
) -> tuple[float, float]:
    """Percentile bootstrap interval of *statistic* over cases: (low, high), the same on every run.

    Raises ValueError if *values* is empty. Source: Efron and Tibshirani, An Introduction to the
    Bootstrap, 1993, section 13.3.
    """
    _need(values)
    sample = np.asarray(values, dtype=np.float64)
    drawn = np.random.default_rng(seed).integers(len(sample), size=(resamples, len(sample)))
    tail = 100 * (1 - level) / 2
    low, high = np.percentile(statistic(sample[drawn]), [tail, 100 - tail])
    return float(low), float(high)


class Change(NamedTuple):
    """How the mean of a measure differs from another run's over the same cases."""

    difference: float  # new minus old
    low: float  # paired bootstrap interval
    high: float
    n: int  # cases that both runs have


def paired_change(
    pairs: Sequence[tuple[float, float]],
    level: float = LEVEL,
    resamples: int = 2000,
    seed: int = 1,
) -> Change:
    """The change of a mean from old to new over (old, new) *pairs*, the same on every run.

    Cases are drawn with their pair, so that what is hard for both runs adds nothing to the
    interval. It is a point for a run that repeats itself. Raises ValueError if *pairs* is empty.
    Source: the paired bootstrap of Koehn, Statistical Significance Tests for Machine Translation
    Evaluation, 2004; percentile interval.
    """
    _need(pairs)
    differences = [new - old for old, new in pairs]
    low, high = interval(differences, mean, level, resamples, seed)
    return Change(float(np.mean(differences)), low, high, len(pairs))


def calibration_error(chances: Sequence[float], outcomes: Sequence[bool], bins: int = 10) -> float:
    """How far stated chances are from what happened: Σ |share − mean chance| · n / N, in [0, 1].

    The sum is over *bins* of equal width of the *chances*, 0 to 1. Raises ValueError if there are
    none. Source: expected calibration error, Naeini, Cooper, Hauskrecht, Obtaining Well Calibrated
    Probabilities Using Bayesian Binning, 2015.
    """
    _need(chances)
    return sum(
        n * abs(share_true - chance)
        for chance, share_true, n in reliability(chances, outcomes, bins)
    ) / len(chances)


def reliability(
    chances: Sequence[float], outcomes: Sequence[bool], bins: int = 10
) -> list[tuple[float, float, int]]:
    """Of each bin of *chances* that is not empty: mean chance, share of true outcomes, count."""
    places = [min(int(chance * bins), bins - 1) for chance in chances]
    found = []
    for place in sorted(set(places)):
        here = [i for i, one in enumerate(places) if one == place]
        chance = float(np.mean([chances[i] for i in here]))
        found.append((chance, share([outcomes[i] for i in here]), len(here)))
    return found


# Claims


class ClaimResult(NamedTuple):
    """What the check said of one claim."""

    label: str  # supported, contradicted or not_supported
    verdict: str
    score: float  # how well the abstract supports it, 0 to 1
    kind: str
    pair: str  # what the claims of a minimal pair share; "" if it has none


def claim_measures(results: Sequence[ClaimResult]) -> dict[str, float]:
    """Measures of a claim check, each in [0, 1]; a measure without claims is left out.

    `balanced_accuracy` is the mean of two shares: true claims accepted, and the others not
    accepted (Brodersen et al., The balanced accuracy and its posterior distribution, 2010).
    `contradicted_caught` is the share of contradicted claims that are not accepted, and
    `contradicted_named` of those called so. `pairs_in_order`: of the pairs of a true and a
    contradicted claim, those in which the true one has the larger score. `caught: KIND` is the
    share of claims of a kind that are not accepted.
    """
    true = [r for r in results if r.label == "supported"]
    false = [r for r in results if r.label == "contradicted"]
    other = [r for r in results if r.label != "supported"]
    found: dict[str, float] = {}
    if true and other:
        accepted = share([r.verdict == "supported" for r in true])
        refused = share([r.verdict != "supported" for r in other])
        found["balanced_accuracy"] = (accepted + refused) / 2
        found["supported_accepted"] = accepted
        found["balanced_accuracy_of_three"] = float(
            np.mean(
                [
                    share([r.verdict == label for r in results if r.label == label])
                    for label in sorted({r.label for r in results})
                ]
            )
        )
    if false:
        found["contradicted_caught"] = share([r.verdict != "supported" for r in false])
        found["contradicted_named"] = share([r.verdict == "contradicted" for r in false])
    scores = {r.pair: r.score for r in true if r.pair}
    pairs = [scores[r.pair] > r.score for r in false if r.pair in scores]
    if pairs:
        found["pairs_in_order"] = share(pairs)
    for kind in sorted({r.kind for r in other}):
        found[f"caught: {kind}"] = share(
            [r.verdict != "supported" for r in other if r.kind == kind]
        )
    return found
