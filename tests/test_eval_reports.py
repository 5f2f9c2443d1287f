from __future__ import annotations

import json
import re
import shlex
from contextlib import contextmanager
from dataclasses import replace
from importlib.resources import files
from xml.etree import ElementTree

import jsonschema
import pytest

from eval import baseline, cases, check, draft, faults, metrics, new
from eval.__main__ import COULD_NOT_RUN, NOT_MET, PASSED, main
from eval.cache import Kept, keeping, name_of
from eval.cases import parse_case, read_cases
from eval.drafts import drafted
from eval.gates import Gate, read_gates, summarise
from eval.metrics import Amount
from eval.reading import Collection
from eval.report import pictures
from eval.report.files import KINDS
from eval.report.junit import junit
from eval.report.markdown import markdown
from eval.report.page import page
from eval.report.text import Outcome, text
from eval.run import Product, passed, run
from rag.errors import UsageError
from rag.types import Judgement
from tests.answers import (
    PAPERS,
    RIGHT,
    WRONG,
    abstained,
    answered,
    cite,
    refusable,
    scripted,
    single,
)

HOSTILE = 'Alpha </script><img src=x onerror="alert(1)"> ]]> \x1b[31m \ud800 | **bold** `code`'


def rows_of(**said):
    """The rows of single cases, each with its answer."""
    asked = {id.replace("_", "-"): answer for id, answer in said.items()}
    return run([single(id) for id in asked], Product(scripted(asked), PAPERS))


def outcome(rows, gates=(), before=None, **others):
    """A run of *rows* held against *gates* and a baseline."""
    changed = baseline.differences(rows, before or {})
    lines = summarise(rows, gates, before)
    return Outcome(tuple(rows), lines, True, before, changed, **others)


def statement(id, verdict, **changes):
    """A case that judges a sentence about the Alpha paper."""
    case = single(id, type="statement", verdict=verdict, evidence=(), key_facts=(), kind="number")
    return replace(case, **changes)


# The case format


def test_the_schema_and_the_reader_know_the_same_keys():
    """What an editor offers is what the evals read, to the last key and type."""
    schema = json.loads((files("eval") / "case.schema.json").read_text("utf-8"))

    assert set(schema["properties"]) == set(cases._CASE_KEYS)
    assert tuple(schema["properties"]["type"]["enum"]) == cases.TYPES
    assert set(schema["properties"]["turns"]["items"]["properties"]) == set(cases._TURN_KEYS)
    assert set(schema["properties"]["sides"]["items"]["properties"]) == set(cases._SIDE_KEYS)


def test_every_bundled_case_is_held_to_the_schema():
    """A line that an editor would mark as wrong is not committed."""
    schema = json.loads((files("eval") / "case.schema.json").read_text("utf-8"))
    validator = jsonschema.Draft202012Validator(schema)

    for file in cases.files_of([cases.BUNDLED]):
        for number, line in cases.lines_of(file):
            problems = [error.message for error in validator.iter_errors(json.loads(line))]
            assert problems == [], f"{file.name}:{number}"


def test_a_number_has_a_tolerance_and_a_unit():
    """A key fact that is a number is met by any near enough, in its unit, and by no other."""
    line = {
        "id": "a",
        "type": "numeric",
        "question": "?",
        "answerable": True,
        "gold_papers": ["Alpha paper"],
        "key_facts": [[{"number": 61.8, "tolerance": 0.1, "unit": "%"}, "three fifths"]],
    }

    (fact,) = parse_case(json.dumps(line)).key_facts

    assert fact == (Amount(61.8, 0.1, "%"), "three fifths")
    found = [
        metrics.fact_found(fact, [said]) for said in ("61.82 % of it", "61.9%", "three fifths")
    ]
    assert found == [True, True, True]
    wrong = ("61.95%", "61.8 points", "161.8%", "61.8.2%", "two fifths")
    assert not any(metrics.fact_found(fact, [said]) for said in wrong)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"type": "statement"}, "without a verdict"),
        ({"verdict": "supported"}, "without a verdict"),
        ({"type": "statement", "verdict": "true"}, "one of supported, contradicted"),
        ({"must_not_cite": ["Alpha paper"]}, "must not cite"),
        ({"key_facts": [{"number": "5"}]}, "a number"),
        ({"key_facts": [{"value": 5}]}, "did you mean 'number'"),
        ({"must_pass": "yes"}, "true or false"),
    ],
)
def test_a_case_that_cannot_be_meant_is_named(changes, said):
    """Each rule says what is wrong with the line."""
    line = {"id": "a", "type": "single", "question": "?", "answerable": True}
    line["gold_papers"] = ["Alpha paper"]

    with pytest.raises(ValueError, match=said):
        parse_case(json.dumps({**line, **changes}))


