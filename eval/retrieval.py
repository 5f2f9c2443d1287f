"""`python -m eval.retrieval`: what each ranking signal is worth, each against the product.

Two tables: the bundled cases on the seed papers, and the training queries of SciFact (BEIR form)
on its 5,183 abstracts, which takes several minutes to index unless `--store` keeps what was made.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from eval.cases import BUNDLED, Case, read_cases
from eval.metrics import ndcg_at, recall_at, reciprocal_rank
from rag import retrieve, store
from rag.app import PaperChat, choose_embedder, index, open_chat
from rag.errors import PaperChatError, UsageError
from rag.question import focus
from rag.rank import WEIGHTS, FusionWeights, Signals, best_first, fuse, standardise
from rag.settings import Settings
from rag.text import fold, paper_id
from rag.types import Embedder

Scores = NDArray[np.float64]

SCIFACT = Path(__file__).parent.parent.parent / "shared" / "data" / "scifact"
TARGET_GAIN = 0.05
"""nDCG@10 by which the product should exceed the better of words alone and meaning alone."""

RANK_CONSTANT = 60
GROUPS = {
    "named or described": ("single", "numeric", "false_premise"),
    "everyday words": ("single_paraphrase",),
}
# BM25 counts the same for every paper: at a middling weight, and as if every paper were covered.
HALF_WORDS = replace(WEIGHTS, lexical_always=0.5, lexical_covered=0.0)
ALL_WORDS = replace(
    WEIGHTS, lexical_always=WEIGHTS.lexical_always + WEIGHTS.lexical_covered, lexical_covered=0.0
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as every method sees it; the signals hold one place for each paper."""

    signals: Signals
    meaning: float  # 0 to 1: how far the embedding model understands the question's language


Method = Callable[[Asked], Scores]
"""One score for each paper, larger is better."""


class Ranker:
    """Ranks the papers of one store by any method."""

    def __init__(self, settings: Settings) -> None:
        """Load the index. Raises NoIndex, StoreError, EmbeddingError."""
        self._embedder: Embedder = choose_embedder(settings)
        self._snapshot = store.load(settings.store, store.fingerprint(self._embedder))
        self._ids = [paper.id for paper in self._snapshot.papers]
        self.external_ids = {p.id: p.external_id or p.id for p in self._snapshot.papers}

    def read(self, question: str) -> Asked:
        """All signals for *question*, read as the product reads it."""
        folded = fold(focus(question))
        vector = self._embedder([folded])[0]
        named = retrieve.named_papers(self._snapshot, folded)
        signals = retrieve.signals_of(self._snapshot, folded, vector, named)
        return Asked(signals, retrieve.latin_share(folded))

    def rank(self, scores: Scores, k: int) -> list[str]:
        """Ids of the *k* best papers, best first."""
        return [self._ids[place] for place in best_first(scores, self._ids)[:k]]


def reciprocal_ranks(signals: Sequence[Scores], constant: int = RANK_CONSTANT) -> Scores:
    """Fuse by rank alone: the sum of 1 / (constant + rank), ranks from 1, ties in order of place.

    A score of exactly 0 is BM25's word for no match, and adds nothing. Source: Cormack, Clarke,
    Büttcher, SIGIR 2009.

    >>> reciprocal_ranks([np.array([3.0, 2.0, 0.0])], constant=1).round(2).tolist()
    [0.5, 0.33, 0.0]
    """
    fused = np.zeros_like(signals[0])
    for scores in signals:
        ranks = np.empty(len(scores))
        ranks[np.argsort(-scores, kind="stable")] = np.arange(1, len(scores) + 1)
        fused += np.where(scores != 0, 1 / (constant + ranks), 0)
    return fused


def without_names(signals: Signals) -> Signals:
    """*signals* of a question that names no paper."""
    nobody = np.zeros_like(signals.introduced)
    return replace(signals, introduced=nobody, mentioned=nobody)


def _dense(asked: Asked) -> Scores:
    return standardise(asked.signals.whole) + standardise(asked.signals.sentence)


def _fused(weights: FusionWeights) -> Method:
    return lambda asked: fuse(asked.signals, weights, asked.meaning)


