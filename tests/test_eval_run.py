from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Barrier
from time import sleep

import pytest

from eval import __main__ as command
from eval.__main__ import COULD_NOT_RUN, NOT_MET, PASSED, chosen, main
from eval.cases import Case, Side, Turn, parse_case, read_cases
from eval.gates import Gate, failed, read_gates, summarise
from eval.open import teller, without_model
from eval.report.text import Outcome, confusion, text
from eval.run import MEASURES, TIMED, Product, run, timed
from rag.errors import NoIndex, UsageError
from rag.settings import Settings
from rag.types import Answer, Hit, Source, Statement
from tests.answers import (
    BY_TITLE,
    PAPERS,
    RIGHT,
    WRONG,
    abstained,
    answered,
    cite,
    paper,
    refusable,
    scripted,
    single,
)
from tests.hallucinations import truthful


def conclude(rows, gates, whole, failures, file, **options):
    """The exit code of a run of *rows* that is held against *gates*."""
    arguments = ["--failures", str(failures), *(["--json", str(file)] if file else [])]
    done = Outcome(tuple(rows), summarise(rows, gates), whole, **options)
    return command.conclude(done, command._parser().parse_args(arguments))


def one(case, answer):
    """The scores of one case and its answer."""
    return run([case], Product(scripted({case.question: answer}), PAPERS))[0].scores


MEASURED = """
measure                 types           value    95% interval  n          gate        ok
recall@1                all             0.500  0.000 to 1.000  4
recall@1                single numeric  0.500  0.000 to 1.000  4  at least 0.9        NO
recall@5                all             0.500  0.000 to 1.000  4
recall@20               all             0.500  0.000 to 1.000  4
mrr                     all             0.500  0.000 to 1.000  4
mrr                     chat                -               -  0  at least 0.1  no cases
ndcg@10                 all             0.500  0.000 to 1.000  4
citation_precision      all             0.500  0.000 to 1.000  4
citation_recall         all             0.500  0.000 to 1.000  4
evidence_precision      all             0.500  0.000 to 1.000  4
evidence_recall         all             0.500  0.000 to 1.000  4
evidence_exact          all             0.750  0.250 to 1.000  4
borne_out               all             0.750  0.250 to 1.000  4
cited                   all             0.750  0.250 to 1.000  4
forbidden_not_cited     all                 -               -  0
titles_real             all             0.750  0.250 to 1.000  4
key_facts               all             0.500  0.000 to 1.000  4
sides_cited             all                 -               -  0
axis_coverage           all                 -               -  0
missing_flagged         all                 -               -  0
not_stated_honest       all                 -               -  0
list_precision          all                 -               -  0
list_recall             all                 -               -  0
list_f1                 all                 -               -  0
list_f1_literal         all                 -               -  0
count_exact             all                 -               -  0
list_whole              all                 -               -  0
last_turn_cited         all                 -               -  0
route_right             all             0.800  0.400 to 1.000  5
abstention_precision    all             0.500  0.000 to 1.000  2
abstention_recall       all             1.000  1.000 to 1.000  1
off_topic_abstained     all                 -               -  0
unanswerable_abstained  all             1.000  1.000 to 1.000  1
false_refusals          all             0.250  0.000 to 0.750  4
paraphrase_refusals     all                 -               -  0
abstention_kind         all             0.000  0.000 to 0.000  1
true_accepted           all                 -               -  0
contradicted_caught     all                 -               -  0
unsupported_caught      all                 -               -  0
tokens tokens           all                 -               -  0
errors                  all             0.200  0.000 to 0.600  5   at most 0.5       yes
latency_p50 ms          all               2.0      2.0 to 2.0  5
latency_p95 ms          all               2.0      2.0 to 2.0  5
"""
KINDS = """
should / did  answered  off_topic  no_paper  not_stated  error  precision  recall
answerable           3          0         0           0      1      1.000   0.750
off_topic            0          0         0           0      0          -       -
no_paper             0          0         0           1      0          -   0.000
not_stated           0          0         0           0      0      0.000       -
"""
LOST = """
GATE NOT MET: recall@1 (single numeric) is 0.500, wanted at least 0.9. 2 of 4 cases beyond it:
  wrong  0.000
    question  wrong
    expected  papers "Alpha paper"; evidence "It reaches 61.82% on the test."; key facts "61.82%", \
"Alpha"
    got       "It reaches nothing." (supported); citing "Beta paper"
    why       "Alpha paper" not among the 2 retrieved, first is "Beta paper"; the case is there \
for: near names
  ... and 1 more: show them with --failures 2.
"""


# Cases


LINE = {
    "id": "s-1",
    "type": "single",
    "question": "What?",
    "answerable": True,
    "gold_papers": ["Alpha paper"],
}


def written(**changes):
    """The line of a case with some keys changed."""
    return json.dumps({**LINE, **changes}, ensure_ascii=False)


def test_a_case_holds_what_its_line_says():
    """Every documented key is accepted; key facts become lists of alternatives."""
    case = parse_case(
        written(
            near_papers=["N"],
            borderline=["B"],
            evidence=["E."],
            key_facts=["a", ["b", "c"]],
            sides=[{"name": "A", "papers": ["P"], "evidence": ["E."]}],
            count=1,
            must_not=["x"],
            answer="Yes.",
            why="w",
            note="n",
            abstention=None,
            shape="comparison",
        )
    )

    assert case.key_facts == (("a",), ("b", "c"))
    assert (case.gold_papers, case.evidence, case.borderline) == (("Alpha paper",), ("E.",), ("B",))
    assert (case.sides[0].name, case.count, case.why, case.note) == ("A", 1, "w", "n")
    assert (case.expected, case.shape) == ("answerable", "comparison")


COMPARISON = {
    "type": "comparison",
    "gold_papers": ["Alpha paper"],
    "sides": [{"name": "A", "papers": ["Alpha paper"]}, {"name": "Z"}],
}


def test_a_comparison_says_what_is_missing_and_what_is_silent():
    """A side without papers is missing; a silence names its side, or the title of its paper."""
    silences = [["A", "size"], {"paper": "alpha  paper.", "axis": "cost"}]

    case = parse_case(written(**COMPARISON, axes=["size", "cost"], not_stated=silences))

    assert (case.axes, case.missing) == (("size", "cost"), ("Z",))
    assert [(one.side, one.axis) for one in case.not_stated] == [("A", "size"), ("A", "cost")]
    assert parse_case(written(**COMPARISON, missing=["Z"])).missing == ("Z",)


