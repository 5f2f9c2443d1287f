"""The architecture: what stands on which floor, and the one door to each heavy library."""

from __future__ import annotations

import ast
import graphlib
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from rag import errors

ROOT = Path(__file__).parent.parent

# The whole number is the floor and the tenth a step on it: a module imports only from below, be it
# a lower floor or a lower step. A folder listed here is one unit, whose modules may import one
# another, but not in a circle.
FLOORS = {
    # 0: nouns and errors
    "rag/__init__": 0.0,
    "ui/__init__": 0.0,
    "eval/__init__": 0.0,
    "rag/errors": 0.0,
    "rag/types": 0.0,
    # 1: pure functions and the environment; every comparison of texts starts from rag/text
    "rag/text": 1.0,
    "rag/prompts": 1.0,
    "rag/sentences": 1.0,
    "rag/settings": 1.0,
    "rag/observe": 1.0,  # log, metrics, traces
    "ui/format": 1.0,
    "eval/metrics": 1.0,
    "eval/logit": 1.0,
    "eval/cases": 1.1,
    "eval/reading": 1.4,
    "rag/rank": 1.1,
    "rag/words": 1.1,
    "rag/names": 1.2,
    "rag/question": 1.2,
    "rag/expected": 1.2,
    "rag/assess": 1.3,
    "rag/evidence": 1.3,
    "rag/listing": 1.3,  # what a list is asked for, and what meets it in a text
    "rag/dialogue": 1.35,  # what points back at a conversation
    "rag/sides": 1.3,
    "rag/cite": 1.2,  # what a language model writes, sentence by sentence
    "rag/facets": 1.3,
    "rag/guard": 1.3,  # what speaks against a sentence, by rules
    # 2: one door to each heavy library, and the store over them
    "rag/catalog": 2.0,
    "rag/kept": 1.1,  # an answer as JSON and back
    "rag/history": 2.0,
    "rag/atlas": 2.0,
    "rag/chunk": 2.0,
    "rag/corpus": 2.0,
    "rag/embed": 2.0,
    "rag/lexical": 2.0,
    "rag/rows": 1.9,  # vectors that stay on the disk
    "rag/remote": 1.9,  # how a Chroma server is reached
    "rag/vectors": 2.0,
    "rag/writer": 2.0,
    "rag/journal": 2.0,
    "rag/embeddings": 2.0,
    "rag/static": 2.05,  # rough vectors, through the door of rag/embed
    "rag/late": 2.06,  # which papers are embedded only when they are asked about
    "rag/llm": 2.1,  # counts tokens through the door of rag/chunk
    "rag/reader": 2.1,  # the cross-encoder, through the door of rag/embed
    "rag/claims": 2.2,  # the claim checker, fed as the cross-encoder is
    "rag/store": 2.1,  # one generation, read
    "rag/indexing": 2.15,  # papers into a store
    "rag/warm": 2.1,  # vectors that are shipped
    "rag/shelf": 2.2,  # which generation answers
    "rag/health": 2.2,  # whether a store is whole
    # 3: the verbs, over Protocols only
    "rag/retrieve": 3.0,
    "rag/compose": 3.1,
    "rag/matching": 3.05,
    "rag/survey": 3.15,
    "rag/subjects": 3.1,
    "rag/compare": 3.2,
    "rag/route": 3.0,
    "rag/turn": 3.1,
    "rag/several": 3.15,
    "rag/followup": 3.2,
    "rag/write": 3.3,  # what a language model is asked, and what of its words is shown
    "rag/verify": 3.0,
    # 4: the one place that chooses parts
    "rag/app": 4.0,
    "rag/llama": 4.1,  # the same, for those who build with llama-index
    # 5: the faces
    "ui/page": 5.0,  # the tabs of the page, a module each
    "ui/app": 5.1,
    "eval/run": 5.0,
    "eval/calibrate": 5.0,
    "eval/topics": 5.0,
    "eval/manner": 5.0,
    "eval/retrieval": 5.0,
    "eval/speed": 5.0,
    "eval/page": 5.0,
    "eval/add": 5.25,
    "eval/overhead": 5.1,
    "eval/large": 5.1,
    "eval/claims": 5.0,
    "eval/gates": 5.1,
    "eval/cache": 5.1,
    "eval/baseline": 5.15,
    "eval/report": 5.2,  # what a run comes to, in every kind of file
    "eval/opinions": 5.25,
    "eval/open": 5.2,
    "eval/drafts": 5.0,
    "eval/check": 5.25,
    "eval/new": 5.25,
    "eval/draft": 5.25,
    "eval/faults": 5.25,
    "eval/ablate": 5.26,
    "eval/licences": 5.0,
    "eval/audit": 5.0,
    "eval/scale": 5.2,
    "eval/__main__": 5.3,
    "ui/cli": 5.4,
    "eval/crash": 5.5,  # runs the command line
    "eval/writers": 5.5,
    "eval/load": 5.1,  # asks the page of eval/page
}

DOORS = {
    "chromadb": {"rag/vectors"},
    "fastapi": {"ui/page"},
    "gradio": {"ui/page"},
    "plotly": {"ui/page"},
    "llama_index": {"rag/llama"},
    "mcp": {"ui/page"},
    "onnxruntime": {"rag/embed"},
    "openai": {"rag/llm", "eval/overhead"},  # the latter measures the former
    "opentelemetry": {"rag/observe"},
    "prometheus_client": {"rag/observe"},
    "tantivy": {"rag/lexical"},
    "tiktoken": {"rag/chunk"},
    "tokenizers": {"rag/embed"},
    "torch": set(),
}

# How the embedded models were made: never imported, and outside of the run-time environment.
EXCLUDED = "rag/models"