# Statements and what must not be


def test_statements_are_judged_and_counted_by_themselves():
    """A sentence takes part in the measures of verdicts, and in none of questions."""
    verdicts = {"true": "supported", "false": "supported", "other": "not_supported"}
    some = [
        statement("true", "supported", pair="false"),
        statement("false", "contradicted", pair="true"),
        statement("other", "not_supported"),
    ]
    product = Product(
        scripted({}), PAPERS, lambda claim, title: Judgement(verdicts[claim], len(claim) / 10)
    )

    rows = run(some, product)

    done = outcome(rows)
    values = {line.measure: line.value for line in done.lines if line.n}
    assert values["true_accepted"] == 1.0
    assert values["contradicted_caught"] == 0.0
    assert values["unsupported_caught"] == 1.0
    assert not {"recall@1", "key_facts", "route_right", "false_refusals"} & set(values)
    said = text(done, 5)
    assert "pairs_in_order" in said
    assert "should / did" not in said
    assert [passed(row) for row in rows] == [True, False, True]


def test_a_paper_that_must_not_be_cited_counts():
    """An answer that rests on a forbidden paper does not pass."""
    (row,) = run(
        [single(must_not_cite=("Beta paper",), key_facts=(), evidence=())],
        Product(scripted({"single-1": WRONG}), PAPERS),
    )

    assert row.scores["forbidden_not_cited"] == 0.0
    assert not passed(row)


def test_words_that_evidence_does_not_say_are_found_without_the_verdict():
    """A digit changed in a statement, or a paraphrase, is not borne out, whatever it claims."""
    good = RIGHT.statements[0]
    wrong = replace(good, text=good.text.replace("61", "71"))
    joined = replace(
        good,
        text="It reaches 61.82% on the test. It runs on 12,288 GPUs.",
        citations=(
            cite("Alpha paper", "It reaches 61.82% on the test."),
            cite("Alpha paper", "It runs on 12,288 GPUs."),
        ),
    )

    scores = [
        rows_of(a=replace(RIGHT, statements=(said,)))[0].scores["borne_out"]
        for said in (good, wrong, joined)
    ]

    assert scores == [1.0, 0.0, 1.0]


# The baseline


def test_a_run_is_the_same_as_itself(tmp_path):
    """A baseline written and read again differs in nothing."""
    rows = rows_of(a=RIGHT, b=WRONG)
    baseline.write(tmp_path / "base.jsonl", rows)

    before = baseline.read(tmp_path / "base.jsonl")

    assert baseline.differences(rows, before) == ()
    assert "The same as the baseline, case by case." in text(outcome(rows, (), before), 5)


def test_a_loss_is_named_and_a_sure_one_fails(tmp_path):
    """Every case that got worse is listed; the gate fails only if the loss is beyond chance."""
    names = [f"c{n}" for n in range(30)]
    baseline.write(tmp_path / "base.jsonl", rows_of(**dict.fromkeys(names, RIGHT)))
    before = baseline.read(tmp_path / "base.jsonl")
    gate = Gate("key_facts", no_worse=0.95)

    one = outcome(rows_of(**{**dict.fromkeys(names, RIGHT), "c3": WRONG}), [gate], before)
    all_of_them = outcome(rows_of(**dict.fromkeys(names, WRONG)), [gate], before)
    gained = outcome(
        rows_of(**dict.fromkeys(names, RIGHT)), [gate], {id: {"key_facts": 0.0} for id in names}
    )

    assert [d.case.id for d in one.changed if not d.better] == ["c3"]
    assert (one.passed, all_of_them.passed, gained.passed) == (True, False, True)
    assert "from the baseline" in text(all_of_them, 3)
    assert "Better than the baseline: 30 cases." in text(gained, 3)


