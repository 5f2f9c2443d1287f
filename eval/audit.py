"""`python -m eval.audit`: does any pinned package have a known vulnerability?

    pip install 'pip-audit>=2.9,<3' && python -m eval.audit

pip-audit, a tool of its own that PaperChat does not install, asks a public database about the very
versions in the constraints. Exit code 0: none is known; 1: some are, each named with the version
that mends it; 2: it could not be asked (no tool, no network), which says nothing of the packages
and is said so.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any

SECONDS = 300  # for all packages together
ACCEPTED: Mapping[str, str] = MappingProxyType({})
"""By the id of a vulnerability, why it does not touch PaperChat."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Ask and print what came of it."""
    parser = argparse.ArgumentParser(prog="python -m eval.audit", description=__doc__)
    parser.add_argument("--constraints", type=Path, default=Path("constraints.txt"))
    parser.add_argument("--tool", default="pip-audit", help="the command (default: pip-audit)")
    options = parser.parse_args(arguments)
    found = asked(options.constraints, options.tool)
    if isinstance(found, str):
        print(f"The packages were NOT audited: {found}.")
        return 2
    lines = known(found)
    print("\n".join(lines) or f"None of {len(found):,} pinned packages has a known vulnerability.")
    return int(bool(lines))


def asked(constraints: Path, tool: str) -> list[dict[str, Any]] | str:
    """What the tool tells of each package of *constraints*, or why it could not be asked."""
    with TemporaryDirectory() as made:
        out = Path(made) / "audit.json"
        command = [tool, "--requirement", str(constraints), "--no-deps", "--disable-pip"]
        command += ["--format", "json", "--output", str(out), "--progress-spinner", "off"]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, check=False, timeout=SECONDS
            )
            found: list[dict[str, Any]] = json.loads(out.read_text("utf-8"))["dependencies"]
        except FileNotFoundError as error:
            if error.filename != str(out):
                return f"{tool} is not installed"
            said = done.stderr.strip().splitlines()
            return f"{tool} had no answer ({said[-1][:200] if said else 'it says nothing'})"
        except subprocess.TimeoutExpired:
            return f"{tool} had no answer within {SECONDS} s"
        except (ValueError, KeyError) as error:
            return f"{tool} wrote what is no report ({error})"
    if all("skip_reason" in package for package in found):  # a proxy that knows none of them
        return f"{tool} could not look up any of the {len(found):,} packages"
    return found


def known(packages: Sequence[Mapping[str, Any]]) -> list[str]:
    """A line for each vulnerability that is not accepted, and for each package not looked up."""
    lines = []
    for package in packages:
        name = package["name"]
        if reason := package.get("skip_reason"):
            lines.append(f"{name}: not audited ({reason})")
        for one in package.get("vulns", ()):
            if not {one["id"], *one.get("aliases", ())} & ACCEPTED.keys():
                mended = ", ".join(one.get("fix_versions", ())) or "no version yet"
                lines.append(f"{name} {package['version']}: {one['id']}, mended by {mended}")
    return lines


if __name__ == "__main__":
    sys.exit(main())
