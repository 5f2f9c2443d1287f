"""Reading papers: every format, what is refused and why, and what is merged."""

from __future__ import annotations

import gzip
import json
import lzma
import os
import pickle
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rag import corpus
from rag.corpus import plain, read, stream
from rag.errors import CorpusError
from rag.text import digest, paper_id
from rag.types import Corpus, Paper

SEEDS = Path(__file__).parents[1] / "seeds"
NOBODY = 65534

ABSTRACT = (
    "Large models are trained at great cost. We propose a method that reuses what was trained "
    "before, and show on twelve benchmarks that it needs 4.5x less compute at equal accuracy. "
    "Code is available at https://example.org/code."
)
OTHER = (
    "Retrieval helps language models to state facts. This paper measures how often the passage "
    "found is the one that is needed, over five collections and 3,000 questions, and finds that "
    "ranking matters more than the size of the model (by 12 points)"
)
TITLES = [
    "A Plain Title of Five Words",
    "System V2: Scaling Up Capacity and Resolution",
    "What Matters for Model Merging at Scale?",
    "Pop Quiz! Do Code Models Know the Right Names?",
    "Learning $\\pi$ from Data",
    "Réseaux de neurones et naïveté",
    "大语言模型的检索增强生成方法研究",
    "x",
    "eCeLLM",
    "A Title That Ends in a Full Stop.",
    "FLM-101B: An Open LLM and How to Train It with $100K Budget",
    (
        "The Ultimate Guide to Reading Titles That Are Long: " + "An Exhaustive Review of Them " * 6
    ).strip(),
]
FURNITURE = {
    "none": "",
    "as the seeds have it": (
        "new\n\nGet trending papers in your email inbox!\n\nSubscribe\n\n"
        "byAK and the research community\n\nMar 11\n\n"
    ),
    "on two lines, without a date": (
        "new\n\nGet trending papers in your email inbox!\n\nSubscribe\n\nDaily Papers\n\n"
        "by AK\nand the research community\n\n"
    ),
    "another page": (
        "Preprint Weekly\nLog in\nSign up\n\n12 March 2031\n\n"
        "The best of the week, picked by people who read\n\nShare\n\n"
    ),
    "another order": "2031-03-12\n\nby Zoë and friends\n\nmenu\n\nHottest preprints, every day\n\n",
    "one line": "© 2030 The Journal Club of Some Town\n\n",
    "with a sentence": "Join our newsletter\n\nWe send the best papers each Friday.\n\n",
    "signs and numbers": "≡\n\n42\n\nSearch…\n\n•\n\n",
}


def paged(
    pairs: list[tuple[str, str]], furniture: str = "", gap: str = "\n\n", end: str = "\n\n"
) -> str:
    """A page of titles over abstracts."""
    return furniture + "".join(f"{title}{gap}{abstract}{end}" for title, abstract in pairs)


def abstracts(count: int) -> list[str]:
    """As many different abstracts."""
    return [f"Study {number} begins here. {ABSTRACT}" for number in range(count)]


def pairs_of(got: Corpus) -> list[tuple[str, str]]:
    """Title and abstract of every paper read, in order."""
    return [(paper.title, paper.abstract) for paper in got.papers]


def reasons(got: Corpus) -> list[tuple[int, str]]:
    """Line and reason of every record rejected, in order."""
    return [(rejected.line, rejected.reason) for rejected in got.rejected]