def test_lower_is_better_where_it_is():
    """More false refusals are a loss, fewer are none."""
    refused, answered_ = rows_of(a=abstained("no_paper")), rows_of(a=RIGHT)
    gate = [Gate("false_refusals", no_worse=0.95)]

    assert not outcome(refused, gate, {"a": {"false_refusals": 0.0}}).passed
    assert outcome(answered_, gate, {"a": {"false_refusals": 1.0}}).passed


def test_paired_changes_by_hand():
    """The interval of a constant change is that change, and a lone loss among many is unsure."""
    assert metrics.paired_change([(0.0, 1.0)] * 5) == (1.0, 1.0, 1.0, 5)
    lost = metrics.paired_change([(1.0, 0.0), *[(1.0, 1.0)] * 30])
    assert lost.low < 0 <= lost.high
    with pytest.raises(ValueError, match="gold"):
        metrics.paired_change([])


def test_calibration_by_hand():
    """Half of those called 0.9 are true: off by 0.4 there, and by nothing where all is right."""
    assert metrics.calibration_error([0.9, 0.9], [True, False]) == pytest.approx(0.4)
    assert metrics.calibration_error([1.0, 0.0], [True, False]) == 0.0


def test_cases_that_differ_between_repeats_are_flaky(tmp_path, capsys):
    """With --repeat, a case that does not score the same every time is named."""
    said = iter([RIGHT, WRONG])

    @contextmanager
    def opener(options, tell):
        assert not options.cached
        yield Product(lambda question, conversation: next(said), PAPERS)

    file = tmp_path / "cases.jsonl"
    line = {"id": "a", "type": "single", "question": "?", "answerable": True}
    file.write_text(json.dumps({**line, "gold_papers": ["Alpha paper"]}), "utf-8")

    common = ["--cases", str(file), "--repeat", "2", "--workers", "1"]
    code = main([*common, "--fail-on", "flaky"], opener)

    assert code == NOT_MET
    assert main(["--cases", str(tmp_path / "no.jsonl")], opener) == COULD_NOT_RUN


@pytest.mark.parametrize("line", ["{", "[]", '{"id": "a"}', '{"id": "a", "scores": {"x": "y"}}'])
def test_a_baseline_that_is_none_is_named(tmp_path, line):
    """A file that was cut or mixed up is one sentence with its place."""
    file = tmp_path / "base.jsonl"
    file.write_text(line, "utf-8")

    with pytest.raises(UsageError, match=r"base\.jsonl:1 is no line of a baseline"):
        baseline.read(file)


def test_a_case_that_must_pass_fails_the_run(tmp_path, capsys):
    """One case can stop a change, whatever the averages are; --fail-on says what does."""
    file = tmp_path / "cases.jsonl"
    line = {"id": "a", "type": "single", "question": "?", "answerable": True}
    line |= {"gold_papers": ["Alpha paper"], "key_facts": ["61.82%"], "must_pass": True}
    file.write_text(json.dumps(line), "utf-8")
    (tmp_path / "gates.json").write_text("[]", "utf-8")

    @contextmanager
    def opener(options, tell):
        yield Product(lambda question, conversation: WRONG, PAPERS)

    arguments = ["--cases", str(file)]
    assert main(arguments, opener) == NOT_MET
    assert "CASES THAT MUST PASS DID NOT" in capsys.readouterr().out
    assert main([*arguments, "--fail-on", "gates"], opener) == PASSED
    assert main([*arguments, "--fail-on", "gate"], opener) == COULD_NOT_RUN
    assert "did you mean 'gates'" in capsys.readouterr().err