PRODUCT, BM25, MINILM = "product", "BM25", "embedded model, whole abstract"
METHODS: Mapping[str, Method] = {
    BM25: lambda asked: asked.signals.lexical,
    MINILM: lambda asked: asked.signals.whole,
    "embedded model, whole + best sentence (z-scores)": _dense,
    "reciprocal rank fusion of BM25 and that": lambda asked: reciprocal_ranks(
        [asked.signals.lexical, _dense(asked)]
    ),
    "product without the coverage gate, BM25 × 0.5": _fused(HALF_WORDS),
    f"product without the coverage gate, BM25 × {ALL_WORDS.lexical_always:g}": _fused(ALL_WORDS),
    "product without names": lambda asked: fuse(
        without_names(asked.signals), WEIGHTS, asked.meaning
    ),
    PRODUCT: _fused(WEIGHTS),
}
"""Every method, by the name it has in the tables."""

SCIFACT_METHODS = (BM25, MINILM)


# The bundled cases


def case_table(ranker: Ranker, cases: Sequence[Case]) -> str:
    """recall@1, recall@5 and MRR of every method over each group of *cases*, as Markdown."""
    asked = {case.id: ranker.read(case.question) for case in cases}
    head = ["ranking"]
    rows = [[name] for name in METHODS]
    for group, types in GROUPS.items():
        chosen = [case for case in cases if case.type in types and case.gold_papers]
        head += [f"{group} ({len(chosen)}): recall@1", "recall@5", "MRR"]
        for row, method in zip(rows, METHODS.values(), strict=True):
            scored = [_measured(ranker, method(asked[case.id]), case) for case in chosen]
            row.extend(f"{value:.3f}" for value in np.array(scored).reshape(-1, 3).mean(axis=0))
    return markdown_table(head, rows)


def _measured(ranker: Ranker, scores: Scores, case: Case) -> tuple[float, float, float]:
    ignored = {paper_id(title) for title in case.borderline}
    ranking = [id for id in ranker.rank(scores, len(scores)) if id not in ignored]
    gold = {paper_id(title) for title in case.gold_papers}
    return recall_at(1, ranking, gold), recall_at(5, ranking, gold), reciprocal_rank(ranking, gold)


# SciFact


def read_judgements(text: str) -> dict[str, frozenset[str]]:
    r"""Relevant documents by query, from BEIR's table: query-id, corpus-id, score; tab-separated.

    The first line is the heading; a score of 0 means not relevant. Raises ValueError, naming the
    line, for another number of columns or a score that is no number.

    >>> read_judgements("query-id\tcorpus-id\tscore\n1\t7\t1\n1\t8\t0\n")
    {'1': frozenset({'7'})}
    """
    found: dict[str, set[str]] = {}
    for number, line in enumerate(text.splitlines()[1:], start=2):
        if not line.strip():
            continue
        columns = line.split("\t")
        if len(columns) != 3 or not columns[2].strip().lstrip("-").isdigit():
            raise ValueError(f"line {number} is not query, document and score: {line[:60]!r}")
        if int(columns[2]) > 0:
            found.setdefault(columns[0], set()).add(columns[1])
    return {query: frozenset(documents) for query, documents in found.items()}


def read_queries(text: str) -> dict[str, str]:
    """Queries by id, from BEIR's rows {"_id", "text"}."""
    rows = [json.loads(line) for line in text.split("\n") if line.strip()]
    return {str(row["_id"]): str(row["text"]) for row in rows}


def scifact_scores(
    ranker: Ranker, chat: PaperChat, queries: Mapping[str, str], gold: Mapping[str, frozenset[str]]
) -> dict[str, float]:
    """Mean nDCG@10 over the judged *queries* by method; the product's by its own search."""
    values: dict[str, list[float]] = {name: [] for name in (*SCIFACT_METHODS, PRODUCT)}
    judged = [query for query in queries if query in gold]
    for done, query in enumerate(judged):
        tell("SciFact queries", done, len(judged))
        asked = ranker.read(queries[query])
        for name in SCIFACT_METHODS:
            ids = ranker.rank(METHODS[name](asked), 10)
            values[name].append(ndcg_at(10, [ranker.external_ids[i] for i in ids], gold[query]))
        hits = chat.search(queries[query], 10)
        found = [hit.paper.external_id or hit.paper.id for hit in hits]
        values[PRODUCT].append(ndcg_at(10, found, gold[query]))
    return {name: float(np.mean(scored)) for name, scored in values.items()}


