from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from rag import indexing, retrieve, store
from rag.app import PaperChat
from rag.embed import load_embedded
from rag.question import focus
from rag.rank import FusionWeights, Signals, best_first, fuse, standardise
from rag.retrieve import Reading, latin_share
from rag.text import digest, paper_id
from rag.types import Corpus, Paper

Ask = Callable[[str], Reading]

FULL_WIDTH = {code: code + 0xFEE0 for code in range(0x21, 0x7F)} | {0x20: 0x3000}
BOLD = {65 + i: 0x1D5D4 + i for i in range(26)} | {97 + i: 0x1D5EE + i for i in range(26)}
LOOK_ALIKE = str.maketrans("AaBCcEeHIiKMOopPSsTXxy", "АаВСсЕеНІіКМОорРЅѕТХху")  # to Cyrillic


def mix(question: str) -> str:
    """Make every second letter Cyrillic, where one looks the same."""
    pairs = zip(question, question.translate(LOOK_ALIKE), strict=True)
    return "".join(other if i % 2 else char for i, (char, other) in enumerate(pairs))


DISGUISES: dict[str, Callable[[str], str]] = {
    "full width": lambda q: q.translate(FULL_WIDTH),
    "mathematical": lambda q: q.translate(BOLD),
    "zero width": "\u200b".join,
    "soft hyphens": "\u00ad".join,
    "byte order mark": lambda q: f"\ufeff{q}\u200e",
    "right to left": lambda q: f"\u202e{q}\u202c",
    "accents": lambda q: re.sub("([aeiou])", "\\1\u0301", q),
    "marks on marks": lambda q: re.sub("([aeiou])", "\\1" + "\u0336\u0489" * 5, q),
    "Cyrillic letters": mix,
    "no-break spaces": lambda q: q.replace(" ", "\u00a0"),
    "lines": lambda q: "\n" + q.replace(" ", "\n\t") + "\n",
    "markup": lambda q: f'<div onclick="x()"><b>{q}</b><script src=//x></script></div>',
    "control signs": lambda q: q.replace(" ", " \x00\x07"),
}


def paper(title: str, abstract: str) -> Paper:
    """A paper of one file."""
    return Paper(paper_id(title), title, abstract, digest(title, abstract), ("a.txt",))


CALM = paper(
    "Composing Two Models",
    "We propose CALM, which joins two language models by cross-attention. Both stay as they are.",
)
LLAMA_2 = paper("Open Models", "We present Llama 2, a family of open language models for dialogue.")
LLAMA_3 = paper(
    "Newer Models", "We present Llama 3, a family of open language models for dialogue."
)
C = paper("Writing in C", "We translate programs of other languages to C without loss of speed.")
CPP = paper("Writing in C++", "We translate programs of other languages to C++ without any loss.")
ZERO = paper("ZeRO-Light: Less Memory", "We present ZeRO-Light, which divides optimizer states.")
QUIET = tuple(
    paper(
        f"On the Weather of {place}", f"In {place} calm days are common, and zero wind is recorded."
    )
    for place in ("Norway", "Chile", "Kenya", "Japan", "Malta")
)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Ask:
    """Reads questions against the papers above."""
    papers = (CALM, LLAMA_2, LLAMA_3, C, CPP, ZERO, *QUIET)
    folder = tmp_path_factory.mktemp("small")
    indexing.update(folder, Corpus(papers, (), len(papers)), load_embedded())
    return ask(folder)


def ask(folder: Path) -> Ask:
    """Reads questions against the store in *folder*."""
    embedder = load_embedded()
    snapshot = store.load(folder, store.fingerprint(embedder))
    return lambda question: retrieve.read(snapshot, embedder, question, 20)


@pytest.fixture(scope="module")
def seeds(seed_store: Path) -> Ask:
    """Reads questions against the seed papers."""
    return ask(seed_store)


