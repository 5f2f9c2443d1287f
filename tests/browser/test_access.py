"""Everybody can read and use every tab, in every state: the axe engine finds nothing serious."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import pytest

from ui.page.people import hashed

QUESTION = "What MFU does MegaScale reach?"
COMPARISON = "How do MegaScale and ByteScale differ in hardware and speed?"
LIST = "Which papers mention ImageNet?"
OFF_TOPIC = "Who won the world cup in 2014?"
TEXT = "MegaScale reaches 65.2% MFU. It runs on 12,288 GPUs. Herons fish at dawn."
PAPERS = '{"title": "On otters", "abstract": "An otter eats 4 kg of fish a day."}\n{"title": "X"}\n'
LOOKS = list(product([(1280, 800), (390, 844)], ["light", "dark"]))


@pytest.fixture(scope="module")
def whole(serve_all, seed_chat) -> str:
    """The page with every tab, that for adding papers too."""
    return serve_all(seed_chat, indexer=lambda paths, tell: None)


def _barriers(page, place: str) -> Iterator[str]:
    """What the axe engine finds that is serious or critical."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page.wait_for_timeout(400)  # what fades in has its colours only at the end
    for one in axe.Axe().run(page).response["violations"]:
        if one["impact"] in {"serious", "critical"}:
            yield f"{place}: {one['id']}: {[node['html'][:160] for node in one['nodes'][:4]]}"


@pytest.mark.parametrize(("size", "scheme"), LOOKS)
def test_the_chat_bars_nobody(whole, visit, size, scheme):
    """The beginning, every shape of answer, the evidence, a reason being given, an edit, a menu."""
    visitor = visit(whole, size=size, scheme=scheme)
    page = visitor.page
    found = list(_barriers(page, "start"))
    for name, question in (("answer", QUESTION), ("table", COMPARISON), ("list", LIST)):
        visitor.ask(question)
        found += _barriers(page, name)
    turn = visitor.ask(OFF_TOPIC)
    assert turn.locator(".pc-abstained").count() == 1
    found += _barriers(page, "abstention")
    visitor.evidence(page.locator("#turn-0 .pc-marker").first)
    found += _barriers(page, "evidence")
    visitor.pictured(f"chat-{size[0]}-{scheme}")
    page.keyboard.press("Escape")
    page.locator("#turn-0 [data-way=down]").click()
    found += _barriers(page, "why")
    page.keyboard.press("Escape")
    page.evaluate("scrollTo(0, 0)")
    if size[0] < 800:
        page.locator(".pc-toggle").click()
    page.locator(".pc-menu summary").first.click()
    found += _barriers(page, "menu")
    page.locator("#turn-0 [data-do=edit]").click()
    page.locator(".pc-banner").wait_for()
    found += _barriers(page, "editing")

    assert found == []


@pytest.mark.parametrize(("size", "scheme"), LOOKS)
def test_the_other_tabs_bar_nobody(whole, visit, size, scheme):
    """Papers with one open, some compared and the map; a text checked; files looked over; about."""
    visitor = visit(whole, size=size, scheme=scheme)
    page, found = visitor.page, []
    visitor.tab("Papers")
    page.locator(".pc-paper").first.click()
    page.locator("#pc-read .pc-abstract").wait_for()
    found += _barriers(page, "paper")
    page.evaluate("scrollTo(0, 0)")
    page.locator("[data-do=map]").click()
    page.locator("#pc-plot .point").first.wait_for()
    found += _barriers(page, "map")
    for at in range(2):
        page.locator(".pc-tick").nth(at).check()
    page.locator("[data-do=compare]").click()
    page.locator("#pc-compared td .pc-marker").first.click()
    found += _barriers(page, "compared")
    visitor.pictured(f"papers-{size[0]}-{scheme}")
    page.evaluate("scrollTo(0, 0)")
    visitor.tab("Check a text")
    page.fill("#pc-claims", TEXT)
    page.locator("[data-do=check]").click()
    page.locator(".pc-checked .pc-open").first.click()
    found += _barriers(page, "checked")
    visitor.pictured(f"check-{size[0]}-{scheme}")
    page.evaluate("scrollTo(0, 0)")
    visitor.tab("Add papers")
    files = [("new.jsonl", PAPERS), ("run.exe", "x")]
    page.set_input_files(
        "#pc-files",
        [{"name": n, "mimeType": "text/plain", "buffer": text.encode()} for n, text in files],
    )
    page.get_by_text("On otters").wait_for()
    found += _barriers(page, "preview")
    visitor.pictured(f"add-{size[0]}-{scheme}")
    page.locator("[data-do=drop]").click()
    visitor.tab("About")
    found += _barriers(page, "about")

    assert found == []


@pytest.mark.parametrize(("size", "scheme"), LOOKS)
def test_the_door_bars_nobody(serve, browser, seed_chat, size, scheme):
    """The page to sign in on, before and after a wrong password, and without a sideways scroll."""
    address = serve(seed_chat, users=[("ann", hashed("x1"))])
    window = {"width": size[0], "height": size[1]}
    context = browser.new_context(viewport=window, color_scheme=scheme)
    page = context.new_page()
    page.goto(address)
    found = list(_barriers(page, "door"))
    page.fill("#username", "ann")
    page.fill("#password", "wrong")
    page.click("button")
    page.locator("[role=alert]").wait_for()
    found += _barriers(page, "refused")

    assert found == []
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    context.close()