def test_a_baseline_lies_beside_its_cases(tmp_path, capsys):
    """Whoever updates the baseline of their own cases leaves that of the bundled ones alone."""
    line = {"id": "a", "type": "single", "question": "?", "answerable": True}
    file = tmp_path / "cases.jsonl"
    file.write_text(json.dumps(line | {"gold_papers": ["Alpha paper"]}), "utf-8")
    gate = {"measure": "recall@1", "no_worse": 0.95}
    (tmp_path / "gates.json").write_text(json.dumps([gate]), "utf-8")
    said = [RIGHT]

    @contextmanager
    def opener(options, tell):
        yield Product(lambda question, conversation: said[0], PAPERS)

    bundled = baseline.BASELINE.read_bytes()
    arguments = ["--cases", str(tmp_path)]
    assert main([*arguments, "--update-baseline"], opener) == PASSED
    assert (tmp_path / "baseline.jsonl").exists()
    assert baseline.BASELINE.read_bytes() == bundled
    assert main(arguments, opener) == PASSED
    said[0] = WRONG
    assert main(arguments, opener) == NOT_MET
    assert "GATE NOT MET: recall@1 (all) is 0.000, -1.000 from the baseline" in (
        capsys.readouterr().out
    )


def test_a_part_of_the_cases_updates_its_part_of_the_baseline(tmp_path):
    """With --only, what the baseline says of the other cases stays; of cases that are gone, not."""
    line = {"id": "a", "type": "single", "question": "?", "answerable": True}
    line |= {"gold_papers": ["Alpha paper"]}
    file = tmp_path / "cases.jsonl"
    three = [line, {**line, "id": "b"}, {**line, "id": "gone"}]
    file.write_text("\n".join(map(json.dumps, three)), "utf-8")
    kept = tmp_path / "baseline.jsonl"
    said = [RIGHT]

    @contextmanager
    def opener(options, tell):
        yield Product(lambda question, conversation: said[0], PAPERS)

    update = ["--cases", str(file), "--update-baseline", "--fail-on", "nothing"]
    assert main(update, opener) == PASSED
    before = baseline.read(kept)
    file.write_text("\n".join(map(json.dumps, three[:2])), "utf-8")
    said[0] = WRONG
    assert main([*update, "--only", "b"], opener) == PASSED

    after = baseline.read(kept)
    assert set(after) == {"a", "b"}
    assert after["a"] == before["a"]
    assert after["b"]["recall@1"] == 0


def test_a_baseline_that_holds_nothing_is_an_error(tmp_path):
    """A gate against an empty file would let every change through."""
    (tmp_path / "empty.jsonl").write_text("\n", "utf-8")

    with pytest.raises(UsageError, match="is empty"):
        baseline.read(tmp_path / "empty.jsonl")


@pytest.mark.parametrize("option", [*(f"--{kind}" for kind in KINDS), "--baseline"])
def test_what_cannot_be_written_is_said_before_anything_is_asked(tmp_path, option, capsys):
    """Nobody waits for all cases to hear that the folder of the report is not there."""
    file = tmp_path / "cases.jsonl"
    line = {"id": "a", "type": "single", "question": "?", "answerable": True}
    file.write_text(json.dumps({**line, "gold_papers": ["Alpha paper"]}), "utf-8")

    def opener(options, tell):
        raise AssertionError("asked")

    given = ["--cases", str(file), option, str(tmp_path / "nowhere" / "out")]
    given += ["--update-baseline"] if option == "--baseline" else []
    assert main(given, opener) == COULD_NOT_RUN
    assert "cannot be written" in capsys.readouterr().err


def test_the_bundled_baseline_has_the_bundled_cases():
    """A case that the baseline lacks is not guarded against getting worse."""
    known = {case.id for case in read_cases() if not case.draft}

    assert set(baseline.read(baseline.BASELINE)) == known


