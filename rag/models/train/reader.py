"""Train the reader: a cross-encoder that reads a question and an abstract together.

    python -m rag.models.train.reader OUT_FOLDER MINUTES [CONTINUED.pt]

One encoder and three small heads over means of token vectors: whether the paper is meant
(`relevance`), whether what is shown of it says the answer (`answered`), both over the mean of
everything, and for each sentence whether it is evidence (`evidence`). It starts from the reader
that is shipped, read back from its ONNX file, or from CONTINUED.pt.

What it reads is `[CLS] question [SEP] title [SEP] sentence [SEP] sentence …`. The unit of a step is
a group of such readings about one paper, because what has to be learned are differences:

* one question beside the paper it is about and beside papers that the embedder finds close to it:
  the first is to get more relevance (RankNet; Burges et al., 2005);
* one paper beside questions that it answers, and as natural ones that it does not (written for it,
  or with the answer sentence taken out): the former are to get more of `answered`, likewise;
* each reading also has the binary cross-entropies of what is known of it, and its evidence
  competes within the abstract.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper

from rag.claims import likeness
from rag.models.train.data import (
    Row,
    axis_papers,
    document,
    hard_papers,
    papers,
    questions_of,
)
from rag.models.train.embedder import half, stock_encoder
from rag.reader import encode
from rag.sentences import split
from rag.static import load_static

SHIPPED = Path(__file__).parents[1] / "reader.onnx"
STEP, PIECE, RATE, WARM, FROZEN, SEED = 12, 3600, 1e-4, 40, 3, 0  # groups, tokens at once, …
WINDOW, WIDE = 4, 5  # sentences of a paper in a short reading: beside other papers, alone
WHOLE = 0.25  # share of papers that are read whole, beside questions on them
MOST_CHARACTERS = 1200  # of an abstract in training: about 270 tokens; evidence always stays
BESIDE = 0.2  # share of papers that are also shown beside others
AXES_TIMES = 3  # they are few, and another kind of question
THREADS = 1  # so that another training can have the other core
NEAR, WRONG = 12, 3  # wrong papers are drawn from this many that the embedder ranks highest


@dataclass(frozen=True, slots=True)
class Shown:
    """One question beside one paper, as text, with what is known of it (None: not known)."""

    question: str
    title: str
    sentences: tuple[str, ...]
    relevant: bool
    answered: bool | None
    evidence: tuple[bool, ...] | None

    @property
    def size(self) -> int:
        """About how many tokens it has."""
        return (len(self.question) + len(self.title) + sum(map(len, self.sentences))) // 4


Group = tuple[Shown, ...]


class Reader(torch.nn.Module):
    """The encoder and its heads."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = stock_encoder()
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


def main(out: Path, minutes: float, continued: Path | None) -> None:
    """Train for *minutes*, saving `reader.pt` in *out*, and print what the dev rows show."""
    torch.manual_seed(SEED)
    chance = np.random.default_rng(SEED)
    torch.set_num_threads(THREADS)
    (rows, dev), (hard, hard_dev), (axes, axes_dev) = papers(), hard_papers(), axis_papers()
    model = Reader()
    model.load_state_dict(torch.load(continued) if continued else shipped(model))
    optimizer = torch.optim.AdamW(
        [p for p in model.parameters() if p.requires_grad], lr=RATE, weight_decay=0.01
    )
    learned = Examples([*rows, *hard, *(AXES_TIMES * axes)])
    dev_rows = {"dev": dev, "hard": hard_dev, "axes": axes_dev}
    measured = {name: Examples(some) for name, some in dev_rows.items()}

    def tell() -> None:
        for name, examples in measured.items():
            print(f"{name}: {report(model, examples)}", flush=True)

    print(f"{len(learned.rows)} papers to learn from", flush=True)
    tell()
    began, groups, count, told = time.time(), learned.groups(chance), 0, 0.0
    losses: list[float] = []
    while (spent := time.time() - began) < 60 * minutes:
        for group in optimizer.param_groups:
            left = 1 - spent / (60 * minutes)
            group["lr"] = RATE * max(0.02, min((count + 1) / WARM, left / 0.9))
        losses.append(step(model, [next(groups) for _ in range(STEP)]))
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        count += 1
        if count % 25 == 0:
            print(f"{count} {np.mean(losses[-25:]):.3f} {spent:.0f} s", flush=True)
        if spent - told > 900:
            told = spent
            torch.save(model.state_dict(), out / "reader.pt")
            tell()
    torch.save(model.state_dict(), out / "reader.pt")
    tell()


