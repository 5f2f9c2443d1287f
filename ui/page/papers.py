"""The papers of the collection: searched, filtered, opened, compared, and drawn as a map."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rag.atlas import Atlas
from rag.listing.kinds import KINDS
from rag.sentences import split
from rag.text import fold
from rag.types import Paper
from ui.page.answer import html_proof, html_text
from ui.page.door import block
from ui.page.turns import Chat, count

PAGE = 40
"""Papers that are listed before "Show more" is clicked."""

FEWEST, MOST = 2, 5
"""Papers that can be compared."""


_WORD = re.compile(r"[^\W_]+")
_DRAWN = 3_000  # points that a browser draws one by one; more are painted as one picture


@dataclass(frozen=True, slots=True)
class Entry:
    """A paper as it is searched."""

    paper: Paper
    words: str  # title, authors and abstract, folded
    title: str  # folded
    kind: str  # one of the kinds of `rag.listing.kinds`, or empty


class Shelf:
    """The papers, made ready to be searched once for each state of the collection."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat
        self._lock = threading.Lock()
        self._stamp = 0
        self._entries: tuple[Entry, ...] = ()

    def entries(self) -> tuple[Entry, ...]:
        """All papers, by title."""
        papers = self._chat.papers()
        stamp = hash(tuple(paper.content_hash for paper in papers))
        with self._lock:
            if stamp != self._stamp:
                self._entries, self._stamp = tuple(map(_entry, papers)), stamp
            return self._entries

    def paper(self, id: str) -> Paper | None:
        """The paper of that id."""
        return next((one.paper for one in self.entries() if one.paper.id == id), None)

    def found(self, asked: str, kind: str, year: str, source: str) -> list[Entry]:
        """The papers that hold every word of *asked*; those with it in the title come first."""
        words = [f" {word}" for word in _plain(asked).split()]
        fitting = [
            one
            for one in self.entries()
            if all(word in one.words for word in words)
            and (not kind or one.kind == kind)
            and (not year or str(one.paper.year) == year)
            and (not source or source in one.paper.sources)
        ]
        return sorted(fitting, key=lambda one: not all(word in one.title for word in words))


def _entry(paper: Paper) -> Entry:
    title = _plain(paper.title)
    words = title + _plain(" ".join(paper.authors)) + _plain(paper.abstract)
    return Entry(paper, words, title, _kind_of(paper))


def _plain(text: str) -> str:
    """*text* as words with a space before each, in which a word's beginning is found by it."""
    return " " + " ".join(_WORD.findall(fold(text).casefold()))


def _kind_of(paper: Paper) -> str:
    """What the paper calls itself, or says that it brings; empty for what most papers are."""
    text = f"{paper.title} {paper.abstract}".lower()
    for kind in KINDS:
        if not any(need in text for need in kind.needs):
            continue
        sentences = (one.text for one in split(paper.id, paper.abstract))
        if kind.title.search(paper.title) or any(map(kind.text.search, sentences)):
            return kind.name
    return ""


# --- Its HTML -------------------------------------------------------------------------------------


def html_list(shelf: Shelf, asked: str, kind: str, year: str, source: str, start: int) -> str:
    """How many papers fit, and some of them from number *start*."""
    found = shelf.found(asked, kind, year, source)
    rows = "".join(map(_row, found[start : start + PAGE]))
    left = len(found) - start - PAGE
    more = (
        f'<li><button type="button" class="pc-act" data-do="more" data-from="{start + PAGE}">'
        f"Show {min(left, PAGE):,} more</button></li>"
        if left > 0
        else ""
    )
    if start:
        return rows + more
    said = f'<p class="pc-count" role="status">{count(len(found), "paper")}</p>'
    return f'{said}<ul class="pc-papers">{rows}{more}</ul>'


def _row(entry: Entry) -> str:
    paper = entry.paper
    id, title = html_text(paper.id), html_text(paper.title)
    tag = f'<span class="pc-kind">{html_text(entry.kind)}</span>' if entry.kind else ""
    year = f'<span class="pc-kind">{paper.year}</span>' if paper.year else ""
    return (
        f'<li><input type="checkbox" class="pc-tick" value="{id}" aria-label="Compare: {title}">'
        f'<button type="button" class="pc-paper" data-do="paper" data-id="{id}">{title}</button>'
        f"{tag}{year}</li>"
    )


