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
* one paper beside questions that it answers, the same with the sentences that answer taken out, and
  as natural ones that it does not answer: the first are to get more of `answered`, likewise;
* each reading also has the binary cross-entropies of what is known of it, and its evidence
  competes within the abstract.

A paper is read in the pieces in which the product reads it. Who writes questions that an abstract
leaves open words them otherwise than those that it answers, so that a question alone gives much
away (`leans`); of that the model is to learn nothing: its logit of `answered` is added to what the
question alone says, and only the sum is held against the truth (a product of experts; Clark et al.,
2019, "Don't take the easy way out").
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

from rag.models.train.data import (
    Row,
    axis_papers,
    document,
    hard_papers,
    matched_papers,
    papers,
    questions_of,
)
from rag.models.train.embedder import half, stock_encoder
from rag.reader import encode, windows
from rag.sentences import split
from rag.static import load_static
from rag.text import digest

SHIPPED = Path(__file__).parents[1] / "reader.onnx"
STEP, PIECE, RATE, WARM, FROZEN, SEED = 12, 3600, 1e-4, 40, 1, 0  # groups, tokens at once, …
OTHER_PIECE = 0.3  # share of papers whose piece without the answer is shown too
FOLDS, RIDGE = 5, 2.0  # of what a question alone gives away
BESIDE = 0.2  # share of papers that are also shown beside others
AXES_TIMES, MATCHED_TIMES = 2, 3  # they are few, and those most like what people ask
THREADS = 1  # so that another training can have the other core
MEASURED = 80  # papers of a set that is told on the way
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
    lean: float = 0.0  # log-odds of `answered` that the question alone gives

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
    matched, matched_dev = matched_papers()
    model = Reader()
    model.load_state_dict(torch.load(continued) if continued else shipped(model))
    optimizer = torch.optim.AdamW(
        [p for p in model.parameters() if p.requires_grad], lr=RATE, weight_decay=0.01
    )
    learned = Examples(rows, hard, AXES_TIMES * axes, MATCHED_TIMES * matched)
    dev_rows = {"dev": dev, "hard": hard_dev, "axes": axes_dev, "matched": matched_dev}
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
        if spent - told > 1500:
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

    def __init__(self, *sources: list[Row]) -> None:
        rows = [row for source in sources for row in source]
        embed = load_static()  # near enough, and a hundred times as fast as the embedder
        self.rows = rows
        self.texts = [[s.text for s in split(row["id"], row["abstract"])] for row in rows]
        flat = embed([text for texts in self.texts for text in texts])
        ends = np.cumsum([len(texts) for texts in self.texts])
        self.vectors = np.split(flat, ends[:-1])
        self.documents = embed([document(row) for row in rows])
        self.everyday = embed([row["q_everyday"] for row in rows])
        self.pointed = embed([row["q_technical"] for row in rows])
        self.lean = {q: lean for source in sources for q, lean in leans(source).items()}

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
        title, piece = row["title"], self._nearest(place, question, vector)
        shown = [Shown(question, title, piece, relevant=True, answered=None, evidence=None)]
        for other in wrong:
            piece = self._nearest(int(other), question, vector)
            nothing = (False,) * len(piece)
            title = self.rows[other]["title"]
            shown.append(Shown(question, title, piece, False, answered=None, evidence=nothing))
        return tuple(shown)

    def contrasted(self, place: int, chance: np.random.Generator) -> Group:
        """One paper beside questions that it answers and questions that it does not."""
        row, texts = self.rows[place], self.texts[place]
        answered = questions_of(row)
        shown = []
        for number, chosen in enumerate(chance.permutation(len(answered))[:2]):
            question, spans = answered[chosen]
            marks = [any(text in span or span in text for span in spans) for text in texts]
            pieces = self._pieces(place, question, marks)
            with_it = [piece for piece in pieces if any(piece.evidence or ())]
            shown += with_it[:1]
            if number:
                continue
            others = [piece for piece in pieces if piece not in with_it]
            shown += [piece for piece in others[:1] if chance.random() < OTHER_PIECE]
            shown += self._without(place, question, marks)
        for chosen in chance.permutation(len(row["silent"]))[:2]:
            pieces = self._pieces(place, row["silent"][chosen], [False] * len(texts))
            shown.append(pieces[chance.integers(len(pieces))])
        return tuple(shown)

    def everything(self, place: int) -> list[tuple[bool, Group]]:
        """Every question on a paper: whether it is answered, and all pieces read for it."""
        row, texts = self.rows[place], self.texts[place]
        asked = [(question, spans) for question, spans in questions_of(row)]
        asked += [(question, ()) for question in row["silent"]]
        found = []
        for question, spans in asked:
            marks = [any(text in span or span in text for span in spans) for text in texts]
            found.append((bool(spans), tuple(self._pieces(place, question, marks))))
        return found

    def _pieces(self, place: int, question: str, marks: Sequence[bool]) -> list[Shown]:
        """The paper as it is read beside *question*; *marks* say which sentences answer."""
        title, texts = self.rows[place]["title"], self.texts[place]
        return self._shown(title, question, texts, marks)

    def _without(self, place: int, question: str, marks: Sequence[bool]) -> list[Shown]:
        """The piece in which the answer stood, without it; nothing if nothing is left."""
        texts = self.texts[place]
        rest = [text for text, mark in zip(texts, marks, strict=True) if not mark]
        if not rest or not any(marks):
            return []
        pieces = self._shown(self.rows[place]["title"], question, rest, [False] * len(rest))
        before = sum(not mark for mark in marks[: list(marks).index(True)])
        ends = np.cumsum([len(piece.sentences) for piece in pieces])
        return [pieces[min(int(np.searchsorted(ends, before, side="right")), len(pieces) - 1)]]

    def _shown(
        self, title: str, question: str, texts: Sequence[str], marks: Sequence[bool]
    ) -> list[Shown]:
        return [
            Shown(
                question,
                title,
                tuple(texts[first:last]),
                relevant=True,
                answered=any(marks[first:last]),
                evidence=tuple(marks[first:last]),
                lean=self.lean[question],
            )
            for first, last in windows(question, title, texts)
        ]

    def _nearest(self, place: int, question: str, vector: NDArray[np.float32]) -> tuple[str, ...]:
        """The piece of the paper that holds the sentence nearest to *vector*."""
        texts = self.texts[place]
        best = int((self.vectors[place] @ vector).argmax())
        pieces = windows(question, self.rows[place]["title"], texts)
        return next(tuple(texts[first:last]) for first, last in pieces if first <= best < last)


def leans(rows: Sequence[Row]) -> dict[str, float]:
    """What each question on *rows* gives away alone: the log-odds that it is answered.

    A ridge-penalised logistic regression on the table's vectors of the questions, for each paper
    fitted to four fifths of the others of its source, which has its own manner. Each answered
    question counts as unanswered too, as it is shown without its answer.
    """
    asked = [
        (number, question, answered)
        for number, row in enumerate(rows)
        for answered, some in (
            (True, [question for question, _ in questions_of(row)]),
            (False, row["silent"]),
        )
        for question in some
    ]
    features = _of_questions([question for _, question, _ in asked])
    truth = np.array([answered for *_, answered in asked])
    fold = np.array([int(digest("fold", rows[number]["id"]), 16) % FOLDS for number, *_ in asked])
    odds = np.zeros(len(asked))
    for one in range(FOLDS):
        rest = fold != one
        both = np.r_[features[rest], features[rest][truth[rest]]]
        target = np.r_[truth[rest], np.zeros(int(truth[rest].sum()), dtype=bool)]
        odds[~rest] = features[~rest] @ logistic(both, target)
    return {question: float(lean) for (_, question, _), lean in zip(asked, odds, strict=True)}


def _of_questions(questions: Sequence[str]) -> NDArray[np.float64]:
    vectors = load_static()(questions).astype(np.float64) * 10.0
    lengths = np.array([[1.0, len(question.split()) / 10] for question in questions])
    return np.c_[lengths, vectors]


def logistic(rows: NDArray[np.float64], target: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Weights (columns,) by Newton's method, with RIDGE on their squares."""
    weights = np.zeros(rows.shape[1])
    for _ in range(8):
        share = 1.0 / (1.0 + np.exp(-rows @ weights))
        slope = rows.T @ (target - share) - RIDGE * weights
        curve = (rows * (share * (1 - share))[:, None]).T @ rows
        weights += np.linalg.solve(curve + RIDGE * np.eye(len(weights)), slope)
    return weights


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
    told = paper[:, 1] + torch.tensor([one.lean for one in group])
    known = [i for i, s in enumerate(group) if s.answered is not None]
    if known:
        target = torch.tensor([float(bool(group[i].answered)) for i in known])
        loss = loss + entropy(told[known], target)
    for i, one in enumerate(group):
        for j, other in enumerate(group):
            if one.relevant and not other.relevant and one.question == other.question:
                loss = loss + softplus(paper[j, 0] - paper[i, 0]) / len(group)
            if one.answered and other.relevant and other.answered is False:
                loss = loss + softplus(told[j] - told[i]) / len(group)
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
    places = range(min(MEASURED, len(examples.rows)))
    first, pairs, hits, scores, right = [], [], [], [], []
    with torch.no_grad():
        for place in places:
            if examples.rows[place]["q_everyday"]:
                paper, _ = read(model, [examples.ranked(place, chance)])
                first.append(int(paper[:, 0].argmax()) == 0)
            asked = examples.everything(place)
            paper, evidence = read(model, [pieces for _, pieces in asked])
            start, own = 0, []
            for answered, pieces in asked:
                rows = range(start, start + len(pieces))
                own.append((answered, float(paper[start : start + len(pieces), 1].max())))
                start += len(pieces)
                marks = [mark for piece in pieces for mark in piece.evidence or ()]
                said = [
                    float(logit)
                    for row, piece in zip(rows, pieces, strict=True)
                    for logit in evidence[row, : len(piece.sentences)]
                ]
                if any(marks):
                    hits.append(marks[int(np.argmax(said))])
            scores += [score for _, score in own]
            right += [answered for answered, _ in own]
            pairs += [a > b for yes, a in own if yes for no, b in own if not no]
    return (
        f"right paper first of {WRONG + 1} {np.mean(first or [0]):.3f}, answered AUROC "
        f"{auroc(np.array(scores), np.array(right)):.3f}, within a paper {np.mean(pairs):.3f}, "
        f"right sentence first {np.mean(hits):.3f}"
    )


def auroc(scores: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    """Share of (right, wrong) pairs in the right order (Hanley and McNeil, 1982)."""
    return float((scores[right][:, None] > scores[~right][None, :]).mean())


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]), Path(sys.argv[3]) if len(sys.argv) > 3 else None)
