"""How fast the page is, and how many people it bears: `python -m eval.page`.

A real Chromium opens the page that `paperchat chat` serves and measures, in the browser, from the
key or the click to what a person sees. Then simulated people ask through the same queue that
browsers use, each with a cookie of their own; an answer counts only if it is to the question that
this very person asked. The measures are those of the browser's clock and of the process's memory.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any

TIMES = 7
"""How often each thing in the browser is measured; the median counts."""

WANTED = {
    "page ready after `paperchat chat`, s": 8.0,
    "first sentence after Enter, ms": 300.0,
    "evidence after a click, ms": 150.0,
    "papers filtered after a key, ms": 200.0,
    "a question among many people, p95, s": 2.0,
    "questions lost or crossed": 0.0,
    "memory after all questions, growth in %": 10.0,
}
"""The most that each figure may be."""

# Runs in the page: from the key or click until what is waited for can be seen.
_SEEN = """([selector, act, value]) => new Promise((done) => {
  const seen = () => [...document.querySelectorAll(selector)].some((one) => one.offsetParent);
  const start = performance.now();
  const look = () => seen() ? done(performance.now() - start) : requestAnimationFrame(look);
  eval(act);
  look();
})"""


@dataclass(slots=True)
class Crowd:
    """What came of the questions of many people."""

    seconds: list[float] = field(default_factory=list)
    lost: int = 0
    crossed: int = 0


@contextmanager
def served(store: Path) -> Iterator[tuple[str, int, float]]:
    """The page in a process of its own: its address, its process id, when it was started."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "ui.cli", "chat", "--store", str(store), "--port", str(port)]
    began = time.perf_counter()
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        yield f"http://127.0.0.1:{port}/", process.pid, began
    finally:
        process.terminate()
        process.wait(30)


def _wait_for(address: str, seconds: float = 60) -> None:
    """Wait until something listens at *address*."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            direct.open(f"{address}health", timeout=5).close()
            return
        except OSError:
            time.sleep(0.05)
    raise TimeoutError(f"nothing answers at {address}")


def in_browser(address: str, began: float, names: Sequence[str]) -> dict[str, float]:
    """What a person waits for; *names* are systems that papers are about."""
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        _wait_for(address)
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(address)
        page.wait_for_selector("#pc-question textarea")
        ready = time.perf_counter() - began
        page.wait_for_timeout(1000)
        first, evidence = [], []
        for number, name in enumerate(names[: TIMES + 1]):
            page.fill("#pc-question textarea", f"What does {name} do?")
            page.evaluate("performance.mark('asked')")
            page.keyboard.press("Enter")
            first.append(
                _until_seen(page, f"#turn-{number} .pc-statement, #turn-{number} .pc-abstained")
            )
            page.locator(f"#turn-{number}[data-state=finished]").wait_for()
            page.keyboard.press("Escape")
            page.wait_for_timeout(200)
            marker = page.locator(f"#turn-{number} .pc-marker")
            if marker.count():
                click = f"document.querySelector('#turn-{number} .pc-marker').click()"
                evidence.append(page.evaluate(_SEEN, ["#pc-evidence mark", click, ""]))
        page.get_by_role("tab", name="Papers", exact=True).click()
        page.wait_for_timeout(500)
        filtered = [_filtered(page, name) for name in names[:TIMES]]
        browser.close()
    return {
        "page ready after `paperchat chat`, s": ready,
        "first sentence after Enter, ms": statistics.median(first[1:]),  # the first warms up
        "evidence after a click, ms": statistics.median(evidence),
        "papers filtered after a key, ms": statistics.median(filtered),
    }


def _until_seen(page: Any, selector: str) -> float:
    """Milliseconds from the mark that was set before a key was pressed."""
    ended: float = page.evaluate(
        """(selector) => new Promise((done) => {
          const look = () => document.querySelector(selector) ? done(performance.now()
            - performance.getEntriesByName("asked").at(-1).startTime)
            : requestAnimationFrame(look);
          look();
        })""",
        selector,
    )
    return ended


def _filtered(page: Any, name: str) -> float:
    """Milliseconds from the last letter of *name* until the list is that of its papers."""
    page.evaluate("document.querySelector('#pc-found').innerHTML = ''")
    typed = """(() => { const box = document.getElementById("pc-seek"); box.value = value;
      box.dispatchEvent(new Event("input", { bubbles: true })); })()"""
    spent: float = page.evaluate(_SEEN, ["#pc-found .pc-count", typed, name])
    return spent


async def crowd(address: str, people: int, each: int, names: Sequence[str]) -> Crowd:
    """Let *people* ask *each* questions, all at once, through the queue that browsers use."""
    import httpx

    found = Crowd()
    limits = httpx.Limits(max_connections=4 * people)
    async with httpx.AsyncClient(base_url=address, timeout=60, limits=limits) as client:
        config = (await client.get("config")).json()
        event = _asking(config)
        await asyncio.gather(
            *(_person(client, event, person, each, names, found) for person in range(people))
        )
    return found


def _asking(config: dict[str, Any]) -> int:
    """The number of the event that Enter in the question's box sends."""
    box = next(
        one["id"] for one in config["components"] if one["props"].get("elem_id") == "pc-question"
    )
    wanted = [box, "submit"]
    return next(
        int(one["id"]) for one in config["dependencies"] if wanted in map(list, one["targets"])
    )