def test_a_list_has_a_criterion_and_a_conversation_a_question_alone():
    """Both are kept as they are written."""
    asked = {"type": "conversation", "turns": [{"question": "What?"}]}

    assert parse_case(written(type="aggregation", criterion="literal")).criterion == "literal"
    assert parse_case(written(**asked, standalone="What of A?")).standalone == "What of A?"


@pytest.mark.parametrize(
    ("type", "kind"),
    [
        ("unanswerable_near", "not_stated"),
        ("unanswerable_far", "no_paper"),
        ("out_of_domain", "off_topic"),
    ],
)
def test_the_type_says_the_abstention_where_the_case_does_not(type, kind):
    """A case that leaves out the kind means the one of its type; a kind that it gives wins."""
    line = {"id": "u", "type": type, "question": "?!", "answerable": False}

    assert parse_case(json.dumps(line)).expected == kind
    assert parse_case(json.dumps({**line, "abstention": "no_paper"})).expected == "no_paper"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "not JSON"),
        ("[]", "JSON object"),
        (written(evidance=[]), "unknown key 'evidance' in a case: did you mean 'evidence'"),
        (written(type="singel"), "unknown type 'singel': did you mean 'single'"),
        ('{"id": "s-1", "type": "single", "question": "?"}', "lacks the key 'answerable'"),
        (written(question=" "), "'question' of a case must be a string"),
        (written(answerable="yes"), "'answerable' of a case must be true or false"),
        (written(gold_papers="Alpha paper"), "'gold_papers' of a case must be a list"),
        (written(evidence=[""]), "'evidence' of a case must be a list of strings"),
        (written(key_facts=[[]]), "'key_facts' of a case must be"),
        (written(key_facts=["\u200b-"]), "'key_facts' of a case must be"),
        (written(count=True), "'count' of a case must be a whole number"),
        (written(count=2), "counts another number of papers"),
        (written(abstention="shy"), "null or one of off_topic, no_paper, not_stated"),
        (written(abstention="no_paper"), "is answerable and names an abstention"),
        (written(answerable=False), "say which abstention is right"),
        (written(answerable=False, abstention="no_paper"), "is not answerable and has gold"),
        (written(gold_papers=[]), "is answerable without gold papers"),
        (written(borderline=["Alpha paper"]), "both gold and borderline"),
        (written(type="conversation"), "is a conversation without turns"),
        (written(turns=[{"question": "What?"}]), "has turns and is none"),
        (written(type="conversation", turns=[{"question": "Other?"}]), "than its last turn"),
        (written(turns=[{"question": "What?", "fact": []}]), "unknown key 'fact' in a turn"),
        (written(sides=[{}]), "a side lacks the key 'name'"),
        (written(axis=["size"]), "unknown key 'axis' in a case: did you mean 'axes'"),
        (written(axes="size"), "'axes' of a case must be a list of strings"),
        (written(shape="table"), "'shape' of a case must be one of answer, comparison, list"),
        (written(criterion="word"), "'criterion' of a case must be one of literal, number"),
        (written(criterion="kind"), "has a criterion and is no aggregation"),
        (written(standalone="What?"), "has a standalone question and is no conversation"),
        (written(type="comparison"), "is a comparison of fewer than two sides"),
        (written(**COMPARISON | {"evidence": ["E."]}), "has other evidence than its sides"),
        (written(**COMPARISON | {"gold_papers": ["B"]}), "has other gold papers than its sides"),
        (
            written(sides=[{"name": "A", "papers": ["P"]}] * 2),
            "compares sides of one name",
        ),
        (written(**COMPARISON, missing=["A"]), "calls other sides missing"),
        (written(**COMPARISON, missing=[]), "calls other sides missing"),
        (written(missing=["A"]), "calls other sides missing"),
        (written(**COMPARISON, not_stated=[["Z", "size"]]), "what is no side with papers"),
        (written(**COMPARISON, not_stated=[["B", "size"]]), "what is no side with papers"),
        (written(not_stated=[["A"]]), "'not_stated' of a case must be a list of pairs"),
        (written(not_stated=["A", "size"]), "'not_stated' of a case must be a list"),
        (
            written(not_stated=[{"paper": "A", "axes": "size"}]),
            "unknown key 'axes' in a silence: did you mean 'axis'?",
        ),
        (written(key_facts=[{"number": 10**400}]), "'number' of a number must be a number."),
        (
            written(key_facts=[{"number": 1, "tolerance": -1}]),
            "'tolerance' of a number must be a number from 0.",
        ),
        (written()[:-1] + ', "answerable": false}', "the key 'answerable' is said twice"),
        (written(review="Write down …"), "nobody has reviewed this draft"),
    ],
)
def test_a_line_that_is_no_case_is_named(tmp_path, line, said):
    """The error names file, line and what is wrong, and the nearest known name."""
    file = tmp_path / "cases.jsonl"
    file.write_text(f"{written(id='first')}\n\n{line}\n", encoding="utf-8")

    with pytest.raises(UsageError) as caught:
        read_cases([file])

    assert said in str(caught.value)
    assert str(caught.value).startswith(f"{file}:3: ")
    assert not str(caught.value).endswith("?.")


def test_cases_come_from_files_and_folders_once(tmp_path):
    """A folder gives its files by name; a file named twice is read once."""
    (tmp_path / "b.jsonl").write_text(written(id="b"), encoding="utf-8")
    (tmp_path / "a.jsonl").write_text("\ufeff" + written(id="a", question="a\u2028b"), "utf-8")
    (tmp_path / "c.txt").write_text("not a case", encoding="utf-8")

    assert [case.id for case in read_cases([tmp_path, tmp_path / "a.jsonl"])] == ["a", "b"]


def test_an_id_used_twice_is_an_error(tmp_path):
    """Two files may not have a case of the same id."""
    for name in ("a", "b"):
        (tmp_path / f"{name}.jsonl").write_text(written(), encoding="utf-8")

    with pytest.raises(UsageError, match=r"b\.jsonl:1: the id 's-1' is used twice"):
        read_cases([tmp_path])


