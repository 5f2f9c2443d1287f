"""`paperchat eval draft`: a first set of cases, gates and a baseline for a collection of one's own.

The cases come from what can be known of a collection without reading it: which paper introduces a
name, which sentence holds a figure, which papers hold a word. What the product gets right is kept
as it is, and guards against its getting worse; what it gets wrong is a draft, for a person to say
which of the two is at fault.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import shlex
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from eval import baseline
from eval.cases import BASELINE_NAME, Case, parse_case
from eval.drafts import written
from eval.gates import BY_NAME, lower_is_better, summarise
from eval.open import Options, Parser, end_progress, opened, teller
from eval.run import Row, passed, run
from rag.embed import CORES
from rag.errors import UsageError
from rag.names import is_name_like, key_of
from rag.sentences import split
from rag.types import Paper
from rag.words import STOPWORDS, compounds, numbers

DONE = 0
EACH = 12  # cases of each kind
FEWEST, MOST = 2, 15  # papers of a list that a word decides
STEP = 0.05  # gates are set this much below what was measured, rounded down to a multiple
ALWAYS = {"errors": 0.0, "evidence_exact": 1.0, "titles_real": 1.0, "borne_out": 1.0, "cited": 1.0}
GATED = (
    "recall@1",
    "citation_precision",
    "key_facts",
    "sides_cited",
    "list_f1",
    "last_turn_cited",
    "off_topic_abstained",
    "unanswerable_abstained",
    "false_refusals",
    "route_right",
)
_OFF_TOPIC = (
    "how long do I boil an egg so the yolk stays soft?",
    "Which visa do I need for a three-month stay in Brazil?",
    "who won the last football world cup",
    "My landlord keeps my deposit, what can I do?",
    "write me a birthday poem for my aunt",
)
_NOBODY = ("Qworvex", "Zanthipole-9", "BRILMOX", "Ufterloom", "PeggiNet-77")


def main(arguments: Sequence[str]) -> int:
    """Write cases, gates and baseline into a new folder. Raises PaperChatError."""
    options = _parser().parse_args(arguments)
    if options.to.exists() and any(options.to.iterdir() if options.to.is_dir() else [1]):
        raise UsageError(f"{options.to} is there already, and is left as it is: name a new folder.")
    wanted = Options(store=options.store, corpus=tuple(options.corpus or ()), cached=False)
    tell = teller()
    with opened(wanted, tell) as product:
        _made(options.to)  # before anything is asked
        cases = starters(product.papers)
        asking = lambda done, total: tell("asking", done, total)  # noqa: E731
        rows = run(cases, product, asking, CORES)
    good = [row for row in rows if passed(row)]
    drafts = len(rows) - len(good)
    end_progress(f"asked {len(rows)} cases: {len(good)} are right, {drafts} are drafts to correct")
    _write(options.to, rows, good)
    papers = ["--store", options.store] if options.store else []
    papers += ["--corpus", *options.corpus] if options.corpus else []
    print(shlex.join(map(str, ["paperchat", "eval", "--cases", options.to, *papers])))
    return DONE


def _made(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{folder} cannot be written: name another folder.") from error


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="paperchat eval draft",
        description="Write a first set of cases for a collection, with gates at what it reaches "
        "now and a baseline: a gate for CI in ten minutes, to be corrected and grown by hand.",
    )
    add = parser.add_argument
    add("--to", type=Path, required=True, metavar="DIR", help="a new folder")
    add("--store", type=Path, metavar="DIR", help="the index (default: a new one)")
    add("--corpus", nargs="+", type=Path, metavar="PATH", help="papers to make a new index of")
    return parser


def _write(folder: Path, rows: Sequence[Row], good: Sequence[Row]) -> None:
    drafts = {row.case.id for row in rows} - {row.case.id for row in good}
    lines = [
        written(_record(row.case) | ({"draft": True} if row.case.id in drafts else {}))
        for row in rows
    ]
    try:
        (folder / "cases.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
        gates = json.dumps(gates_of(good), indent=1)
        (folder / "gates.json").write_text(gates + "\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{folder} cannot be written: name another folder.") from error
    baseline.write(folder / BASELINE_NAME, good)


def _record(case: Case) -> dict[str, Any]:
    """*case* as a line of a file says it, without what is empty."""
    record: dict[str, Any] = {
        "id": case.id,
        "type": case.type,
        "question": case.question,
        "answerable": case.answerable,
    }
    if case.abstention:
        record["abstention"] = case.abstention
    for key in ("gold_papers", "evidence"):
        if value := getattr(case, key):
            record[key] = list(value)
    if case.key_facts:
        record["key_facts"] = [list(fact) for fact in case.key_facts]
    if case.sides:
        record["sides"] = [{"name": s.name, "papers": list(s.papers)} for s in case.sides]
    if case.turns:
        record["turns"] = [
            {"question": t.question, "gold_papers": list(t.gold_papers)} for t in case.turns
        ]
    if case.count is not None:
        record |= {"count": case.count, "criterion": case.criterion}
    return record | {"why": case.why}


def gates_of(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Gates that *rows* meet: what always holds, a little below the rest, and no sure loss."""
    gates: list[dict[str, Any]] = []
    for one in summarise(rows, ()):
        bound = "at_most" if lower_is_better(one.measure) else "at_least"
        if one.value is None:
            continue
        if one.measure in ALWAYS:
            gates.append({"measure": one.measure, bound: ALWAYS[one.measure]})
        elif one.measure in GATED:
            sign = 1 if bound == "at_most" else -1
            value = STEP * (math.ceil if sign > 0 else math.floor)(one.value / STEP + sign)
            gates.append({"measure": one.measure, bound: round(min(1.0, max(0.0, value)), 2)})
            gates.append({"measure": one.measure, "no_worse": 0.95})
    return [gate for gate in gates if gate["measure"] in BY_NAME]


