"""The report as JUnit XML, which CI systems show: a test for each gate and for each case."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from eval.gates import Line
from eval.report.text import Outcome, number, worst
from eval.report.why import expected, got, why
from eval.run import Row, passed

# What XML 1.0 cannot hold, not even escaped.
_UNHOLDABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(run: Outcome) -> str:
    """The report as one XML document.

    A gate that is not met fails, and so does a case that must pass and does not; another case
    that does not pass is skipped with what is wrong, since averages decide; a crash is an error.
    """
    root = ElementTree.Element("testsuites", name="PaperChat evals")
    gates = ElementTree.SubElement(root, "testsuite", name="gates")
    for one in run.lines:
        if one.gate:
            _gate(gates, one, run)
    cases = ElementTree.SubElement(root, "testsuite", name="cases")
    for row in run.rows:
        _case(cases, row)
    for suite in (gates, cases):
        suite.set("tests", str(len(suite)))
        for kind in ("failure", "error", "skipped"):
            name = {"failure": "failures", "error": "errors"}.get(kind, kind)
            suite.set(name, str(len(suite.findall(f"testcase/{kind}"))))
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _gate(suite: ElementTree.Element, one: Line, run: Outcome) -> None:
    types = " ".join(one.types) or "all"
    name = f"{one.measure} ({types}) {one.gate}"
    case = ElementTree.SubElement(suite, "testcase", classname="gates", name=clean(name))
    if one in run.failed:
        said = f"is {number(one.value, one.measure)}, wanted {one.gate}"
        ElementTree.SubElement(case, "failure", message=clean(said))


def _case(suite: ElementTree.Element, row: Row) -> None:
    seconds = f"{(row.elapsed_ms or 0.0) / 1000:.3f}"
    case = ElementTree.SubElement(
        suite, "testcase", classname=row.case.type, name=clean(row.case.id), time=seconds
    )
    if row.error:
        ElementTree.SubElement(case, "error", message=clean(row.error))
    elif not passed(row):
        kind = "failure" if row.case.must_pass else "skipped"
        said = why(row, worst(row)[0])
        problem = ElementTree.SubElement(case, kind, message=clean(said))
        problem.text = clean(
            f"question: {row.case.question}\nexpected: {expected(row)}\ngot: {got(row)}"
        )


def clean(text: str) -> str:
    """*text* as XML can hold it, the rest spelt out."""
    return _UNHOLDABLE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
