"""`paperchat eval add`: answers that people marked as wrong, as drafts of eval cases.

A draft says what was asked and what is wrong with the answer, without who asked and without what
looks private. It counts for nothing until a person has written down what a right answer holds and
removed its key "review": with that key, no eval reads it as a case.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from eval.open import Parser
from rag.errors import UsageError
from rag.history import FILE, History, Kept
from rag.settings import Settings
from rag.text import digest

DRAFTS = Path("eval-drafts.jsonl")
REVIEW = (
    "Write down what a right answer holds (answerable or abstention, gold_papers, evidence,"
    " key_facts), then remove this key."
)

_TYPES = {"comparison": "comparison", "list": "aggregation", "chat": "chat"}
_PRIVATE = (
    (re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"), "[address]"),
    (re.compile(r"\b(?:https?|ftp)://\S+|\bwww\.\S+", re.IGNORECASE), "[link]"),
    (re.compile(r"\b(?:sk|pk|gh[pousr]|xox[abp])[-_][\w-]{8,}"), "[key]"),
    (re.compile(r"\b(?=[A-Za-z\d_-]*\d)(?=[A-Za-z\d_-]*[A-Za-z])[A-Za-z\d_-]{24,}\b"), "[key]"),
    (re.compile(r"(?<!\w)\+?\d(?:[ ()/-]?\d){8,}(?!\w)"), "[number]"),
)


def redacted(text: str) -> str:
    """*text* without addresses, links, keys, and numbers as long as those of telephones.

    >>> redacted("Does MoE help? ask ann@example.org or +49 170 1234567")
    'Does MoE help? ask [address] or [number]'
    """
    for pattern, instead in _PRIVATE:
        text = pattern.sub(instead, text)
    return text


def drafts(history: History) -> Iterator[dict[str, object]]:
    """A draft for every answer that was marked as wrong, oldest first. Raises StoreError."""
    for turns, _ in history.rated("down"):
        yield _draft(turns)


def _draft(turns: Sequence[Kept]) -> dict[str, object]:
    last = turns[-1]
    questions = [redacted(turn.question) for turn in turns]
    shape = last.answer.shape if last.answer else "answer"
    many = len(turns) > 1
    draft: dict[str, object] = {
        "id": f"feedback-{digest(*questions)[:10]}",
        "type": "conversation" if many else _TYPES.get(shape, "single"),
        "question": questions[-1],
        "answerable": True,
        "gold_papers": [],
        "evidence": [],
        "note": redacted(last.reason) or "marked as wrong, without a reason",
        "review": REVIEW,
    }
    if many:
        draft["turns"] = [{"question": question} for question in questions]
    return draft


def append(history: History, file: Path) -> tuple[int, int]:
    """Add the drafts that *file* lacks: how many were added, how many it had. Raises UsageError."""
    try:
        known = file.read_text(encoding="utf-8") if file.exists() else ""
        had = {json.loads(line)["id"] for line in known.splitlines() if line.strip()}
        new = {str(one["id"]): one for one in drafts(history) if one["id"] not in had}
        with file.open("a", encoding="utf-8") as lines:
            lines.writelines(json.dumps(one, ensure_ascii=False) + "\n" for one in new.values())
    except (OSError, ValueError, KeyError, TypeError) as error:
        problem = f"{file} cannot take drafts ({error}): name another file with --out"
        raise UsageError(problem) from error
    return len(new), len(had)


def main(argv: Sequence[str]) -> int:
    """Write the drafts and say how many. Raises PaperChatError."""
    parser = Parser(
        prog="paperchat eval add",
        description="Draft eval cases of the answers that people marked as wrong on the page.",
    )
    parser.add_argument("--store", type=Path, help="the folder of the index")
    parser.add_argument("--out", type=Path, default=DRAFTS, help=f"default: {DRAFTS}")
    options = parser.parse_args(argv)
    kept = Settings.from_environment(store=options.store).store / FILE
    if not kept.is_file():
        raise UsageError(f"nobody has asked anything on the page of {kept.parent} yet")
    new, had = append(History(kept), options.out)
    print(f"{new} drafts added to {options.out}, {had} were there; review them, then move them")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
