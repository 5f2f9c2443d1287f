"""Whatever papers hold, people and programs read it as text, with numbers that lead to sources."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from rag.types import Answer, Citation, Evidence, Hit, Paper, Source, Statement, Usage
from ui.format import escaped, html_answer, html_text, markdown, plain, record, search_record

TITLE = "MegaScale: Scaling Large Language Model Training to More Than 10,000 GPUs"
PROOF = "MegaScale achieves 55.2% Model FLOPs Utilization (MFU)."
ABSTRACT = f"We present MegaScale. {PROOF} We share our experience."
PAPER = Paper("p1", TITLE, ABSTRACT, "hash", external_id="x/1", authors=("A. Author",), year=2024)
SPAN = Evidence("p1", TITLE, 22, 22 + len(PROOF), PROOF)
CITED = (Citation(1, "p1", TITLE, (SPAN,)),)
HIT = Hit(PAPER, 1, 1.93)

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
        "standalone_question": "What MFU does MegaScale reach?",
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
    """Where no paper is about the question, none is named."""
    assert markdown(refusal(kind)) == "It is not said."
    assert "MegaScale" not in html_answer(refusal(kind), "t")


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


def _payloads() -> list[str]:
    if not PAYLOADS.exists():  # the larger collection lies outside the project
        return HOSTILE
    return HOSTILE + PAYLOADS.read_text(encoding="utf-8", errors="replace").split("\n")


def test_html_shows_everything_as_text():
    """No payload adds an element, an attribute or a link to those that an ordinary answer has."""
    ordinary = _read(html_answer(_everywhere("Qqq"), "t"))
    for text in filter(plain, map(str.strip, _payloads())):
        read = _read(html_answer(_everywhere(text), "t"))

        assert read.tags == ordinary.tags, text
        assert read.text == ordinary.text.replace("Qqq", plain(text)), text


def test_html_survives_a_template_engine():
    """Nothing that JavaScript or Handlebars templates act on is left in the page's HTML."""
    assert not re.search(r"[${}`]", html_answer(_everywhere("${a} {{b}} `c`"), "t"))
    assert html_text("\ud800") == "\ufffd"  # half a letter cannot be sent at all


def test_the_evidence_is_marked_in_its_abstract():
    """The source holds the whole abstract, and exactly the cited spans are highlighted."""
    twice = (Statement(PROOF, CITED, "supported"), Statement(PROOF, CITED, "supported"))
    shown = html_answer(answer(statements=twice, retrieved=(HIT,)), "t")

    assert f"We present MegaScale. <mark>{PROOF}</mark> We share" in shown
    assert "A. Author · 2024" in shown


def test_overlapping_evidence_is_marked_once():
    """Two spans that share words are one highlight, and no word is repeated."""
    spans = tuple(Evidence("p1", TITLE, a, b, ABSTRACT[a:b]) for a, b in [(3, 20), (11, 30)])
    statement = Statement("x", (Citation(1, "p1", TITLE, spans),), "supported")
    shown = html_answer(answer(statements=(statement,), retrieved=(HIT,)), "t")

    abstract = re.search('class="pc-abstract">(.*?)</p>', shown)[1]
    assert re.sub("</?mark>", "", abstract) == ABSTRACT
    assert abstract.replace("</mark><mark>", "").count("<mark>") == 1


def test_evidence_that_is_no_span_of_the_abstract_is_not_marked():
    """A highlight is a promise: it is made only where the words really stand."""
    wrong = Evidence("p1", TITLE, 0, 5, "other")
    statement = Statement("x", (Citation(1, "p1", TITLE, (wrong,)),), "supported")

    assert "<mark>" not in html_answer(answer(statements=(statement,), retrieved=(HIT,)), "t")


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
        "timings_ms", "usage", "index", "error",
    ]  # fmt: skip
    assert (got["id"], got["turn"], got["abstained"]) == ("q1", 2, False)
    assert got["statements"] == [
        {
            "text": PROOF,
            "verdict": "supported",
            "reasons": [],
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
    doubted = Statement(f"not {text}", statement.citations, "contradicted", (text,))
    return answer(text, text, message=plain(text), statements=(statement, doubted))


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


def _read(html: str) -> _Reader:
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader
