"""Whatever papers hold, people and programs read it as text, with numbers that lead to sources."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from rag.types import (
    NOT_STATED,
    Answer,
    Cell,
    Citation,
    Coverage,
    Evidence,
    Hit,
    Paper,
    Source,
    Statement,
    Subject,
    Table,
    Usage,
)
from ui.format import escaped, markdown, plain, record, search_record
from ui.page.answer import html_answer, html_text

TITLE = "MegaScale: Scaling Large Language Model Training to More Than 10,000 GPUs"
PROOF = "MegaScale achieves 55.2% Model FLOPs Utilization (MFU)."
ABSTRACT = f"We present MegaScale. {PROOF} We share our experience."
PAPER = Paper("p1", TITLE, ABSTRACT, "hash", external_id="x/1", authors=("A. Author",), year=2024)
SPAN = Evidence("p1", TITLE, 22, 22 + len(PROOF), PROOF)
CITED = (Citation(1, "p1", TITLE, (SPAN,)),)
HIT = Hit(PAPER, 1, 1.93)

OTHER_TITLE = "ByteScale: Efficient Scaling of LLM Training on More Than 12,000 GPUs"
OTHER_CORE = "The core of ByteScale is Hybrid Data Parallelism (HDP)."
OTHER_PROOF = "ByteScale outperforms the state-of-the-art training system by up to 7.89x."
OTHER = Paper("p2", OTHER_TITLE, f"{OTHER_CORE} It has a dynamic mesh. {OTHER_PROOF}", "hash")

PAYLOADS = Path(__file__).parents[2] / "shared" / "data" / "hostile" / "xss-payloads.txt"
HOSTILE = [
    "<script>alert(1)</script>",
    "<img/src=x onerror=alert(1)>",
    '"autofocus/onfocus=alert(1)//',
    "![x](http://203.0.113.1/x.png)",
    "[click](javascript:alert(1)) [ref] [ref]: http://203.0.113.1",
    "[1]: http://203.0.113.1",
    "<http://203.0.113.1> http://203.0.113.1 www.example.org a@example.org",
    "*a* **b** _c_ __d__ ~~e~~ ~f~ `g` ``h``",
    "$x$ $$\\href{javascript:alert(1)}{x}$$",
    "&lt;b&gt; &#60;img src=x&#62; &copy;",
    "\\*a\\* \\<b> \\`c` \\",
    "# heading",
    "> quote",
    "- item",
    "+ item",
    "* item",
    "1. item",
    "2) item",
    "---",
    "===",
    "```js",
    "~~~",
    "    code",
    "| a | b |\n|---|---|",
    "one\n\n# two\n\n<div>",
    "a | b || c \\| d `|` \\",
    "A* search, 5*, \\* and `` ` ``",
    "${alert(1)} {{x}} \x1b[31mred\x1b[0m \u202etxet",
    "<!-- x --> <?php ?> <![CDATA[x]]> </p>",
]
COMMON = MarkdownIt("commonmark")
GENEROUS = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def answer(text: str = PROOF, title: str = TITLE, **changed) -> Answer:
    """An answer of one statement whose words and title may be anything."""
    span = Evidence("p1", title, 0, len(text), text)
    paper = Paper("p1", title, text, "hash", authors=(title,), year=2024)
    parts = {
        "question": "What MFU does it reach?",
        "standalone_question": "What MFU does it reach?",
        "shape": "answer",
        "mode": "extractive",
        "statements": (Statement(text, (Citation(1, "p1", title, (span,)),), "supported"),),
        "sources": (Source(1, "p1", title),),
        "retrieved": (Hit(paper, 1, 1.93),),
    }
    return Answer(**{**parts, **changed})


def refusal(kind: str, **changed) -> Answer:
    """An answer that says nothing, of one kind."""
    return answer(statements=(), abstention=kind, message="It is not said.", **changed)


def cited(n: int, paper: Paper, *sentences: str) -> Citation:
    """A citation of whole sentences of an abstract."""
    starts = [paper.abstract.index(sentence) for sentence in sentences]
    spans = (
        Evidence(paper.id, paper.title, start, start + len(sentence), sentence)
        for start, sentence in zip(starts, sentences, strict=True)
    )
    return Citation(n, paper.id, paper.title, tuple(spans))


def quoted(*citations: Citation, label: str = "") -> Statement:
    """A statement that is all of what it cites, as the verbs make them."""
    text = " ".join(span.text for citation in citations for span in citation.evidence)
    return Statement(text, citations, "supported", label=label)


def cell(*citations: Citation) -> Cell:
    """A cell that is all of what it cites."""
    return Cell(quoted(*citations).text, citations)


def comparison(**changed) -> Answer:
    """Two papers side by side on two axes, and a third that is not in the collection."""
    speed = (cell(cited(1, PAPER, PROOF)), cell(cited(2, OTHER, OTHER_PROOF)), Cell())
    method = (Cell(), cell(cited(2, OTHER, OTHER_CORE)), Cell())
    parts = {
        "shape": "comparison",
        "message": "No paper here is about Colossal.",
        "table": Table(
            subjects=(
                Subject("MegaScale", "p1", TITLE),
                Subject("ByteScale", "p2", OTHER_TITLE),
                Subject("Colossal"),
            ),
            axes=("speed", "method"),
            cells=tuple(zip(speed, method, strict=True)),
            cautions=("another measure", ""),
        ),
        "statements": (quoted(cited(2, OTHER, OTHER_CORE), label="Different"),),
        "sources": (Source(1, "p1", TITLE), Source(2, "p2", OTHER_TITLE)),
        "retrieved": (HIT, Hit(OTHER, 2, 1.0)),
    }
    return answer(**{**parts, **changed})


def listing(count: int, **changed) -> Answer:
    """A list of so many papers, each with the sentence that qualifies it, and one near miss."""
    papers = [
        Paper(f"i{n}", f"Bird {n}: On *Flight", f"Bird {n} flies. It uses ImageNet {n}.", "hash")
        for n in range(1, count + 1)
    ]
    parts = {
        "shape": "list",
        "message": f"{count} of 385 papers mention ImageNet.",
        "statements": tuple(
            quoted(cited(n, paper, f"It uses ImageNet {n}.")) for n, paper in enumerate(papers, 1)
        ),
        "sources": tuple(Source(n, paper.id, paper.title) for n, paper in enumerate(papers, 1)),
        "near": (Source(0, "p2", OTHER_TITLE),),
        "coverage": Coverage(385, 385, count),
        "retrieved": tuple(Hit(paper, n, 1.0) for n, paper in enumerate([*papers, OTHER], 1)),
    }
    return answer(**{**parts, **changed})


def test_an_answer_is_a_quotation_with_its_marker_and_its_source():
    """The words, the number behind them, and under that number the exact title."""
    assert markdown(answer()) == f"> {PROOF} [1]\n\n**Sources**\n\n- [1] {TITLE}"


def test_rewritten_words_are_no_quotation():
    """Only what stands word for word in the evidence is set as a quotation."""
    statement = Statement("It reaches 55.2%.", CITED, "supported")

    assert markdown(answer(statements=(statement,))).startswith("It reaches 55.2%. [1]\n")


def test_two_papers_behind_one_statement_give_two_markers():
    """Each number is shown once, in the order of the citations."""
    two = (Citation(2, "p2", "B", ()), *CITED, Citation(2, "p2", "B", ()))

    assert "Both. [2] [1]\n" in markdown(answer(statements=(Statement("Both.", two, "supported"),)))


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        ("contradicted", "(The abstract says otherwise: '99%' is not there.)"),
        ("not_supported", "(The abstract does not say this: '99%' is not there.)"),
        ("unverified", "(Not checked against the abstract: '99%' is not there.)"),
    ],
)
def test_a_doubt_is_said_in_words(verdict, words):
    """A statement that is not proved never looks like one that is."""
    shown = answer(statements=(Statement("99%.", CITED, verdict, ("'99%' is not there.",)),))

    assert words in markdown(shown)
    assert words.strip("(.)") in _read(html_answer(shown, "t")).text


@pytest.mark.parametrize("kind", ["off_topic", "no_paper"])
def test_a_refusal_is_its_message_alone(kind):
    """Where no paper is about the question, none is named but as the nearest, apart from it."""
    assert markdown(refusal(kind)) == "It is not said."
    said, _, offered = html_answer(refusal(kind), "t").partition('<div class="pc-near">')
    assert "MegaScale" not in said
    assert "none may be about it" in offered


def test_not_stated_names_the_papers_at_hand():
    """A person can look for themselves in the papers that were closest."""
    shown = refusal("not_stated")

    assert markdown(shown) == f"It is not said.\n\n**Papers at hand**\n\n- [1] {TITLE}"
    assert TITLE in _read(html_answer(shown, "t")).text


def test_small_talk_is_its_message():
    """A greeting is answered without sources."""
    hello = answer(shape="chat", statements=(), sources=(), message="Hello!\n\nAsk away.")

    assert markdown(hello) == "Hello!\n\nAsk away."


def test_nothing_internal_is_shown():
    """Ids, hashes, scores and the trace are for the record, not for people."""
    shown = answer(trace={"route": "secret-route"}, index="secret-index", model="secret-model")

    assert not re.search("secret|p1|1.93|hash", markdown(shown))
    assert not re.search("secret|1.93|hash", _read(html_answer(shown, "t")).text)


@pytest.mark.parametrize("text", HOSTILE)
def test_markdown_shows_a_papers_marks_as_they_are(text):
    """Read by a Markdown parser, every statement and title gives back its own characters."""
    for parser in (COMMON, GENEROUS):
        tokens = parser.parse(markdown(answer(text, text)))
        kinds = {token.type for token in _flat(tokens)}

        assert kinds <= {
            "blockquote_open", "blockquote_close", "paragraph_open", "paragraph_close", "inline",
            "bullet_list_open", "bullet_list_close", "list_item_open", "list_item_close",
            "strong_open", "strong_close", "text", "text_special",
        }  # fmt: skip
        lines = [_words(token) for token in tokens if token.type == "inline"]
        assert lines == [f"{plain(text)} [1]", "Sources", f"[1] {plain(text)}"]


@given(st.text(alphabet="*_`~[]()<>&#;!\\$+-=|1.:@/ \nab", max_size=40))
def test_no_mixture_of_marks_becomes_markup(text):
    """What holds for the known tricks holds for every mixture of their characters."""
    tokens = GENEROUS.parse("x " + escaped(text))

    assert {token.type for token in _flat(tokens)} <= {
        "paragraph_open", "inline", "text", "text_special", "paragraph_close",
    }  # fmt: skip
    assert plain(_words(tokens[1])) == plain("x " + text)


def test_a_comparison_is_a_table_then_what_differs_then_the_sources():
    """What is compared heads the columns, and every cell is a quotation or says why it is none."""
    assert markdown(comparison()).split("\n") == [
        "No paper here is about Colossal.",
        "",
        "|  | MegaScale [1] | ByteScale [2] | Colossal (not in this collection) |",
        "| --- | --- | --- | --- |",
        "| **speed** (not directly comparable: another measure)"
        f" | “{PROOF}” [1] | “{OTHER_PROOF}” [2] | not in this collection |",
        f"| **method** | {NOT_STATED} | “{OTHER_CORE}” [2] | not in this collection |",
        "",
        "**Different**",
        "",
        f"> {OTHER_CORE} [2]",
        "",
        "**Sources**",
        "",
        f"- [1] {TITLE}",
        f"- [2] {OTHER_TITLE}",
    ]


def test_a_caution_is_said_once():
    """Whether the words "not directly comparable" come with the reason or not."""
    table = replace(comparison().table, cautions=("Not directly comparable: other data.",))
    shown = comparison(table=table)

    assert "(Not directly comparable: other data)" in markdown(shown)
    assert _read(html_answer(shown, "t")).text.lower().count("not directly comparable") == 1


def test_a_cell_that_could_not_be_proved_says_so():
    """Such a cell cites nothing, and is not passed off as a silent abstract."""
    table = comparison().table
    cells = ((Cell("unverified: the abstract has changed since"), Cell()), *table.cells[1:])
    shown = comparison(table=replace(table, cells=cells))

    assert "| unverified: the abstract has changed since |" in markdown(shown)
    assert "unverified: the abstract has changed since" in _read(html_answer(shown, "t")).text


def test_a_comparison_without_a_table_is_still_quoted():
    """Where too little was found for a table, what was found is shown as in any answer."""
    shown = comparison(table=None, message="Only one of them is here.")

    assert "|" not in markdown(shown)
    assert f"> {OTHER_CORE} [2]" in markdown(shown)
    assert "<table" not in html_answer(shown, "t")


def test_each_kind_of_difference_is_headed_once():
    """What is shared and what differs stand in groups, not each with a label of its own."""
    one = quoted(cited(1, PAPER, PROOF), label="Shared")
    other = quoted(cited(2, OTHER, OTHER_PROOF), label="Different")
    shown = comparison(statements=(one, other, other))

    for text in (markdown(shown), html_answer(shown, "t")):
        assert (text.count("Shared"), text.count("Different")) == (1, 1)


def test_quotations_of_two_papers_are_not_run_together():
    """Each paper's words in a statement about both carry that paper's number alone."""
    shown = answer(statements=(quoted(cited(1, PAPER, PROOF), cited(2, OTHER, OTHER_CORE)),))

    assert f"> {PROOF} [1]\n>\n> {OTHER_CORE} [2]\n" in markdown(shown)
    assert html_answer(shown, "t").count("<blockquote>") == 2


def test_what_is_left_out_between_two_sentences_is_marked():
    """Sentences that follow each other in the abstract are one quotation, others show the gap."""
    apart = quoted(cited(2, OTHER, OTHER_CORE, OTHER_PROOF))
    together = quoted(cited(2, OTHER, OTHER_CORE, "It has a dynamic mesh."))

    assert f"> {OTHER_CORE} […] {OTHER_PROOF} [2]" in markdown(answer(statements=(apart,)))
    assert f"> {OTHER_CORE} It has a dynamic mesh. " in markdown(answer(statements=(together,)))


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_breaks_out_of_a_table(text):
    """Whatever a name, an axis, a caution or a quotation holds, cells and rows stay."""
    tokens = GENEROUS.parse(markdown(_tabled(text)))
    table = tokens[: next(i for i, token in enumerate(tokens) if token.type == "table_close")]
    lines = [_words(token) for token in table if token.type == "inline"]
    said = plain(text)

    assert {token.type for token in _flat(table)} <= {
        "table_open", "thead_open", "thead_close", "tbody_open", "tbody_close", "tr_open",
        "tr_close", "th_open", "th_close", "td_open", "td_close", "inline", "text",
        "text_special", "strong_open", "strong_close",
    }  # fmt: skip
    assert lines == [
        "",
        f"{said} [1]",
        f"{said} (not in this collection)",
        f"{said} (not directly comparable: {said.rstrip('.')})",
        f"“{said}” [1]",
        "not in this collection",
    ]


@given(st.text(alphabet="|\\`*_~[]<&;$ab\n ", min_size=1, max_size=30))
def test_no_mixture_of_marks_breaks_a_table(text):
    """What holds for the known tricks holds for every mixture of their characters."""
    tokens = GENEROUS.parse(markdown(_tabled(f"x {text}")))
    lines = [_words(token) for token in tokens if token.type == "inline"]

    assert [line for line in lines if line.startswith("“")] == [f"“{plain(f'x {text}')}” [1]"]
    assert sum(token.type == "td_open" for token in tokens) == 3


def test_a_list_gives_every_paper_with_what_qualifies_it():
    """However many they are, each is there once, numbered, and followed by the near misses."""
    tokens = GENEROUS.parse(markdown(listing(40)))
    lines = [_words(token) for token in tokens if token.type == "inline"]
    items = [
        text
        for n in range(1, 41)
        for text in (f"Bird {n}: On *Flight [{n}]", f"It uses ImageNet {n}.")
    ]

    assert lines == [
        "40 of 385 papers mention ImageNet.",
        *items,
        "Close, but not counted",
        OTHER_TITLE,
    ]
    assert sum(token.type == "ordered_list_open" for token in tokens) == 1
    assert sum(token.type == "blockquote_open" for token in tokens) == 40
    assert "10. **Bird 10: On \\*Flight** [10]\n\n    > It uses ImageNet 10." in markdown(
        listing(40)
    )


def test_a_list_of_nothing_offers_what_is_close():
    """The near misses of a list are shown, and never as if they had been found."""
    nothing = listing(0, abstention="no_paper")

    assert markdown(nothing) == (
        "0 of 385 papers mention ImageNet.\n\n**Close, but not counted**\n\n- " + OTHER_TITLE
    )
    read = _read(html_answer(nothing, "t")).text
    assert "No paper here matches" in read
    assert OTHER_TITLE in read


def test_a_doubt_about_a_paper_of_a_list_is_said_at_its_place():
    """The item stays in the list with the reason under it."""
    (statement,) = listing(1).statements
    doubted = replace(statement, verdict="unverified", reasons=("the abstract has changed since",))
    shown = listing(1, statements=(doubted,))

    assert "\n\n   (Not checked against the abstract: the abstract has" in markdown(shown)
    assert "Not checked against the abstract: the" in _read(html_answer(shown, "t")).text


def test_what_a_list_says_beside_its_papers_is_not_lost():
    """A statement or a source that belongs to no paper of the list is shown as in an answer."""
    sources = (Source(1, "i1", "Bird 1: On *Flight"), Source(2, "p1", TITLE))
    statements = (*listing(1).statements, Statement("All in all.", (), "unverified"))
    shown = markdown(listing(1, statements=statements, sources=sources))

    assert "\n\nAll in all.\n\n" in shown
    assert f"**Sources**\n\n- [2] {TITLE}" in shown


def test_addresses_are_no_links():
    """GitHub links bare addresses, so these are broken up invisibly; the words stay."""
    shown = escaped("See http://a.b, www.c.d and e@f.g; pass@1 and 8:1 stay.")

    assert shown == r"See http\://a.b, www\.c.d and e\@f.g; pass@1 and 8:1 stay."


@pytest.mark.parametrize(
    "text",
    [
        TITLE,
        "ZeRO++: ~10x, 65.8\\% of R&D, p < 0.05",
        "snake_case, C#, 8*16B, $100K, Byte-~and",
        "A* search, eff@k, ``quoted''",
    ],
)
def test_what_markdown_leaves_alone_is_left_alone(text):
    """A person at a terminal reads ordinary titles and numbers as they were written."""
    assert escaped(text) == text


def test_a_terminal_is_not_told_what_to_do():
    """Control codes and hidden reversals of direction do not reach the screen."""
    shown = markdown(answer("a\x1b]0;x\x07b\u202ec\x9b31m", "t\x08itle"))

    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", shown)


def test_a_table_tells_its_heads_from_its_cells():
    """A screen reader can say for each cell of which paper and on what it speaks."""
    read = _read(html_answer(comparison(), "t"))
    heads = [dict(attributes) for tag, attributes in _opened(read) if tag == "th"]

    assert [head["scope"] for head in heads] == ["col", "col", "col", "row", "row"]
    assert sum(tag == "td" for tag, _ in _opened(read)) == 1 + 6 + 1  # a corner and a caution
    assert "MegaScale\xa0[1]" + TITLE in read.text
    assert "Colossalnot in this collection" in read.text


def test_a_cell_without_a_quotation_looks_like_none():
    """It has a class, which the page gives another type face and a dash, and no quotation marks."""
    shown = html_answer(comparison(), "t")

    assert f'<td class="pc-unsaid">{NOT_STATED}</td>' in shown
    assert shown.count('<td class="pc-unsaid pc-missing">not in this collection</td>') == 2
    assert shown.count("<td>“") == 3


def test_the_evidence_of_a_table_is_marked_in_the_abstracts():
    """What a cell quotes is highlighted in its source like what a statement quotes."""
    shown = html_answer(comparison(statements=()), "t")

    assert f"<mark>{PROOF}</mark>" in _bare(shown)
    assert f"<mark>{OTHER_CORE}</mark> It has a dynamic mesh. <mark>{OTHER_PROOF}</mark>" in _bare(
        shown
    )


def test_a_mark_says_which_statements_it_is_for():
    """The panel can point at the sentence behind the very marker that was clicked."""
    shown = html_answer(answer(), "t")
    marker = re.search('class="pc-marker" href="#t-source-1" data-at="([^"]+)"', shown)

    assert f'<mark data-for="{marker[1]}">{PROOF}</mark>' in shown


def test_what_has_become_of_a_source_is_said():
    """A note about a paper stands over its abstract, and over no other's."""
    shown = html_answer(comparison(), "t", notes={"p1": "It has <changed>."})

    assert shown.count('<p class="pc-changed">It has &lt;changed&gt;.</p>') == 1


