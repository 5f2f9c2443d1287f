"""`paperchat eval new QUESTION`: ask, and draft a case of the answer for a person to correct."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from eval.drafts import append, drafted, written
from eval.open import Options, Parser, opened, teller
from rag.types import Answer

DONE = 0


def main(arguments: Sequence[str]) -> int:
    """Print the draft, or put it at the end of a file. Raises PaperChatError."""
    options = _parser().parse_args(arguments)
    wanted = Options(store=options.store, corpus=tuple(options.corpus or ()), cached=False)
    earlier: list[Answer] = []
    with opened(wanted, teller()) as product:
        for question in (*options.after, options.question):
            earlier.append(product.ask(question, tuple(earlier)))
    case = drafted(earlier[-1], tuple(options.after))
    if options.to:
        append(options.to, case)
    print(written(case))
    return DONE


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="paperchat eval new",
        description="Ask QUESTION, and draft a case of the answer. Correct what is wrong in it, "
        'say why it is there, and take out "draft": until then it does not count.',
    )
    add = parser.add_argument
    add("question", metavar="QUESTION")
    before = "a question asked before it in the same conversation; may be repeated"
    add("--after", action="append", default=[], metavar="QUESTION", help=before)
    add("--to", type=Path, metavar="FILE", help="put the draft at the end of FILE too")
    add("--store", type=Path, metavar="DIR", help="the index (default: a new one)")
    add("--corpus", nargs="+", type=Path, metavar="PATH", help="papers to make a new index of")
    return parser