@pytest.fixture
def put(tmp_path: Path) -> Callable[[str, str | bytes], Path]:
    """Write a file and get its path; text is written with its line ends as they are."""

    def write(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.fixture
def one(put: Callable[[str, str | bytes], Path]) -> Callable[[str, str | bytes], Corpus]:
    """Write a file and read it."""
    return lambda name, content: read([put(name, content)])


# --- the seeds ---


def test_seeds_are_495_records_of_385_papers():
    """The five seed documents give 495 records, 385 papers, and nothing to complain about."""
    got = read([SEEDS])

    assert (got.records, len(got.papers), got.duplicates) == (495, 385, 110)
    assert (got.rejected, got.notes) == ((), ())
    assert got.papers[0].title.startswith("VideoMAE V2: Scaling Video Masked Autoencoders")
    assert max(len(paper.title) for paper in got.papers) == 178
    assert {source for paper in got.papers for source in paper.sources} == {
        path.name for path in SEEDS.glob("*.txt")
    }
    assert any(len(paper.sources) > 1 for paper in got.papers)


def test_seed_papers_are_as_written():
    """Every stored title and abstract is a line of its file, and its hashes follow from it."""
    lines = {line for path in SEEDS.glob("*.txt") for line in path.read_text("utf-8").split("\n")}

    for paper in read([SEEDS]).papers:
        assert {paper.title, paper.abstract} <= lines
        assert paper.id == paper_id(paper.title)
        assert paper.content_hash == digest(paper.title, paper.abstract)
        assert paper.sources == tuple(sorted(set(paper.sources)))


@pytest.mark.parametrize("change", ["together", "windows", "without empty lines", "cut short"])
def test_seeds_in_other_forms(one, change):
    """The seeds pasted into one file, with other line ends or spacing, are the same papers."""
    pages = [path.read_text("utf-8") for path in sorted(SEEDS.glob("*.txt"))]
    page = "\n".join(pages)
    if change == "windows":
        page = page.replace("\n", "\r\n")
    if change == "without empty lines":
        page = "\n".join(line for line in page.split("\n") if line)
    if change == "cut short":
        page = "\n\n".join(text.split("\n\n", 2)[2] for text in pages)  # half of the furniture

    got = one("all.txt", page)

    assert pairs_of(got) == pairs_of(read([SEEDS]))
    assert (got.records, got.rejected, got.notes) == (495, (), ())


def test_reading_twice_gives_the_same():
    """Reading is deterministic, whether a folder is given or its files one by one."""
    assert read([SEEDS]) == read([SEEDS]) == read(sorted(SEEDS.glob("*.txt")))


# --- plain text ---


@pytest.mark.parametrize("furniture", FURNITURE.values(), ids=FURNITURE.keys())
@pytest.mark.parametrize(
    ("gap", "end"), [("\n\n", "\n\n"), ("\n", "\n\n"), ("\n\n\n \n", "\n\n\n"), ("\n", "\n")]
)
def test_furniture_is_told_by_form(one, furniture, gap, end):
    """Whatever a page says above its first paper, and however lines are spaced, papers are read."""
    pairs = list(zip(TITLES, abstracts(len(TITLES)), strict=True))

    got = one("page.txt", paged(pairs, furniture, gap, end))

    assert pairs_of(got) == pairs
    assert got.rejected == ()


@pytest.mark.parametrize("furniture", FURNITURE.values(), ids=FURNITURE.keys())
def test_furniture_between_two_pasted_pages(one, furniture):
    """Two pages in one file are two pages, the second with its own furniture."""
    pairs = list(zip(TITLES, abstracts(len(TITLES)), strict=True))
    page = paged(pairs[:6], FURNITURE["another page"])

    got = one("pasted.txt", page + furniture + paged(pairs[6:]) + page)

    if furniture in (FURNITURE["one line"], FURNITURE["with a sentence"]):  # like lost titles
        assert {reason for _, reason in reasons(got)} == {"a title without an abstract below it"}
    else:
        assert got.rejected == ()
    assert pairs_of(got) == pairs
    assert got.duplicates == 6


def test_furniture_below_the_last_paper(one):
    """What stands under the last abstract is furniture too."""
    got = one("page.txt", paged([(TITLES[0], ABSTRACT)]) + "Next page\n\n© 2030\n\nTerms of use\n")

    assert pairs_of(got) == [(TITLES[0], ABSTRACT)]
    assert got.rejected == ()


def test_doubtful_furniture_is_noted(one):
    """A line that could have been a paper's is not passed over in silence."""
    got = one("page.txt", FURNITURE["with a sentence"] + paged([(TITLES[0], ABSTRACT)]))

    assert got.notes == (
        "page.txt: line 3 was taken for page furniture: 'We send the best papers each Friday.'.",
    )


@pytest.mark.parametrize("newline", ["\r\n", "\r", "\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_and_byte_order_marks(one, newline, mark):
    """Windows, old Mac and Unix lines are the same, with or without a byte order mark."""
    pairs = list(zip(TITLES, abstracts(len(TITLES)), strict=True))

    got = one("page.txt", mark + paged(pairs, FURNITURE["another page"]).replace("\n", newline))

    assert pairs_of(got) == pairs


@pytest.mark.parametrize("gap", ["\n\n", "\n"])
@pytest.mark.parametrize("width", [60, 80, 120])
def test_wrapped_abstracts(one, gap, width):
    """An abstract broken into lines to fit a page is put together with single spaces."""
    pairs = [
        (title, textwrap.fill(abstract, width, break_on_hyphens=False, break_long_words=False))
        for title, abstract in zip(TITLES[:6], abstracts(6), strict=True)
    ]

    got = one("wrapped.txt", paged(pairs, FURNITURE["another page"], gap))

    assert pairs_of(got) == [(title, abstract.replace("\n", " ")) for title, abstract in pairs]
    assert got.rejected == ()


def test_wrapped_title(one):
    """A long title broken into two lines is one title."""
    title = "Predictable Scale, Part One: Optimal Settings for Pretraining Large Models of Language"

    got = one("page.txt", f"new\n\n{textwrap.fill(title, 70)}\n\n{ABSTRACT}\n")

    assert pairs_of(got) == [(title, ABSTRACT)]


def test_heading_that_says_abstract_is_no_title(one):
    """The word "Abstract" between the two is not taken for the title."""
    got = one("page.txt", f"{TITLES[0]}\n\nAbstract:\n\n{ABSTRACT}\n")

    assert pairs_of(got) == [(TITLES[0], ABSTRACT)]


def test_short_abstracts(one):
    """In a file of one-sentence abstracts each is one, and so is a short one among long ones."""
    short = (
        "We prove that every such group is free, and give two examples of it in dimension three."
    )

    assert (
        len(one("short.txt", "A Note\n\nWe do it all.\n\nA Reply\nThey do not do it.\n").papers)
        == 2
    )
    assert len(one("stopless.txt", "A Note\n\nWe do it all and stop\n").papers) == 1
    assert pairs_of(one("mixed.txt", paged([(TITLES[0], ABSTRACT), (TITLES[1], short)]))) == [
        (TITLES[0], ABSTRACT),
        (TITLES[1], short),
    ]


def test_title_without_abstract(one):
    """A title that lost its abstract is rejected on its line, and its neighbours stay whole."""
    lost = "A Title That Lost Its Abstract\n\n"

    got = one("page.txt", paged([(TITLES[0], ABSTRACT)]) + lost + paged([(TITLES[1], OTHER)]))

    assert pairs_of(got) == [(TITLES[0], ABSTRACT), (TITLES[1], OTHER)]
    assert reasons(got) == [(5, "a title without an abstract below it")]
    assert str(got.rejected[0]) == "page.txt:5: a title without an abstract below it"


def test_abstract_without_title(one):
    """An abstract that lost its title does not go to the paper above, or shift those below."""
    got = one("page.txt", paged([(TITLES[0], ABSTRACT)]) + f"{OTHER}\n\n" + paged([("T", OTHER)]))

    assert pairs_of(got) == [(TITLES[0], ABSTRACT), ("T", OTHER)]
    assert reasons(got) == [(5, "an abstract, or a part of one, without a title above it")]


@pytest.mark.parametrize(
    "above", ["Mar 11", "Tuesday, March 11", "2031-03-11", "11 Mar 2031", "new"]
)
def test_furniture_is_never_a_title(one, above):
    """Where a page's date or button stands above an abstract, its title is missing."""
    page = paged([(TITLES[0], ABSTRACT)], FURNITURE["as the seeds have it"])

    got = one("page.txt", f"{page}{above}\n\n{OTHER}\n")

    assert [paper.title for paper in got.papers] == [TITLES[0]]
    assert len(got.rejected) == 1


def test_text_without_papers(one):
    """A text that holds no title over an abstract is rejected with its line."""
    assert reasons(one("list.txt", "\nnumpy\nchroma\n")) == [
        (2, "no title followed by an abstract")
    ]


def test_too_many_lines(put, monkeypatch):
    """A text of more lines than fit in memory is refused before they are split."""
    monkeypatch.setattr(plain, "LINES_LIMIT", 3)

    with pytest.raises(CorpusError, match=r"page\.txt: has more than 3 lines; split it\."):
        read([put("page.txt", "a\n\nb\n\nc\n")])


# --- what is stored ---


def test_title_is_squeezed_and_abstract_kept(one):
    """White space in titles is squeezed; of an abstract only its line ends become spaces."""
    got = one(
        "a.jsonl",
        json.dumps(
            {"title": " Two \n  words ", "abstract": " One  two.\r\n  Three\tfour.\n\nFive. "}
        ),
    )

    assert pairs_of(got) == [("Two words", "One  two. Three four. Five.")]


def test_control_characters_are_removed(one):
    """NUL, control characters, stray marks and halves of characters do not get in."""
    text = "be\u0000fore\u0007 \ufeffafter\u009f \ud800 end"

    got = one("a.jsonl", json.dumps({"title": f"T {text}", "abstract": text}))

    assert pairs_of(got) == [("T before after \ufffd end", "before after \ufffd end")]


def test_unusual_characters_are_kept(one):
    """Letters of any script, formulas and non-breaking spaces stay as written."""
    text = "naïve 大模型 $\\pi_{i}$ a\u00a0b \u2028 “q” \U0001f600 e\u0301"

    got = one("a.jsonl", json.dumps({"title": "T", "abstract": text}))

    assert got.papers[0].abstract == text.replace(" \u2028 ", " ")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"abstract": "a b"}, "no title"),
        ({"title": " \u200b. ", "abstract": "a b"}, "no title"),
        ({"title": "t"}, "no abstract"),
        ({"title": "t", "abstract": " - "}, "no abstract"),
        ({"title": "t", "abstract": None, "text": ""}, "no abstract"),
        ({"title": "t", "abstract": float("nan")}, "no abstract"),
        ({"other": 1}, "no title and no abstract"),
        ({"title": "t" * 1001, "abstract": "a"}, "the title has 1,001 characters, more than 1,000"),
        (
            {"title": "t", "abstract": "a" * 100_001},
            "the abstract has 100,001 characters, more than 100,000",
        ),
    ],
)
def test_records_that_are_no_papers(one, fields, reason):
    """What lacks a title or an abstract, or is absurdly long, is rejected and the rest goes in."""
    good = json.dumps({"title": "Good", "abstract": "Fine."})

    got = one("a.jsonl", f"{good}\n\n{json.dumps(fields)}\n{good}\n")

    assert reasons(got) == [(3, reason)]
    assert (got.records, len(got.papers)) == (2, 1)