@pytest.mark.parametrize("shown", [comparison(), listing(3), listing(120), answer()])
def test_every_marker_leads_to_a_source_that_is_there_once(shown):
    """No number on the page leads nowhere, and no two places have one name."""
    read = _read(html_answer(shown, "turn-3"))
    attributes = [dict(attributes) for _, attributes in _opened(read)]
    ids = [found["id"] for found in attributes if "id" in found]
    links = {found["href"] for found in attributes if "href" in found}

    assert len(ids) == len(set(ids))
    assert links
    assert links <= {f"#{id}" for id in ids}


@pytest.mark.parametrize(("count", "folded"), [(10, 0), (11, 1), (40, 30)])
def test_a_long_list_is_folded_after_ten(count, folded):
    """The rest is one click away, and that line says how many they are."""
    shown = html_answer(listing(count), "t")
    head, _, rest = shown.partition('<details class="pc-more"')

    assert (head.count('<li class="pc-item"'), rest.count('<li class="pc-item"')) == (
        count - folded,
        folded,
    )
    assert (f"<summary>Show the other {folded}</summary>" in rest) == bool(folded)
    assert "pc-sources" not in shown  # each abstract belongs to its quotation


def test_many_sources_are_folded_after_ten():
    """They must not bury the next question."""
    long = listing(12, shape="answer")
    _, _, rest = html_answer(long, "t").partition('<details class="pc-more"')

    assert rest.count('class="pc-source"') == 2


