"""Fit `rag/listing/manner.json`: which small words make a question one for a list.

    python -m eval.manner            # about half a minute; writes the file
    python -m eval.manner --check    # fits and prints, writes nothing

It learns from `calibration/shapes.jsonl` (1,686 questions written for this, each with its shape),
the fitted cases, and three thousand questions to single papers of the other calibration files. What
is printed is measured five-fold on the first, and on the cases that are held out.
"""

from __future__ import annotations

import argparse
import json
import lzma
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import csr_matrix

from eval.cases import read_cases
from rag.listing import manner
from rag.route import by_rules
from rag.types import Shape

HERE = Path(__file__).parent
SHAPES = HERE / "calibration" / "shapes.jsonl"
TARGET = Path(manner.__file__).with_name("manner.json")
FITTED = ("cases/calibration.jsonl", "unseen/fitted.jsonl")
HELD = ("cases/held-out.jsonl", "unseen/held-out.jsonl")
WORDS, TIMES, RIDGE, LEAST = 400, 3, 3.3, 0.2  # kept words, times a phrase must occur, …
SINGLE, SINGLE_WEIGHT, SEED, FOLDS = 3000, 0.3, 0, 5

Asked = tuple[str, bool]  # a question, and whether it asks for a list


def main() -> None:
    """Fit, print what it reaches, and write the weights unless --check is given."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--check", action="store_true", help="write nothing")
    write = not parser.parse_args().check
    written, single = of_shapes(), of_single_papers()
    fitted = of_cases(FITTED)
    shares = np.zeros(len(written))
    for fold in range(FOLDS):
        rest = [one for place, one in enumerate(written) if place % FOLDS != fold]
        weights = fit([*rest, *fitted], single)
        for place in range(fold, len(written), FOLDS):
            shares[place] = share(written[place][0], weights)
    tell("questions written for this, five-fold", written, shares)
    weights = fit([*written, *fitted], single)
    held = of_cases(HELD)
    tell("held-out cases", held, np.array([share(question, weights) for question, _ in held]))
    print(f"{len(weights.phrases)} phrases are kept")
    if write:
        record = {"bias": weights.bias, "words": weights.words, "phrases": weights.phrases}
        TARGET.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def of_shapes() -> list[Asked]:
    """The questions written for this, mixed."""
    rows = [json.loads(line) for line in SHAPES.read_text(encoding="utf-8").splitlines()]
    order = np.random.default_rng(SEED).permutation(len(rows))
    return [(rows[i]["question"], rows[i]["shape"] == "list") for i in order]


def of_cases(names: Sequence[str]) -> list[Asked]:
    """The cases of the files called *names*, but for conversations and statements."""
    cases = [case for name in names for case in read_cases([HERE / name])]
    left_out = {"conversation", "chat", "statement"}
    return [(c.question, c.type == "aggregation") for c in cases if c.type not in left_out]


def of_single_papers() -> list[Asked]:
    """Questions to one paper, of the other calibration files."""
    found: list[str] = []
    for name in ("questions-and-claims", "hard", "details"):
        path = HERE / "calibration" / f"{name}.jsonl.xz"
        with lzma.open(path, "rt", encoding="utf-8") as lines:
            for row in map(json.loads, lines):
                found += [row[key] for key in ("q_everyday", "q_technical") if row.get(key)]
                found += [one["question"] for one in row.get("answered", ())][:1]
    chosen = np.random.default_rng(SEED).choice(len(found), SINGLE, replace=False)
    return [(found[i], False) for i in chosen]


def phrases_of(question: str, words: frozenset[str]) -> frozenset[str]:
    """The phrases of *question* as the router sees them."""
    route = by_rules(question)
    return manner.phrases(question, words, route.shape)


def fit(asked: Sequence[Asked], single: Sequence[Asked]) -> manner.Weights:
    """Ridge logistic regression on the phrases; small weights are left out after."""
    everything = [*asked, *single]
    counted = Counter(word for question, _ in everything for word in set(manner.spelled(question)))
    words = frozenset(word for word, _ in counted.most_common(WORDS))
    found = [phrases_of(question, words) for question, _ in everything]
    times = Counter(phrase for phrases in found for phrase in phrases)
    names = sorted(phrase for phrase, count in times.items() if count >= TIMES)
    index = {name: place for place, name in enumerate(names)}
    pairs = [(row, index[p]) for row, some in enumerate(found) for p in some if p in index]
    rows, columns = np.array(pairs).T
    table = csr_matrix((np.ones(len(rows)), (rows, columns)), shape=(len(found), len(names)))
    target = np.array([is_list for _, is_list in everything], dtype=np.float64)
    weight = np.r_[np.ones(len(asked)), np.full(len(single), SINGLE_WEIGHT)]
    values = _logistic(table, target, weight)
    kept = {n: round(float(v), 3) for n, v in zip(names, values, strict=False) if abs(v) >= LEAST}
    return manner.Weights(round(float(values[-1]), 3), tuple(sorted(words)), kept)


def _logistic(
    table: csr_matrix, target: NDArray[np.float64], weight: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Weights (columns + 1,), the bias last, which has no penalty."""

    def loss(values: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        odds = table @ values[:-1] + values[-1]
        wrong = weight * (1 / (1 + np.exp(-odds)) - target)
        penalty = np.r_[values[:-1], 0.0]
        entropy = float((weight * (np.logaddexp(0, odds) - target * odds)).sum())
        slope = np.r_[table.T @ wrong, wrong.sum()] + RIDGE * penalty
        return entropy + RIDGE / 2 * float(penalty @ penalty), slope

    start = np.zeros(table.shape[1] + 1)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 400})
    return np.asarray(found.x)


def share(question: str, weights: manner.Weights) -> float:
    """How much *question* reads like one for a list, by *weights*."""
    shape: Shape = by_rules(question).shape
    return manner.list_share(question, shape, weights)


def tell(name: str, asked: Sequence[Asked], shares: NDArray[np.float64]) -> None:
    """Print recall of lists and how many others are taken for one: by rules, and with this."""
    right = np.array([is_list for _, is_list in asked])
    ruled = np.array([by_rules(question).shape == "list" for question, _ in asked])
    for said, found in (("by rules", ruled), ("with this", ruled | (shares >= manner.ENOUGH))):
        print(
            f"{name}, {said}: of {right.sum()} lists {found[right].mean():.3f}, of "
            f"{(~right).sum()} others {found[~right].sum()} taken for one"
        )


if __name__ == "__main__":
    main()