def test_drafts_do_not_count(tmp_path, capsys):
    """A case that nobody has read yet is left out, and the report says so."""
    line = {"id": "a", "type": "single", "question": "?", "answerable": True}
    line |= {"gold_papers": ["Alpha paper"]}
    file = tmp_path / "cases.jsonl"
    file.write_text(
        json.dumps(line) + "\n" + json.dumps({**line, "id": "b", "draft": True}), "utf-8"
    )
    (tmp_path / "gates.json").write_text("[]", "utf-8")

    @contextmanager
    def opener(options, tell):
        yield Product(lambda question, conversation: RIGHT, PAPERS)

    assert main(["--cases", str(file)], opener) == PASSED
    out = capsys.readouterr().out
    assert out.startswith("1 case,")
    assert "1 case still to be read by a person did not count." in out
    file.write_text(json.dumps({**line, "draft": True}), "utf-8")
    assert main(["--cases", str(file)], opener) == COULD_NOT_RUN
    assert "All cases are drafts" in capsys.readouterr().err


# Answers kept between runs


def counting(answer):
    """A product that counts how often it is asked, and its count."""
    asked = []

    def ask(question, conversation):
        asked.append(question)
        return answer

    return Product(ask, PAPERS, name="one"), asked


def test_an_answer_is_kept_whole_and_found_by_its_name_only(tmp_path):
    """The same product does not answer twice; one of another name answers for itself."""
    product, asked = counting(answered(("Alpha paper", "It runs on 12,288 GPUs.")))
    file = tmp_path / "kept.sqlite"

    first, again = (keeping(product, Kept(file, "one")).ask("q", ()) for _ in range(2))
    keeping(product, Kept(file, "two")).ask("q", ())
    keeping(product, Kept(file, "one")).ask("q", (RIGHT,))

    assert first == again
    assert asked == ["q", "q", "q"]  # of product one, of product two, and in a conversation


def test_old_products_are_forgotten(tmp_path):
    """The file does not grow with every change of the product."""
    product, asked = counting(RIGHT)
    file = tmp_path / "kept.sqlite"
    for number in range(10):
        keeping(product, Kept(file, str(number))).ask("q", ())

    keeping(product, Kept(file, "9")).ask("q", ())
    keeping(product, Kept(file, "0")).ask("q", ())

    assert len(asked) == 11


def test_names_differ_where_anything_does():
    """No two lists of parts have the same name, however they are joined."""
    assert name_of(["ab", "c"]) != name_of(["a", "bc"]) != name_of(["abc"])


def test_a_changed_file_makes_another_product(seed_store, monkeypatch, tmp_path):
    """The name of the product follows every file that it is made of."""
    from eval import cache

    one = cache.product_name(["x"], "index")
    monkeypatch.setattr(cache, "_hashes", lambda package: [("file", "other")])

    assert cache.product_name(["x"], "index") != one


# Reports


def hostile_run():
    """A run in which every text is hostile, one case passes and one does not."""
    bad = replace(single("bad"), question=HOSTILE, why=HOSTILE, must_pass=True)
    lost = replace(RIGHT.statements[0], text=HOSTILE)
    rows = run(
        [bad, single("good")],
        Product(scripted({HOSTILE: replace(RIGHT, statements=(lost,)), "good": RIGHT}), PAPERS),
    )
    before = {"bad": {"borne_out": 1.0}}
    return outcome(rows, [Gate("borne_out", at_least=1)], before)


def test_junit_names_gates_and_cases():
    """A CI system shows failed gates and cases as failures, and others with what is wrong."""
    root = ElementTree.fromstring(junit(hostile_run()).encode("utf-8", "backslashreplace"))

    suites = {suite.get("name"): suite for suite in root}
    assert suites["gates"].get("failures") == "1"
    assert suites["cases"].get("tests") == "2"
    assert suites["cases"].find("testcase[@name='bad']/failure") is not None
    assert suites["cases"].find("testcase[@name='good']/failure") is None