def test_a_list_holds_the_abstract_of_each_paper_with_its_evidence_marked():
    """The proof of an item opens in place."""
    shown = html_answer(listing(2), "t")

    assert "Bird 2 flies. <mark>It uses ImageNet 2.</mark>" in _bare(shown)
    assert f">{OTHER.abstract}</p>" in shown  # of the near miss: nothing in it is evidence


def test_a_list_of_hundreds_leaves_abstracts_out_but_no_paper():
    """Past a hundred papers the quotation has to do, and its marker still leads to it."""
    read = _read(html_answer(listing(120), "t"))

    assert read.text.count("It uses ImageNet") == 120 + 120
    assert read.text.count("flies. It uses ImageNet") == 100
    assert "Bird 120: On *Flight\xa0[120]It uses ImageNet 120." in read.text


def test_near_misses_stand_apart_from_what_was_counted():
    """They come after the list, under a heading of their own, without number or quotation."""
    before, heading, after = html_answer(listing(3), "t").partition("Close, but not counted")

    assert heading
    assert OTHER_TITLE in after
    assert OTHER_TITLE not in before
    assert "pc-marker" not in after


def test_a_follow_up_shows_how_it_was_read():
    """The resolved question stands above the answer, unless it is the one that was asked."""
    read_as = answer(standalone_question="What MFU does MegaScale reach?")

    assert _read(html_answer(read_as, "t")).text.startswith("Read as: What MFU does MegaScale")
    assert "Read as" not in html_answer(answer(), "t")
    assert "Read as" not in html_answer(answer(standalone_question="what MFU  does it reach?"), "t")


