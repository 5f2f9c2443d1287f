"""What a question of a conversation means on its own, where rules find nothing it refers to."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.followup import Condense, Resolved, resolve
from rag.prompts import render
from rag.retrieve import Library
from rag.text import squeeze
from rag.types import Answer, Chat
from rag.write.answer import Progress, complete
from rag.write.sheet import harmless

MOST_TURNS = 4
MOST_CHARACTERS = 400  # of a rewritten question; a longer one is an answer


def condensing(chat: Chat, rules: Condense = resolve) -> Condense:
    """*rules* first; *chat* where they carry nothing over though the question has a pronoun.

    What the model says counts only if it is a question of sensible length; else the rules' word
    stands.
    """

    def condense(library: Library, question: str, conversation: Sequence[Answer]) -> Resolved:
        found = rules(library, question, conversation)
        if found.reason or found.problem or not conversation or not _PRONOUN.search(question):
            return found
        prompt = render(
            "condense_question",
            conversation="\n".join(map(_told, conversation[-MOST_TURNS:])),
            question=harmless(question),
        )
        said = complete(chat, "condense", prompt, Progress()).get("question")
        anew = squeeze(said) if isinstance(said, str) else ""
        if not anew or len(anew) > MOST_CHARACTERS or anew.casefold() == question.casefold():
            return found
        return Resolved(anew, f"read by {chat.name}")

    return condense


def _told(answer: Answer) -> str:
    titles = "; ".join(source.title for source in answer.sources[:5])
    return harmless(f"Question: {answer.standalone_question} Papers shown: {titles or 'none'}")


_PRONOUN = re.compile(
    r"\b(?:it|its|they|their|them|this|that|these|those|he|she|former|latter|ones?)\b",
    re.IGNORECASE,
)
