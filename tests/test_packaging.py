"""What is installed: the tree of packages, the data in the wheel, and the files beside the code."""

from __future__ import annotations

import re
import tomllib
from importlib import metadata
from importlib.resources import files
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from rag.settings import NAMES

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
WANTED = [
    Requirement(line)
    for line in [
        *PROJECT["project"]["dependencies"],
        *PROJECT["project"]["optional-dependencies"]["test"],
    ]
]


def lines(name: str) -> list[str]:
    """The lines of a file of the checkout, without comments and empty ones."""
    text = (ROOT / name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]


PINS = {
    canonicalize_name(name): Version(version)
    for name, version in (line.split("==") for line in lines("constraints.txt"))
}


def tree() -> set[str]:
    """The names of all packages that an installation with the test extra brings here."""
    found: set[str] = set()
    seen: set[tuple[str, str]] = set()
    rest = list(WANTED)
    while rest:
        wanted = rest.pop()
        name = canonicalize_name(wanted.name)
        found.add(name)
        for extra in ("", *wanted.extras):
            if (name, extra) not in seen:
                seen.add((name, extra))
                rest += [
                    inner
                    for inner in map(Requirement, requires(name))
                    if not inner.marker or inner.marker.evaluate({"extra": extra})
                ]
    return found


def requires(name: str) -> list[str]:
    """What the installed package *name* asks for; nothing if it is not installed."""
    try:
        return metadata.requires(name) or []
    except metadata.PackageNotFoundError:
        return []


@pytest.mark.parametrize("wanted", WANTED, ids=lambda wanted: wanted.name)
def test_pins_lie_within_the_ranges(wanted):
    """Installing with the constraints never contradicts the project's own ranges."""
    assert wanted.specifier
    assert PINS[canonicalize_name(wanted.name)] in wanted.specifier


def test_every_package_of_the_tree_is_pinned():
    """Two installations with the constraints are the same, down to the last package."""
    assert sorted(tree() - set(PINS)) == []


def test_torch_is_not_needed():
    """The models run on onnxruntime alone."""
    heavy = {"torch", "transformers", "sentence-transformers"}

    assert heavy & (set(PINS) | tree()) == set()


def test_dependencies_come_by_name():
    """No package is fetched from an address of its own."""
    assert [wanted.name for wanted in WANTED if wanted.url] == []
    assert "://" not in (ROOT / "constraints.txt").read_text(encoding="utf-8")


def test_it_cannot_be_uploaded_by_mistake():
    """The classifier makes a package index refuse the distribution."""
    assert "Private :: Do Not Upload" in PROJECT["project"]["classifiers"]


@pytest.mark.parametrize(
    ("package", "pattern"),
    [
        ("rag", "models/*.onnx"),
        ("rag", "models/LICENSE-*.txt"),
        ("seeds", "*.txt"),
        ("prompts", "*.md"),
        ("eval", "cases/*.jsonl"),
        ("eval", "gates.json"),
    ],
)
def test_data_lies_in_packages_of_the_wheel(package, pattern):
    """What is read at run time lies in a folder that the wheel includes."""
    assert package in PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert list((ROOT / package).glob(pattern))
    assert files(package).is_dir()


@pytest.mark.parametrize("mark", ["chat", "test"])
def test_readme_has_the_commands_that_ci_runs(mark):
    """Each of the two set-up commands is one line under its mark, with the pinned packages."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")

    (command,) = re.findall(rf"^<!-- command:{mark} -->\n```sh\n(.+)\n```$", text, re.MULTILINE)

    assert "-c constraints.txt" in command


def test_env_example_shows_every_name_once():
    """The example is the whole list of what can be set, each empty."""
    assert sorted(lines(".env.example")) == sorted(f"{name}=" for name in NAMES)


def test_the_model_comes_with_its_licence_and_true_figures():
    """The embedded model's licence is beside it, and its README tells its size."""
    models = ROOT / "rag" / "models"
    megabytes = (models / "minilm.onnx").stat().st_size / 1e6

    licence = (models / "LICENSE-minilm.txt").read_text(encoding="utf-8")

    assert "Apache License" in licence
    assert "END OF TERMS AND CONDITIONS" in licence
    assert f"{megabytes:.1f} MB" in (models / "README.md").read_text(encoding="utf-8")


def test_the_top_level_holds_what_it_should():
    """Code, texts and data in six folders; beside them only what has to lie there."""
    folders = {"rag", "ui", "prompts", "seeds", "tests", "eval"}
    names = {"pyproject.toml", "README.md", "LICENSE", "constraints.txt"}
    deployment = {"Dockerfile", "compose.yaml"}
    kept = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")}
    made = {"build", "dist", "__pycache__", "paperchat.egg-info"}

    assert kept - made == folders | names | deployment