async def _person(
    client: Any, event: int, person: int, each: int, names: Sequence[str], found: Crowd
) -> None:
    """One person's questions, one after another; each names the person, so none fits another."""
    session = f"person-{person}-{os.getpid()}-{time.time_ns()}"
    headers = {"cookie": f"paperchat_visitor={'x' * 24}{person:06}"}
    beats = f"gradio_api/heartbeat/{session}"
    async with client.stream(
        "GET", beats, headers=headers
    ):  # open while the page is, as browsers do
        for number in range(each):
            name = names[(person * 7 + number) % len(names)]
            question = f"What does {name} do, asks person {person} as number {number}?"
            began = time.perf_counter()
            try:
                shown = await _answer(client, event, session, question, headers)
            except (OSError, ValueError, RuntimeError) as error:
                print(f"lost: {question}: {error}", file=sys.stderr)
                found.lost += 1
                continue
            found.seconds.append(time.perf_counter() - began)
            heads = [unescape(one) for one in re.findall(r'pc-question">(.*?)</h2>', shown)]
            mine = all(f"person {person} as" in one for one in heads)
            if question not in heads or not mine:
                found.crossed += 1


async def _answer(
    client: Any, event: int, session: str, question: str, headers: dict[str, str]
) -> str:
    """The HTML that the person is shown in the end."""
    body = {"data": [question, "", None], "fn_index": event, "session_hash": session}
    joined = await client.post("gradio_api/queue/join", json=body, headers=headers)
    joined.raise_for_status()
    wanted = joined.json()["event_id"]
    url = f"gradio_api/queue/data?session_hash={session}"
    shown = ""
    async with client.stream("GET", url, headers=headers) as lines:
        async for line in lines.aiter_lines():
            if not line.startswith("data:"):
                continue
            told = json.loads(line[5:])
            if told.get("event_id") == wanted:
                shown += json.dumps(told.get("output") or "", ensure_ascii=False)
            if told.get("msg") == "process_completed" and told.get("event_id") == wanted:
                if not told.get("success"):
                    raise RuntimeError("the server failed")
                return shown.replace('\\"', '"')
    raise RuntimeError("the stream ended before the answer")


def memory(process: int) -> float:
    """Megabytes that the process holds."""
    status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    return int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) / 1024


def measured(store: Path, people: int, each: int, total: int) -> dict[str, float]:
    """Every figure of `WANTED`."""
    from rag.app import open_chat
    from rag.settings import Settings

    chat = open_chat(Settings.from_environment(store=store))
    heads = (paper.title.partition(":") for paper in chat.papers())
    names = [head for head, colon, _ in heads if colon and len(head.split()) == 1]
    with served(store) as (address, process, began):
        figures = in_browser(address, began, names)
        together = asyncio.run(crowd(address, people, each, names))
        warm = memory(process)
        rest = max(0, total - people * each) // people
        later = asyncio.run(crowd(address, people, rest, names))
        grown = memory(process) / warm - 1
    seconds = sorted(together.seconds) or [float("inf")]
    wrong = together.lost + together.crossed + later.lost + later.crossed
    return {
        **figures,
        "a question among many people, p95, s": seconds[int(0.95 * (len(seconds) - 1))],
        "questions lost or crossed": wrong,
        "memory after all questions, growth in %": 100 * grown,
    }


def report(figures: dict[str, float], people: int, each: int, total: int) -> str:
    """The figures as a table in Markdown."""
    rows = [
        f"| {name} | {value:.2f} | {WANTED[name]:g} | {'yes' if value <= WANTED[name] else 'no'} |"
        for name, value in figures.items()
    ]
    return "\n".join(
        [
            "# The page",
            "",
            f"`python -m eval.page`, {os.cpu_count()} cores, Chromium; {people} people with {each}"
            f" questions each at once, {total:,} questions in all.",
            "",
            "| measure | now | at most | met |",
            "| --- | --: | --: | --- |",
            *rows,
            "",
        ]
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, and print the table; 1 if a figure is not met."""
    parser = argparse.ArgumentParser(prog="python -m eval.page", description=__doc__)
    parser.add_argument("--store", type=Path, required=True, help="the folder of an index")
    parser.add_argument("--people", type=int, default=32)
    parser.add_argument("--each", type=int, default=20)
    parser.add_argument("--total", type=int, default=2000)
    parser.add_argument("--out", type=Path, help="write the table into this file too")
    options = parser.parse_args(argv)
    figures = measured(options.store, options.people, options.each, options.total)
    text = report(figures, options.people, options.each, options.total)
    print(text)
    if options.out:
        options.out.write_text(text, encoding="utf-8")
    return int(any(value > WANTED[name] for name, value in figures.items()))


if __name__ == "__main__":
    sys.exit(main())