def test_a_table_is_there_while_the_rest_grows():
    """It comes as a whole with the first statement, with the sources that its cells cite."""
    growing = html_answer(comparison(), "t", shown=0)

    assert "<table>" in growing
    assert "pc-statement" not in growing
    assert OTHER_TITLE in growing


def test_a_list_grows_paper_by_paper():
    """What is not shown yet is not hinted at, and the near misses come last."""
    growing = html_answer(listing(5), "t", shown=2)

    assert growing.count('<li class="pc-item"') == 2
    assert "Bird 3" not in growing
    assert "Close" not in growing


def _payloads() -> list[str]:
    if not PAYLOADS.exists():  # the larger collection lies outside the project
        return HOSTILE
    return HOSTILE + PAYLOADS.read_text(encoding="utf-8", errors="replace").split("\n")[::5]


def test_html_shows_everything_as_text():
    """No payload adds an element, an attribute or a link to those that an ordinary answer has."""
    for made_of in (_everywhere, _listed_everywhere):
        ordinary = _read(html_answer(made_of("Qqq"), "t"))
        for text in filter(plain, map(str.strip, _payloads())):
            read = _read(html_answer(made_of(text), "t"))
            wanted = ordinary.text.replace(
                "comparable: Qqq", f"comparable: {plain(text).rstrip('.')}"
            )

            assert read.tags == ordinary.tags, text
            assert read.text == wanted.replace("Qqq", plain(text)), text


