"""`python -m eval.large FILE`: how long a list takes over a collection of any size.

    python -m eval.large papers.jsonl.xz --out eval/large.md

The papers, their words, names and sentences are the file's. Their vectors are generated, since to
embed 100,000 abstracts takes hours and what a literal list costs does not depend on what they hold:
the question is embedded and multiplied with all of them as ever. It reports and is no gate.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from eval.speed import load_average, machine
from rag import corpus, lexical, retrieve, survey
from rag.app import choose_embedder
from rag.catalog import Catalog
from rag.errors import PaperChatError
from rag.names import names_in
from rag.sentences import split
from rag.settings import Settings
from rag.store import Snapshot
from rag.types import Paper
from rag.verify import verify

TARGET_MS = 2000.0  # at most, for a literal list over 100,000 papers
RUNS = 3  # of each question, after a first one, of which the median counts
QUESTIONS = (
    "Which papers mention GPT-4?",
    'How many abstracts contain the phrase "neural network"?',
    "papers that mention ImageNet or CIFAR-10",
    "who uses reinforcement learning?",
    "list all papers that mention dark matter but not galaxies",
    "which papers mention both graphene and superconductivity?",
    "is the Ising model mentioned anywhere, and by whom?",
    'which papers have "survey" in the title?',
)
"""Literal criteria: names, quotations, common phrases, "or", "and", "but not", the title."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One list question: how many papers it matched, and how long it took, in milliseconds."""

    question: str
    matched: int
    first: float
    again: float  # the median of the others


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 0 whatever the figures are, 2 if it could not run."""
    parser = argparse.ArgumentParser(prog="python -m eval.large", description=__doc__)
    parser.add_argument("papers", type=Path, metavar="FILE", help="as `paperchat index` reads it")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the table to this file too")
    options = parser.parse_args(arguments)
    load = load_average()
    try:
        papers = corpus.read([options.papers]).papers
        with TemporaryDirectory(prefix="paperchat-large-", ignore_cleanup_errors=True) as made:
            settings = Settings.from_environment(store=Path(made), environment={})
            library = retrieve.Library(
                gathered(papers, Path(made)), choose_embedder(settings), None
            )
            rows = [asked(library, question) for question in QUESTIONS]
        text = report(rows, len(papers), (load, load_average()))
        if options.out:
            options.out.write_text(text + "\n", encoding="utf-8")
    except (PaperChatError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    print(text)
    return 0


def gathered(papers: Sequence[Paper], folder: Path, dimension: int = 384) -> Snapshot:
    """*papers* with their words and names in *folder*, and generated vectors of *dimension*."""
    index = lexical.LexicalIndex(folder / "lexical")
    index.update(lexical.LexicalDocument(p.id, p.title, p.abstract) for p in papers)
    catalog = Catalog(folder, create=True)
    catalog.commit({p.id: (p, names_in(p.title, p.abstract)) for p in papers}, (), "generated.0")
    ordered = tuple(sorted(papers, key=lambda paper: paper.id))
    counts = np.array([len(split(p.id, p.abstract)) for p in ordered], dtype=np.intp)
    return Snapshot(
        manifest=catalog.manifest(),
        papers=ordered,
        places={paper.id: place for place, paper in enumerate(ordered)},
        by_version={paper.id: place for place, paper in enumerate(ordered)},
        chunks=_generated(len(ordered), dimension),
        chunk_starts=np.arange(len(ordered), dtype=np.intp),
        sentences=_generated(int(counts.sum()), dimension),
        sentence_starts=np.concatenate([[0], counts.cumsum()[:-1]]).astype(np.intp),
        lexical=index,
        catalog=catalog,
    )


def _generated(rows: int, dimension: int) -> NDArray[np.float32]:
    made = np.random.default_rng(0).standard_normal((rows, dimension), dtype=np.float32)
    return np.asarray(made / np.linalg.norm(made, axis=1, keepdims=True), dtype=np.float32)


def asked(library: retrieve.Library, question: str) -> Asked:
    """Ask *question* RUNS times, its statements verified as for people."""
    known = {paper.id: paper for paper in library.snapshot.papers}

    taken: list[float] = []
    matched = 0
    for _ in range(1 + RUNS):
        began = perf_counter()
        draft = survey.survey(library, question)
        verify(draft.statements if draft else (), known)
        taken.append(1000 * (perf_counter() - began))
        matched = draft.coverage.matched if draft and draft.coverage else 0
    return Asked(question, matched, taken[0], float(np.median(taken[1:])))


def report(rows: Sequence[Asked], papers: int, loads: tuple[float, float]) -> str:
    """The report as Markdown; *loads* at the start and at the end."""
    slowest = max(max(row.first, row.again) for row in rows)
    verdict = "met" if slowest <= TARGET_MS else "missed"
    lines = [f"| {r.question} | {r.matched:,} | {r.first:.0f} | {r.again:.0f} |" for r in rows]
    return "\n".join(
        (
            f"# Lists over {papers:,} papers",
            "",
            "Made by `python -m eval.large FILE --out eval/large.md`. Papers, words and names"
            " are the",
            "file's; the vectors are generated, 384 numbers for each paper and each sentence.",
            "",
            f"Machine: {machine()}; load average {loads[0]:g} at the start and {loads[1]:g} at the",
            f"end. At most {TARGET_MS:.0f} ms are wanted: {verdict}, the slowest took"
            f" {slowest:.0f} ms.",
            "",
            f"| question | papers matched | first, ms | median of {RUNS}, ms |",
            "| :-- | --: | --: | --: |",
            *lines,
        )
    )


if __name__ == "__main__":
    sys.exit(main())
