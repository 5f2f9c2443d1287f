"""Lists over a collection with generated vectors."""

from __future__ import annotations

from eval import large
from eval.large import Asked
from rag.app import bundled_seeds, choose_embedder
from rag.corpus import read
from rag.retrieve import Library
from rag.settings import Settings


def test_literal_lists_do_not_depend_on_generated_vectors(tmp_path, seed_chat):
    """A name is found in the papers that hold it, as in the real index."""
    papers = read([bundled_seeds()]).papers
    settings = Settings.from_environment(store=tmp_path, environment={})
    library = Library(large.gathered(papers, tmp_path), choose_embedder(settings), None)
    question = "which papers mention SWE-bench?"

    row = large.asked(library, question)

    assert row.matched == len(seed_chat.ask(question).sources) > 0
    assert row.first > 0
    assert row.again > 0


def test_the_report_says_whether_the_slowest_list_met_the_target():
    """The first time counts as well as the others."""
    rows = [Asked("which papers mention ants?", 3, 1.0, 2.0), Asked("bees?", 0, 2500.0, 3.0)]

    text = large.report(rows, 100_000, (0.5, 1.0))

    assert "missed, the slowest took 2500 ms" in text
    assert "| which papers mention ants? | 3 | 1 | 2 |" in text