def test_markdown_shows_hostile_text_as_it_is():
    """Nothing of a question or an answer is markup in a pull request."""
    said = markdown(hostile_run())

    assert said.startswith("## ❌ PaperChat evals")
    assert "<img" not in said
    assert "**bold**" not in said
    assert "| ❌ | borne_out | all | 0.500" in said


def test_every_report_names_the_cases_of_a_gate_that_is_not_met():
    """Markdown shows what was expected, got and why; the page begins with what is not met."""
    done = outcome(rows_of(a=RIGHT, bad=WRONG), [Gate("recall@1", at_least=1)])

    said = markdown(done)
    assert "Not met: recall@1 (all) is 0.500, wanted at least 1. 1 of 2 cases beyond it" in said
    assert "**bad**" in said
    assert "why " in said
    assert "**a**" not in said
    html = page(done)
    assert "<li>recall@1 (all) is 0.500, wanted at least 1" in html
    states = re.findall(r'class="case"[^>]* data-state="(\w+)', html)
    assert states == ["failed", "passed"]  # what is to be acted on stands on top


def test_labels_of_a_picture_are_read_whole():
    """No axis is marked in powers of ten, and nothing but the name is above the frame."""
    times = replace(rows_of(a=RIGHT)[0], elapsed_ms=12_345.0)
    slow = pictures.latency([times, replace(times, elapsed_ms=200.0)])

    drawn = ElementTree.fromstring(pictures.svg(slow))
    labels = {one.text: float(one.get("y")) for one in drawn.iter("text")}
    assert "12,962" in labels
    assert not any("e+" in text for text in labels)
    assert labels["ms"] < pictures.TOP < labels["0"]


def test_the_page_needs_nothing_and_runs_nothing_of_the_cases():
    """One file without addresses, in which hostile text is text."""
    html = page(hostile_run())

    assert "<img" not in html
    assert html.count("<script>") == 1
    assert "http://" not in html.replace("http://www.w3.org", "")
    assert "https://" not in html
    assert "<mark>It reaches 61.82% on the test.</mark>" in html


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_report_is_written(tmp_path, kind, capsys):
    """Each option writes its file, and a folder in its place is one sentence."""
    file = tmp_path / "cases.jsonl"
    line = {"id": "a", "type": "single", "question": "\u2028?", "answerable": True}
    file.write_text(json.dumps({**line, "gold_papers": ["Alpha paper"]}), "utf-8")

    @contextmanager
    def opener(options, tell):
        yield Product(lambda question, conversation: RIGHT, PAPERS)

    arguments = ["--cases", str(file), f"--{kind}"]
    assert main([*arguments, str(tmp_path / "out")], opener) == PASSED
    assert (tmp_path / "out").stat().st_size > 200
    assert main([*arguments, str(tmp_path)], opener) == COULD_NOT_RUN
    assert f"name another file with --{kind}." in capsys.readouterr().err


# Making and checking cases


def test_all_problems_of_a_file_are_named_with_what_is_near(tmp_path):
    """Whoever mends a file sees every line that needs it, and the nearest title or sentence."""
    file = tmp_path / "cases.jsonl"
    line = {"id": "a", "type": "single", "question": "?", "answerable": True}
    some = [
        {**line, "gold_papers": ["Alpha papers"]},
        {**line, "id": "b", "gold_papers": ["Alpha paper"], "evidence": ["It runs on 12,288 GPU."]},
        {**line, "id": "a", "gold_papers": ["Alpha paper"]},
        {**line, "id": "c", "gold_paper": ["Alpha paper"]},
        {**line, "id": "d", "gold_papers": ["Alpha paper"]},
    ]
    file.write_text("\n".join(map(json.dumps, some)), "utf-8")

    found = dict(check.checked([file], Collection(PAPERS)))

    assert "The nearest is 'Alpha paper'" in found[f"{file}:1"][0]
    assert "The nearest is 'It runs on 12,288 GPUs.'" in found[f"{file}:2"][0]
    assert "is used before, at" in found[f"{file}:3"][0]
    assert "did you mean 'gold_papers'" in found[f"{file}:4"][0]
    assert found[f"{file}:5"] == []