def starters(papers: Sequence[Paper]) -> tuple[Case, ...]:
    """Cases of every type that a collection of *papers* gives rise to."""
    named = _named(papers)
    records = [
        *_spread(_about(named) if named else _titled(papers)),
        *_spread(_figures(named)),
        *_spread(_compared(named)),
        *_spread(_followed(named)),
        *_spread(_lists(papers)),
        *_unanswerable(),
    ]
    cases = []
    for number, record in enumerate(records, start=1):
        cases.append(parse_case(json.dumps({"id": f"start-{number:03}", **record})))
    return tuple(cases)


def _spread(found: Iterator[dict[str, Any]]) -> list[dict[str, Any]]:
    """EACH of what was *found*, from all over the collection."""
    every = list(found)
    step = max(1, len(every) // EACH)
    return every[::step][:EACH]


def _named(papers: Sequence[Paper]) -> list[tuple[str, Paper]]:
    """Papers with a name of their own before the colon of their title, which no other title has."""
    heads = [(paper.title.partition(":")[0].strip(), paper) for paper in papers]
    counts = Counter(key_of(head) for head, _ in heads)
    return [
        (head, paper)
        for head, paper in heads
        if ":" in paper.title
        and len(head.split()) <= 2
        and any(map(is_name_like, head.split()))
        and counts[key_of(head)] == 1
    ]


def _about(named: Sequence[tuple[str, Paper]]) -> Iterator[dict[str, Any]]:
    for name, paper in named:
        yield {
            "type": "single",
            "question": f"What is {name}?",
            "answerable": True,
            "gold_papers": [paper.title],
            "why": "the paper that introduces a name answers for it",
        }


def _titled(papers: Sequence[Paper]) -> Iterator[dict[str, Any]]:
    """For a collection whose papers name nothing: without these, always refusing would pass."""
    for paper in papers:
        yield {
            "type": "single",
            "question": f'What does the paper "{paper.title}" report?',
            "answerable": True,
            "gold_papers": [paper.title],
            "why": "a paper answers for its title",
        }


def _figures(named: Sequence[tuple[str, Paper]]) -> Iterator[dict[str, Any]]:
    """A terse question for a figure: the name, and the words about the figure in its sentence."""
    for name, paper in named:
        for sentence in split(paper.id, paper.abstract):
            figures = [n for n in numbers(sentence.text) if "." in n or "%" in n]
            words = [w for w in compounds(sentence.text) if _tells(w, name)]
            if len(figures) == 1 and len(words) >= 4:
                yield {
                    "type": "numeric",
                    "question": f"{name} {' '.join(words[-4:])}, which figure?",
                    "answerable": True,
                    "gold_papers": [paper.title],
                    "evidence": [sentence.text],
                    "key_facts": figures,
                    "why": "a figure is found by the words around it",
                }
                break


def _tells(word: str, name: str) -> bool:
    return word.isalpha() and len(word) > 3 and word.lower() not in {*STOPWORDS, name.lower()}


def _compared(named: Sequence[tuple[str, Paper]]) -> Iterator[dict[str, Any]]:
    for (one, first), (other, second) in pairwise(named):
        sides = [{"name": one, "papers": [first.title]}, {"name": other, "papers": [second.title]}]
        yield {
            "type": "comparison",
            "question": f"Compare {one} and {other}",
            "answerable": True,
            "gold_papers": [first.title, second.title],
            "sides": sides,
            "why": "no side crowds the other out",
        }


def _followed(named: Sequence[tuple[str, Paper]]) -> Iterator[dict[str, Any]]:
    for name, paper in named:
        asked = "and what results does it report?"
        turns = [
            {"question": f"What is {name}?", "gold_papers": [paper.title]},
            {"question": asked, "gold_papers": [paper.title]},
        ]
        yield {
            "type": "conversation",
            "question": asked,
            "answerable": True,
            "gold_papers": [paper.title],
            "turns": turns,
            "why": "a pronoun stands for the paper last spoken of",
        }


def _lists(papers: Sequence[Paper]) -> Iterator[dict[str, Any]]:
    """Names that a few papers hold, each with every paper that holds it as a word."""
    counts: Counter[str] = Counter()
    for paper in papers:
        words = set(re.findall(r"[A-Za-z][\w-]+", f"{paper.title} {paper.abstract}"))
        counts.update(word for word in words if is_name_like(word) and word.isalpha())
    for name in sorted(word for word, n in counts.items() if FEWEST <= n <= MOST):
        whole = re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])")
        loose = re.compile(re.escape(name), re.IGNORECASE)
        texts = [(paper, f"{paper.title} {paper.abstract}") for paper in papers]
        gold = [paper.title for paper, text in texts if whole.search(text)]
        alike = [paper.title for paper, text in texts if loose.search(text)]
        if gold == alike:  # no other spelling leaves it open what counts
            yield {
                "type": "aggregation",
                "question": f"Which papers mention {name}?",
                "answerable": True,
                "gold_papers": gold,
                "count": len(gold),
                "criterion": "literal",
                "why": "a word decides for every paper",
            }


def _unanswerable() -> Iterator[dict[str, Any]]:
    for question in _OFF_TOPIC:
        why = "no question for a collection of papers"
        yield {"type": "out_of_domain", "question": question, "answerable": False, "why": why}
    for name in _NOBODY:
        yield {
            "type": "unanswerable_far",
            "question": f"What accuracy does {name} reach?",
            "answerable": False,
            "why": "nobody here has heard of it",
        }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
