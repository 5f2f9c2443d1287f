"""The audit of the pinned packages: what it finds, and that it never claims to have asked."""

from __future__ import annotations

import json
import sys

import pytest

from eval.audit import known, main

TOLD = [
    {"name": "fine", "version": "1.0", "vulns": []},
    {"name": "odd", "version": "2.0", "vulns": [
        {"id": "PYSEC-1", "aliases": ["CVE-1"], "fix_versions": ["2.1"]},
        {"id": "PYSEC-2", "aliases": [], "fix_versions": []},
    ]},
    {"name": "unknown", "skip_reason": "not found"},
]  # fmt: skip


@pytest.fixture
def tool(tmp_path):
    """Makes a command that writes a report, or none, as pip-audit would."""

    def make(report, code):
        path = tmp_path / "tool"
        path.write_text(
            f"#!{sys.executable}\nimport sys\nfrom pathlib import Path\n"
            f"report = {report!r}\n"
            "if report: Path(sys.argv[sys.argv.index('--output') + 1]).write_text(report)\n"
            f"sys.exit({code} if report else 'no route to the database')\n"
        )
        path.chmod(0o755)
        return ["--tool", str(path)]

    return make


def test_each_vulnerability_is_a_line():
    """With the version that mends it; a package that could not be looked up is not passed over."""
    assert known(TOLD) == [
        "odd 2.0: PYSEC-1, mended by 2.1",
        "odd 2.0: PYSEC-2, mended by no version yet",
        "unknown: not audited (not found)",
    ]


@pytest.mark.parametrize(("packages", "code"), [(TOLD[:1], 0), (TOLD, 1)])
def test_the_exit_code_says_whether_any_is_known(tool, capsys, packages, code):
    """0 for none and 1 for some, as the tool's report has them."""
    assert main(tool(json.dumps({"dependencies": packages}), code)) == code
    assert ("None of 1" in capsys.readouterr().out) == (code == 0)


def test_what_could_not_be_asked_is_said(tool, capsys):
    """Without tool or network, with a broken report or one that knows nothing, none is audited."""
    nothing = json.dumps({"dependencies": TOLD[2:]})
    for report in (None, "", "{", nothing):
        assert main(["--tool", "no-such-tool"] if report is None else tool(report, 0)) == 2
        assert "NOT audited" in capsys.readouterr().out
