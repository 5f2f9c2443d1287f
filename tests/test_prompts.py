from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import get_args

import pytest

from rag import app, prompts
from rag.errors import PromptError
from rag.prompts import render
from rag.types import Abstention

Write = Callable[[str], str]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Puts a text into a prompts folder of the test's own; gives back its name."""
    monkeypatch.setattr(prompts, "files", lambda package: tmp_path)
    numbers = itertools.count()

    def put(text: str) -> str:
        name = f"{tmp_path.name}-{next(numbers)}"  # templates are read once per name
        (tmp_path / f"{name}.md").write_text(text, encoding="utf-8")
        return name

    return put


def test_names_are_filled_in(write: Write):
    """Every $name of the file becomes its value, and the ends are trimmed."""
    prompt = write("\nRead $count papers by ${who}s.\n\n")
    assert render(prompt, count="385", who="author") == "Read 385 papers by authors."


def test_a_value_is_never_read_as_a_template(write: Write):
    """A question may hold dollars and braces: it is data."""
    prompt = write("Question: $question")
    assert render(prompt, question="what is $count, $$ or ${x} %s {y}") == (
        "Question: what is $count, $$ or ${x} %s {y}"
    )


def test_a_dollar_that_is_meant_is_written_twice(write: Write):
    """So prices can stand in a prompt."""
    assert render(write("It costs $$5 for $who."), who="you") == "It costs $5 for you."


@pytest.mark.parametrize(
    ("text", "given", "named"),
    [
        ("Read $count.", {}, "count"),
        ("Read $count.", {"count": "1", "spare": "2"}, "spare"),
        ("Read $count and $title.", {"cuont": "1", "title": "t"}, "count, cuont"),
        ("Nothing to fill in.", {"count": "1"}, "count"),
    ],
)
def test_names_that_do_not_agree_are_an_error(
    write: Write, text: str, given: dict[str, str], named: str
):
    """A name in the file that is not given, or given and not in the file, is a mistake."""
    with pytest.raises(PromptError, match=rf"do not agree on: {named}$"):
        render(write(text), **given)


def test_a_lone_dollar_is_an_error(write: Write):
    """The message says how to write it."""
    with pytest.raises(PromptError, match=r"write it as \$\$"):
        render(write("It costs $5."))


def test_a_missing_file_is_an_error():
    """One sentence that says what to do."""
    with pytest.raises(PromptError, match=r"prompts/no-such-prompt\.md is missing; install"):
        render("no-such-prompt")


def test_every_kind_of_silence_has_words():
    """The app renders the prompt named after the abstention: none may be missing or left over."""
    names = {entry.name for entry in files("prompts").iterdir() if entry.name.endswith(".md")}
    for kind in get_args(Abstention):
        said = render(kind, count="1,234")
        assert "1,234" in said
        assert "$" not in said
    assert {f"{kind}.md" for kind in get_args(Abstention)} <= names


def test_no_prompt_is_unused():
    """A file that nothing renders would be changed in vain."""
    root = Path(app.__file__).parent.parent
    sources = (path for package in ("rag", "ui") for path in (root / package).rglob("*.py"))
    code = "".join(path.read_text(encoding="utf-8") for path in sources)
    written = re.findall(r'render\(\s*"([\w-]+)"', code)
    asked = re.findall(r'complete\(chat, "([\w-]+)"', code)  # which renders by that name
    rendered = {*written, *asked, *get_args(Abstention)}
    names = {
        entry.name.removesuffix(".md")
        for entry in files("prompts").iterdir()
        if entry.name.endswith(".md")
    }
    assert names <= rendered