def test_longest_allowed(one):
    """A title of 1,000 and an abstract of 100,000 characters are read."""
    got = one("a.jsonl", json.dumps({"title": "t" * 1000, "abstract": "a" * 100_000}))

    assert len(got.papers) == 1


# --- JSON ---


def test_jsonl_fields(one):
    """Every field of the contract is read, whatever the case of its name."""
    rows = [
        {
            "_id": "4983",
            "title": "One",
            "text": "First.",
            "metadata": {},
            "year": 2021,
            "authors": ["Ann Li", {"name": "Bo Roy"}, {"first": "Cy", "last": "Day"}],
            "url": "https://example.org/1",
        },
        {"ID": 7, "Title": "Two", "ABSTRACT": "Second.", "Year": "2020-05-01", "doi": "10.1000/x"},
        {
            "arxiv_id": "2303.16727",
            "title": "Three",
            "abstract": ["A.", "B."],
            "authors": "A B, C D",
        },
        {"title": "Four", "abstract": "D.", "url": "javascript:alert(1)", "authors": None},
    ]

    got = one("a.jsonl", "\n".join(map(json.dumps, rows)))

    assert got.papers[0] == Paper(
        id=paper_id("One"),
        title="One",
        abstract="First.",
        content_hash=digest("One", "First."),
        sources=("a.jsonl",),
        external_id="4983",
        year=2021,
        authors=("Ann Li", "Bo Roy", "Cy Day"),
        url="https://example.org/1",
    )
    two, three, four = got.papers[1:]
    assert (two.external_id, two.year, two.url) == ("7", 2020, "https://doi.org/10.1000/x")
    assert (three.external_id, three.abstract, three.authors) == (
        "2303.16727",
        "A. B.",
        ("A B", "C D"),
    )
    assert (four.url, four.authors, four.year) == (None, (), None)


