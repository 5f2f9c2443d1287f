"""What a team runs: backup and restore as README has them, no network, wheels that are the same."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from eval import crash, licences
from rag import app
from rag.settings import Settings

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PINNED = licences.pinned(ROOT / "constraints.txt")
BIN = Path(sys.executable).parent
ALLOWED = re.compile(
    r"MIT|BSD|Apache|ISC|PSF|Python Software|MPL|Mozilla|Unlicense|Zlib|0BSD|CC0|HPND|Public",
    re.IGNORECASE,
)


@pytest.fixture
def store(tmp_path):
    """A small store."""
    folder = tmp_path / "store"
    crash._birds(tmp_path / "birds.jsonl", range(12))
    settings = Settings.from_environment(store=folder, environment={})
    app.index(settings, [tmp_path / "birds.jsonl"])
    return folder


def command(mark):
    """The command in README under this mark."""
    (found,) = re.findall(rf"^<!-- command:{mark} -->\n```sh\n(.+)\n```$", README, re.MULTILINE)
    return found


def environment(folder):
    """That of a shell in which the commands are run."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PAPERCHAT_", "OPENAI_"))}
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    return {**clean, "PATH": path, "PAPERCHAT_STORE": str(folder)}


def test_a_backup_can_be_restored(store, tmp_path):
    """README's two commands bring every paper and the same answers back in another folder."""
    settings = Settings.from_environment(store=store, environment={})
    question = "How many grams does Sparrow 3 weigh?"
    before = app.open_chat(settings).ask(question)
    for mark, folder in (("backup", store), ("restore", tmp_path / "restored")):
        done = subprocess.run(
            ["sh", "-ec", command(mark)],
            cwd=tmp_path, env=environment(folder), capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
    shutil.rmtree(store)

    chat = app.open_chat(Settings.from_environment(store=tmp_path / "restored", environment={}))
    after = chat.ask(question)
    assert chat.describe() == "12 papers"
    assert (after.statements, after.index) == (before.statements, before.index)
    assert (tmp_path / "papers.tar.gz").stat().st_size < 20_000


def test_it_works_in_a_network_without_routes(tmp_path):
    """Index, ask, verify and doctor in a namespace in which there is no network at all."""
    if not shutil.which("unshare"):
        pytest.skip("there is no unshare command here")
    lone = ["unshare", "-n"] if os.geteuid() == 0 else ["unshare", "-rn"]
    if subprocess.run([*lone, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no network namespace can be made here")
    crash._birds(tmp_path / "birds.jsonl", range(5))
    said = []
    for arguments in (
        ["index", "birds.jsonl"],
        ["ask", "How many grams does Sparrow 3 weigh?"],
        ["verify", "--title", "Sparrow 3", "--claim", "Sparrow 3 weighs 9 grams."],
        ["doctor"],
    ):
        done = subprocess.run(
            [*lone, str(BIN / "paperchat"), *arguments],
            cwd=tmp_path, env=environment(tmp_path / "store"), capture_output=True, text=True,
            check=False, timeout=120,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, ""), (arguments, done)
        said.append(done.stdout)

    assert said[0].startswith("new 5")
    assert "3 grams" in said[1]
    assert "contradicted" in said[2]


def test_two_wheels_of_one_commit_are_the_same(tmp_path):
    """To the last byte, with the time of the sources set and from copies made at other times."""
    pytest.importorskip("hatchling")
    hashes = set()
    for number in range(2):
        copy = tmp_path / f"copy-{number}"
        shutil.copytree(
            ROOT,
            copy,
            copy_function=shutil.copy,
            ignore=shutil.ignore_patterns(".*", "__pycache__"),
        )
        out = tmp_path / f"out-{number}"
        done = subprocess.run(
            [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)],
            cwd=copy, env={**os.environ, "SOURCE_DATE_EPOCH": "1767225600"},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        (wheel,) = out.glob("*.whl")
        hashes.add(hashlib.sha256(wheel.read_bytes()).hexdigest())

    assert len(hashes) == 1


def test_every_package_has_a_licence_that_lets_it_be_passed_on():
    """No package of the tree asks for more than its notice to be kept (MPL: its own files)."""
    found = {one.metadata["Name"]: licences.licence(one) for one in PINNED}

    assert len(found) > 50
    assert {name: said for name, said in found.items() if said and not ALLOWED.search(said)} == {}


def test_the_list_of_licences_is_of_these_packages():
    """If this fails after a change of the pins, run the command that the list itself names."""
    listed = (ROOT / "eval" / "licences.md").read_text(encoding="utf-8")

    assert [
        one.metadata["Name"] for one in PINNED if f"| {one.metadata['Name']} |" not in listed
    ] == []


def test_the_image_runs_without_rights():
    """Not as root, with a health check, and with what README's commands name."""
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    compose = (ROOT / "compose.yaml").read_text(encoding="utf-8")

    assert re.search(r"^USER paperchat$", dockerfile, re.MULTILINE)
    assert "HEALTHCHECK" in dockerfile
    assert dockerfile.count("\nFROM ") == 2  # what builds, and what runs
    ports = re.findall(r"^      - (\S+:\d+)$", compose, re.MULTILINE)
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)
    wanted = metadata.version("chromadb")
    assert f"chromadb/chroma:{wanted}" in compose
