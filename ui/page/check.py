"""A text checked sentence by sentence against the papers that it cites."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rag.errors import PaperChatError, UsageError
from rag.sentences import split
from rag.text import fold
from rag.types import Judgement, Paper
from ui.format import DOUBTS, SUPPORTED
from ui.page.answer import html_proof, html_text
from ui.page.door import block
from ui.page.turns import Chat

MOST_SENTENCES = 40
MOST_CHARACTERS = 20_000
_QUOTED = re.compile(r"[“\"«]([^”\"»]{3,300})[”\"»]|\(([^()]{3,300})\)|\[([^\[\]]{3,300})\]")
_MARKED = re.compile(r"\s*[\[(][^\[\]()]*[\])]\s*(?=[.!?]?$)")


@dataclass(frozen=True, slots=True)
class Checked:
    """One sentence of the text, and what became of it."""

    text: str
    paper: Paper | None = None  # the paper it was held against
    judged: Judgement | None = None
    problem: str = ""  # why it could not be checked


def check(chat: Chat, text: str, title: str = "") -> Sequence[Checked]:
    """Judge every sentence of *text* by the paper it cites, or by the one called *title*.

    A sentence cites what it names in quotation marks or brackets, or by a title or a name before
    the title's colon in its own words; one that names nothing goes by the paper before it. Raises
    UsageError for a text that is empty or too long, and for a title that no paper has.
    """
    if not text.strip():
        raise UsageError("there is no text; paste the sentences to be checked")
    if len(text) > MOST_CHARACTERS:
        raise UsageError(f"the text is too long; check at most {MOST_CHARACTERS:,} characters")
    paper = chat.titled(title) if title.strip() else None
    checked, fixed = [], paper is not None
    for sentence in split("", " ".join(text.split()))[:MOST_SENTENCES]:
        cited = None if fixed else _cited(chat, sentence.text)
        paper = cited or paper
        checked.append(_checked(chat, sentence.text, paper))
    return checked


def _checked(chat: Chat, sentence: str, paper: Paper | None) -> Checked:
    if paper is None:
        return Checked(sentence, problem="It cites no paper of this collection.")
    claim = _MARKED.sub("", sentence) or sentence
    try:
        return Checked(sentence, paper, chat.verify(claim, paper.title))
    except PaperChatError as error:
        return Checked(sentence, paper, problem=str(error))


def _cited(chat: Chat, sentence: str) -> Paper | None:
    """The paper that *sentence* names, if it names one."""
    for found in _QUOTED.finditer(sentence):
        try:
            return chat.titled(next(filter(None, found.groups())))
        except UsageError:
            continue
    words = fold(sentence).casefold()
    best: tuple[int, Paper] | None = None
    for paper in chat.papers():
        head = fold(paper.title.partition(":")[0]).casefold()
        for name in (fold(paper.title).casefold(), head):
            fits = len(name) > 3 and re.search(rf"(?<!\w){re.escape(name)}(?!\w)", words)
            if fits and (best is None or len(name) > best[0]):
                best = len(name), paper
    return best[1] if best else None


# --- Its HTML -------------------------------------------------------------------------------------


def html_checked(checked: Sequence[Checked]) -> str:
    """Every sentence with its verdict, reasons and evidence."""
    items = "".join(_item(one, f"check-{at}") for at, one in enumerate(checked, 1))
    good = sum(one.judged is not None and one.judged.verdict == "supported" for one in checked)
    said = f"{good:,} of {len(checked):,} sentences are supported by the abstract they cite."
    return f'<p class="pc-count" role="status">{said}</p><ol class="pc-checked">{items}</ol>'


def _item(one: Checked, place: str) -> str:
    verdict = one.judged.verdict if one.judged else "unverified"
    words = SUPPORTED if verdict == "supported" else DOUBTS[verdict]
    reasons = one.problem or "; ".join(one.judged.reasons if one.judged else ())
    why = f'<span class="pc-reasons">: {html_text(reasons)}</span>' if reasons else ""
    source = ""
    if one.paper is not None:
        spans = [(span, "1") for span in (one.judged.evidence if one.judged else ())]
        source = (
            f'<div class="pc-source" id="{place}"><a class="pc-open" href="#{place}" data-at="1">'
            f'<span class="pc-title">{html_text(one.paper.title)}</span></a>'
            f'<div class="pc-proof" hidden>{html_proof(one.paper, spans)}</div></div>'
        )
    return (
        f'<li data-verdict="{verdict}"><p class="pc-said">{html_text(one.text)}</p>'
        f'<p class="pc-verdict"><span class="pc-badge">{words}</span>{why}</p>{source}</li>'
    )


def build(gr: Any) -> None:
    """Lay the tab out."""
    block(
        gr,
        '<section id="pc-check" class="pc-form"><h2>Check a text</h2><p class="pc-hint">Every'
        " sentence is held against the abstract of the paper that it names, in quotation marks, in"
        " brackets or in its own words; a sentence that names none goes by the one before.</p>"
        '<label for="pc-claims">The text</label><textarea id="pc-claims" rows="7" maxlength="'
        f'{MOST_CHARACTERS}" placeholder="MegaScale reaches 55.2% MFU on 12,288 GPUs."></textarea>'
        '<label for="pc-against">Only against this paper (optional)</label>'
        '<input id="pc-against" maxlength="500" placeholder="A title, a part of one, or a name">'
        '<button type="button" class="pc-act pc-strong" data-do="check">Check</button></section>'
        '<div id="pc-verdicts" class="pc-form" tabindex="-1"></div>',
    )