def html_paper(paper: Paper) -> str:
    """One paper to be read, with what can be done about it."""
    sources = html_text(", ".join(paper.sources))
    return (
        f'<h3 class="pc-evidence-title">{html_text(paper.title)}</h3>{html_proof(paper, ())}'
        f'<p class="pc-about">From {sources}</p><div class="pc-acts">'
        f'<button type="button" class="pc-act" data-do="about" data-title="'
        f'{html_text(paper.title)}">Ask about this paper</button></div>'
    )


def build(gr: Any, shelf: Shelf) -> None:
    """Lay the tab out; the list and the papers come when they are asked for."""
    entries = shelf.entries()
    kinds = Counter(one.kind for one in entries if one.kind)
    years = Counter(str(one.paper.year) for one in entries if one.paper.year)
    sources = Counter(name for one in entries for name in one.paper.sources)
    filters = _choice("kind", "Any kind", kinds)
    filters += _choice("year", "Any year", dict(sorted(years.items(), reverse=True)))
    filters += _choice("source", "Any source", sources) if len(sources) > 1 else ""
    first = html_list(shelf, "", "", "", "", 0)
    block(
        gr,
        '<section id="pc-shelf"><div class="pc-seek"><input id="pc-seek" type="search"'
        ' placeholder="Words in title, authors or abstract" aria-label="Search the papers"'
        f' autocomplete="off">{filters}'
        '<button type="button" class="pc-act" data-do="map" aria-expanded="false">Map</button>'
        "</div>"
        '<div id="pc-map" hidden><p class="pc-hint">Each point is a paper, near those that it is'
        ' like; a click opens it.</p><div id="pc-plot"></div></div>'
        '<div id="pc-compare" hidden><span id="pc-ticked"></span>'
        '<button type="button" class="pc-act pc-strong" data-do="compare">Compare</button>'
        '<button type="button" class="pc-act" data-do="untick">Clear</button></div>'
        '<div id="pc-compared" tabindex="-1"></div>'
        f'<div class="pc-split"><div id="pc-found">{first}</div>'
        '<div id="pc-read" class="pc-nothing" tabindex="-1" role="region"'
        ' aria-label="The paper"><p class="pc-hint">'
        "Choose a paper to read its abstract.</p></div></div></section>",
    )


def _choice(name: str, every: str, counted: Mapping[str, int]) -> str:
    """A drop-down list of what the papers are counted by; nothing where there is no choice."""
    if not counted:
        return ""
    options = "".join(
        f'<option value="{html_text(value)}">{html_text(value)} ({number:,})</option>'
        for value, number in list(counted.items())[:200]
    )
    return (
        f'<select class="pc-filter" data-name="{name}" aria-label="{every}">'
        f'<option value="">{every}</option>{options}</select>'
    )


def drawing(atlas: Atlas, papers: Sequence[Paper]) -> dict[str, object]:
    """The map as plotly's data and layout; titles are text, of which plotly reads no markup."""
    titles = {paper.id: html_text(paper.title) for paper in papers}
    data = [
        {
            "type": "scatter" if len(atlas.ids) <= _DRAWN else "scattergl",
            "mode": "markers",
            "x": [atlas.points[at][0] for at in members],
            "y": [atlas.points[at][1] for at in members],
            "customdata": [atlas.ids[at] for at in members],
            "text": [titles.get(atlas.ids[at], "") for at in members],
            "hovertemplate": "%{text}<extra></extra>",
            "name": html_text(topic.words),
            "marker": {"size": 9, "opacity": 0.8, "symbol": group % 8},
        }
        for group, topic in enumerate(atlas.topics)
        if (members := [at for at, its in enumerate(atlas.groups) if its == group])
    ]
    labels = [
        {
            "x": topic.x,
            "y": topic.y,
            "text": f"<b>{html_text(topic.words)}</b>",
            "showarrow": False,
        }
        for topic in atlas.topics
    ]
    return {"data": data, "labels": labels}