def test_no_cases_is_an_error(tmp_path):
    """An empty folder, a missing file and a file that is no text are named."""
    with pytest.raises(UsageError, match="holds no cases"):
        read_cases([tmp_path])
    with pytest.raises(UsageError, match=r"no case file .*gone\.jsonl"):
        read_cases([tmp_path / "gone.jsonl"])
    (tmp_path / "bad.jsonl").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match=r"bad\.jsonl cannot be read"):
        read_cases([tmp_path])


# Runner


def test_a_right_answer_scores_fully():
    """Everything that applies to an answerable case is at its best."""
    scores = one(single(key_facts=(("61.82%",), ("alpha",))), RIGHT)

    best = dict.fromkeys(scores, 1.0) | {"false_refusals": 0.0, "errors": 0.0}
    best |= {name: scores[name] for name in ("latency_p50", "latency_p95")}
    assert scores == best
    assert "abstention_recall" not in scores
    assert 0 < scores["latency_p50"] < 1000


def test_a_wrong_answer_scores_nothing_but_is_no_error():
    """Wrong is not an error and not an abstention, and its evidence is still exact."""
    scores = one(single(), WRONG)

    for name in ("recall@1", "mrr", "citation_precision", "evidence_precision", "key_facts"):
        assert scores[name] == 0.0
    assert (scores["errors"], scores["false_refusals"]) == (0.0, 0.0)
    assert (scores["evidence_exact"], scores["titles_real"]) == (1.0, 1.0)


def test_measures_read_the_right_part_of_an_answer():
    """Gold second in the ranking, one of two statements and titles right, one of two facts."""
    cited = (("Beta paper", "It reaches nothing."), ("Alpha paper", "It runs on 12,288 GPUs."))
    answer = answered(*cited, retrieved=("Beta paper", "Alpha paper"))
    case = single(
        evidence=("It runs on 12,288 GPUs.", "It reaches 61.82% on the test."),
        key_facts=(("12288 gpus",), ("61.82%",)),
    )

    scores = one(case, answer)

    wanted = {
        "recall@1": 0.0,
        "recall@5": 1.0,
        "recall@20": 1.0,
        "mrr": 0.5,
        "ndcg@10": 0.6309297,
        "citation_precision": 0.5,
        "citation_recall": 1.0,
        "evidence_precision": 0.5,
        "evidence_recall": 0.5,
        "key_facts": 0.5,
    }
    assert {name: scores[name] for name in wanted} == pytest.approx(wanted, abs=1e-6)


def test_recall_has_its_cuts():
    """Gold at ranks 2, 6 and 21 is in at 5, 20 and nowhere."""
    others = [paper(f"Other {n}", "Text.") for n in range(20)]

    for place, wanted in ((1, (0, 1, 1)), (5, (0, 0, 1)), (10, (0, 0, 1)), (20, (0, 0, 0))):
        ranked = [*others[:place], PAPERS[0], *others[place:]]
        hits = tuple(Hit(p, rank, -rank) for rank, p in enumerate(ranked, 1))
        answer = Answer("q", "q", "answer", "extractive", retrieved=hits)
        scores = run([single()], Product(scripted({"single-1": answer}), [*PAPERS, *others]))[
            0
        ].scores
        assert tuple(scores[f"recall@{k}"] for k in (1, 5, 20)) == wanted
        assert (scores["ndcg@10"] > 0) == (place < 10)


def test_borderline_papers_count_neither_way():
    """They are left out of ranking, citations and evidence; alone they leave nothing to score."""
    both = answered(
        ("Beta paper", "It reaches nothing."),
        ("Alpha paper", "It reaches 61.82% on the test."),
        retrieved=("Beta paper", "Alpha paper"),
    )
    case = single(borderline=("Beta paper",))

    scores = one(case, both)
    alone = one(case, answered(("Beta paper", "It reaches nothing.")))

    for name in ("recall@1", "citation_precision", "evidence_precision", "evidence_recall"):
        assert scores[name] == 1.0
    assert "citation_precision" not in alone
    assert "evidence_precision" not in alone
    assert (alone["citation_recall"], alone["evidence_recall"]) == (0.0, 0.0)


def test_a_statement_on_gold_and_borderline_counts():
    """Only what rests on borderline papers alone is left out."""
    gold, other = RIGHT.statements[0].citations[0], cite("Beta paper", "It reaches nothing.")
    mixed = replace(RIGHT, statements=(Statement("s", (other, gold), "supported"),))

    assert one(single(borderline=("Beta paper",)), mixed)["evidence_precision"] == 1.0


def test_evidence_may_open_an_abstract():
    """The first character is a place like any other."""
    case = single(evidence=("Alpha: a system.",))

    assert one(case, answered(("Alpha paper", "Alpha: a system.")))["evidence_recall"] == 1.0


def test_an_uncited_statement_is_not_precise():
    """A statement without evidence is shown, and rests on nothing."""
    bare = replace(RIGHT, statements=(*RIGHT.statements, Statement("Bare.", (), "unverified")))

    assert one(single(), bare)["evidence_precision"] == 0.5


def test_an_answer_that_shows_nothing_scores_nothing():
    """Abstaining from an answerable case is a false refusal, and not left out of precision."""
    scores = one(single(), abstained("no_paper"))

    assert (scores["citation_precision"], scores["evidence_precision"]) == (0.0, 0.0)
    assert (scores["false_refusals"], scores["abstention_precision"]) == (1.0, 0.0)
    assert "evidence_exact" not in scores


def test_evidence_is_held_against_the_store():
    """A span that is shifted, of another paper or of no paper is not exact."""
    good = cite("Alpha paper", "It runs on 12,288 GPUs.")
    span = good.evidence[0]
    bad = (
        replace(span, start=span.start - 1, end=span.end - 1),
        replace(span, paper_id=BY_TITLE["Beta paper"].id),
        replace(span, paper_id="none"),
    )
    statement = Statement("s", (replace(good, evidence=(span, *bad)),), "supported")

    assert one(single(), replace(RIGHT, statements=(statement,)))["evidence_exact"] == 0.25


def test_titles_are_held_against_the_store():
    """A title must be the very one of its id: in citations, evidence and sources."""
    beta = BY_TITLE["Beta paper"].id
    sources = (
        Source(1, beta, "Beta paper"),
        Source(2, beta, "beta paper"),
        Source(3, beta, "Alpha paper"),
        Source(4, "none", "Invented"),
    )

    assert one(single(), replace(RIGHT, sources=sources))["titles_real"] == pytest.approx(3 / 6)
    silent = replace(abstained("not_stated"), sources=sources[:2])
    assert one(refusable(), silent)["titles_real"] == 0.5


