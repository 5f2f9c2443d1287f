"""One attack of every family, as title, abstract, question, file name and a model's own words."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from rag.app import PaperChat, index, open_chat
from rag.settings import Settings
from tests.scripted import in_turn, say

PAYLOADS = Path(__file__).parents[3] / "shared" / "data" / "hostile" / "xss-payloads.txt"
OURS = [
    "<img src=x onerror=alert(1)>",
    '"><script>alert(1)</script>',
    "<svg/onload=alert(1)> ![x](http://203.0.113.1/x.png) [y](javascript:alert(1))",
    "${alert(1)} {{constructor.constructor('alert(1)')()}}",
    '<a href="javascript:alert(1)" onmouseover=alert(1)>x</a><iframe src=//203.0.113.1>',
    "<style>*{display:none}</style><base href=//203.0.113.1><meta http-equiv=refresh content=0>",
    "<form action=//203.0.113.1><button>x</button></form><math><mtext><mglyph><style>",
    "[[1]](javascript:alert(1)) **bold** # head <!-- --> <![CDATA[ ]]> \u202e gnp.exe",
]
MARKS = "script, iframe, img, object, embed, style, form:not(.pc-why), base, meta, link, svg, math"
PLACES = "#pc-desk, #pc-shelf, #pc-verdicts, #pc-waiting, #pc-evidence"


def _family(text: str) -> str:
    """What kind of attack *text* is: its first element, or scheme, or handler, or signs."""
    for pattern in (r"<\s*/?[a-z][\w:-]*", r"(?:javascript|data|vbscript)\s*:", r"\bon\w+\s*="):
        found = re.search(pattern, text, re.IGNORECASE)
        if found:
            return found.group().lower()
    return re.sub(r"\w+", "w", text)[:4]


def families() -> list[str]:
    """The first attack of each family; the larger collection lies outside the project."""
    texts = list(OURS)
    if PAYLOADS.exists():
        texts += PAYLOADS.read_text(encoding="utf-8", errors="replace").split("\n")
    first: dict[str, str] = {}
    for text in filter(str.strip, texts[len(OURS) :]):
        first.setdefault(_family(text), text)
    return [*OURS, *first.values()]


@pytest.fixture(scope="module")
def attacks() -> list[str]:
    """One of every family."""
    return families()


@pytest.fixture(scope="module")
def settings(tmp_path_factory, attacks) -> Settings:
    """A store of papers that are attacks."""
    folder = tmp_path_factory.mktemp("hostile")
    papers = [
        {"title": f"Attack {at} {text[:150]}", "abstract": f"{text[:400]} {attacks[-at][:200]}"}
        for at, text in enumerate(attacks)
    ]
    file = folder / "papers.jsonl"
    file.write_text("\n".join(map(json.dumps, papers)), encoding="utf-8")
    made = Settings.from_environment(store=folder / "store", environment={})
    index(made, [file])
    return made


def _nothing_happened(visitor) -> None:
    page = visitor.page
    page.wait_for_timeout(700)
    assert visitor.dialogs == []
    assert visitor.errors == []
    assert visitor.hosts() == {"127.0.0.1"}
    found = page.locator(PLACES).locator(MARKS).evaluate_all("all => all.map((x) => x.outerHTML)")
    assert found == []
    handlers = page.evaluate(
        "(places) => [...document.querySelectorAll(places)].flatMap((one) =>"
        " [...one.querySelectorAll('*')]).filter((one) => one.getAttributeNames().some((name) =>"
        " name.startsWith('on') || /^\\s*(javascript|data):/i.test(one.getAttribute(name))))"
        ".map((one) => one.outerHTML)",
        PLACES,
    )
    assert handlers == []
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0


def test_every_family_is_listed_opened_and_asked_as_text(serve, visit, settings, attacks):
    """All of them in the list of papers, some opened and asked about: nothing runs or loads."""
    visitor = visit(serve(open_chat(settings)))
    page = visitor.page
    visitor.tab("Papers")
    while page.locator("[data-do=more]").count():
        rows = page.locator(".pc-paper").count()
        page.locator("[data-do=more]").click()
        page.wait_for_function(
            "(rows) => document.querySelectorAll('.pc-paper').length > rows", arg=rows
        )
    titles = page.locator(".pc-paper").all_inner_texts()
    assert len(titles) >= len(attacks) * 0.9  # those that are one word after folding are one paper
    for at in range(0, len(titles), max(1, len(titles) // 12)):
        page.locator(".pc-paper").nth(at).click()
        page.locator("#pc-read .pc-abstract").wait_for()
    _nothing_happened(visitor)
    visitor.tab("Chat")
    for text in attacks[:: max(1, len(attacks) // 8)]:
        visitor.ask(text)
    visitor.ask("Which papers show alert?")
    _nothing_happened(visitor)


def test_hostile_file_names_and_contents_are_text(serve, visit, settings, attacks, tmp_path):
    """What is looked over before it is added shows names, titles and reasons as they are."""
    visitor = visit(serve(open_chat(settings), indexer=lambda paths, tell: None))
    page = visitor.page
    visitor.tab("Add papers")
    names = [f"{text[:80]}.jsonl" for text in attacks[:: max(1, len(attacks) // 14)]]
    rows = "".join(
        json.dumps({"title": f"New {text[:100]}", "abstract": text} if at % 2 else {text: text})
        + "\n"
        for at, text in enumerate(attacks[:40])
    )
    page.set_input_files(
        "#pc-files",
        [{"name": n, "mimeType": "text/plain", "buffer": rows.encode()} for n in names[:14]],
    )
    page.locator("#pc-waiting [data-do=drop]").wait_for()

    _nothing_happened(visitor)


def _spoken(texts: Sequence[str]) -> str:
    return " ".join(f"{' '.join(text.split())[:200]} [1]." for text in texts)


def test_a_hostile_model_runs_nothing(serve, visit, settings, attacks, scripted_server):
    """What it writes is shown as text, removed or not, and what was removed can be looked at."""
    some = attacks[:: max(1, len(attacks) // 40)]
    batches = [some[at : at + 8] for at in range(0, len(some), 8)]
    scripted_server.script = in_turn(*(say(_spoken(texts)) for texts in batches))
    environment = {"OPENAI_BASE_URL": scripted_server.url, "PAPERCHAT_MODEL": "scripted-1"}
    chat = PaperChat(Settings.from_environment(store=settings.store, environment=environment))
    visitor = visit(serve(chat))
    page = visitor.page
    for at in range(len(batches)):
        visitor.ask(f"What does Attack {at} show?")
    page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
    for marker in page.locator("#pc-now .pc-marker").all()[:2]:
        marker.click()

    assert scripted_server.requests
    assert page.locator(".pc-removed del").count() + page.locator(".pc-statement").count() > 0
    _nothing_happened(visitor)
