"""`paperchat eval faults`: proof that the gates stop what they are for.

Each fault breaks the product in one way, as a bad change might. The gates must go red, and among
them must be one of the measures that are about this fault; the product as it is must stay green.
Most faults are done to answers on their way out; some to the product itself.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from eval.cases import Case, read_cases
from eval.gates import Gate, failed, read_gates, summarise
from eval.open import (
    Opener,
    Options,
    Parser,
    end_progress,
    opened,
    quoting,
    teller,
    whole_number,
    without_model,
)
from eval.run import Product, Row, run
from rag.embed import CORES
from rag.settings import EMBEDDED, Settings
from rag.types import Answer, Citation, Evidence, Paper, Source, Statement, Table

PASSED, NOT_MET = 0, 1
THIRD = 3  # one paper in so many is missing from the index

Twist = Callable[[Answer, Sequence[Paper], Random], Answer]
"""An answer made wrong; the papers of the collection; chance, the same for the same question."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One way of being wrong."""

    name: str
    measures: tuple[str, ...]  # one of these must be among the gates that are not met
    twist: Twist | None = None  # done to every answer
    product: Callable[[Product], Product] | None = None  # or to the product


# What can be done to an answer


def _each(answer: Answer, change: Callable[[Statement], Statement]) -> Answer:
    """*answer* with every statement, and every cell that states something, changed."""
    statements = tuple(map(change, answer.statements))
    table = answer.table
    if table:
        rows = tuple(
            tuple(
                replace(
                    cell,
                    citations=change(Statement(cell.text, cell.citations, "supported")).citations,
                )
                if cell.stated
                else cell
                for cell in row
            )
            for row in table.cells
        )
        table = replace(table, cells=rows)
    return replace(answer, statements=statements, table=table)


def _cite(paper: Paper, n: int, text: str) -> Citation:
    start = paper.abstract.find(text)
    span = Evidence(paper.id, paper.title, start, start + len(text), text)
    return Citation(n, paper.id, paper.title, (span,))


def _first_sentence(paper: Paper) -> str:
    return re.split(r"(?<=[.!?])\s", paper.abstract)[0]


def swapped(answer: Answer, papers: Sequence[Paper], chance: Random) -> Answer:
    """Every statement stands under a paper that was found too, and is another."""
    others = [hit.paper for hit in answer.retrieved[1:6]] or list(papers)

    def change(said: Statement) -> Statement:
        cited = {c.paper_id for c in said.citations}
        wrong = [paper for paper in others if paper.id not in cited] or list(papers)
        paper = chance.choice(wrong)
        return replace(said, citations=(_cite(paper, 1, _first_sentence(paper)),))

    return _each(answer, change)


def _spans(answer: Answer, change: Callable[[Evidence], Evidence]) -> Answer:
    def moved(said: Statement) -> Statement:
        citations = tuple(
            replace(c, evidence=tuple(map(change, c.evidence))) for c in said.citations
        )
        return replace(said, citations=citations)

    return _each(answer, moved)


def shifted(answer: Answer, _papers: Sequence[Paper], _chance: Random) -> Answer:
    """Every span of evidence is off by one character."""
    return _spans(answer, lambda e: replace(e, start=e.start + 1, end=e.end + 1))


def dropped(answer: Answer, _papers: Sequence[Paper], _chance: Random) -> Answer:
    """Statements lose their citations."""
    return _each(answer, lambda said: replace(said, citations=()))


def _worded(answer: Answer, change: Callable[[str], str]) -> Answer:
    """*answer* with other words in its statements, its evidence left as it is."""
    said = tuple(replace(s, text=change(s.text)) for s in answer.statements)
    return replace(answer, statements=said)


def digit_changed(answer: Answer, _papers: Sequence[Paper], _chance: Random) -> Answer:
    """The first digit of every statement is another."""
    change = partial(re.sub, r"\d", lambda found: str((int(found[0]) + 1) % 10), count=1)
    return _worded(answer, lambda text: str(change(string=text)))


def name_swapped(answer: Answer, papers: Sequence[Paper], chance: Random) -> Answer:
    """A name with an inner capital is that of another paper."""
    other = chance.choice(papers).title.split()[0].rstrip(":")
    return _worded(answer, lambda text: re.sub(r"\b\w*[a-z][A-Z]\w*\b", other, text, count=1))