@pytest.fixture(scope="module")
def named_papers(seed_chat: PaperChat) -> list[tuple[str, Paper]]:
    """Seed papers whose title begins with a name, and that name."""
    pairs = [(one.title.partition(":"), one) for one in seed_chat.papers()]
    return [(head, one) for (head, colon, _), one in pairs if colon and len(head.split()) <= 2]


# Fusion


def signals(count: int, **given: list[float]) -> Signals:
    """Signals of *count* papers that differ in nothing but *given*."""
    flat = np.zeros(count)
    values = {name: np.array(value, dtype=float) for name, value in given.items()}
    return Signals(
        lexical=values.get("lexical", flat),
        coverage=values.get("coverage", flat),
        whole=values.get("whole", flat),
        sentence=values.get("sentence", flat),
        introduced=values.get("introduced", flat).astype(bool),
        mentioned=values.get("mentioned", flat).astype(bool),
    )


LEXICAL = [9.0, 2.0, 0.0, 0.0, 0.0]
MEANING = [0.1, 0.2, 0.7, 0.1, 0.1]


# Among five papers nobody stands out by more than two deviations, among hundreds by fifteen: a
# law is shown here by weights that are larger in the same proportion.
STRONG = FusionWeights(lexical_always=0.1, lexical_covered=1.5, introduced=5.0, mentioned=4.0)


@pytest.mark.parametrize(("share", "first"), [(0.1, 2), (0.2, 2), (0.9, 0), (1.0, 0)])
def test_words_count_in_the_measure_in_which_they_cover_the_question(share: float, first: int):
    """A paper that shares one common word with a question is not trusted for it."""
    found = signals(5, lexical=LEXICAL, coverage=[share, 0, 0, 0, 0], whole=MEANING)
    assert int(fuse(found, STRONG).argmax()) == first


def test_meaning_is_not_asked_where_the_model_reads_nothing():
    """A question in another script is found by the words it shares, whatever the cosines say."""
    found = signals(5, lexical=LEXICAL, coverage=[0.3, 0, 0, 0, 0], whole=MEANING)
    assert int(fuse(found, meaning=1.0).argmax()) == 2
    assert int(fuse(found, meaning=0.0).argmax()) == 0


def test_a_name_outweighs_likeness_and_introducing_it_outweighs_mentioning_it():
    """The paper that presents what is asked for comes first, then the one that speaks of it."""
    found = signals(
        5, whole=[0.9, 0.1, 0.2, 0.8, 0.7], introduced=[0, 1, 0, 0, 0], mentioned=[0, 1, 1, 0, 0]
    )
    order = best_first(fuse(found, STRONG), list("abcde"))
    assert order[:3] == [1, 2, 0]


def test_where_nothing_differs_nothing_is_scored():
    """Equal signals say nothing, and divide by nothing."""
    assert fuse(signals(3)).tolist() == [0.0, 0.0, 0.0]
    assert standardise(np.full(4, 0.3)).tolist() == [0.0] * 4
    assert fuse(signals(1, lexical=[3.0], whole=[0.5])).tolist() == [0.0]


def test_ties_go_by_id():
    """The order never depends on the order of reading."""
    scores = np.array([1.0, 2.0, 1.0, 2.0])
    assert best_first(scores, ["d", "c", "b", "a"]) == [3, 1, 2, 0]
    assert best_first(np.zeros(3), ["z", "a", "m"]) == [1, 2, 0]


@pytest.mark.parametrize(
    ("text", "share"), [("what", 1.0), ("что", 0.0), ("ab вг", 0.5), ("42?", 1.0), ("", 1.0)]
)
def test_latin_share(text: str, share: float):
    """Of letters; digits and signs belong to every language."""
    assert latin_share(text) == share


# Names


@pytest.mark.parametrize(
    "question", ["How does CALM work?", "what is CALM", "CALM?", "is CALM better than one model?"]
)
def test_a_name_is_told_from_a_word_by_how_it_is_written(small: Ask, question: str):
    """Five papers speak of calm days; the one that presents CALM is meant."""
    reading = small(question)
    assert reading.named.known == ("CALM",)
    assert reading.hits[0].paper == CALM
    assert reading.hits[0].named


