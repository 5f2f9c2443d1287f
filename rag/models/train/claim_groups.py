"""Groups of readings that the claim checker learns from: one paper, claims true and false of it.

Three sources: hand-written claims, which corruptions multiply; sentences of ACL abstracts,
lightened and corrupted; and SciFact. In some groups the abstract is changed instead of the claim,
so that the false claim is the supported one: what a claim says must not be judged without the
abstract.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rag import corpus
from rag.app import bundled_seeds
from rag.claims import likeness
from rag.embed import has_learned, load_embedded
from rag.models.train.corruptions import (
    Chance,
    Corruptions,
    Span,
    changed,
    detailed,
    lighten,
    names_in,
)
from rag.models.train.data import HARD, QUESTIONS, Row, read
from rag.sentences import split
from rag.text import digest, normalised_title

MORE = QUESTIONS.with_name("claims.jsonl.xz")
MOST_CHARACTERS = 600  # of sentences in one reading: about 140 tokens
PLAIN, SCIFACT, SEED = 6_000, 0.03, 0  # ACL abstracts drawn from; share of SciFact's groups
NEAR = 6  # similar papers, from which names, details and claims of others come
DEV_PART = 20  # of the papers in MORE and HARD, one in so many is measured
BEYOND = 0.6  # share of groups with claims that the abstract does not decide: the easy ones
SUPPORTED, CONTRADICTED, NOT_SUPPORTED = range(3)


@dataclass(frozen=True, slots=True)
class Reading:
    """A claim beside sentences of a paper, with what is known of it (None: not known)."""

    claim: str
    title: str
    sentences: tuple[str, ...]
    label: int
    wrong: tuple[Span, ...] | None = None  # of the claim, in characters
    evidence: tuple[bool, ...] | None = None
    twin: int = -1  # readings of a group with the same number differ in a word or two

    @property
    def size(self) -> int:
        """About how many tokens it has."""
        return (len(self.claim) + len(self.title) + sum(map(len, self.sentences))) // 4


Group = tuple[Reading, ...]


class Papers:
    """Titles and sentences, and which papers are like which."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = rows
        self.texts = [[s.text for s in split(str(r["id"]), r["abstract"])] for r in rows]
        vectors = load_embedded()([row["title"] for row in rows])
        self.near = np.concatenate(
            [
                np.argpartition(-(part @ vectors.T), NEAR, axis=1)[:, : NEAR + 1]
                for part in np.array_split(vectors, max(1, len(rows) // 500))
            ]
        )
        self.names = [names_in(row["abstract"]) for row in rows]

    def other(self, place: int, chance: Chance) -> int:
        """A paper like that at *place*."""
        others = [int(i) for i in self.near[place] if i != place and self.texts[int(i)]]
        return others[int(chance.integers(len(others)))]


def window(scores: NDArray[np.float64], most: int, texts: Sequence[str]) -> list[int]:
    """The best sentences, at most *most* and within MOST_CHARACTERS, in the abstract's order."""
    kept: list[int] = []
    for place in np.argsort(-scores, kind="stable")[:most]:
        if not kept or sum(len(texts[i]) for i in (*kept, place)) <= MOST_CHARACTERS:
            kept.append(int(place))
    return sorted(kept)


class Made:
    """Groups about sentences of abstracts: lightened, corrupted, and taken from elsewhere."""

    def __init__(self, papers: Papers, corrupt: Corruptions) -> None:
        self.papers, self.corrupt = papers, corrupt

    def group(self, place: int, chance: Chance) -> Group:
        """Readings about a sentence of the paper at *place*."""
        title, texts = self.papers.rows[place]["title"], self.papers.texts[place]
        long = [i for i, text in enumerate(texts) if 40 < len(text) < 400]
        if not long:
            return ()
        source = long[int(chance.integers(len(long)))]
        other = self.papers.other(place, chance)
        size = int(chance.integers(1, 4))
        first = max(0, source - int(chance.integers(size)))
        which = list(range(first, min(len(texts), first + size)))
        if sum(len(texts[i]) for i in which) > MOST_CHARACTERS:
            which = [source]
        true = lighten(texts[source], chance)
        names, strange = self.papers.names[place], self.papers.names[other]
        false = self.corrupt(true, names, strange, chance)
        marks = tuple(i == source for i in which)
        shown = tuple(texts[i] for i in which)
        readings: list[Reading] = []
        if false and chance.random() < 0.4:
            told = self.corrupt(texts[source], names, strange, chance)
            if told:  # the abstract says the false thing
                shown = tuple(told.text if i == source else texts[i] for i in which)
                light = lighten(told.text, chance)
                wrong = tuple(changed(light, true))
                readings += [
                    Reading(light, title, shown, SUPPORTED, (), marks, 0),
                    Reading(
                        true,
                        title,
                        shown,
                        CONTRADICTED,
                        wrong if len(wrong) < 3 else None,
                        marks,
                        0,
                    ),
                ]
        if not readings:
            readings.append(Reading(true, title, shown, SUPPORTED, (), marks, 0))
            if false:
                wrong = tuple(changed(true, false.text))
                readings.append(Reading(false.text, title, shown, CONTRADICTED, wrong, marks, 0))
        if chance.random() < BEYOND:
            base = readings[0].claim
            readings += self._beyond(base, title, shown, (place, other), which, chance)
        return tuple(readings)

    def _beyond(
        self,
        true: str,
        title: str,
        shown: tuple[str, ...],
        places: tuple[int, int],
        which: list[int],
        chance: Chance,
    ) -> list[Reading]:
        """Claims that the shown sentences do not decide."""
        strange, own = self.papers.texts[places[1]], self.papers.texts[places[0]]
        made: list[Reading] = []
        draw = chance.random()
        sentence = strange[int(chance.integers(len(strange)))]
        nothing = (False,) * len(shown)
        unseen = [i for i in range(len(own)) if i not in which and len(own[i]) > 40]
        if draw < 0.5:
            more = detailed(true, sentence, chance)
            if more:
                made.append(
                    Reading(more, title, shown, NOT_SUPPORTED, tuple(changed(true, more)), None, 0)
                )
        if not made and unseen and draw < 0.8:
            claim = lighten(own[unseen[int(chance.integers(len(unseen)))]], chance)
            made.append(Reading(claim, title, shown, NOT_SUPPORTED, None, nothing))
        if not made:
            made.append(
                Reading(lighten(sentence, chance), title, shown, NOT_SUPPORTED, None, nothing)
            )
        return made


class Written:
    """Groups about hand-written claims, and what corruptions make of them."""

    def __init__(self, papers: Papers, corrupt: Corruptions) -> None:
        self.papers, self.corrupt = papers, corrupt

    def group(self, place: int, chance: Chance) -> Group:
        """Readings about one supported claim of the paper at *place*, and its kin."""
        row = self.papers.rows[place]
        pairs = pairs_of(row)
        true, false = pairs[int(chance.integers(len(pairs)))]
        shown, _ = self._shown(place, true, chance, borne_by(row, true))
        names = self.papers.names[place]
        strange = self.papers.names[self.papers.other(place, chance)]
        title, wrong = row["title"], tuple(changed(true, false))
        turned = turn(true, false, shown, chance) if chance.random() < 0.35 else None
        if turned:
            back = tuple(changed(false, true))
            readings = [
                Reading(false, title, turned, SUPPORTED, (), None, 0),
                Reading(true, title, turned, CONTRADICTED, back, None, 0),
            ]
        else:
            readings = [
                Reading(true, title, shown, SUPPORTED, (), None, 0),
                Reading(false, title, shown, CONTRADICTED, wrong, None, 0),
            ]
            if chance.random() < 0.4:
                made = self.corrupt(true, names, strange, chance)
                if made:
                    spans = tuple(changed(true, made.text))
                    readings.append(Reading(made.text, title, shown, CONTRADICTED, spans, None, 0))
        readings += self._alone(place, chance)
        readings += self._quoted(place, names, strange, chance)
        if chance.random() < BEYOND:
            readings += self._beyond(place, true, shown, chance)
        return tuple(readings)

    def _alone(self, place: int, chance: Chance) -> list[Reading]:
        """A supported claim without a false twin, where one was written."""
        row = self.papers.rows[place]
        lone = [] if isinstance(row["supported"], str) else row["supported"][len(pairs_of(row)) :]
        if not lone or chance.random() < 0.4:
            return []
        claim = lone[int(chance.integers(len(lone)))]
        shown, _ = self._shown(place, claim, chance, borne_by(row, claim))
        return [Reading(claim, row["title"], shown, SUPPORTED, (), None, 2)]

    def _quoted(
        self, place: int, names: Sequence[str], strange: Sequence[str], chance: Chance
    ) -> list[Reading]:
        """The sentence that answers a question, nearly as it stands, and made false."""
        if chance.random() < 0.65 or "a_sentence" not in self.papers.rows[place]:
            return []
        title, sentence = self.papers.rows[place]["title"], self.papers.rows[place]["a_sentence"]
        true = lighten(sentence, chance)
        shown, texts = self._shown(place, sentence, chance)
        marks = tuple(text in sentence or sentence in text for text in texts)
        readings = [Reading(true, title, shown, SUPPORTED, (), marks, 1)]
        made = self.corrupt(true, names, strange, chance)
        if made:
            wrong = tuple(changed(true, made.text))
            readings.append(Reading(made.text, title, shown, CONTRADICTED, wrong, marks, 1))
        return readings

    def _beyond(
        self, place: int, true: str, shown: tuple[str, ...], chance: Chance
    ) -> list[Reading]:
        """Claims that the abstract does not decide: written, a detail too many, of a like paper."""
        row, other = self.papers.rows[place], self.papers.rows[self.papers.other(place, chance)]
        beyond = row["not_supported"]
        claim = beyond if isinstance(beyond, str) else beyond[int(chance.integers(len(beyond)))]
        title = row["title"]
        readings = [Reading(claim, title, self._shown(place, claim, chance)[0], NOT_SUPPORTED)]
        if chance.random() < 0.25:
            more = detailed(true, pairs_of(other)[0][0], chance)
            if more:
                spans = tuple(changed(true, more))
                readings.append(Reading(more, title, shown, NOT_SUPPORTED, spans, None, 0))
        if chance.random() < 0.2:
            foreign = pairs_of(other)[0][0]
            sentences, _ = self._shown(place, foreign, chance)
            nothing = (False,) * len(sentences)
            readings.append(Reading(foreign, title, sentences, NOT_SUPPORTED, None, nothing))
        return readings

    def _shown(
        self, place: int, claim: str, chance: Chance, evidence: Sequence[str] = ()
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The sentences most like *claim*; those known to bear it are always among them."""
        texts = self.papers.texts[place]
        most = max(len(evidence), int(chance.choice([1, 2, 2, 3])))
        scores = likeness(claim, texts) + np.array([2.0 * (text in evidence) for text in texts])
        shown = tuple(texts[i] for i in window(scores, most, texts))
        return shown, shown


class Scientific:
    """Groups of SciFact: claims of biomedicine beside abstracts that decide them, or do not."""

    def __init__(self, folder: Path, corrupt: Corruptions) -> None:
        documents = {int(row["_id"]): row for row in read(folder / "corpus.jsonl.xz")}
        lines = (folder / "claims_train.jsonl").read_text(encoding="utf-8").splitlines()
        self.corrupt = corrupt
        self.cases: list[tuple[str, str, list[str], int, set[int]]] = []
        for claim in map(json.loads, lines):
            for cited in claim["cited_doc_ids"]:
                row = documents.get(int(cited))
                if row is None:
                    continue
                texts = [s.text for s in split(str(cited), row["text"])]
                found = claim["evidence"].get(str(cited))
                which = {i for part in found or [] for i in part["sentences"]}
                label = NOT_SUPPORTED
                if found:
                    label = SUPPORTED if found[0]["label"] == "SUPPORT" else CONTRADICTED
                if texts and max(which, default=0) < len(texts):
                    self.cases.append((claim["claim"], row["title"], texts, label, which))

    def group(self, chance: Chance) -> Group:
        """One claim beside the sentences most like it, evidence among them."""
        claim, title, texts, label, which = self.cases[int(chance.integers(len(self.cases)))]
        scores = likeness(claim, texts) + np.array([10.0 * (i in which) for i in range(len(texts))])
        kept = window(scores, int(chance.integers(2, 5)), texts)
        shown, marks = tuple(texts[i] for i in kept), tuple(i in which for i in kept)
        wrong = () if label == SUPPORTED else None
        readings = [Reading(claim, title, shown, label, wrong, marks, 0)]
        made = self.corrupt(claim, [], [], chance) if label == SUPPORTED else None
        if made:
            spans = tuple(changed(claim, made.text))
            readings.append(Reading(made.text, title, shown, CONTRADICTED, spans, marks, 0))
        return tuple(readings)


class Mixture:
    """Groups without end; the share of hand-written ones grows as training goes on."""

    def __init__(self, rows: list[Row], data: Path) -> None:
        corrupt = Corruptions([pair for row in rows for pair in pairs_of(row)])
        chance = np.random.default_rng(SEED)
        known = measured_titles()
        plain = read(data / "train" / "abstracts-acl.jsonl.xz")
        plain = [row for row in plain if normalised_title(row["title"]) not in known]
        plain = [plain[i] for i in chance.choice(len(plain), PLAIN, replace=False)]
        self.written = Written(Papers(rows), corrupt)
        self.made = Made(Papers(plain), corrupt)
        self.scientific = Scientific(data / "scifact", corrupt)
        self._orders: dict[int, list[int]] = {}

    def group(self, done: float, chance: Chance) -> Group:
        """A group when the share *done* of the training is over."""
        while True:
            draw = chance.random()
            if draw < SCIFACT:
                group = self.scientific.group(chance)
            elif draw < 0.65 + 0.25 * done:
                group = self.written.group(self._next(self.written.papers, chance), chance)
            else:
                group = self.made.group(self._next(self.made.papers, chance), chance)
            if group:
                return group

    def _next(self, papers: Papers, chance: Chance) -> int:
        """Every paper once before any comes again."""
        order = self._orders.setdefault(id(papers), [])
        if not order:
            order.extend(int(i) for i in chance.permutation(len(papers.rows)))
        return order.pop()


def measured_titles() -> set[str]:
    """Normalised titles of papers that are measured on, calibrated on, or bundled."""
    rows = [row for row in read(QUESTIONS) if row["split"] == "dev" or not has_learned(row["id"])]
    titles = [row["title"] for row in rows]
    titles += [paper.title for paper in corpus.read([bundled_seeds()]).papers]
    return {normalised_title(title) for title in titles}


def more_claims() -> tuple[list[Row], list[Row]]:
    """Papers with claims in other words than the abstract's: to learn from, and to measure."""
    rows = [*read(MORE), *read(HARD)]
    measured = [row for row in rows if int(digest("dev", row["id"]), 16) % DEV_PART == 0]
    return [row for row in rows if has_learned(row["id"]) and row not in measured], measured


def pairs_of(row: Row) -> list[tuple[str, str]]:
    """The supported claims of *row*, each with its false twin."""
    if isinstance(row["supported"], str):
        return [(row["supported"], row["contradicted"])]
    return [(row["supported"][one["of"]], one["text"]) for one in row["contradicted"]]


def borne_by(row: Row, claim: str) -> Sequence[str]:
    """The sentences that bear a supported claim, where somebody has said which."""
    if "supported_evidence" not in row or claim not in row["supported"]:
        return ()
    evidence: Sequence[str] = row["supported_evidence"][row["supported"].index(claim)]
    return evidence


def turn(true: str, false: str, shown: tuple[str, ...], chance: Chance) -> tuple[str, ...] | None:
    """*shown* changed as *false* was from *true*, if its words stand there, else None."""
    spans, back = changed(true, false), changed(false, true)
    if len(spans) != len(back) or not 1 <= len(spans) <= 2:
        return None
    swaps = {}
    for (a, b), (c, d) in zip(back, spans, strict=True):
        old, new = true[a:b].strip(".,;:"), false[c:d].strip(".,;:")
        if len(old) < 3 or old.lower() in {"and", "both", "the", "not", "for", "only"}:
            return None
        swaps[old] = new
    pattern = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, swaps))})(?!\w)")
    if {m for text in shown for m in pattern.findall(text)} != set(swaps):
        return None
    return tuple(pattern.sub(lambda m: swaps[m[0]], text) for text in shown)
