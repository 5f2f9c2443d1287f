"""The list of kept conversations."""

from __future__ import annotations

from collections.abc import Sequence

from rag.history import Conversation
from ui.page.answer import html_text


def html_conversations(kept: Sequence[Conversation], current: str) -> str:
    """The list of kept conversations, each to be opened, renamed, exported or deleted."""
    items = "".join(_conversation(one, one.id == current) for one in kept)
    new = '<button type="button" class="pc-new" data-do="new">New conversation</button>'
    if not items:
        return f'<div class="pc-aside">{new}</div>'
    toggle = (
        '<button type="button" class="pc-new pc-toggle" data-do="past" aria-expanded="false">'
        f"Conversations ({len(kept):,})</button>"
    )
    told = f'<nav aria-label="Conversations"><ul class="pc-kept">{items}</ul></nav>'
    return f'<div class="pc-aside">{new}{toggle}{told}</div>'


def _conversation(one: Conversation, current: bool) -> str:
    name, here = html_text(one.id), ' aria-current="true"' if current else ""
    files = "".join(
        f'<a class="pc-act" download href="/export/{name}.{kind}">{words}</a>'
        for kind, words in (("md", "Markdown"), ("bib", "BibTeX"), ("csv", "CSV"))
    )
    return (
        f'<li data-id="{name}"><button type="button" class="pc-kept-title" data-do="open"'
        f' data-id="{name}"{here}>{html_text(one.title)}</button>'
        f'<details class="pc-menu" id="menu-{name}"><summary aria-label="What to do with this'
        ' conversation">&#8943;</summary><div>'
        f'<button type="button" class="pc-act" data-do="renaming" data-id="{name}">Rename</button>'
        f"{files}"
        f'<button type="button" class="pc-act" data-do="deleting" data-id="{name}">Delete</button>'
        "</div></details></li>"
    )