@pytest.mark.parametrize(
    ("names", "authors"),
    [
        ("Ann Li", ("Ann Li",)),
        ("Li, Ann; Roy, Bo", ("Li, Ann", "Roy, Bo")),
        ("Ann Li, Bo Roy, and Cy Day", ("Ann Li", "Bo Roy", "Cy Day")),
        ("Li, Ann and Roy, Bo", ("Li, Ann", "Roy, Bo")),
        ("", ()),
    ],
)
def test_author_strings(one, names, authors):
    """Authors in one string are told apart, and `Last, First` stays together."""
    got = one("a.jsonl", json.dumps({"title": "T", "abstract": "A.", "authors": names}))

    assert got.papers[0].authors == authors


def test_malformed_lines(one):
    """A line that is not a JSON object is rejected with its number; the others are read."""
    lines = [
        '{"title": "One", "abstract": "A."}',
        "",
        "{broken",
        '"text"',
        "[" * 100_000,
        '{"title": "T", "year": ' + "1" * 5000 + "}",
        '{"title": "Two", "abstract": "B."}',
    ]

    got = one("a.jsonl", "\r\n".join(lines))

    assert pairs_of(got) == [("One", "A."), ("Two", "B.")]
    assert [line for line, _ in reasons(got)] == [3, 4, 5, 6]
    assert "not valid JSON" in got.rejected[0].reason


A, B = {"title": "One", "abstract": "A."}, {"title": "Two", "text": "B."}


@pytest.mark.parametrize(
    "content",
    [
        json.dumps([A, B]),
        json.dumps([A, B], indent=2),
        json.dumps({"count": 2, "papers": [A, B]}),
        json.dumps({"count": 2, "tags": ["x"], "papers": [A, B], "more": [1]}, indent=2),
        f"{json.dumps(A)}\n{json.dumps(B)}",
        f"{json.dumps(A, indent=1)}\n\n{json.dumps(B, indent=1)}\n",
        "\ufeff \n" + json.dumps([A, B]),
    ],
)
@pytest.mark.parametrize("name", ["a.json", "a.JSON.gz"])
def test_json_shapes(put, name, content):
    """An array, an object with a list inside, and one object a line are the same papers."""
    raw = content.encode()

    got = read([put(name, gzip.compress(raw, mtime=0) if name.endswith(".gz") else raw)])

    assert pairs_of(got) == [("One", "A."), ("Two", "B.")]
    assert got.rejected == ()


def test_single_paper_and_misnamed_array(one):
    """One object is one paper, and an array in a `.jsonl` is read as one."""
    assert pairs_of(one("a.json", json.dumps(A, indent=2))) == [("One", "A.")]
    assert len(one("a.jsonl", json.dumps([A, B], indent=2)).papers) == 2


@pytest.mark.parametrize(("before", "after"), [("[", "]"), ('{"papers": [', "]}"), ("", "")])
def test_broken_json_document(one, before, after):
    """Records after a broken one are read, and it is rejected with the line it begins on."""
    middle = ",\n" if before else "\n"
    records = [json.dumps(A), "5", '{"title": "Broken" "abstract": "x"}', json.dumps(B)]

    got = one("a.json", f"{before}\n{middle.join(records)}\n{after}")

    assert pairs_of(got) == [("One", "A."), ("Two", "B.")]
    assert [line for line, _ in reasons(got)] == [3, 4]


def test_json_lines_are_counted_within_arrays(one):
    """A record of an array is rejected with the line that it begins on."""
    got = one("a.json", json.dumps([A, {"title": "No abstract"}, B], indent=1))

    assert reasons(got) == [(6, "no abstract")]


# --- tables ---