def test_html_survives_a_template_engine():
    """Nothing that JavaScript or Handlebars templates act on is left in the page's HTML."""
    for made_of in (_everywhere, _listed_everywhere):
        assert not re.search(r"[${}`]", html_answer(made_of("${a} {{b}} `c`"), "t"))
    assert html_text("\ud800") == "\ufffd"  # half a letter cannot be sent at all


def test_the_evidence_is_marked_in_its_abstract():
    """The source holds the whole abstract, and exactly the cited spans are highlighted."""
    twice = (Statement(PROOF, CITED, "supported"), Statement(PROOF, CITED, "supported"))
    shown = html_answer(answer(statements=twice, retrieved=(HIT,)), "t")

    assert f"We present MegaScale. <mark>{PROOF}</mark> We share" in _bare(shown)
    assert "A. Author · 2024" in shown


def test_overlapping_evidence_is_marked_once():
    """Two spans that share words are one highlight, and no word is repeated."""
    spans = tuple(Evidence("p1", TITLE, a, b, ABSTRACT[a:b]) for a, b in [(3, 20), (11, 30)])
    statement = Statement("x", (Citation(1, "p1", TITLE, spans),), "supported")
    shown = html_answer(answer(statements=(statement,), retrieved=(HIT,)), "t")

    abstract = re.search('class="pc-abstract">(.*?)</p>', _bare(shown))[1]
    assert re.sub("</?mark>", "", abstract) == ABSTRACT
    assert abstract.replace("</mark><mark>", "").count("<mark>") == 1


