"""`python -m eval.licences --out eval/licences.md`: the licence of every package that is pinned.

As each package states it in its own metadata; nothing is looked up anywhere else.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from importlib import metadata
from pathlib import Path


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table, and write it where asked."""
    parser = argparse.ArgumentParser(prog="python -m eval.licences", description=__doc__)
    parser.add_argument("--constraints", type=Path, default=Path("constraints.txt"))
    parser.add_argument("--out", type=Path, help="write the table to this file too")
    options = parser.parse_args(arguments)
    text = table(pinned(options.constraints))
    if options.out:
        options.out.write_text(text, encoding="utf-8")
    print(text, end="")
    return 0


def pinned(constraints: Path) -> list[metadata.Distribution]:
    """The packages of *constraints* that are installed here, in its order."""
    found = []
    for line in constraints.read_text(encoding="utf-8").splitlines():
        name = line.partition("==")[0].strip()
        if name and not name.startswith("#"):
            try:
                found.append(metadata.distribution(name))
            except metadata.PackageNotFoundError:  # of another system or Python
                continue
    return found


def licence(package: metadata.Distribution) -> str:
    """What *package* says of its licence, in a few words; empty if nothing."""
    about = package.metadata
    classified = [
        one.rpartition(" :: ")[2]
        for one in about.get_all("Classifier") or []
        if one.startswith("License ::") and one != "License :: OSI Approved"
    ]
    (expression, free) = (
        next(iter(about.get_all(name) or []), "") for name in ("License-Expression", "License")
    )
    stated = expression or " / ".join(classified) or free
    return " ".join(stated.split())[:80]


def table(packages: Iterable[metadata.Distribution]) -> str:
    """Name, version and licence of each as Markdown."""
    rows = [f"| {p.metadata['Name']} | {p.version} | {licence(p) or '–'} |" for p in packages]
    head = "# Licences of what PaperChat is installed with\n\nMade by `python -m eval.licences"
    return (
        f"{head} --out eval/licences.md`.\n\n| package | version | licence |\n| :-- | :-- | :-- |\n"
        + "".join(f"{row}\n" for row in rows)
    )


if __name__ == "__main__":
    sys.exit(main())