@pytest.mark.parametrize(("name", "separator"), [("a.csv", ","), ("a.csv", ";"), ("a.tsv", "\t")])
def test_tables(one, name, separator):
    """Quoted fields, fields over several lines, odd header names and short rows are read."""
    rows = [
        ["\ufeffKey", " TITLE", "Abstract Note", "Publication Year", "Author", "Url"],
        ["k1", '"One; or, 1"', '"He said ""yes"".\nThen left."', "2020", "Ann Li", "http://a.b/c"],
        ["k2", "Two", '"B."'],
        ["", "", ""],
        ["k3", "Three", ""],
        ["k4", "Four", "x" * 90_000, "2019"],
    ]

    got = one(name, "\r\n".join(separator.join(row) for row in rows))

    assert pairs_of(got) == [
        ("One; or, 1", 'He said "yes". Then left.'),
        ("Two", "B."),
        ("Four", "x" * 90_000),
    ]
    assert (got.papers[0].external_id, got.papers[0].year) == ("k1", 2020)
    assert (got.papers[0].authors, got.papers[0].url) == (("Ann Li",), "http://a.b/c")
    assert reasons(got) == [(6, "no abstract")]


def test_quote_left_open(one):
    """A row whose quote is never closed takes only its own line with it."""
    got = one("a.csv", 'title,abstract\nOne,"A.\nTwo,B.\n"Three","C."\nFour,"D.\nFive,E.\n')

    assert pairs_of(got) == [("Two", "B."), ("Three", "C."), ("Five", "E.")]
    assert [line for line, _ in reasons(got)] == [2, 5]


def test_row_with_too_many_columns(one):
    """A row with more fields than the header is rejected; its abstract may be cut anywhere."""
    got = one("a.csv", "title,abstract\nOne,A, with a comma.\nTwo,B.,\n")

    assert pairs_of(got) == [("Two", "B.")]
    assert reasons(got) == [(2, "3 columns, but the first line names 2")]


def test_quotes_in_tabs(one):
    """In a tab-separated table that does not quote, quotes are just quotes."""
    got = one("a.tsv", 'title\tabstract\n"Why" questions\tSo "it" is.\nTwo\t"Open.\nThree\tC.\n')

    assert pairs_of(got) == [
        ('"Why" questions', 'So "it" is.'),
        ("Two", '"Open.'),
        ("Three", "C."),
    ]


@pytest.mark.parametrize("header", ["a,b", "title,year", "", "x" * 3_000_000])
def test_table_without_header(one, header):
    """A table that does not name its columns is rejected as a whole, on line 1."""
    got = one("a.csv", f"{header}\nOne,A.\n")

    assert got.papers == ()
    assert reasons(got) == [(1, "the first line does not name the columns 'title' and 'abstract'")]


# --- reference managers ---

BIB = r"""
@string{me = "String Title"}
@comment{ignored}
@article{k1, title={{BERT}: Pre-training of {D}eep $x_{i}$ {\'e}t\'e},
  abstract = {We get 15.4% more and 3\% less {than} before.
    Then more.},
  author={Li, Ann and {\"O}zer, Bo and {Barnes and Noble}}, year=2019,
  url={https://example.org/a\_b}, eprint={1810.04805}}
@Article{k1, Title = "Same Key", ABSTRACT = "Something here.", doi={10.1000/abc}}
@misc{k2, title=me, abstract={S.}}
@misc{k3, title={No abstract}}
@misc{k4, title={Unclosed, abstract={x}
@misc{k5, title={After}, abstract={Fine.}}
"""


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_bibtex(one, newline):
    """Braces and TeX's letters go, formulas and bare per cent signs stay, repeated keys count."""
    got = one("a.bib", BIB.replace("\n", newline))

    first, second = got.papers[:2]
    assert first.title == "BERT: Pre-training of Deep $x_{i}$ été"
    assert first.abstract == "We get 15.4% more and 3% less than before. Then more."
    assert first.authors == ("Li, Ann", "Özer, Bo", "Barnes and Noble")
    assert (first.year, first.url) == (2019, "https://example.org/a_b")
    assert (first.external_id, second.external_id) == ("1810.04805", "k1")
    assert second.url == "https://doi.org/10.1000/abc"
    assert [paper.title for paper in got.papers[2:]] == ["String Title", "After"]
    assert reasons(got) == [(11, "no abstract"), (12, "an entry that is not valid BibTeX")]


RIS = """written by a program
TY  - JOUR
TI  - One
AB  - An abstract
 that goes on.
AU  - Li, Ann
AU  - Roy, Bo
PY  - 2020/03/01
DO  - 10.1000/xyz
ID  - 77
ER  -

TY  - JOUR
T1  - Two
N2  - Notes.
TY - CONF
TI - Three
AB - C.
UR - https://example.org/3
ER -
TY  - JOUR
TI  - No abstract
ER  -
"""


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_ris(one, newline):
    """Both names of title and abstract are read, long lines, single blanks and missing ends too."""
    got = one("a.ris", RIS.replace("\n", newline))

    assert pairs_of(got) == [
        ("One", "An abstract that goes on."),
        ("Two", "Notes."),
        ("Three", "C."),
    ]
    assert got.papers[0].authors == ("Li, Ann", "Roy, Bo")
    assert (got.papers[0].year, got.papers[0].external_id) == (2020, "77")
    assert [paper.url for paper in got.papers] == [
        "https://doi.org/10.1000/xyz",
        None,
        "https://example.org/3",
    ]
    assert reasons(got) == [(21, "no abstract")]


@pytest.mark.parametrize("name", ["a.bib", "a.ris"])
def test_reference_files_without_records(one, name):
    """A file that is of this kind by name only is rejected, not passed over."""
    got = one(name, "nothing of the kind\n")

    assert (got.records, len(got.rejected)) == (0, 1)