def negation_lost(answer: Answer, _papers: Sequence[Paper], _chance: Random) -> Answer:
    """What is denied is said, and what is said is denied."""

    def change(text: str) -> str:
        plain = re.sub(r"\b(?:not|no|without)\s", "", text, count=1)
        return plain if plain != text else re.sub(r"\b(is|are|can|we)\b", r"\1 not", text, count=1)

    return _worded(answer, change)


def fabricated(answer: Answer, _papers: Sequence[Paper], _chance: Random) -> Answer:
    """A title that is not in the store, as a model would make one up."""
    sources = (*answer.sources, Source(99, "made-up", "A Survey of Everything: 2017 to 2025"))
    return replace(answer, sources=sources) if answer.statements else answer


def other_evidence(answer: Answer, papers: Sequence[Paper], _chance: Random) -> Answer:
    """The evidence is an exact sentence, of the right paper, that does not say it."""
    known = {paper.id: paper for paper in papers}

    def change(said: Statement) -> Statement:
        citations = []
        for citation in said.citations:
            paper = known[citation.paper_id]
            shown = {e.text for e in citation.evidence}
            rest = [s for s in re.split(r"(?<=[.!?])\s", paper.abstract) if s not in shown]
            citations.append(_cite(paper, citation.n, rest[-1] if rest else paper.abstract[:9]))
        return replace(said, citations=tuple(citations))

    return _each(answer, change)


def paraphrased(answer: Answer, _papers: Sequence[Paper], _chance: Random) -> Answer:
    """Other words, passed off as the quotation."""
    return _worded(answer, lambda text: f"In short, {text[:1].lower()}{text[1:-1]}, it seems.")


def one_sided(answer: Answer, _papers: Sequence[Paper], _chance: Random) -> Answer:
    """A comparison speaks of its first side only."""
    table: Table | None = answer.table
    if table is None or len(table.subjects) < 2:
        return answer
    first = replace(table, subjects=table.subjects[:1], cells=table.cells[:1])
    said = tuple(
        s for s in answer.statements if {c.title for c in s.citations} <= {table.subjects[0].title}
    )
    return replace(answer, table=first, statements=said)


def cut_short(answer: Answer, _papers: Sequence[Paper], _chance: Random) -> Answer:
    """A list stops after its first half, and its count says nothing of it."""
    if answer.shape != "list" or answer.coverage is None or len(answer.sources) < 2:
        return answer
    half = (len(answer.sources) + 1) // 2
    return replace(
        answer,
        sources=answer.sources[:half],
        statements=answer.statements[:half],
        coverage=replace(answer.coverage, matched=half),
        message=re.sub(r"\d+", str(half), answer.message, count=1),
    )


def miscounted(answer: Answer, _papers: Sequence[Paper], _chance: Random) -> Answer:
    """A list counts one more than it shows."""
    if answer.coverage is None or not answer.sources:
        return answer
    more = answer.coverage.matched + 1
    message = answer.message.replace(f"{answer.coverage.matched:,}", f"{more:,}", 1)
    return replace(answer, coverage=replace(answer.coverage, matched=more), message=message)


def never_abstains(answer: Answer, papers: Sequence[Paper], _chance: Random) -> Answer:
    """Where there is no answer, the nearest sentence is given for one."""
    if answer.abstention is None:
        return answer
    paper = answer.retrieved[0].paper if answer.retrieved else papers[0]
    text = _first_sentence(paper)
    said = (Statement(text, (_cite(paper, 1, text),), "supported"),)
    source = (Source(1, paper.id, paper.title),)
    return replace(answer, abstention=None, message="", statements=said, sources=source)


def always_abstains(answer: Answer, _papers: Sequence[Paper], _chance: Random) -> Answer:
    """Nothing is ever answered."""
    if answer.shape == "chat":
        return answer
    return replace(
        answer, abstention="no_paper", statements=(), sources=(), table=None, message="Nothing."
    )


def wrong_silence(answer: Answer, _papers: Sequence[Paper], _chance: Random) -> Answer:
    """Every silence is called the same."""
    return replace(answer, abstention="off_topic") if answer.abstention else answer