@pytest.mark.parametrize("question", ["on how many days is it calm?", "calm days in Norway"])
def test_an_ordinary_word_is_no_name(small: Ask, question: str):
    """The same letters in small print point at no system."""
    reading = small(question)
    assert reading.named.known == ()
    assert CALM.id not in reading.named.introduced
    assert reading.hits[0].paper in QUIET


@pytest.mark.parametrize(
    ("question", "first"),
    [
        ("What is Llama 2?", LLAMA_2),
        ("What is Llama 3?", LLAMA_3),
        ("what is llama2", LLAMA_2),
        ("LLAMA-3 dialogue", LLAMA_3),
        ("How is code translated to C++?", CPP),
        ("How is code translated to C?", C),
        ("what does ZeRO-Light divide?", ZERO),
        ("what does zero light divide", ZERO),
        ("what does ZeROLight divide", ZERO),
    ],
)
def test_digits_signs_and_hyphens_of_names(small: Ask, question: str, first: Paper):
    """Llama 2 is not Llama 3 and C++ is not C; a hyphen more or less is no other name."""
    assert small(question).hits[0].paper == first


@pytest.mark.parametrize(
    ("question", "unknown"),
    [
        ("How does FlashWombat9 work?", ("FlashWombat9",)),
        ("Does CALM beat XQ-7 or WOMBAT?", ("XQ-7", "WOMBAT")),
        ("How does CALM work?", ()),
        ("what is llama 7", ()),
        ("HOW DO TWO MODELS WORK AS ONE?", ()),
    ],
)
def test_names_that_no_paper_has_are_reported(small: Ask, question: str, unknown: tuple[str, ...]):
    """Words written as names that stand in no abstract; shouting marks nothing."""
    assert small(question).named.unknown == unknown


def test_a_paper_titled_by_a_name_comes_first(seeds: Ask, named_papers: list[tuple[str, Paper]]):
    """A title "X: doing this and that" is found by X, whoever else speaks of X."""
    assert len(named_papers) > 100
    wrong = [
        name
        for name, one in [*named_papers[::6], *(p for p in named_papers if p[0] == "PaLM")]
        if seeds(f"What does {name} propose?").hits[0].paper != one
    ]
    assert wrong == []


def test_a_quoted_title_finds_its_paper(seeds: Ask, seed_chat: PaperChat):
    """Also where the title holds no name at all."""
    wrong = [
        one.title
        for one in seed_chat.papers()[::13]
        if seeds(f"and the data? ({one.title.upper()})").hits[0].paper != one
    ]
    assert wrong == []


# Disguises and languages


@pytest.mark.parametrize("disguise", DISGUISES)
def test_a_question_in_disguise_finds_the_same_paper(
    seeds: Ask, named_papers: list[tuple[str, Paper]], disguise: str
):
    """What looks the same is the same: the plain question finds each of these papers."""
    disguised = DISGUISES[disguise]
    wrong = [
        name
        for name, one in named_papers[::12]
        if seeds(focus(disguised(f"What does {name} propose?"))).hits[0].paper != one
    ]
    assert wrong == []


LANGUAGES = """
Was macht MegaScale?
Que fait MegaScale ?
¿Qué hace MegaScale?
Cosa fa MegaScale?
O que faz o MegaScale?
Wat doet MegaScale?
Vad gör MegaScale?
Hvad gør MegaScale?
Mitä MegaScale tekee?
Co robi MegaScale?
Co dělá MegaScale?
Mit csinál a MegaScale?
Ce face MegaScale?
MegaScale ne yapar?
MegaScale làm gì?
Apa yang dilakukan MegaScale?
Что делает MegaScale?
Що робить MegaScale?
Какво прави MegaScale?
Τι κάνει το MegaScale;
MegaScale是做什么的？
MegaScale 做什麼？
MegaScaleは何をしますか？
MegaScale은 무엇을 합니까?
MegaScale क्या करता है?
MegaScale কী করে?
MegaScale என்ன செய்கிறது?
MegaScale ทำอะไร
ماذا يفعل MegaScale؟
MegaScale چه می‌کند؟
מה MegaScale עושה?
რას აკეთებს MegaScale?
Ի՞նչ է անում MegaScale-ը
MegaScale ምን ያደርጋል?
🚀 MegaScale 🚀 ???
""".strip().splitlines()