def test_parsers_are_imported_late():
    """Who has no BibTeX or RIS does not wait for their parsers."""
    code = (
        "import sys, rag.corpus; print({'bibtexparser', 'rispy', 'pylatexenc'} & set(sys.modules))"
    )

    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=SEEDS.parent
    )

    assert run.stdout.strip() == "set()"


# --- compressed, encoded, large ---

EVERY_KIND = {
    "a.txt": paged([("One", ABSTRACT)]),
    "a.jsonl": json.dumps({"title": "One", "abstract": ABSTRACT}),
    "a.json": json.dumps([{"title": "One", "abstract": ABSTRACT}]),
    "a.csv": f'title,abstract\nOne,"{ABSTRACT}"\n',
    "a.tsv": f"title\tabstract\nOne\t{ABSTRACT}\n",
    "a.bib": f"@article{{k, title={{One}}, abstract={{{ABSTRACT}}}}}",
    "a.ris": f"TY  - JOUR\nTI  - One\nAB  - {ABSTRACT}\nER  - \n",
}


@pytest.mark.parametrize("name", EVERY_KIND)
@pytest.mark.parametrize("suffix", ["", ".gz", ".xz", ".GZ"])
def test_every_kind_compressed(one, name, suffix):
    """Every kind of file is read plain, as .gz and as .xz."""
    raw = EVERY_KIND[name].encode()
    packed = {"": bytes, ".gz": gzip.compress, ".xz": lzma.compress}[suffix.lower()](raw)

    got = one(name + suffix, packed)

    assert pairs_of(got) == [("One", ABSTRACT)]
    assert got.papers[0].sources == (name + suffix,)
    assert (got.rejected, got.notes) == ((), ())


@pytest.mark.parametrize("name", EVERY_KIND)
@pytest.mark.parametrize("encoding", ["cp1252", "utf-8-sig", "utf-16"])
def test_encodings(one, name, encoding):
    """UTF-8 and UTF-16 are recognised; anything else is read as Western European, with a note."""
    raw = EVERY_KIND[name].replace("One", "Café “One”")

    got = one(name, raw.encode(encoding))

    assert got.papers[0].title == "Café “One”"
    assert (got.papers[0].abstract, len(got.notes)) == (ABSTRACT, int(encoding == "cp1252"))


def test_two_encodings_in_one_file(one):
    """A file put together from two encodings is decoded line by line."""
    lines = [f'{{"title": "Café {number}", "abstract": "A."}}' for number in range(2)]

    got = one("a.jsonl", lines[0].encode() + b"\n" + lines[1].encode("latin-1") + b"\n")

    assert [paper.title for paper in got.papers] == ["Café 0", "Café 1"]
    assert got.notes == (
        "a.jsonl: is not UTF-8 throughout; the other lines were read as Western European text.",
    )


def test_many_records_quickly(put):
    """Twenty thousand compressed records are read within seconds, in order."""
    rows = (json.dumps({"title": f"Paper {n}", "abstract": ABSTRACT}) for n in range(20_000))
    path = put("many.jsonl.xz", lzma.compress("\n".join(rows).encode(), preset=0))

    began = time.process_time()
    got = read([path])

    assert time.process_time() - began < 6  # 0.6 on two cores
    assert [paper.title for paper in got.papers[::5000]] == [
        f"Paper {n}" for n in range(0, 20_000, 5000)
    ]


def test_expanding_without_end(put, monkeypatch):
    """A compressed file that grows beyond the limit is refused, whatever it holds."""
    monkeypatch.setattr(stream, "EXPANDED_LIMIT", 1 << 16)
    long_line = put("bomb.jsonl.gz", gzip.compress(b"x" * (12 << 20), mtime=0))
    many_lines = put("bomb.csv.xz", lzma.compress(b"title,abstract\n" + b"a,b\n" * (1 << 15)))

    for path in (long_line, many_lines):
        with pytest.raises(CorpusError, match=r"expands to more than .* GB; split it into parts\."):
            read([path])


@pytest.mark.parametrize("name", ["a.txt.gz", "a.json", "a.bib.gz", "a.ris"])
def test_whole_files_have_a_limit(put, monkeypatch, name):
    """A kind of file that is read in one piece may not be larger than memory should bear."""
    monkeypatch.setattr(stream, "WHOLE_LIMIT", 1 << 20)
    raw = b"[ " + b"words and words\n" * (1 << 17)

    with pytest.raises(
        CorpusError, match=r"is larger than 1 MB; split it, or turn it into \.jsonl\."
    ):
        read([put(name, gzip.compress(raw, mtime=0) if name.endswith(".gz") else raw)])


@pytest.mark.parametrize(("name", "row"), [("a.jsonl", json.dumps(A)), ("a.csv", "One,A.")])
def test_endless_line(one, name, row):
    """A line of more than ten million bytes is rejected; those around it are read."""
    header = "title,abstract\n" if name.endswith(".csv") else ""

    got = one(name, f"{header}{row}\n{'x' * 10_000_001}\n{row}\n")

    assert got.records == 2
    assert reasons(got) == [(2 + bool(header), "the line is longer than 10,000,000 bytes")]


