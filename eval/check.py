"""`paperchat eval check`: do the cases fit the collection, line by line?

Every problem is named, not only the first, with what is nearest: papers that are gone, evidence
that no longer stands in its abstract, lines that are no case.
"""

from __future__ import annotations

import argparse
import difflib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from eval.cases import BUNDLED, Case, files_of, lines_of, parse_case, said_of
from eval.metrics import fact_found
from eval.open import Options, Parser, opened, teller
from eval.reading import Collection, folded
from eval.report.text import cases as counted
from eval.run import evidence_of, problems, titles_of
from rag.errors import UsageError
from rag.sentences import split
from rag.text import fold

DONE, FAILED = 0, 1
NEAR = 0.6  # how alike a sentence must be to be offered, 0 to 1


def main(arguments: Sequence[str]) -> int:
    """Check the cases that *arguments* name. Raises PaperChatError if they cannot be read."""
    options = _parser().parse_args(arguments)
    paths = options.cases or [BUNDLED]
    wanted = Options(store=options.store, corpus=tuple(options.corpus or ()), cached=False)
    with opened(wanted, teller()) as product:
        collection = Collection(product.papers)
        count, found = 0, 0
        for place, problem in checked(paths, collection):
            count += 1
            for one in problem:
                found += 1
                print(f"{place}: {one}")
    if not count:
        raise UsageError(f"{', '.join(map(str, paths))} hold no cases: name a case file.")
    said = "1 problem" if found == 1 else f"{found} problems"
    print(f"{counted(count)}, {said}.", file=sys.stderr)
    return FAILED if found else DONE


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="paperchat eval check", description=__doc__)
    add = parser.add_argument
    add("cases", nargs="*", type=Path, help="files or folders (default: the bundled ones)")
    add("--store", type=Path, metavar="DIR", help="the index (default: a new one)")
    add("--corpus", nargs="+", type=Path, metavar="PATH", help="papers to make a new index of")
    return parser


def checked(paths: Sequence[Path], collection: Collection) -> Iterator[tuple[str, list[str]]]:
    """For each line that is not empty: its place, and what is wrong with it, if anything is."""
    known: dict[str, str] = {}
    pairs: list[tuple[str, Case]] = []
    for file in files_of(paths):
        for number, line in lines_of(file):
            place = f"{file}:{number}"
            try:
                case = parse_case(line)
            except ValueError as error:
                yield place, [said_of(error)]
                continue
            if case.id in known:
                yield place, [f"the id {case.id!r} is used before, at {known[case.id]}."]
                continue
            known[case.id] = place
            pairs.append((place, case))
    ids = {case.id for _, case in pairs}
    for place, case in pairs:
        found = [f"{one}{_nearest(one, case, collection)}" for one in problems(case, collection)]
        found += _unsaid(case, collection)
        if case.pair and case.pair not in ids:
            found.append(f"Case {case.id} is a pair with {case.pair!r}, which is no case.")
        yield place, found


def _unsaid(case: Case, collection: Collection) -> list[str]:
    """The key facts that no gold paper says in any of their ways: no answer could quote them.

    Those of comparisons and lists may be of what is said about several papers.
    """
    if case.sides or case.criterion or case.shape not in {None, "answer"} or not case.answerable:
        return []
    titles = [title for title in titles_of(case) if title not in {*case.near_papers,
              *case.borderline, *case.must_not_cite}]  # fmt: skip
    texts = [fold(f"{p.title}\n{p.abstract}") for p in map(collection.titled, titles) if p]
    return [
        f"Case {case.id} wants the key fact {fact[0]!r}, which none of its papers says."
        for fact in case.key_facts
        if texts and not fact_found(tuple(map(folded, fact)), texts)
    ]


def _nearest(problem: str, case: Case, collection: Collection) -> str:
    """The nearest title or sentence to what *problem* says is not there, if any is near."""
    titles = [paper.title for paper in collection.by_title.values()]
    for title in titles_of(case):
        if repr(title) in problem:
            return _offered(difflib.get_close_matches(title, titles, 1, NEAR))
    for text, owners, _ in evidence_of(case):
        if repr(text[:60]) in problem:
            papers = filter(None, map(collection.titled, owners))
            said = [s.text for p in papers for s in split(p.id, p.abstract)]
            return _offered(difflib.get_close_matches(text, said, 1, NEAR))
    return ""


def _offered(found: Sequence[str]) -> str:
    return f" The nearest is {found[0]!r}." if found else ""