def shipped(model: torch.nn.Module, path: Path = SHIPPED) -> dict[str, torch.Tensor]:
    """The weights of a shipped ONNX file under the names that *model* has for them."""
    graph = onnx.load(path).graph
    known = {one.name: numpy_helper.to_array(one) for one in graph.initializer}
    state = {
        name: torch.tensor(known.get(name, value.numpy()))
        for name, value in model.state_dict().items()
    }

    def widened(stem: str) -> torch.Tensor:
        """Int8 back to float: scale * (weight - zero point), per channel or per tensor."""
        weight = known[f"{stem}_quantized"].astype(np.float32)
        return torch.tensor(known[f"{stem}_scale"] * (weight - known[f"{stem}_zero_point"]))

    for name in [name for name in state if f"{name}_quantized" in known]:
        state[name] = widened(name)  # the embedding tables
    for node in graph.node:
        if node.op_type == "MatMulInteger":  # "/encoder/encoder/layer.0/…/key/MatMul_quant"
            name = node.name.strip("/").rsplit("/", 1)[0].replace("/", ".") + ".weight"
            state[name] = widened(node.input[1].removesuffix("_quantized")).T.contiguous()
    return {name: state[name] for name in model.state_dict()}  # heads it has not are left out


class Examples:
    """Groups of readings, drawn anew every epoch."""

    def __init__(self, rows: list[Row]) -> None:
        embed = load_static()  # near enough, and a hundred times as fast as the embedder
        self.rows = rows
        self.texts = [[s.text for s in split(row["id"], row["abstract"])] for row in rows]
        flat = embed([text for texts in self.texts for text in texts])
        ends = np.cumsum([len(texts) for texts in self.texts])
        self.vectors = np.split(flat, ends[:-1])
        self.documents = embed([document(row) for row in rows])
        self.everyday = embed([row["q_everyday"] for row in rows])
        self.pointed = embed([row["q_technical"] for row in rows])

    def groups(self, chance: np.random.Generator) -> Iterator[Group]:
        """Groups without end, every paper's once an epoch, in a random order."""
        while True:
            for place in chance.permutation(len(self.rows)):
                if self.rows[place]["q_everyday"] and chance.random() < BESIDE:
                    yield self.ranked(int(place), chance)
                yield self.contrasted(int(place), chance)

    def ranked(self, place: int, chance: np.random.Generator) -> Group:
        """One question beside the paper it is about and beside papers near it."""
        row = self.rows[place]
        plain = chance.random() < 0.6
        question = row["q_everyday"] if plain else row["q_technical"]
        vector = (self.everyday if plain else self.pointed)[place]
        near = np.argsort(-(self.documents @ vector), kind="stable")[: NEAR + 1]
        wrong = chance.permutation([int(i) for i in near if i != place])[:WRONG]
        shown = [self._show(place, question, self._window(place, vector), None, True, None)]
        for other in wrong:
            window = self._window(int(other), vector)
            shown.append(self._show(int(other), question, window, [], False, False))
        return tuple(shown)

    def contrasted(self, place: int, chance: np.random.Generator) -> Group:
        """One paper beside questions that it answers and questions that it does not."""
        row, everything = self.rows[place], list(range(len(self.texts[place])))
        whole = chance.random() < WHOLE
        answered = questions_of(row)
        chosen = chance.permutation(len(answered))[:3]
        shown = []
        for question, spans in (answered[i] for i in chosen):
            marks = self._marks(place, spans)
            kept = everything if whole else self._around(place, question, marks)
            shown.append(self._show(place, question, kept, marks, True, True))
        question, spans = answered[chosen[0]]
        marks = self._marks(place, spans)
        rest = [i for i in everything if not marks[i]]
        if rest and (chance.random() < 0.5 or not row["silent"]):
            kept = rest if whole else [i for i in self._around(place, question, []) if i in rest]
            shown.append(self._show(place, question, kept, [], True, False))
        for asked in (row["silent"][i] for i in chance.permutation(len(row["silent"]))[:2]):
            kept = everything if whole else self._around(place, asked, [])
            shown.append(self._show(place, asked, kept, [], True, False))
        if whole and row["q_everyday"] and chance.random() < 0.4:
            shown.append(self._show(place, row["q_everyday"], everything, None, True, True))
        return tuple(shown)

    def _marks(self, place: int, spans: Sequence[str]) -> list[int]:
        texts = self.texts[place]
        return [any(text in span or span in text for span in spans) for text in texts]

    def _show(
        self,
        place: int,
        question: str,
        which: list[int],
        marks: list[int] | None,
        relevant: bool,
        answered: bool | None,
    ) -> Shown:
        """A reading of the sentences *which*; *marks* empty: none is evidence."""
        full = None if marks is None else (marks or [0] * len(self.texts[place]))
        which = self._fit(place, which, full)
        return Shown(
            question,
            self.rows[place]["title"],
            tuple(self.texts[place][i] for i in which),
            relevant,
            answered,
            None if full is None else tuple(bool(full[i]) for i in which),
        )

    def _fit(self, place: int, which: list[int], marks: list[int] | None) -> list[int]:
        """Sentences of *which* within MOST_CHARACTERS; unmarked ones go, the last first."""
        kept = list(which)
        spare = [i for i in which if not (marks and marks[i])]
        while spare and sum(len(self.texts[place][i]) for i in kept) > MOST_CHARACTERS:
            kept.remove(spare.pop())
        return kept

    def _around(self, place: int, question: str, marks: Sequence[int]) -> list[int]:
        """The sentences that share most words with *question*, and those that *marks* names."""
        scores = likeness(question, self.texts[place])
        if len(marks):
            scores = scores + 2.0 * np.array(marks)
        return sorted(int(i) for i in np.argsort(-scores, kind="stable")[:WIDE])

    def _window(self, place: int, vector: NDArray[np.float32]) -> list[int]:
        order = np.argsort(-(self.vectors[place] @ vector), kind="stable")[:WINDOW]
        return sorted(int(i) for i in order)


