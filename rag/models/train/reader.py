"""Train the reader: a cross-encoder that reads a question and an abstract together.

    python -m rag.models.train.reader OUT_FOLDER [LEARNED.pt]

One encoder, started from the fine-tuned embedder's weights, and three small heads over means of
token vectors: whether the paper is meant (`relevance`), whether what is shown of it says the answer
(`answered`), both over the mean of everything, and for each sentence whether it is evidence
(`evidence`). All are logits of a binary cross-entropy; evidence also competes within the abstract.

What it reads is `[CLS] question [SEP] title [SEP] sentence [SEP] sentence …`, either a whole
abstract or, as for reranking, a window of the sentences closest to the question. Where there is
nothing to find it learns from

* the right paper without its answer sentence, and `not_stated` questions written for the paper:
  relevant, not answered, no evidence;
* a paper that the embedder ranks high for the question but is not the right one.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from rag.embed import load_embedded
from rag.models.train.data import Row, document, papers, questions_of
from rag.models.train.embedder import stock_encoder
from rag.reader import encode
from rag.sentences import split

STEPS, PIECE, STEP, RATE, WARM, FROZEN, SEED = 300, 16, 48, 1.2e-4, 20, 3, 0
WINDOW = 3  # sentences of a paper in a short example
MOST_CHARACTERS = 950  # of an abstract in training: about 220 tokens; evidence always stays
NEAR = 6  # a wrong paper is drawn from this many that the embedder ranks highest


@dataclass(frozen=True, slots=True)
class Shown:
    """One question beside one paper, as text, with what is known of it (None: not known)."""

    question: str
    title: str
    sentences: tuple[str, ...]
    relevant: bool
    answered: bool
    evidence: tuple[bool, ...] | None


class Reader(torch.nn.Module):
    """The encoder and its heads."""

    def __init__(self, learned: Path | None) -> None:
        super().__init__()
        self.encoder = stock_encoder()
        if learned:
            self.encoder.load_state_dict(torch.load(learned))
        for layer in self.encoder.encoder.layer[:FROZEN]:
            layer.requires_grad_(False)
        width = self.encoder.config.hidden_size
        self.paper = torch.nn.Linear(width, 2)
        self.evidence = torch.nn.Linear(width, 1)

    def forward(
        self,
        input_ids: torch.Tensor,
        token_type_ids: torch.Tensor,
        pool: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits (batch, 2) of relevance and answered, and (batch, sentences) of evidence.

        *pool* (batch, 1 + sentences, tokens) averages tokens: all of them, then each sentence's.
        """
        mask = torch.ones_like(input_ids) if attention_mask is None else attention_mask
        hidden = self.encoder(
            input_ids=input_ids, token_type_ids=token_type_ids, attention_mask=mask
        )[0]
        means = torch.matmul(pool, hidden.float())
        return self.paper(means[:, 0]), self.evidence(means[:, 1:]).squeeze(-1)


def main(out: Path, learned: Path | None) -> None:
    """Train, save `reader.pt` in *out*, and print what the dev rows show."""
    torch.manual_seed(SEED)
    chance = np.random.default_rng(SEED)
    rows, dev = papers()
    model = Reader(learned)
    optimizer = torch.optim.AdamW(
        [p for p in model.parameters() if p.requires_grad], lr=RATE, weight_decay=0.01
    )
    shown = Examples(rows)
    measured = [one for row in Examples(dev).epoch(np.random.default_rng(1)) for one in row]
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda n: max(0.02, min((n + 1) / WARM, (STEPS - n) / (STEPS - WARM)))
    )
    began, waiting = time.time(), list[Shown]()
    for count in range(1, STEPS + 1):
        if len(waiting) < STEP:
            flat = [one for row in shown.epoch(chance) for one in row]
            waiting += [flat[i] for i in chance.permutation(len(flat))]
        loss = step(model, [waiting.pop() for _ in range(STEP)])
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        schedule.step()
        if count % 10 == 0:
            print(f"{count}/{STEPS} {loss:.3f} {time.time() - began:.0f} s", flush=True)
        if count % 100 == 0:
            torch.save(model.state_dict(), out / "reader.pt")
    print(report(model, measured[:1200]), flush=True)