def unit(path: str) -> str:
    """The entry of FLOORS that the module at *path* belongs to, or *path* itself."""
    parts = path.removesuffix("/__init__").split("/")
    folders = ["/".join(parts[:count]) for count in range(len(parts), 1, -1)]
    return next((folder for folder in folders if folder in FLOORS), path)


def modules() -> dict[str, ast.Module]:
    """Every module of rag, ui and eval by its path without `.py`."""
    found = {
        path.relative_to(ROOT).with_suffix("").as_posix(): ast.parse(path.read_bytes())
        for package in ("rag", "ui", "eval")
        for path in sorted((ROOT / package).rglob("*.py"))
    }
    return {path: tree for path, tree in found.items() if not path.startswith(f"{EXCLUDED}/")}


MODULES = modules()


def imports(path: str) -> set[str]:
    """The dotted names that the module at *path* imports, anywhere in it.

    `from a import b` is `a.b` if that is one of our modules, else `a`.
    """
    names: set[str] = set()
    for node in ast.walk(MODULES[path]):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} line {node.lineno}: write the import in full"
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            ours = {name for name in inner if module(name)}
            names |= ours
            if len(ours) < len(inner):
                names.add(str(node.module))
    return names


def module(name: str) -> str | None:
    """The path of our module of this dotted name, if it is one."""
    path = name.replace(".", "/")
    excluded = path == EXCLUDED or path.startswith(f"{EXCLUDED}/")
    known = (candidate for candidate in (f"{path}/__init__", path) if candidate in MODULES)
    return path if excluded else next(known, None)


def our_imports() -> list[tuple[str, str]]:
    """Each of our modules with each of our modules that it imports."""
    pairs = [(path, module(name)) for path in MODULES for name in sorted(imports(path))]
    return [(path, wanted) for path, wanted in pairs if wanted]


def test_every_module_has_a_floor():
    """A new module says where it belongs before anything imports it."""
    assert sorted(path for path in MODULES if unit(path) not in FLOORS) == []


def test_every_floor_entry_is_a_module():
    """The table shows what there is, and not what there was."""
    assert sorted(set(FLOORS) - {unit(path) for path in MODULES}) == []


def test_imports_go_down():
    """A module imports only modules of lower floors or steps, its own folder's apart."""
    wrong = [
        f"{path} ({FLOORS[unit(path)]}) imports {wanted} ({FLOORS.get(unit(wanted))})"
        for path, wanted in our_imports()
        if unit(path) in FLOORS
        and unit(path) != unit(wanted)
        and FLOORS.get(unit(wanted), 99) >= FLOORS[unit(path)]
    ]
    assert wrong == []


def test_no_import_goes_in_a_circle():
    """Not even between the modules of one folder, and not even late."""
    graph: dict[str, set[str]] = {path: set() for path in MODULES}
    for path, wanted in our_imports():
        graph[path].add(wanted)

    graphlib.TopologicalSorter(graph).prepare()


def test_the_library_knows_neither_face_nor_eval():
    """`rag` can be used without `ui` and `eval`."""
    wrong = [
        f"{path} imports {wanted}"
        for path, wanted in our_imports()
        if path.startswith("rag/") and not wanted.startswith("rag/")
    ]
    assert wrong == []


def test_heavy_libraries_have_one_door():
    """A library's types and exceptions stay behind the module that imports it."""
    wrong = [
        f"{path} imports {name}"
        for path in MODULES
        for name in sorted(imports(path))
        if (library := name.split(".")[0]) in DOORS and unit(path) not in DOORS[library]
    ]
    assert wrong == []


def test_models_are_data():
    """Nothing imports the scripts that made the embedded models."""
    assert [pair for pair in our_imports() if pair[1].startswith(f"{EXCLUDED}/")] == []


def test_the_command_line_starts_light():
    """`paperchat --help` waits for no library that it does not use."""
    ran = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", "import ui.cli"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    loaded = {line.rsplit("|", 1)[-1].strip().split(".")[0] for line in ran.stderr.splitlines()}
    assert "argparse" in loaded  # the report was read
    heavy = {*DOORS, "bibtexparser", "dotenv", "numpy", "pandas", "platformdirs", "rispy"}
    assert loaded & heavy == set()


def leaves(kind: type[Exception] = errors.PaperChatError) -> list[type[Exception]]:
    """The errors below *kind* in `rag/errors` that have none below them, or *kind* itself."""
    below = [child for child in kind.__subclasses__() if child.__module__ == errors.__name__]
    return [leaf for child in below for leaf in leaves(child)] or [kind]


def test_errors_are_defined_in_one_place():
    """The error tree can be read in one module, and so can the test below."""
    ours = {name for name in vars(errors) if isinstance(getattr(errors, name), type)} - {"Path"}
    wrong = [
        f"{path} defines {node.name}"
        for path, tree in MODULES.items()
        if path != "rag/errors"
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        and {ast.unparse(base).rpartition(".")[2] for base in node.bases} & ours
    ]
    assert wrong == []


@pytest.mark.parametrize("kind", leaves(), ids=lambda kind: kind.__name__)
def test_errors_travel_between_processes(kind):
    """An error raised in another process arrives with its fields and its sentence."""
    error = kind(*[f"argument {number}" for number in range(arguments(kind))])

    copy = pickle.loads(pickle.dumps(error))

    assert type(copy) is kind
    assert (str(copy), copy.args, vars(copy)) == (str(error), error.args, vars(error))


def arguments(kind: type[Exception]) -> int:
    """How many arguments an error of this *kind* needs; one, if Exception's own will do."""
    code = getattr(kind.__init__, "__code__", None)
    return code.co_argcount - 1 - len(kind.__init__.__defaults__ or ()) if code else 1