def test_the_measures_of_abstention():
    """Each kind of case takes part in its own rates, whatever kind of abstention it got."""
    near = refusable("near-1", "unanswerable_near", "not_stated")
    off = refusable("off-1", "out_of_domain", "off_topic")
    sorry = abstained("no_paper")

    assert one(near, sorry)["unanswerable_abstained"] == 1.0
    assert one(refusable(), WRONG)["unanswerable_abstained"] == 0.0
    assert one(off, sorry)["off_topic_abstained"] == 1.0
    assert "unanswerable_abstained" not in one(off, sorry)
    assert "off_topic_abstained" not in one(near, sorry)
    assert one(near, sorry)["abstention_precision"] == 1.0
    assert "abstention_precision" not in one(near, WRONG)
    assert one(off, WRONG)["abstention_recall"] == 0.0
    paraphrase = one(single(type="single_paraphrase"), sorry)
    assert paraphrase["paraphrase_refusals"] == 1.0
    assert "false_refusals" not in paraphrase
    answerable_off = one(single(type="out_of_domain"), sorry)
    assert answerable_off["false_refusals"] == 1.0
    assert "off_topic_abstained" not in answerable_off


def test_a_chat_is_only_held_to_be_a_reply():
    """A greeting has no gold papers, and no measure against them."""
    case = Case(id="hi", type="chat", question="hi", answerable=True)

    scores = one(case, Answer("hi", "hi", "chat", "extractive", message="Hello."))

    times = {"latency_p50", "latency_p95"}
    assert set(scores) == {"false_refusals", "errors", "route_right", *times}


def test_key_facts_are_found_in_any_script():
    """Facts and statements are folded alike, so invisible and full-width letters match."""
    hidden = Statement("It reaches ６1\u200b.82％.", RIGHT.statements[0].citations, "supported")

    assert one(single(), replace(RIGHT, statements=(hidden,)))["key_facts"] == 1.0


def test_a_crash_is_the_worst_of_every_measure_and_stops_nothing():
    """A crashed case stays in every average that it belongs to, as an error and nothing else."""
    cases = [single("bad"), refusable("worse"), single("good")]
    script = {"bad": RuntimeError("broken\npipe"), "worse": KeyError("x"), "good": RIGHT}

    bad, worse, good = run(cases, Product(scripted(script), PAPERS))

    assert (bad.got, bad.error, bad.answer) == ("error", "RuntimeError: broken pipe", None)
    bound = {m.name for m in MEASURES if m.applies(bad.case)} - {"tokens"}  # nobody knows
    assert set(bad.scores) == bound > set(good.scores)
    assert {name for name, value in bad.scores.items() if value == 1.0} == {
        "false_refusals",
        "errors",
    }
    assert worse.scores["abstention_recall"] == worse.scores["unanswerable_abstained"] == 0.0
    assert 0 < bad.elapsed_ms < 1000
    (lost,) = run([single("bad", type="single_paraphrase")], Product(scripted(script), PAPERS))
    assert lost.scores["paraphrase_refusals"] == 1.0
    assert (good.scores["errors"], good.error, good.got) == (0.0, "", "answered")


def test_what_is_no_answer_is_an_error():
    """A product that returns something else has crashed, and not abstained."""
    (row,) = run([single()], Product(lambda question, conversation: None, PAPERS))

    assert row.got == "error"
    assert row.error.startswith("AttributeError")


def test_a_conversation_is_asked_turn_by_turn():
    """Each turn sees the answers before it, and the last one is scored."""
    turns = tuple(Turn(question=q) for q in ("one", "two", "three"))
    case = single(type="conversation", question="three", turns=turns)
    heard = []

    def ask(question, conversation):
        heard.append((question, tuple(conversation)))
        if question == "one":
            sleep(0.1)
        return RIGHT if question == "three" else replace(WRONG, question=question)

    (row,) = run([case], Product(ask, PAPERS))

    first, second = replace(WRONG, question="one"), replace(WRONG, question="two")
    assert heard == [("one", ()), ("two", (first,)), ("three", (first, second))]
    assert (row.scores["recall@1"], row.answer) == (1.0, RIGHT)
    assert row.elapsed_ms < 100  # of the last turn alone


def test_a_crash_in_an_earlier_turn_is_the_case_s_crash():
    """A conversation that breaks before its last turn is an error."""
    case = single(type="conversation", question="b", turns=(Turn(question="a"), Turn(question="b")))

    (row,) = run([case], Product(scripted({"a": ValueError("no"), "b": RIGHT}), PAPERS))

    assert row.error == "ValueError: no"


def test_cases_that_do_not_fit_the_store_are_not_asked():
    """A paper or evidence that is not in the store says so before anything is asked."""

    def never(question, conversation):
        raise AssertionError

    for case in (
        single(gold_papers=("Delta paper",)),
        single(near_papers=("Delta paper",)),
        single(borderline=("Delta paper",)),
        single(turns=(Turn(question="?", gold_papers=("Delta paper",)),)),
        single(sides=(Side(name="D", papers=("Delta paper",)),)),
    ):
        with pytest.raises(UsageError, match=r"single-1 names the paper 'Delta paper'"):
            run([single("ok"), case], Product(never, PAPERS))
    with pytest.raises(UsageError, match=r"'It reaches nothing\.' stands in none"):
        run([single(evidence=("It reaches nothing.",))], Product(never, PAPERS))
    side = Side(name="A", papers=("Alpha paper",), evidence=("It reaches nothing.",))
    with pytest.raises(UsageError, match="stands in none of the papers of 'A'"):
        run([single(sides=(side,))], Product(never, PAPERS))


def test_progress_is_told():
    """After each case, how many are done of how many."""
    told = []

    run(
        [single("a"), single("b")],
        Product(scripted({"a": RIGHT, "b": WRONG}), PAPERS),
        lambda done, total: told.append((done, total)),
    )

    assert told == [(1, 2), (2, 2)]