class Examples:
    """Questions beside papers, drawn anew every epoch."""

    def __init__(self, rows: list[Row]) -> None:
        embed = load_embedded()
        self.rows = rows
        self.texts = [[s.text for s in split(row["id"], row["abstract"])] for row in rows]
        flat = embed([text for texts in self.texts for text in texts])
        ends = np.cumsum([len(texts) for texts in self.texts])
        self.vectors = np.split(flat, ends[:-1])
        self.documents = embed([document(row) for row in rows])
        self.embed = embed

    def epoch(self, chance: np.random.Generator) -> list[list[Shown]]:
        """One epoch's examples, per row."""
        pointed = [questions_of(row)[chance.integers(len(questions_of(row)))] for row in self.rows]
        asked = self.embed([question for question, _ in pointed])
        everyday = self.embed([row["q_everyday"] for row in self.rows])
        return [
            self._of(place, chance, *pointed[place], asked[place], everyday[place])
            for place in range(len(self.rows))
        ]

    def _of(
        self,
        place: int,
        chance: np.random.Generator,
        question: str,
        answer: str,
        asked: NDArray[np.float32],
        everyday: NDArray[np.float32],
    ) -> list[Shown]:
        row, texts = self.rows[place], self.texts[place]
        plain = row["q_everyday"]
        marks = [_same(text, _spans(row, question, answer)) for text in texts]
        all_of_it = list(range(len(texts)))
        shown = [self._show(place, question, all_of_it, True, True, marks)]
        window = self._window(place, everyday) if chance.random() < 0.7 else all_of_it
        shown.append(self._show(place, plain, window, True, True, None))
        wrong, vector = (question, asked) if chance.random() < 0.5 else (plain, everyday)
        other = self._other(place, vector, chance)
        shown.append(self._show(other, wrong, self._window(other, vector), False, False, None))
        if chance.random() < 0.5 and sum(marks) < len(texts):
            rest = [i for i in all_of_it if not marks[i]]
            shown.append(self._show(place, question, rest, True, False, [False] * len(texts)))
        if chance.random() < 0.35:
            window = self._window(place, asked)
            held = any(marks[i] for i in window)
            shown.append(self._show(place, question, window, True, held, marks))
        if row["more"]:
            none = [False] * len(texts)
            silent = row["more"]["not_stated"]
            shown.append(self._show(place, silent, all_of_it, True, False, none))
        return shown

    def _show(
        self,
        place: int,
        question: str,
        which: list[int],
        relevant: bool,
        answered: bool,
        marks: list[bool] | None,
    ) -> Shown:
        which = self._fit(place, which, marks or [])
        texts = tuple(self.texts[place][i] for i in which)
        evidence = None if marks is None else tuple(marks[i] for i in which)
        if marks is None and not relevant:
            evidence = (False,) * len(which)
        return Shown(question, self.rows[place]["title"], texts, relevant, answered, evidence)

    def _fit(self, place: int, which: list[int], marks: list[bool]) -> list[int]:
        """Sentences of *which* within MOST_CHARACTERS; unmarked ones go, the last first."""
        kept = list(which)
        spare = [i for i in which if not (marks and marks[i])]
        while spare and sum(len(self.texts[place][i]) for i in kept) > MOST_CHARACTERS:
            kept.remove(spare.pop())
        return kept

    def _window(self, place: int, vector: NDArray[np.float32]) -> list[int]:
        order = np.argsort(-(self.vectors[place] @ vector), kind="stable")[:WINDOW]
        return sorted(int(i) for i in order)

    def _other(self, place: int, vector: NDArray[np.float32], chance: np.random.Generator) -> int:
        near = np.argsort(-(self.documents @ vector), kind="stable")[: NEAR + 1]
        wrong = [int(i) for i in near if i != place]
        return wrong[chance.integers(len(wrong))]