def test_evidence_that_is_no_span_of_the_abstract_is_not_marked():
    """A highlight is a promise: it is made only where the words really stand."""
    wrong = Evidence("p1", TITLE, 0, 5, "other")
    statement = Statement("x", (Citation(1, "p1", TITLE, (wrong,)),), "supported")

    assert "<mark" not in html_answer(answer(statements=(statement,), retrieved=(HIT,)), "t")


def test_sources_come_with_the_statements_that_cite_them():
    """While an answer grows, no source stands there without its statement."""
    other = Statement("Else.", (Citation(2, "p2", "Another title", ()),), "supported")
    growing = answer(
        statements=(*answer().statements, other),
        sources=(Source(1, "p1", TITLE), Source(2, "p2", "Another title")),
    )

    assert "Another title" not in html_answer(growing, "t", shown=1)
    assert "Another title" in html_answer(growing, "t")


def test_the_record_has_every_key_of_the_contract():
    """Programs find each key, in the contract's order, whatever the answer is."""
    got = record(answer(usage=Usage(3, 4, True), timings_ms={"total": 5}), id="q1", turn=2)

    assert list(got) == [
        "id", "turn", "question", "standalone_question", "mode", "model", "shape", "answer",
        "abstained", "abstention", "statements", "table", "sources", "retrieved", "coverage",
        "near", "timings_ms", "usage", "index", "removed", "notice", "error",
    ]  # fmt: skip
    assert (got["id"], got["turn"], got["abstained"]) == ("q1", 2, False)
    assert got["statements"] == [
        {
            "text": PROOF,
            "verdict": "supported",
            "reasons": [],
            "label": "",
            "citations": [
                {
                    "n": 1,
                    "paper_id": "p1",
                    "title": TITLE,
                    "evidence": [{"text": PROOF, "start": 0, "end": len(PROOF)}],
                }
            ],
        }
    ]
    assert got["sources"] == [{"n": 1, "paper_id": "p1", "title": TITLE}]
    assert got["retrieved"] == [{"paper_id": "p1", "title": TITLE, "score": 1.93}]
    assert got["usage"] == {
        "prompt_tokens": 3, "completion_tokens": 4, "estimated": True, "cost_usd": None,
    }  # fmt: skip
    assert got["answer"] == markdown(answer())
    assert (got["table"], got["coverage"], got["error"]) == (None, None, None)
    assert got["near"] == []
    assert json.loads(json.dumps(got)) == got