def test_a_key_fact_must_be_said_by_a_gold_paper(tmp_path):
    """A fact that no answer could quote is named, in whichever of its ways a paper may say it."""
    file = tmp_path / "cases.jsonl"
    line = {"id": "a", "type": "single", "question": "?", "answerable": True}
    line |= {"gold_papers": ["Alpha paper"], "near_papers": ["Beta paper"]}
    facts = [["12288 gpus"], ["9 GPUs", "12,288"], ["13,000 GPUs", "many GPUs"]]
    file.write_text(json.dumps({**line, "key_facts": facts}), "utf-8")

    ((_, found),) = check.checked([file], Collection(PAPERS))

    assert found == ["Case a wants the key fact '13,000 GPUs', which none of its papers says."]


def test_the_turns_and_sides_of_a_case_are_checked_too(tmp_path):
    """Evidence of an earlier turn and of a side must stand in the papers as any other."""
    file = tmp_path / "cases.jsonl"
    first = {"question": "?", "gold_papers": ["Beta papers"]}
    last = {"question": "and?", "gold_papers": ["Alpha paper"], "evidence": ["Runs on 12,288 GPU."]}
    talk = {"id": "t", "type": "conversation", "question": "and?", "answerable": True}
    talk |= {"gold_papers": ["Alpha paper"], "turns": [first, last]}
    file.write_text(json.dumps(talk), "utf-8")

    ((_, found),) = check.checked([file], Collection(PAPERS))

    assert "The nearest is 'Beta paper'" in found[0]
    assert "the gold papers of turn 2" in found[1]
    assert "The nearest is 'It runs on 12,288 GPUs.'" in found[1]


@pytest.mark.parametrize(
    ("answer", "type"),
    [
        (RIGHT, "single"),
        (abstained("off_topic"), "out_of_domain"),
        (abstained("not_stated"), "unanswerable_near"),
        (replace(abstained("no_paper"), shape="list"), "unanswerable_far"),
    ],
)
def test_a_draft_is_a_case_that_its_answer_passes(answer, type):
    """What was answered becomes what is asked for, marked as unread."""
    record = drafted(replace(answer, question="q", papers_in_corpus=3))

    case = parse_case(json.dumps(record))
    assert (case.type, case.draft) == (type, True)
    (row,) = run([case], Product(scripted({"q": answer}), PAPERS))
    assert passed(row), row.scores


def test_new_drafts_a_case_from_a_question(seed_store, capsys, tmp_path):
    """The command prints a case and can put it at the end of a file, of a conversation too."""
    file = tmp_path / "mine.jsonl"
    store = ["--store", str(seed_store), "--to", str(file)]

    assert new.main(["What MFU does MegaScale reach?", *store]) == 0
    assert new.main(["and on how many GPUs?", "--after", "What is MegaScale?", *store]) == 0
    with pytest.raises(UsageError, match="has this question already"):
        new.main(["What MFU does MegaScale reach?", *store])

    plain, followed = read_cases([file])
    assert "55.2" in str(plain.key_facts)
    assert (followed.type, len(followed.turns)) == ("conversation", 2)
    assert followed.gold_papers == plain.gold_papers