def shuffled(answer: Answer, _papers: Sequence[Paper], chance: Random) -> Answer:
    """What was retrieved comes in any order."""
    hits = list(answer.retrieved)
    chance.shuffle(hits)
    return replace(answer, retrieved=tuple(hits))


def crashing(answer: Answer, _papers: Sequence[Paper], chance: Random) -> Answer:
    """One question in twenty breaks."""
    if chance.random() < 0.05:
        raise RuntimeError("broken on purpose")
    return answer


# What can be done to the product


def forgetful(product: Product) -> Product:
    """Follow-ups are read without the conversation."""
    return replace(product, ask=lambda question, _earlier: product.ask(question, ()))


def to_the_first(product: Product) -> Product:
    """Every follow-up is taken to be about a paper that was found, and not spoken of."""

    def ask(question: str, earlier: Sequence[Answer]) -> Answer:
        if not earlier or len(earlier[-1].retrieved) < 2:
            return product.ask(question, earlier)
        other = earlier[-1].retrieved[-1].paper.title
        return product.ask(f"In “{other}”: {question}", ())

    return replace(product, ask=ask)


def gullible(product: Product) -> Product:
    """Every sentence is supported, whatever the abstract says."""
    verify = product.verify
    if verify is None:
        return product
    return replace(
        product, verify=lambda claim, title: replace(verify(claim, title), verdict="supported")
    )


FAULTS = (
    Fault("citations swapped", ("citation_precision", "evidence_precision"), swapped),
    Fault("citations shifted by one", ("evidence_exact",), shifted),
    Fault("citations dropped", ("cited",), dropped),
    Fault("a digit changed", ("borne_out",), digit_changed),
    Fault("a name swapped", ("borne_out",), name_swapped),
    Fault("a negation lost", ("borne_out",), negation_lost),
    Fault("a fabricated title", ("titles_real",), fabricated),
    Fault("evidence that says something else", ("borne_out", "evidence_precision"), other_evidence),
    Fault("a paraphrase passed off as a quotation", ("borne_out",), paraphrased),
    Fault("retrieval shuffled", ("recall@1",), shuffled),
    Fault("comparisons one-sided", ("sides_cited",), one_sided),
    Fault("lists cut short", ("list_f1", "list_f1_literal"), cut_short),
    Fault("counts off by one", ("count_exact", "list_whole"), miscounted),
    Fault("never abstains", ("off_topic_abstained", "unanswerable_abstained"), never_abstains),
    Fault("always abstains", ("false_refusals", "key_facts"), always_abstains),
    Fault("every silence called off topic", ("abstention_kind",), wrong_silence),
    Fault("one question in twenty breaks", ("errors",), crashing),
    Fault("follow-ups read alone", ("last_turn_cited",), product=forgetful),
    Fault("follow-ups about the wrong paper", ("last_turn_cited",), product=to_the_first),
    Fault("every sentence called supported", ("contradicted_caught",), product=gullible),
)
"""Faults of answers and of the product; MISSING is besides."""

MISSING = Fault("a third of the papers missing from the index", ("recall@1", "key_facts"))


def broken(fault: Fault, product: Product) -> Product:
    """*product* with *fault*."""
    if fault.product:
        return fault.product(product)
    twist = fault.twist
    if twist is None:
        return product

    def ask(question: str, earlier: Sequence[Answer]) -> Answer:
        return twist(product.ask(question, earlier), product.papers, Random(question))

    return replace(product, ask=ask)


@contextmanager
def thinned(papers: Sequence[Paper]) -> Iterator[Product]:
    """The product on an index that lacks one paper in THIRD, held against all *papers*."""
    import json  # here, where alone it is needed

    from rag.app import index  # late, as in `eval.open`

    with TemporaryDirectory(prefix="paperchat-faults-", ignore_cleanup_errors=True) as folder:
        kept = [paper for place, paper in enumerate(papers) if place % THIRD]
        file = Path(folder) / "papers.jsonl"
        lines = (json.dumps({"title": p.title, "abstract": p.abstract}) for p in kept)
        file.write_text("\n".join(lines), encoding="utf-8")
        settings = replace(
            without_model(Settings.from_environment(store=Path(folder) / "store")),
            chroma_url=None,
            embedding_model=EMBEDDED,
        )
        index(settings, [file])
        yield replace(quoting(settings), papers=papers)


