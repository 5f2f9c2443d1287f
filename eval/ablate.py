"""`paperchat eval ablate`: what each part brings, by taking it out and asking all cases again.

A part that earns nothing should go. A part is taken out at the one place where it comes in, so
that all else is the product as it is; what was fitted with it stays as it was fitted.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from unittest.mock import patch

import numpy as np

from eval.cases import Case, read_cases
from eval.faults import forgetful
from eval.gates import Line, summarise
from eval.open import Options, Parser, end_progress, opened, teller, without_model
from eval.run import Product, run
from rag import app, retrieve, verify
from rag.embed import CORES
from rag.rank import Signals
from rag.retrieve import NamedPapers
from rag.route import Route
from rag.settings import Settings

DONE = 0
SHOWN = {
    "recall@1": "first",
    "recall@5": "top 5",
    "key_facts": "facts",
    "evidence_precision": "evid P",
    "citation_precision": "cite P",
    "sides_cited": "sides",
    "list_f1": "list F1",
    "last_turn_cited": "last turn",
    "unanswerable_abstained": "silent",
    "false_refusals": "refused",
    "true_accepted": "true acc.",
    "contradicted_caught": "contr.",
}
"""The measures of the table, and their names there."""


@dataclass(frozen=True, slots=True)
class Part:
    """What is taken out: something in a module, a setting, or something of the open product."""

    name: str
    instead: Callable[[], AbstractContextManager[object]] = nullcontext  # where it is not there
    settings: Callable[[Settings], Settings] | None = None
    product: Callable[[Product], Product] | None = None


def _without(*fields: str) -> Callable[[], AbstractContextManager[object]]:
    """A context in which these signals of retrieval say nothing."""
    real = retrieve.signals_of

    def blank(*arguments: object) -> Signals:
        found = real(*arguments)  # type: ignore[arg-type]  # handed on as they come
        return replace(found, **{name: np.zeros_like(getattr(found, name)) for name in fields})

    return lambda: patch.object(retrieve, "signals_of", blank)


PARTS = (
    Part("nothing"),
    Part("words (BM25)", _without("lexical", "coverage")),
    Part("vectors of windows", _without("whole")),
    Part("vectors of sentences", _without("sentence")),
    Part(
        "names",
        lambda: patch.object(
            retrieve,
            "named_papers",
            lambda *_: NamedPapers(frozenset(), frozenset(), (), ()),
        ),
    ),
    Part("the cross-encoder", settings=lambda s: replace(s, rerank=False)),
    Part(
        "the router: everything is looked up",
        lambda: patch.object(app, "route", lambda _: Route("answer", "without a router")),
    ),
    Part("the conversation", product=forgetful),
    Part("rules against sentences", lambda: patch.object(verify, "check", lambda *_: ())),
    Part("the claim checker", lambda: patch.object(app, "choose_claim_reader", lambda _: None)),
)


def main(arguments: Sequence[str]) -> int:
    """Print the table. Raises PaperChatError."""
    options = _parser().parse_args(arguments)
    cases = tuple(case for case in read_cases() if not case.draft)
    tell = teller()
    found = []
    with opened(Options(store=options.store), tell) as product:
        store = options.store or Path()
        for number, part in enumerate(PARTS, start=1):
            tell(f"without {part.name}:", number, len(PARTS))
            found.append((part, asked(part, cases, product, store)))
    end_progress(f"{len(cases)} cases, {len(PARTS)} times")
    print(table(found))
    return DONE


def asked(part: Part, cases: Sequence[Case], product: Product, store: Path) -> dict[str, Line]:
    """The measures of *cases* without *part*, by name."""
    with without(part, store, product) as less:
        rows = run(cases, less, None, CORES)
    return {line.measure: line for line in summarise(rows, ())}


@contextmanager
def without(part: Part, store: Path, product: Product) -> Iterator[Product]:
    """The product without *part*, opened anew."""
    settings = without_model(Settings.from_environment(store=store))
    if part.settings:
        settings = part.settings(settings)
    with part.instead():
        chat = app.open_chat(settings)
        less = Product(chat.ask, product.papers, chat.verify)
        yield part.product(less) if part.product else less


def table(found: Sequence[tuple[Part, dict[str, Line]]]) -> str:
    """A Markdown table: the values with everything, and what changes without each part."""
    lines = ["| without | " + " | ".join(SHOWN.values()) + " |"]
    lines.append("| --- |" + " --: |" * len(SHOWN))
    whole = found[0][1]
    for part, values in found:
        cells = [_cell(whole[name], values[name], part.name == "nothing") for name in SHOWN]
        lines.append(f"| {part.name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(whole: Line, less: Line, is_whole: bool) -> str:
    if whole.value is None or less.value is None:
        return "–"
    change = less.value - whole.value
    if is_whole:
        return f"{whole.value:.3f}"
    return "" if abs(change) < 0.0005 else f"{change:+.3f}"


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="paperchat eval ablate", description=__doc__)
    parser.add_argument(
        "--store", type=Path, required=True, metavar="DIR", help="an index of the bundled papers"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