def test_many_workers_change_nothing_but_the_time():
    """Cases are asked at the same time, and rows come in the order of the cases as with one."""
    cases = [single("slow"), single("bad"), refusable("far"), single("fast")]
    said = (RIGHT, RuntimeError("broken"), abstained("no_paper"), WRONG)
    ask = scripted(dict(zip((c.id for c in cases), said, strict=True)))
    both = Barrier(2)  # passed only by two at once

    def together(question, conversation):
        if question in {"slow", "bad"}:
            both.wait(10)
        if question == "slow":
            sleep(0.05)
        return ask(question, conversation)

    told = []
    many = run(cases, Product(together, PAPERS), lambda done, total: told.append(done), workers=2)

    assert told == [1, 2, 3, 4]
    assert [row.elapsed_ms for row in many] == [None] * 4
    assert not any(name.startswith("latency") for row in many for name in row.scores)
    assert [timeless(row) for row in many] == [
        timeless(row) for row in run(cases, Product(ask, PAPERS))
    ]


def timeless(row):
    """A row without the times of anything."""
    kept = {name: value for name, value in row.scores.items() if not name.startswith("latency")}
    answer = row.answer and replace(row.answer, timings_ms={})
    return replace(row, elapsed_ms=None, scores=kept, answer=answer)


def test_the_product_answers_many_at_once_as_one_by_one(seed_chat):
    """Of every type of the bundled cases the rows are the same with one worker and with four."""
    cases = list({case.type: case for case in read_cases()}.values())

    product = Product(seed_chat.ask, seed_chat.papers(), seed_chat.verify)
    some = [run(cases, product, workers=n) for n in (1, 4)]

    assert not any(row.error for row in some[0])
    assert [timeless(row) for row in some[0]] == [timeless(row) for row in some[1]]


def test_what_has_not_begun_is_dropped_when_the_run_stops():
    """Whoever interrupts a run does not wait for the rest of it."""
    asked = []

    def ask(question, conversation):
        asked.append(question)
        sleep(0.01)
        return RIGHT

    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run([single(f"case-{n}") for n in range(100)], Product(ask, PAPERS), stop, workers=2)

    assert len(asked) < 10


def test_time_is_taken_alone_and_of_an_even_sample():
    """Of many rows TIMED are asked again, one at a time; what crashes then is an error."""
    cases = [single(f"case-{n}") for n in range(2 * TIMED)]
    rows = run(
        cases, Product(scripted(dict.fromkeys((c.id for c in cases), RIGHT)), PAPERS), workers=2
    )
    asked = []

    def ask(question, conversation):
        asked.append(question)
        if question == "case-2":
            raise RuntimeError("broken")
        return RIGHT

    got = timed(rows, Product(ask, PAPERS))

    assert asked == [case.id for case in cases[::2]]
    assert [row.case for row in got] == cases
    assert [row.elapsed_ms is not None for row in got] == [True, False] * TIMED
    assert [row.case.id for row in got if row.error] == ["case-2"]
    assert ("latency_p50" in got[0].scores, "latency_p50" in got[1].scores) == (True, False)
    assert timed((), Product(ask, PAPERS)) == ()


# Gates and report


def gates(tmp_path, *entries):
    """Gates as read from a file of *entries*."""
    file = tmp_path / "gates.json"
    file.write_text(json.dumps(entries), encoding="utf-8")
    return read_gates(file)


def test_the_bundled_gates_can_be_read():
    """Every bundled gate names a known measure and known types."""
    assert {gate.measure for gate in read_gates()} >= {"recall@1", "errors", "evidence_exact"}


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"measure": "recall@2", "at_least": 1}, "unknown measure 'recall@2': did you mean"),
        ({"at_least": 1}, "unknown measure None"),
        ({"measure": "errors", "atmost": 0}, "unknown key 'atmost': did you mean 'at_most'"),
        ({"measure": "errors", "types": ["chats"], "at_most": 0}, "did you mean 'chat'"),
        ({"measure": "errors", "types": "chat", "at_most": 0}, "types that are no list"),
        ({"measure": "errors"}, "one number"),
        ({"measure": "errors", "at_most": 0, "at_least": 0}, "one number"),
        ({"measure": "errors", "at_most": "0"}, "one number"),
        ({"measure": "errors", "at_most": True}, "one number"),
        ({"measure": "errors", "at_most": float("nan")}, "one number"),
        ("errors", "not a JSON object"),
    ],
)
def test_a_gate_that_guards_nothing_is_an_error(tmp_path, entry, said):
    """Unknown names and bounds that are none are named, with the gate's number."""
    with pytest.raises(UsageError, match="gate 2 ") as caught:
        gates(tmp_path, {"measure": "errors", "at_most": 0}, entry)

    assert said in str(caught.value)


@pytest.mark.parametrize("text", ["{", "{}"])
def test_gates_that_are_no_list_are_an_error(tmp_path, text):
    """A file that is not a JSON list cannot be used."""
    file = tmp_path / "gates.json"
    file.write_text(text, encoding="utf-8")

    with pytest.raises(UsageError, match="mend the file"):
        read_gates(file)


@pytest.mark.parametrize(
    ("gate", "met", "missed"),
    [
        (Gate("mrr", at_least=0.5), (0.5, 0.6, 0.5 - 1e-12), (0.49, 0.0)),
        (Gate("errors", at_most=0.5), (0.5, 0.4, 0.5 + 1e-12), (0.51, 1.0)),
    ],
)
def test_a_bound_itself_is_met(gate, met, missed):
    """Rounding does not fail a gate, anything more does."""
    assert all(map(gate.met_by, met))
    assert not any(map(gate.met_by, missed))


def lines(rows, *some):
    """The summary's lines by measure and types."""
    return {(line.measure, line.types): line for line in summarise(rows, some)}


def some_rows():
    """One right and one wrong single, one right numeric, one crash, one right abstention."""
    cases = [
        single("right"),
        single("wrong", why="near names"),
        single("number", type="numeric"),
        single("crash"),
        refusable("far"),
    ]
    said = (RIGHT, WRONG, RIGHT, RuntimeError("broken"), abstained("not_stated"))
    return run(
        cases, Product(scripted(dict(zip((c.id for c in cases), said, strict=True))), PAPERS)
    )


def test_averages_count_crashes_and_only_cases_that_take_part():
    """Of four cases with gold two are right: the crash counts, the unanswerable one does not."""
    got = lines(some_rows(), Gate("recall@1", ("single",), at_least=0.5))

    everything, named = got["recall@1", ()], got["recall@1", ("single",)]
    assert (everything.value, everything.n, everything.met) == (0.5, 4, None)
    assert (named.value, named.n, named.met) == (pytest.approx(1 / 3), 3, False)
    assert (got["errors", ()].value, got["errors", ()].n) == (0.2, 5)
    assert (got["evidence_exact", ()].value, got["evidence_exact", ()].n) == (0.75, 4)
    assert 0 <= everything.low <= 0.5 <= everything.high <= 1
    assert everything.low < everything.high