def test_far_too_many_rejected(put, monkeypatch):
    """A file that goes on and on without papers is refused, rather than filling the memory."""
    monkeypatch.setattr(corpus, "REJECTED_LIMIT", 10)

    with pytest.raises(CorpusError, match="not papers; check what it holds"):
        read([put("a.jsonl", "{}\n" * 12)])


# --- files and folders ---


def test_folder_is_read_recursively_and_sorted(put, tmp_path):
    """Folders are read in the order of names, hidden files left out, sources relative to it."""
    row = '{"title": "%s", "abstract": "A."}'
    for name in ("b.jsonl", "a/z.jsonl", "a/b/y.jsonl", "c.jsonl", ".hidden.jsonl", ".git/x.jsonl"):
        put(f"in/{name}", row % name)
    put("in/readme.md", "text")
    put("in/a/paper.pdf", b"%PDF-1.4")

    got = read([tmp_path / "in"])

    names = ["a/b/y.jsonl", "a/z.jsonl", "b.jsonl", "c.jsonl"]
    assert [paper.title for paper in got.papers] == names
    assert [paper.sources for paper in got.papers] == [(name,) for name in names]
    assert len(got.notes) == 1
    assert got.notes[0].endswith("in: skipped what is not read as papers: a/paper.pdf, readme.md.")


def test_links(put, tmp_path):
    """Links are followed once: a loop ends, a link to nothing is reported, no file counts twice."""
    put("in/a.jsonl", json.dumps(A))
    (tmp_path / "in" / "loop").symlink_to(tmp_path / "in")
    (tmp_path / "in" / "broken.jsonl").symlink_to(tmp_path / "nowhere")
    (tmp_path / "in" / "again.jsonl").symlink_to(tmp_path / "in" / "a.jsonl")

    got = read([tmp_path / "in"])

    assert (got.records, got.papers[0].sources) == (1, ("a.jsonl",))
    assert [rejected.path for rejected in got.rejected] == ["broken.jsonl"]


def test_file_given_twice_is_read_once(put, tmp_path):
    """A file named beside its folder, or twice, is one file."""
    path = put("in/a.jsonl", json.dumps(A))

    assert read([tmp_path / "in", path, path]).records == 1


def test_paths_in_the_order_given(put):
    """Several paths are read in the order in which they are given."""
    paths = [put("b.jsonl", json.dumps(B)), put("a.jsonl", json.dumps(A))]

    assert [paper.title for paper in read(paths).papers] == ["Two", "One"]


def test_progress(put):
    """Each file is announced as it is begun, with its number and how many there are."""
    told: list[tuple[str, int, int]] = []

    read(
        [put("a.jsonl", json.dumps(A)), put("b.jsonl", json.dumps(B))],
        on_file=lambda *what: told.append(what),
    )

    assert told == [("a.jsonl", 1, 2), ("b.jsonl", 2, 2)]


def test_pipe_in_a_folder_is_not_opened(put, tmp_path):
    """A named pipe would never end, so it is passed over, and refused if it is given."""
    put("in/a.jsonl", json.dumps(A))
    os.mkfifo(tmp_path / "in" / "pipe.jsonl")

    assert read([tmp_path / "in"]).records == 1
    with pytest.raises(CorpusError, match="neither a file nor a folder"):
        read([tmp_path / "in" / "pipe.jsonl"])


def test_names_that_are_not_text(tmp_path):
    """A file name that is not UTF-8 becomes a source that can be written anywhere."""
    try:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.jsonl")).write_text(json.dumps(A))
    except OSError:
        pytest.skip("this file system only takes UTF-8 names")

    assert read([tmp_path]).papers[0].sources == ("caf\ufffd.jsonl",)


# --- the same paper twice ---


def test_same_title_is_one_paper(put, tmp_path):
    """Spellings of one title are one paper with both sources, and what either record knows."""
    put("b.jsonl", json.dumps({"title": "ZeRO++:  A Way", "abstract": "A.", "year": 2020}))
    put("a.jsonl", json.dumps({"title": "zero++: a way.", "abstract": "A.", "_id": "z"}))

    got = read([tmp_path])

    assert (got.records, got.duplicates, got.notes) == (2, 1, ())
    paper = got.papers[0]
    assert (paper.title, paper.sources) == ("zero++: a way.", ("a.jsonl", "b.jsonl"))
    assert (paper.year, paper.external_id) == (2020, "z")


@pytest.mark.parametrize(
    ("first", "second"), [("Short.", "Much longer."), ("Much longer.", "Short.")]
)
def test_longer_abstract_is_kept(one, first, second):
    """Of two abstracts under one title the longer is kept, and a note says so."""
    rows = [{"title": "T", "abstract": first}, {"title": "T", "abstract": second}]

    got = one("a.jsonl", "\n".join(map(json.dumps, rows)))

    paper = got.papers[0]
    assert paper.abstract == "Much longer."
    assert paper.content_hash == digest("T", "Much longer.")
    kept = "this one" if second == "Much longer." else "the one before"
    assert got.notes == (f"a.jsonl:2: a second abstract under the title 'T'; {kept} was kept.",)