def _spans(row: Row, question: str, answer: str) -> list[str]:
    more = row["more"]
    return list(more["stated_evidence"]) if more and more["stated"] == question else [answer]


def _same(text: str, spans: list[str]) -> bool:
    return any(text in span or span in text for span in spans)


def batch_of(shown: list[Shown]) -> dict[str, torch.Tensor]:
    """The model's inputs for *shown*, padded."""
    readings = [encode(s.question, s.title, s.sentences) for s in shown]
    longest = max(r.input_ids.shape[1] for r in readings)
    most = max(r.pool.shape[1] for r in readings)
    ids, types, mask = (np.zeros((len(shown), longest), dtype=np.int64) for _ in range(3))
    pool = np.zeros((len(shown), most, longest), dtype=np.float32)
    for i, r in enumerate(readings):
        length = r.input_ids.shape[1]
        ids[i, :length], types[i, :length], mask[i, :length] = r.input_ids, r.token_type_ids, 1
        pool[i, : r.pool.shape[1], :length] = r.pool[0]
    names = ("input_ids", "token_type_ids", "attention_mask", "pool")
    arrays = (ids, types, mask, pool)
    return {n: torch.tensor(a) for n, a in zip(names, arrays, strict=True)}


def step(model: Reader, shown: list[Shown]) -> float:
    """Add the gradients of one step's examples, in pieces of like length; the mean loss."""
    ordered = sorted(shown, key=lambda s: sum(map(len, s.sentences)))
    total = 0.0
    for start in range(0, len(ordered), PIECE):
        piece = ordered[start : start + PIECE]
        loss = loss_of(model, piece) * len(piece) / len(shown)
        loss.backward()
        total += float(loss)
    return total


def loss_of(model: Reader, shown: list[Shown]) -> torch.Tensor:
    """Binary cross-entropies of the three heads, and evidence's share within its abstract."""
    inputs = batch_of(shown)
    with torch.autocast("cpu", torch.bfloat16):
        paper, evidence = model(**inputs)
    paper, evidence = paper.float(), evidence.float()
    entropy = torch.nn.functional.binary_cross_entropy_with_logits
    target = torch.tensor([[s.relevant, s.answered] for s in shown], dtype=torch.float32)
    loss = entropy(paper, target)
    parts = []
    for row, one in zip(evidence, shown, strict=True):
        if one.evidence is None or not one.sentences:
            continue
        marks = torch.tensor(one.evidence, dtype=torch.float32)
        own = row[: len(marks)]
        parts.append(entropy(own, marks))
        if marks.any():
            parts.append(0.5 * -torch.log((torch.softmax(own, 0) * marks).sum() + 1e-9))
    return loss + torch.stack(parts).sum() / len(shown) if parts else loss


def report(model: Reader, shown: list[Shown]) -> str:
    """AUROC of relevance and answered, and how often a right sentence is first, as text."""
    logits, hits = [], []
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        ordered = sorted(shown, key=lambda s: sum(map(len, s.sentences)))
        for start in range(0, len(ordered), PIECE):
            piece = ordered[start : start + PIECE]
            paper, evidence = model(**batch_of(piece))
            logits.append(paper.float())
            for row, one in zip(evidence.float(), piece, strict=True):
                if one.evidence and any(one.evidence):
                    hits.append(one.evidence[int(row[: len(one.evidence)].argmax())])
    rows = torch.cat(logits).numpy()
    relevant = np.array([s.relevant for s in ordered])
    answered = np.array([s.answered for s in ordered])
    kept = relevant
    return (
        f"relevance AUROC {auroc(rows[:, 0], relevant):.3f}, answered AUROC among relevant "
        f"{auroc(rows[kept, 1], answered[kept]):.3f}, right sentence first {np.mean(hits):.3f}"
    )


def auroc(scores: NDArray[np.float32], right: NDArray[np.bool_]) -> float:
    """Share of (right, wrong) pairs in the right order (Hanley and McNeil, 1982)."""
    better = scores[right][:, None] > scores[~right][None, :]
    return float(better.mean())


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