@dataclass(frozen=True, slots=True)
class Drill:
    """What became of one fault."""

    name: str
    wanted: tuple[str, ...]
    missed: tuple[str, ...]  # the measures whose gates were not met

    @property
    def caught(self) -> bool:
        """Whether the gates went red for the right reason."""
        return bool(set(self.wanted) & set(self.missed))


def drill(fault: Fault, cases: Sequence[Case], product: Product, gates: Sequence[Gate]) -> Drill:
    """Ask *cases* of *product*, which has *fault* already, and see which gates are not met."""
    return Drill(fault.name, fault.measures, missed(run(cases, product, None, CORES), gates))


def drill_of_missing(cases: Sequence[Case], less: Product, gates: Sequence[Gate]) -> Drill:
    """`drill` of MISSING; its answers are all new, so only the cases it is about are asked."""
    about = [gate for gate in gates if gate.measure in MISSING.measures]
    types = {kind for gate in about for kind in gate.types}
    return drill(MISSING, [case for case in cases if case.type in types], less, about)


def missed(rows: Sequence[Row], gates: Sequence[Gate]) -> tuple[str, ...]:
    """The measures whose gates *rows* do not meet, in the order of reports."""
    lost = failed(summarise(rows, gates), whole=True)
    return tuple(dict.fromkeys(line.measure for line in lost))


def main(arguments: Sequence[str], opener: Opener = opened) -> int:
    """Print a table of all faults and what caught them. Raises PaperChatError."""
    options = _parser().parse_args(arguments)
    cases = tuple(case for case in read_cases() if not case.draft)
    gates = [gate for gate in read_gates() if gate.no_worse is None]
    tell = teller()
    with opener(Options(store=options.store), tell) as product:
        stock = product.uncached or product
        clean = []
        for number in range(options.clean):
            clean.append(_clean(number, cases, stock, gates, tell))
            end_progress(f"clean run {number + 1}: {', '.join(clean[-1]) or 'green'}")
        drills = []
        for number, fault in enumerate(FAULTS, start=1):
            tell("breaking", number, len(FAULTS) + 1)
            drills.append(drill(fault, cases, broken(fault, product), gates))
        with thinned(product.papers) as less:
            drills.append(drill_of_missing(cases, less, gates))
    end_progress(f"{len(drills)} faults, {len(clean)} clean runs")
    print(table(drills))
    green = sum(not one for one in clean)
    caught = sum(one.caught for one in drills)
    print(f"\n{caught} of {len(drills)} faults caught by a measure that is about them.")
    print(f"{green} of {len(clean)} clean runs green.")
    return PASSED if caught == len(drills) and green == len(clean) else NOT_MET


def _clean(
    number: int,
    cases: Sequence[Case],
    stock: Product,
    gates: Sequence[Gate],
    tell: Callable[..., None],
) -> tuple[str, ...]:
    """The gates that the product as it is does not meet, its cases asked in another order."""
    shuffled_cases = Random(number).sample(list(cases), len(cases))
    return missed(
        run(shuffled_cases, stock, partial(tell, f"clean run {number + 1}"), CORES), gates
    )


def table(drills: Sequence[Drill]) -> str:
    """The drills as a Markdown table."""
    lines = ["| fault | caught | by | other gates not met |", "| --- | --- | --- | --- |"]
    for one in drills:
        by = [name for name in one.missed if name in one.wanted]
        others = [name for name in one.missed if name not in one.wanted]
        sign = "yes" if one.caught else f"NO, wanted {' or '.join(one.wanted)}"
        lines.append(f"| {one.name} | {sign} | {', '.join(by)} | {', '.join(others)} |")
    return "\n".join(lines)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="paperchat eval faults",
        description="Break the product in every known way, and see that the gates notice.",
    )
    add = parser.add_argument
    add("--store", type=Path, metavar="DIR", help="the index (default: a new one)")
    times = "how often to ask all anew of the product as it is, in another order (default: 1)"
    add("--clean", type=whole_number, default=1, metavar="N", help=times)
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