def test_a_comparisons_record_holds_its_table():
    """A row of cells for every subject, none missing, each with what proves it."""
    got = record(comparison(), id=None, turn=0)["table"]

    assert got["subjects"] == [
        {"name": "MegaScale", "title": TITLE, "found": True},
        {"name": "ByteScale", "title": OTHER_TITLE, "found": True},
        {"name": "Colossal", "title": None, "found": False},
    ]
    assert (got["axes"], got["cautions"]) == (["speed", "method"], ["another measure", ""])
    assert [[told["stated"] for told in row] for row in got["cells"]] == [
        [True, False], [True, True], [False, False],
    ]  # fmt: skip
    assert got["cells"][0][1] == {"text": NOT_STATED, "stated": False, "citations": []}
    (citation,) = got["cells"][0][0]["citations"]
    assert (citation["n"], citation["paper_id"], citation["title"]) == (1, "p1", TITLE)
    assert citation["evidence"] == [{"text": PROOF, "start": 22, "end": 22 + len(PROOF)}]
    assert json.loads(json.dumps(got)) == got


def test_a_comparisons_record_tells_shared_from_different():
    """The label of a statement is there for programs too."""
    (statement,) = record(comparison(), id=None, turn=0)["statements"]

    assert statement["label"] == "Different"