# --- what cannot be read ---


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("a.pdf", b"%PDF-1.4", "of a kind that is not read; give .txt"),
        ("a.gz", gzip.compress(b"{}", mtime=0), "of a kind that is not read; give .txt"),
        ("noextension", b"text", "of a kind that is not read; give .txt"),
        ("a.txt", b"", "is empty; give"),
        ("a.txt", b" \n\n", "is empty; give"),
        ("a.csv", b"\xef\xbb\xbf", "is empty; give"),
        ("a.txt.gz", gzip.compress(b"", mtime=0), "is empty; give"),
        ("a.txt", bytes(range(256)) * 20, "is not text; give"),
        ("a.jsonl", b"PK\x03\x04\x00\x00\x00\x00abc", "is not text; give"),
        ("a.txt", b"%PDF-1.7 and so on", "is not text; give"),
        ("a.csv", b"\xff\xfe\x00\xd8\x00", "is not text; give"),
        ("a.txt.gz", b"not compressed", "is damaged or was not compressed"),
        ("a.txt.xz", b"not compressed", "is damaged or was not compressed"),
        ("a.jsonl.gz", gzip.compress(b'{"title": "T"}\n' * 9999, mtime=0)[:-40], "is damaged"),
        ("a.json.xz", lzma.compress(os.urandom(9999).hex().encode())[:-40], "is damaged"),
    ],
)
def test_unreadable_files(put, tmp_path, name, content, problem):
    """A file that cannot be read is one sentence if it was named, and a rejection in a folder."""
    path = put(f"in/{name}", content)

    with pytest.raises(CorpusError) as caught:
        read([path])

    assert problem in str(caught.value)
    assert str(caught.value).startswith(f"{path}: ")
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)

    with pytest.raises(CorpusError):
        read([tmp_path / "in"])  # where there is nothing else

    put("in/good.jsonl", json.dumps(A))
    got = read([tmp_path / "in"])
    assert [paper.title for paper in got.papers] == ["One"]
    if "of a kind" in problem:
        assert name in got.notes[0]
    else:
        assert got.rejected[-1].path == name
        assert problem in got.rejected[-1].reason


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("nothing.txt", "does not exist; check the spelling"),
        ("nofolder/a.txt", "does not exist; check the spelling"),
        ("file.txt/a.txt", "cannot be read"),
        ("loop.txt", "cannot be read"),
        ("a\0b.txt", "is not a file name"),
        ("x" * 300 + ".txt", "cannot be read"),
    ],
)
def test_paths_that_lead_nowhere(put, tmp_path, name, problem):
    """A path to nothing is one sentence that says what to do."""
    put("file.txt", "x")
    (tmp_path / "loop.txt").symlink_to(tmp_path / "loop.txt")

    with pytest.raises(CorpusError, match=problem):
        read([tmp_path / name])


def test_folder_without_papers(put, tmp_path):
    """An empty folder, or one of other files only, is an error that says what is read."""
    (tmp_path / "empty").mkdir()
    put("other/.hidden.txt", "x")
    put("other/image.png", b"\x89PNG")

    for name in ("empty", "other"):
        with pytest.raises(
            CorpusError, match=r"holds no file with papers; give one that holds \.txt"
        ):
            read([tmp_path / name])


def test_no_path():
    """Nothing to read is an error too."""
    with pytest.raises(CorpusError, match="name at least one file or folder"):
        read([])


@pytest.fixture
def shared_folder() -> Iterator[Path]:
    """A folder that every user of the machine can reach, as `tmp_path` need not be."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


def without_rights(act: Callable[[], str]) -> str:
    """What *act* gives when done by a user who owns nothing; root may read everything."""
    if os.geteuid() != 0:
        return act()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setuid(NOBODY)
            os.write(writing, act().encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        said = answer.read()
    os.waitpid(child, 0)
    if not said:
        pytest.skip("this system does not let root become another user")
    return said


def said_of(path: Path) -> str:
    """The error for *path*, or what was rejected in it."""
    try:
        return "\n".join(map(str, read([path]).rejected))
    except CorpusError as error:
        return str(error)


@pytest.mark.parametrize("mode", [0o000, 0o444, 0o111])
def test_folder_that_may_not_be_read(shared_folder, mode):
    """A folder without the right to list or to enter it is one sentence on what to do."""
    folder = shared_folder / "closed"
    folder.mkdir()
    (folder / "a.jsonl").write_text(json.dumps(A))
    folder.chmod(mode)

    said = without_rights(lambda: said_of(folder))

    folder.chmod(0o755)
    assert said.startswith(f"{folder}: may not be read; give yourself the right")


def test_file_that_may_not_be_read(shared_folder):
    """A file without the right to read it is an error if named, else a rejection."""
    (shared_folder / "good.jsonl").write_text(json.dumps(A))
    closed = shared_folder / "closed.jsonl"
    closed.write_text(json.dumps(B))
    closed.chmod(0o000)

    assert without_rights(lambda: said_of(closed)).startswith(f"{closed}: may not be read; give")
    assert without_rights(lambda: said_of(shared_folder)).startswith("closed.jsonl:1: may not be")


def test_closed_folder_within_a_folder(shared_folder):
    """A folder inside that may not be entered is reported, and the rest is read."""
    (shared_folder / "good.jsonl").write_text(json.dumps(A))
    closed = shared_folder / "sub"
    closed.mkdir()
    closed.chmod(0o000)

    said = without_rights(lambda: said_of(shared_folder))

    closed.chmod(0o755)
    assert said.startswith("sub:1: may not be read; give yourself the right")