def batch_of(shown: Sequence[Shown]) -> dict[str, torch.Tensor]:
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


def pieces_of(groups: Sequence[Group]) -> Iterator[list[Group]]:
    """*groups*, those of like length together, in pieces of at most PIECE tokens."""
    piece: list[Group] = []
    for group in sorted(groups, key=lambda group: max(one.size for one in group)):
        longest, count = max(one.size for one in group), sum(map(len, (*piece, group)))
        if piece and longest * count > PIECE:
            yield piece
            piece = []
        piece.append(group)
    yield piece


def step(model: Reader, groups: Sequence[Group]) -> float:
    """Add the gradients of one step's groups; the mean loss."""
    total = 0.0
    for piece in pieces_of(groups):
        loss = loss_of(model, piece) / len(groups)
        loss.backward()
        total += float(loss.detach())
    return total


def read(model: Reader, groups: Sequence[Group]) -> tuple[torch.Tensor, torch.Tensor]:
    """The logits of all readings of *groups*, in order."""
    with half():
        paper, evidence = model(**batch_of([one for group in groups for one in group]))
    return paper.float(), evidence.float()


def loss_of(model: Reader, groups: Sequence[Group]) -> torch.Tensor:
    """The sum over *groups* of what the module's docstring says."""
    paper, evidence = read(model, groups)
    parts, start = [], 0
    for group in groups:
        rows = slice(start, start + len(group))
        parts.append(_of_group(group, paper[rows], evidence[rows]))
        start += len(group)
    return torch.stack(parts).sum()


def _of_group(group: Group, paper: torch.Tensor, evidence: torch.Tensor) -> torch.Tensor:
    entropy = torch.nn.functional.binary_cross_entropy_with_logits
    softplus = torch.nn.functional.softplus
    loss = entropy(paper[:, 0], torch.tensor([float(s.relevant) for s in group]))
    known = [i for i, s in enumerate(group) if s.answered is not None]
    if known:
        target = torch.tensor([float(bool(group[i].answered)) for i in known])
        loss = loss + entropy(paper[known, 1], target)
    for i, one in enumerate(group):
        for j, other in enumerate(group):
            if one.relevant and not other.relevant and one.question == other.question:
                loss = loss + softplus(paper[j, 0] - paper[i, 0]) / len(group)
            if one.answered and other.relevant and other.answered is False:
                loss = loss + softplus(paper[j, 1] - paper[i, 1]) / len(group)
        if one.evidence is not None and one.sentences:
            marks, own = torch.tensor(one.evidence).float(), evidence[i, : len(one.sentences)]
            loss = loss + entropy(own, marks) / len(group)
            if marks.any():
                share = (torch.softmax(own, 0) * marks).sum()
                loss = loss - 0.5 * torch.log(share + 1e-9) / len(group)
    return loss


def report(model: Reader, examples: Examples) -> str:
    """How the model orders dev papers, dev questions and dev sentences, as text."""
    chance = np.random.default_rng(1)
    places = range(len(examples.rows))
    everyday = [place for place in places if examples.rows[place]["q_everyday"]]
    ranked = [examples.ranked(place, chance) for place in everyday]
    contrasted = [examples.contrasted(place, chance) for place in places]
    first, pairs, hits, rows = [], [], [], []
    with torch.no_grad():
        for group in ranked:
            paper, _ = read(model, [group])
            first.append(int(paper[:, 0].argmax()) == 0)
        for group in contrasted:
            paper, evidence = read(model, [group])
            rows += [(float(p[1]), s) for p, s in zip(paper, group, strict=True)]
            for row, one in zip(evidence, group, strict=True):
                if one.evidence and any(one.evidence):
                    hits.append(one.evidence[int(row[: len(one.evidence)].argmax())])
            pairs += [
                bool(paper[i, 1] > paper[j, 1])
                for i, one in enumerate(group)
                for j, other in enumerate(group)
                if one.answered and other.answered is False and one.question != other.question
            ]
    scores = np.array([score for score, _ in rows])
    right = np.array([bool(s.answered) for _, s in rows])
    return (
        f"right paper first of {WRONG + 1} {np.mean(first or [0]):.3f}, answered AUROC "
        f"{auroc(scores, right):.3f}, within a paper {np.mean(pairs):.3f}, right sentence first "
        f"{np.mean(hits):.3f}"
    )


def auroc(scores: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    """Share of (right, wrong) pairs in the right order (Hanley and McNeil, 1982)."""
    return float((scores[right][:, None] > scores[~right][None, :]).mean())


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]), Path(sys.argv[3]) if len(sys.argv) > 3 else None)