def scifact_table(scores: Mapping[str, float]) -> str:
    """The nDCG@10 of each method as Markdown, and whether the product's gain is the target's."""
    rows = [[name, f"{value:.3f}"] for name, value in scores.items()]
    better = max(scores[BM25], scores[MINILM])
    gain = scores[PRODUCT] - better
    verdict = "met" if gain >= TARGET_GAIN else "missed"
    return (
        markdown_table(["ranking", "nDCG@10"], rows)
        + f"\n\nThe product is {gain:+.3f} from the better of the two alone"
        + f" (target: at least {TARGET_GAIN:+.3f}): {verdict}."
    )


# The command


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table, the first column to the left and the others to the right."""
    rule = [":--", *("--:" for _ in head[1:])]
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, rule, *rows))


def tell(stage: str, done: int, total: int) -> None:
    """Say on standard error how far *stage* is, every fiftieth."""
    step = max(1, total // 50)
    if done % step == 0 or done == total:
        print(f"{stage}: {done:,} of {total:,}", file=sys.stderr, flush=True)


@contextmanager
def indexed(paths: Sequence[Path] | None, folder: Path | None) -> Iterator[Settings]:
    """Settings of a store that holds *paths* (None: the seeds), removed after unless in *folder*.

    Nothing of the user's own settings is read.
    """
    with TemporaryDirectory(prefix="paperchat-eval-", ignore_cleanup_errors=True) as temporary:
        settings = Settings.from_environment(store=folder or Path(temporary), environment={})
        index(settings, paths, progress=tell)
        yield settings


def _cases_part() -> str:
    cases = read_cases((BUNDLED,))
    wanted = [c for c in cases if c.type in sum(GROUPS.values(), ()) and c.gold_papers]
    with indexed(None, None) as settings:
        return case_table(Ranker(settings), wanted)


def _scifact_part(folder: Path, keep: Path | None) -> str:
    if not (folder / "corpus.jsonl.xz").is_file():
        return "Skipped: no corpus.jsonl.xz; name the folder of SciFact with --scifact."
    try:
        gold = read_judgements((folder / "qrels-train.tsv").read_text(encoding="utf-8"))
        queries = read_queries((folder / "queries-train.jsonl").read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError) as error:
        problem = f"SciFact cannot be read ({error}); name its folder with --scifact"
        raise UsageError(problem) from error
    with indexed([folder / "corpus.jsonl.xz"], keep) as settings:
        return scifact_table(scifact_scores(Ranker(settings), open_chat(settings), queries, gold))


def report(cases: str, scifact: str) -> str:
    """The whole report as Markdown."""
    return (
        "# What each ranking signal is worth\n\n"
        "Made by `python -m eval.retrieval --out eval/retrieval.md`; it repeats exactly.\n\n"
        f"## Bundled cases on the seed papers\n\n{cases}\n\n"
        "The embedded model is all-MiniLM-L6-v2 as fine-tuned here; stock figures stand in the"
        " README.\n\n"
        f"## SciFact, training queries on 5,183 abstracts\n\n{scifact}\n"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 0 whatever came of it, 2 if it could not run."""
    parser = argparse.ArgumentParser(prog="python -m eval.retrieval", description=__doc__)
    add = parser.add_argument
    where = "SciFact in BEIR form: corpus.jsonl.xz, queries-train.jsonl, qrels-train.tsv"
    add("--scifact", type=Path, default=SCIFACT, metavar="FOLDER", help=where)
    add("--store", type=Path, metavar="DIR", help="keep the SciFact index here for another run")
    add("--out", type=Path, metavar="FILE", help="write the report to this file too")
    options = parser.parse_args(arguments)
    try:
        text = report(_cases_part(), _scifact_part(options.scifact, options.store))
        if options.out:
            options.out.write_text(text, encoding="utf-8")
    except (PaperChatError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