def test_a_starter_set_gives_a_gate_that_holds(tmp_path, capsys):
    """Somebody's own papers get cases, gates and a baseline, and the first run meets them."""
    papers = tmp_path / "papers.jsonl"
    words = "graphs proteins galaxies verbs auctions reefs enzymes bridges".split()
    rows = [
        {
            "title": f"{word.title()}Net: Learning about {word}",
            "abstract": f"We propose {word.title()}Net, a network for {word}. It reaches {n}1.{n}% "
            f"accuracy on the {word} benchmark of earlier work. It is used with BERT everywhere."
            if n < 4
            else f"We study {word} with {word.title()}Net and nothing else. It works well.",
        }
        for n, word in enumerate(words, start=1)
    ]
    papers.write_text("\n".join([*map(json.dumps, rows), '{"title": "Silent"}']), "utf-8")
    folder = tmp_path / "evals"

    assert draft.main(["--to", str(folder), "--corpus", str(papers)]) == 0
    assert {case.type for case in read_cases([folder])} >= {"single", "comparison", "aggregation"}
    assert len(read_gates(folder / "gates.json")) > 5
    out, err = capsys.readouterr()
    assert "1 records rejected, first papers.jsonl:9: no abstract" in err
    said = shlex.split(out)  # the command that it names is the one to run
    assert said[:2] == ["paperchat", "eval"]
    assert main([*said[2:], "--no-cache"]) == PASSED
    assert "The same as the baseline" in capsys.readouterr().out
    with pytest.raises(UsageError, match="left as it is"):
        draft.main(["--to", str(folder), "--corpus", str(papers)])


def test_a_collection_without_names_gets_questions_that_have_answers():
    """Where no title introduces a name, the starter set still asks for more than silence."""
    plain = [replace(paper, title=f"A study of {n} tides") for n, paper in enumerate(PAPERS)]

    found = [case for case in draft.starters(plain) if case.answerable]

    assert {title for case in found for title in case.gold_papers} == {p.title for p in plain}


# Faults


def test_every_fault_of_an_answer_turns_a_gate_red(seed_chat):
    """On cases that pass, a gate that is about a fault sees it, and none is red without a fault."""
    product = Product(seed_chat.ask, seed_chat.papers(), seed_chat.verify)
    rows = [row for row in run(few_of_each(read_cases()), product, workers=2) if passed(row)]
    answers = {row.case.question: row.answer for row in rows}
    good = [row.case for row in rows]
    known = Product(lambda question, earlier: answers[question], product.papers)
    gates = [Gate(name, at_least=1.0) for name in FULL]
    gates += [Gate(name, at_least=0.3) for name in PARTLY]
    gates += [Gate("abstention_kind", at_least=0.7)]
    gates += [Gate("errors", at_most=0), Gate("false_refusals", at_most=0)]
    asked = Product(told_turns(known.ask, answers), product.papers)

    drills = [
        faults.drill(one, good, faults.broken(one, asked), gates)
        for one in faults.FAULTS
        if one.twist and one.twist is not faults.crashing
    ]

    assert faults.missed(run(good, asked), gates) == ()
    assert [one for one in drills if not one.caught] == []


FULL = (
    *("evidence_exact", "titles_real", "borne_out", "cited", "key_facts", "sides_cited"),
    *("list_f1", "count_exact", "list_whole", "off_topic_abstained", "unanswerable_abstained"),
)
PARTLY = ("citation_precision", "evidence_precision", "recall@1")


def few_of_each(every, count=4):
    """The first *count* cases of each type, statements left out."""
    found = {}
    for case in every:
        if not case.is_statement:
            found.setdefault(case.type, []).append(case)
    return [case for some in found.values() for case in some[:count]]


def told_turns(ask, answers):
    """Gives the known answers; the turns before a last one get any answer at all."""
    some = next(iter(answers.values()))
    return lambda question, earlier: ask(question, earlier) if question in answers else some


def test_the_drills_say_what_was_missed():
    """A fault that no gate is about is not caught, whatever else is red."""
    drills = [
        faults.Drill("one", ("cited",), ("cited", "mrr")),
        faults.Drill("two", ("cited",), ("mrr",)),
    ]

    said = faults.table(drills)

    assert "| one | yes | cited | mrr |" in said
    assert "| two | NO, wanted cited |  | mrr |" in said


def test_refusing_is_measured_by_its_kind():
    """A silence of the wrong kind is none of the right kind."""
    (row,) = run([refusable()], Product(scripted({"far-1": abstained("off_topic")}), PAPERS))

    assert row.scores["abstention_kind"] == 0.0
    assert row.scores["abstention_recall"] == 1.0