def test_a_gate_over_all_types_stands_in_the_line_of_its_measure():
    """There is one line for each measure, and one more for each gate over some types."""
    got = summarise(some_rows(), [Gate("errors", at_most=0), Gate("mrr", ("chat",), at_least=1)])

    assert [line.measure for line in got if line.measure == "errors"] == ["errors"]
    assert len(got) == len(MEASURES) + 1


def test_latency_is_a_percentile():
    """The 95th percentile is no mean."""
    rows = [
        replace(row, scores={"latency_p95": ms, "latency_p50": ms})
        for row, ms in zip(some_rows(), (1.0, 2.0, 3.0, 4.0, 100.0), strict=True)
    ]

    got = lines(rows)

    assert got["latency_p50", ()].value == 3.0
    assert got["latency_p95", ()].value == pytest.approx(4 + 0.8 * 96)


def test_a_gate_without_cases_fails_the_whole_set_only():
    """A gate that measured nothing is not met, unless only some cases were asked for."""
    got = summarise(some_rows(), [Gate("mrr", ("aggregation",), at_least=0.5)])

    assert [line.measure for line in failed(got, whole=True)] == ["mrr"]
    assert failed(got, whole=False) == []


def test_the_confusion_table_counts_every_case():
    """Three answered, one crashed, one abstained from as the wrong kind."""
    assert confusion(some_rows()) == (
        (3, 0, 0, 0, 1),
        (0, 0, 0, 0, 0),
        (0, 0, 0, 1, 0),
        (0, 0, 0, 0, 0),
    )


def test_a_failed_gate_lists_its_cases(capsys):
    """The log names the gate and says for each case what was expected, what came and why."""
    code = conclude(some_rows(), [Gate("recall@1", ("single",), at_least=0.9)], True, 10, None)

    log = capsys.readouterr().out
    assert code == NOT_MET
    assert "GATE NOT MET: recall@1 (single) is 0.333, wanted at least 0.9. 2 of 3 cases" in log
    block = log[log.index("GATE NOT MET") :]
    assert "wrong  0.000" in block
    assert 'expected  papers "Alpha paper"; evidence "It reaches 61.82% on the test."' in block
    assert 'got       "It reaches nothing." (supported); citing "Beta paper"' in block
    assert 'why       "Alpha paper" not among the 2 retrieved, first is "Beta paper"' in block
    assert "the case is there for: near names" in block
    assert "got       error RuntimeError: broken" in block
    assert "right  " not in block
    assert "1 case crashed:\n  crash: RuntimeError: broken" in log
    assert "0 of 1 gates met." in log


@pytest.mark.parametrize(
    ("measure", "answer", "said"),
    [
        ("citation_precision", WRONG, 'cites wrongly "Beta paper"; does not cite "Alpha paper"'),
        ("evidence_recall", WRONG, "0 of 1 statements rest on gold evidence; does not show"),
        ("key_facts", WRONG, 'misses "61.82%", "Alpha"'),
        ("false_refusals", replace(abstained("no_paper"), trace={"route": "0.1"}), "route 0.1"),
        (
            "titles_real",
            replace(RIGHT, sources=(Source(1, "none", "Invented"),)),
            'not in the store "none Invented"',
        ),
    ],
)
def test_every_kind_of_failure_says_why(capsys, measure, answer, said):
    """The reason is in the terms of the measure whose gate is not met."""
    rows = run([single()], Product(scripted({"single-1": answer}), PAPERS))
    at_most = measure == "false_refusals"
    gate = Gate(measure, at_most=0) if at_most else Gate(measure, at_least=1)

    assert conclude(rows, [gate], True, 10, None) == NOT_MET
    assert said in capsys.readouterr().out


def test_failures_are_limited_and_the_rest_counted(capsys):
    """The worst come first, and the log says how to see the others."""
    cases = [single(f"case-{n}") for n in range(5)]
    rows = run(cases, Product(scripted({c.id: WRONG for c in cases}), PAPERS))
    rows = [replace(row, scores={"latency_p95": float(n)}) for n, row in enumerate(rows)]

    conclude(rows, [Gate("latency_p95", at_most=0.5)], True, 2, None)

    log = capsys.readouterr().out
    assert log.index("case-4  4.0") < log.index("case-3  3.0")
    assert "case-2  2.0" not in log
    assert "... and 2 more: show them with --failures 4." in log


def test_all_gates_met_is_success(capsys):
    """With every gate met the exit code is 0, and a partial run passes over gates without cases."""
    rows = run([single()], Product(scripted({"single-1": RIGHT}), PAPERS))
    some = [Gate("mrr", at_least=1), Gate("mrr", ("chat",), at_least=1)]

    assert conclude(rows, some, False, 10, None) == PASSED
    log = capsys.readouterr().out
    assert "1 of 1 gates met." in log
    assert "crashed" not in log
    assert conclude(rows, some, True, 10, None) == NOT_MET
    assert "mrr (chat) has no cases" in capsys.readouterr().out


def test_hostile_text_stays_on_its_line(capsys):
    """Escapes, line breaks and invisible letters are spelt out in the log."""
    case = replace(single(), question="a\x1b[31m\nb\u200bc")
    rows = run([case], Product(scripted({case.question: WRONG}), PAPERS))

    conclude(rows, [Gate("mrr", at_least=1)], True, 10, None)

    assert r"question  a\x1b[31m\nb\u200bc" in capsys.readouterr().out


def test_the_record_has_every_case(tmp_path, capsys):
    """--json holds measures, gates, confusion and each case with its scores, crashed or not."""
    file = tmp_path / "out.json"

    conclude(some_rows(), [Gate("errors", at_most=0)], True, 10, file)

    record = json.loads(file.read_text(encoding="utf-8"))
    assert [case["id"] for case in record["cases"]] == ["right", "wrong", "number", "crash", "far"]
    assert record["passed"] is False
    crash = record["cases"][3]
    assert (crash["got"], crash["answer"]) == ("error", None)
    assert (crash["error"], crash["scores"]["errors"]) == ("RuntimeError: broken", 1.0)
    assert record["cases"][0]["answer"]["statements"][0]["titles"] == ["Alpha paper"]
    errors = next(m for m in record["measures"] if m["measure"] == "errors")
    assert (errors["value"], errors["met"], errors["gate"]["at_most"]) == (0.2, False, 0)
    assert record["confusion"]["answerable"]["error"] == 1


