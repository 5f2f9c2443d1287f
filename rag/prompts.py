"""Texts that are kept as Markdown files in `prompts/`, with $names to fill in."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from string import Template

from rag.errors import PromptError


def render(prompt: str, **values: str) -> str:
    """The text of `prompts/<prompt>.md` with its $names filled in.

    Raises PromptError if a name in the file is not given, or one given is not in the file: either
    is a mistake that would otherwise show in front of a person.
    """
    template = _template(prompt)
    names = set(template.get_identifiers())
    if names != values.keys():
        wrong = ", ".join(sorted(names ^ values.keys()))
        raise PromptError(f"prompts/{prompt}.md and its names do not agree on: {wrong}")
    return template.substitute(values).strip()


@cache
def _template(prompt: str) -> Template:
    path = files("prompts") / f"{prompt}.md"
    try:
        template = Template(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise PromptError(f"prompts/{prompt}.md is missing; install PaperChat again") from error
    if not template.is_valid():
        raise PromptError(f"prompts/{prompt}.md has a $ without a name; write it as $$")
    return template