def test_a_lists_record_holds_its_coverage_and_its_near_misses():
    """A program can count, and tell what was found from what was only close."""
    got = record(listing(14), id=None, turn=0)

    assert got["coverage"] == {"papers_in_corpus": 385, "papers_read": 385, "matched": 14}
    assert got["near"] == [{"paper_id": "p2", "title": OTHER_TITLE}]
    assert len(got["statements"]) == len(got["sources"]) == 14
    assert json.loads(json.dumps(got)) == got


def test_a_refusals_record_says_so():
    """The kind of the abstention is there for programs, the message for people."""
    got = record(refusal("no_paper"), id=None, turn=0)

    assert (got["abstained"], got["abstention"]) == (True, "no_paper")
    assert got["answer"] == "It is not said."


def test_numbers_from_numpy_can_be_written():
    """Scores and timings are plain numbers by the time `json` sees them."""
    numpy = pytest.importorskip("numpy")
    hit = Hit(PAPER, 1, numpy.float32(0.5))
    got = record(answer(retrieved=(hit,), timings_ms={"t": numpy.float64(1)}), id=None, turn=0)

    assert '"score": 0.5' in json.dumps(got)
    assert json.dumps(search_record([hit], id="s"))


def test_a_search_record_lists_papers_best_first():
    """Each result carries the paper's own id in its source file, if it had one."""
    other = Hit(Paper("p2", "B", "b", "hash"), 2, 0.5)

    assert search_record([HIT, other], id="s1") == {
        "id": "s1",
        "results": [
            {"paper_id": "p1", "external_id": "x/1", "title": TITLE, "score": 1.93},
            {"paper_id": "p2", "external_id": None, "title": "B", "score": 0.5},
        ],
    }


def _everywhere(text: str) -> Answer:
    """An answer with *text* in every place that other people's words can reach."""
    (statement,) = answer(text, text).statements
    doubted = Statement(f"not {text}", statement.citations, "contradicted", (text,), text)
    return answer(
        text,
        text,
        standalone_question=text,
        message=plain(text),
        statements=(statement, doubted),
        table=_tabled(text).table,
    )


def _listed_everywhere(text: str) -> Answer:
    """A list with *text* in every such place."""
    near = (Source(1, "p1", text), Source(2, "elsewhere", text))
    return replace(_everywhere(text), shape="list", table=None, near=near)


def _tabled(text: str) -> Answer:
    """A comparison of one row with *text* in every such place of its table."""
    (statement,) = answer(text, text).statements
    table = Table(
        subjects=(Subject(text, "p1", text), Subject(text)),
        axes=(text,),
        cells=((Cell(text, statement.citations),), (Cell(),)),
        cautions=(text,),
    )
    return answer(text, text, shape="comparison", table=table, statements=())


def _opened(read):
    """The tags with attributes, in order."""
    return [tag for tag in read.tags if isinstance(tag, tuple)]


def _flat(tokens):
    for token in tokens:
        yield token
        yield from _flat(token.children or [])


def _words(token) -> str:
    return "".join(child.content for child in token.children)


class _Reader(HTMLParser):
    """Notes every tag with its attributes, and the text between them."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[object] = []
        self.text = ""

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, attributes))

    def handle_endtag(self, tag):
        self.tags.append(tag)

    def handle_comment(self, data):
        self.tags.append("comment")

    def handle_decl(self, decl):
        self.tags.append("declaration")

    def handle_data(self, data):
        self.text += data


def _bare(html: str) -> str:
    """The HTML with its marks but not what they are for."""
    return re.sub("<mark [^>]*>", "<mark>", html)


def _read(html: str) -> _Reader:
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader


def test_what_the_check_removed_can_be_seen_and_does_nothing():
    """A model's words are struck through with why, folded on the page, and never acted on."""
    lie = Statement("<img src=x> **flies**", (), "not_supported", ("no <b>such</b> thing",))
    shown = answer(removed=(lie,), notice="Only a part: <i>cut</i>.")

    page, text = html_answer(shown, "a"), markdown(shown)

    assert '<details class="pc-removed">' in page
    assert "<del>&lt;img src=x&gt; **flies**</del>" in page
    assert "<img" not in page + text
    assert "<b>" not in page + text
    assert "<i>" not in page + text
    assert "**Removed by the check**" in text
    assert "~~&lt;img src=x> \\*\\*flies\\*\\*~~" in text