def test_a_lone_surrogate_survives_the_record(tmp_path, capsys):
    """What JSON can say of a question, the record can say too."""
    rows = run([replace(single(), question="\ud800")], Product(scripted({"\ud800": RIGHT}), PAPERS))

    conclude(rows, [], True, 10, tmp_path / "out.json")

    record = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert record["cases"][0]["question"] == "\ud800"


def test_inexact_evidence_is_shown_with_its_range(capsys):
    """The log names the paper, the range and the text that does not stand there."""
    good = RIGHT.statements[0].citations[0]
    span = replace(good.evidence[0], text="It reaches 99% on the test.")
    statement = Statement("s", (replace(good, evidence=(*good.evidence, span)),), "supported")
    rows = run(
        [single()], Product(scripted({"single-1": replace(RIGHT, statements=(statement,))}), PAPERS)
    )

    conclude(rows, [Gate("evidence_exact", at_least=1)], True, 10, None)

    assert 'why       not exact "Alpha paper 17:47 It reaches 99% on the test."' in (
        capsys.readouterr().out
    )


def test_near_papers_are_named(capsys):
    """A case that should be abstained from says of which papers one might think."""
    case = replace(refusable(type="unanswerable_near"), near_papers=("Beta paper",))
    rows = run([case], Product(scripted({case.question: WRONG}), PAPERS))

    conclude(rows, [Gate("abstention_recall", at_least=1)], True, 10, None)

    assert 'expected  to abstain as no_paper near "Beta paper"\n' in capsys.readouterr().out


def test_the_whole_report(capsys):
    """What a person sees after a run with one case each of right, wrong, crashed and abstained."""
    rows = [
        replace(row, scores=row.scores | {"latency_p50": 2.0, "latency_p95": 2.0})
        for row in some_rows()
    ]
    some = [
        Gate("recall@1", ("single", "numeric"), at_least=0.9),
        Gate("errors", at_most=0.5),
        Gate("mrr", ("chat",), at_least=0.1),
    ]

    conclude(rows, some, False, 1, None)

    heading, measured, types, kinds, crashed, lost, last = capsys.readouterr().out.split("\n\n")
    assert heading == "5 cases, 0 papers, mode extractive, index -"
    assert (measured, kinds, lost) == (MEASURED.strip(), KINDS.strip(), LOST.strip())
    assert [line.split() for line in types.splitlines()[1:]] == [
        ["single", "3", *["0.333"] * 8, "0.667", "0.333", "2.0", "0.000"],
        ["numeric", "1", *["1.000"] * 9, "0.000", "2.0", "0.000"],
        ["unanswerable_far", "1", *["-"] * 8, "1.000", "0.000", "2.0", "1.000"],
    ]
    assert crashed == "1 case crashed:\n  crash: RuntimeError: broken"
    assert last == "1 of 2 gates met.\n"


def test_tables_are_aligned():
    """The value of every measure ends in the same column."""
    rows = some_rows()
    table = text(Outcome(tuple(rows), summarise(rows, ()), False), 0).split("\n\n")[1].splitlines()

    end = table[0].index("value") + len("value")
    assert all(line[end - 1] != " " and line[end] == " " for line in table)
    assert len(table) == len(MEASURES) + 1


# Command


def product(answer):
    """An opener of a product that always gives *answer*, or raises it."""

    @contextmanager
    def opener(store, tell):
        tell("reading", 1, 1)
        yield Product(lambda question, conversation: answer, PAPERS)

    return opener


def test_the_command_runs_cases_and_gates(tmp_path, capsys):
    """The report alone goes to standard output, and the exit code says whether gates are met."""
    file = tmp_path / "cases.jsonl"
    file.write_text(
        written(evidence=["It reaches 61.82% on the test."]) + "\n" + written(id="s-2"), "utf-8"
    )
    bound = {"measure": "recall@1", "types": ["single"], "at_least": 0.98}
    (tmp_path / "gates.json").write_text(json.dumps([bound]), "utf-8")
    arguments = ["--cases", str(file), "--json", str(tmp_path / "out.json")]

    assert main(arguments, product(RIGHT)) == PASSED
    out, err = capsys.readouterr()
    assert out.startswith("2 cases, 0 papers, mode extractive")
    assert err.splitlines()[:2] == ["reading 1/1", "asking 2/2"]
    assert len(json.loads((tmp_path / "out.json").read_text("utf-8"))["cases"]) == 2
    assert main([*arguments, "--failures", "0"], product(WRONG)) == NOT_MET
    assert "... and 2 more" in capsys.readouterr().out


def test_a_threshold_for_all_is_not_held_against_a_part(tmp_path, capsys):
    """With --only, what is bounded over other cases too is measured and not judged."""
    (tmp_path / "cases.jsonl").write_text(written() + "\n" + written(id="s-2"), "utf-8")
    bounds = [
        {"measure": "recall@1", "types": ["single"], "at_least": 0.98},
        {"measure": "errors", "at_most": 0},
    ]
    (tmp_path / "gates.json").write_text(json.dumps(bounds), "utf-8")
    arguments = ["--cases", str(tmp_path / "cases.jsonl")]

    assert main([*arguments, "--only", "s-2"], product(WRONG)) == PASSED
    assert "1 of 1 gates met" in capsys.readouterr().out
    assert main([*arguments, "--only", "single"], product(WRONG)) == NOT_MET


def test_cases_of_ones_own_without_gates_are_held_to_the_laws_alone(tmp_path, capsys):
    """Another collection's thresholds do not fit; exact quotations and real titles always do."""
    (tmp_path / "cases.jsonl").write_text(written(), "utf-8")

    assert main(["--cases", str(tmp_path / "cases.jsonl")], product(WRONG)) == PASSED
    assert "recall@1                all" in capsys.readouterr().out