@pytest.mark.parametrize("question", LANGUAGES)
def test_a_name_is_found_in_a_question_of_any_language(seeds: Ask, question: str):
    """No script hides a Latin name, with or without spaces round it."""
    assert seeds(question).hits[0].paper.title.startswith("MegaScale:")


ODD = {
    "one letter": "x",
    "one sign": "?",
    "nothing visible": "\u200b",
    "digits": "42",
    "emoji": "👩‍👩‍👧‍👦🏳️‍🌈" * 50,
    "right to left": "\u202eأوراق\u202c",
    "one long word": "a" * 500,
    "the same word": "model " * 80,
    "signs": "!@#$%^&*()_+-=[]{};':\",./<>?\\|`~",
    "query language": 'title:"x" AND (y OR z)^2 NOT * /.*/',
    "sql": "'; DROP TABLE papers; --",
    "half a pair": "what is \ud800 here",
    "not a character": "\uffff\ufdd0\ue000",
    "Han": "什",
    "stop words": "what is it that they do with this",
}


@pytest.mark.parametrize("case", [*ODD, *LANGUAGES[::5]])
def test_any_text_finds_twenty_papers_each_once(seeds: Ask, case: str):
    """Ranked from 1, finite scores that never rise, spans that are exact; twice the same."""
    question = ODD.get(case, case)
    hits = seeds(question).hits
    assert [hit.rank for hit in hits] == list(range(1, 21))
    assert len({hit.paper.id for hit in hits}) == 20
    scores = [hit.score for hit in hits]
    assert np.isfinite(scores).all()
    assert scores == sorted(scores, reverse=True)
    for hit in hits:
        assert -1.001 <= hit.best_sentence <= 1.001
        for sentence, cosine in hit.sentences:
            assert hit.paper.abstract[sentence.start : sentence.end] == sentence.text
            assert cosine <= hit.best_sentence + 1e-5
    assert seeds(question).hits == hits


def test_everyday_words_find_what_they_mean(seeds: Ask):
    """No word of the abstract is in the question: the lexical side has nothing to say."""
    question = "keeping thousands of graphics cards busy although some of them break all the time"
    titles = [hit.paper.title for hit in seeds(question).hits[:5]]
    assert any("GPU" in title or "Scale" in title or "Distributed" in title for title in titles)


def test_a_small_collection_gives_what_it_has(small: Ask, tmp_path: Path):
    """Fewer papers than asked for are all found; none is found where there is none."""
    assert len(small("anything at all").hits) == 11
    indexing.update(tmp_path, Corpus((), (), 0), load_embedded())
    reading = ask(tmp_path)("How does CALM work?")
    assert (reading.hits, reading.coverage) == ((), ())
    assert reading.named.unknown == ("CALM",)


def test_coverage_is_the_share_of_the_question_that_a_paper_holds(small: Ask):
    """All of it, some of it, none of it."""
    reading = small("calm days in Norway")
    by_paper = {hit.paper: share for hit, share in zip(reading.hits, reading.coverage, strict=True)}
    # Two plain words are also looked for as one ("calmdays"), which no paper holds.
    assert by_paper[QUIET[0]] > by_paper[QUIET[1]] > by_paper[LLAMA_2] == 0.0
    assert all(0.0 <= share <= 1.0 + 1e-6 for share in reading.coverage)