def test_gates_against_a_baseline_need_one(tmp_path, capsys):
    """Taking the baseline away does not loosen a gate in silence, nor does taking cases away."""
    (tmp_path / "cases.jsonl").write_text(written() + "\n" + written(id="s-2"), "utf-8")
    (tmp_path / "gates.json").write_text('[{"measure": "recall@1", "no_worse": 0.99}]', "utf-8")
    arguments = ["--cases", str(tmp_path / "cases.jsonl")]

    assert main(arguments, product(RIGHT)) == COULD_NOT_RUN
    assert "need a baseline: make one with --update-baseline" in capsys.readouterr().err
    assert main([*arguments, "--update-baseline"], product(RIGHT)) == PASSED
    (tmp_path / "cases.jsonl").write_text(written(), "utf-8")
    capsys.readouterr()
    assert main(arguments, product(RIGHT)) == PASSED
    assert "1 of the baseline's cases are in no file: s-2" in capsys.readouterr().err


def raising(error):
    """An opener that fails."""

    @contextmanager
    def opener(store, tell):
        raise error
        yield

    return opener


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (NoIndex("There is no index: make one."), "There is no index: make one.\n"),
        (RuntimeError("odd"), "The evals broke (RuntimeError: odd): see where with"),
        (KeyboardInterrupt(), "\nStopped: run the evals again"),
    ],
)
def test_a_product_that_does_not_open_could_not_run(tmp_path, monkeypatch, capsys, error, said):
    """Whatever happens, the exit code is not that of a gate, and there is no traceback."""
    monkeypatch.delenv("PAPERCHAT_DEBUG", raising=False)
    file = tmp_path / "cases.jsonl"
    file.write_text(written(), encoding="utf-8")

    assert main(["--cases", str(file)], raising(error)) == COULD_NOT_RUN
    out, err = capsys.readouterr()
    assert (out, err.startswith(said)) == ("", True)


def test_debugging_shows_where(tmp_path, monkeypatch):
    """With PAPERCHAT_DEBUG=1 the error itself comes out."""
    monkeypatch.setenv("PAPERCHAT_DEBUG", "1")

    with pytest.raises(UsageError, match="holds no cases"):
        main(["--cases", str(tmp_path)])


def test_evals_use_no_language_model():
    """The key is kept only for an embedding model that may need it."""
    settings = Settings(api_key="k", base_url="http://host", model="m", store=Path("s"))

    bare = without_model(settings)
    assert (bare.api_key, bare.base_url, bare.model) == (None, None, None)
    other = without_model(replace(settings, embedding_model="remote"))
    assert (other.api_key, other.base_url, other.model) == ("k", "http://host", None)


def test_a_log_is_told_begin_and_end(capsys):
    """Where nobody watches, a stage takes two lines."""
    tell = teller()
    for done in range(41):
        tell("reading", done, 40)
    tell("writing", 0, 0)

    assert capsys.readouterr().err.splitlines() == ["reading 0/40", "reading 40/40", "writing 0/0"]


def test_only_chooses_by_type_or_id():
    """Types and ids may be mixed, order is kept, and a misspelt one is named."""
    cases = (single("a"), refusable("b"), single("c", type="numeric"))

    assert [case.id for case in chosen(cases, ["numeric", "a"])] == ["a", "c"]
    assert chosen(cases, []) == cases
    with pytest.raises(UsageError, match="did you mean 'numeric'"):
        chosen(cases, ["numerics"])
    with pytest.raises(UsageError, match="No case is of the type chat"):
        chosen(cases, ["chat"])


def test_what_cannot_run_is_one_sentence(tmp_path, capsys):
    """A bad case file ends with 2, one line on standard error, and nothing on standard output."""
    file = tmp_path / "cases.jsonl"
    file.write_text(written(questoin="?"), encoding="utf-8")

    code = main(["--cases", str(file)])

    out, err = capsys.readouterr()
    assert (code, out, err.count("\n")) == (COULD_NOT_RUN, "", 1)
    assert "did you mean 'question'" in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--failures", "-1"], "whole number from 0"),
        (["--failures", "x"], "whole number from 0"),
        (["--workers", "0"], "whole number from 1"),
        (["--nothing"], "--nothing"),
        (["--fail-on", ""], "no reason to fail"),  # an unset variable must not pass everything
        (["--fail-on", "erors"], "did you mean 'errors'"),
        (["chekc", "cases.jsonl"], "did you mean 'check'"),
        (["check", "--nothing"], "paperchat eval check --help"),
        (["faults", "--clean", "-1"], "whole number from 0"),
        (["add", "--nothing"], "--nothing"),
        (["--judge"], "--judge needs a language model"),
    ],
)
def test_bad_arguments_could_not_run(arguments, said, capsys):
    """Wrong usage of any command ends with 2 and one sentence, before anything is asked."""
    code = main(arguments)

    out, err = capsys.readouterr()
    assert (code, out, err.count("\n")) == (COULD_NOT_RUN, "", 1)
    assert said in err


def test_a_record_that_cannot_be_written_is_an_error(tmp_path, capsys):
    """A folder is no file to write to."""
    rows = run([single()], Product(scripted({"single-1": RIGHT}), PAPERS))

    with pytest.raises(UsageError, match="--json"):
        conclude(rows, [], True, 10, tmp_path)


def test_a_recorded_run_repeats_without_a_server(
    seed_store, scripted_server, monkeypatch, tmp_path, capsys
):
    """What a model said is replayed with no server; a call too few or too many is an error."""
    scripted_server.script = truthful(1)
    monkeypatch.setenv("OPENAI_BASE_URL", scripted_server.url)
    monkeypatch.setenv("PAPERCHAT_MODEL", "scripted-1")
    spoken = tmp_path / "spoken.jsonl"
    store = ["--store", str(seed_store)]
    one = ["--only", "single-a01", *store]

    ran = {PASSED, NOT_MET}
    assert main([*one, "--record", str(spoken), "--json", str(tmp_path / "a.json")]) in ran
    monkeypatch.delenv("OPENAI_BASE_URL")
    asked = len(scripted_server.requests)
    assert main([*one, "--replay", str(spoken), "--json", str(tmp_path / "b.json")]) in ran

    first, second = (json.loads((tmp_path / f"{n}.json").read_text("utf-8")) for n in "ab")
    told = [[s["text"] for s in run["cases"][0]["answer"]["statements"]] for run in (first, second)]
    assert told[0] == told[1] != []
    assert len(scripted_server.requests) == asked
    capsys.readouterr()
    assert main(["--only", "single-a02", *store, "--replay", str(spoken)]) == COULD_NOT_RUN
    assert "missing or unused" in capsys.readouterr().err
