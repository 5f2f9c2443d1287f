"""`python -m eval.crash --times 200`: kill -9 updates at random, and look at what is left.

    python -m eval.crash --times 200 --seed 7

Each time the real command (`index`, `index --prune`, `index --rebuild`) runs on a copy of a store
in a process of its own, and is killed at a random moment of its run. Afterwards the store must open
and answer as before or as after, `doctor` must be able to say what is left to do, the next `index`
must finish it, and no paper may be missing. Exit code 1 if any of that fails. A run that was done
before its moment came is looked at likewise, and does not count as a kill.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import random
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from rag import vectors
from rag.app import open_chat
from rag.embed import load_embedded
from rag.reader import load_reader
from rag.settings import Settings
from ui.cli import main as paperchat

QUESTION = "How many grams does Sparrow 3 weigh?"
SHOWN = 20  # trials between two reports on the way, which a long drill that is stopped leaves
MOST_TRIALS = 4  # for each kill that is wanted: a run that was done before does not count
TITLES = {"catalog", "copy of the papers", "vectors of chunks", "vectors of sentences"}
TITLES |= {"lexical index", "left over"}
"""What `doctor` may find unfinished after a kill; the store still opens."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A command to be killed, and the command that finishes its job."""

    name: str
    command: tuple[str, ...]
    finish: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Trial:
    """What one kill left behind; *problem* is empty if all is as it should be."""

    scenario: str
    after: float  # seconds into the run
    killed: bool  # or it was done before
    state: str  # before, after
    doctor: str  # what it found unfinished
    problem: str


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the drill and print what came of it: 0 if every store was whole, else 1."""
    parser = argparse.ArgumentParser(prog="python -m eval.crash", description=__doc__)
    parser.add_argument("--times", type=int, default=200, help="kills (default: 200)")
    parser.add_argument("--seed", type=int, default=7, help="of the random moments (default: 7)")
    options = parser.parse_args(arguments)
    with TemporaryDirectory(prefix="paperchat-crash-") as made:
        trials = drill(Path(made), options.times, random.Random(options.seed))
    print(report(trials))
    enough = sum(trial.killed for trial in trials) >= options.times
    return int(not enough or any(trial.problem for trial in trials))


def drill(place: Path, times: int, dice: random.Random) -> list[Trial]:
    """*times* kills of a running command, the scenarios in turn, in the empty folder *place*."""
    _import_everything()
    scenarios = _scenarios(place)
    base = place / "base"
    _must(base, ("index", str(place / "old.jsonl")))
    before = _answers(base)
    wanted: dict[str, str] = {}
    lasts: dict[str, float] = {}
    for scenario in scenarios:
        copy = Path(shutil.copytree(base, place / "whole"))
        began = time.perf_counter()
        _must(copy, scenario.command)
        lasts[scenario.name] = time.perf_counter() - began
        wanted[scenario.name] = _answers(copy)
        shutil.rmtree(copy)
    trials: list[Trial] = []
    while sum(trial.killed for trial in trials) < times and len(trials) < MOST_TRIALS * times:
        scenario = scenarios[len(trials) % len(scenarios)]
        copy = Path(shutil.copytree(base, place / "trial"))
        moment = dice.uniform(0, lasts[scenario.name])
        trials.append(_trial(copy, scenario, moment, before, wanted[scenario.name]))
        # A machine that has less else to do by now is done before it is killed, and the reverse.
        lasts[scenario.name] *= 1.03 if trials[-1].killed else 0.9
        shutil.rmtree(copy)
        if trials[-1].problem or len(trials) % SHOWN == 0:
            print(f"{report(trials)}\n", file=sys.stderr, flush=True)
    return trials


def report(trials: Sequence[Trial]) -> str:
    """The drill as lines of Markdown."""
    lines = ["| scenario | kills | done before | as before | as after | unfinished | wrong |"]
    lines.append("| :-- | --: | --: | --: | --: | --: | --: |")
    for name in dict.fromkeys(trial.scenario for trial in trials):
        own = [trial for trial in trials if trial.scenario == name]
        states = Counter(trial.state for trial in own)
        figures = (
            sum(trial.killed for trial in own),
            sum(not trial.killed for trial in own),
            states["before"],
            states["after"],
            sum(bool(trial.doctor) for trial in own),
            sum(bool(trial.problem) for trial in own),
        )
        lines.append(f"| {name} | " + " | ".join(map(str, figures)) + " |")
    wrong = [trial for trial in trials if trial.problem]
    lines += [f"- {one.scenario} after {one.after:.3f} s: {one.problem}" for one in wrong]
    killed = sum(trial.killed for trial in trials)
    whole = sum(trial.killed and not trial.problem for trial in trials)
    lines.append(f"\n{whole} of {killed} stores were whole.")
    return "\n".join(lines)


def _scenarios(place: Path) -> tuple[Scenario, ...]:
    """Their files of papers are written into *place*."""
    old, more, fewer = (place / f"{name}.jsonl" for name in ("old", "more", "fewer"))
    _birds(old, range(60))
    _birds(more, range(60, 100))
    _birds(fewer, range(3, 40), " It was weighed again.")
    return (
        Scenario("index", ("index", str(more)), ("index", str(more))),
        Scenario("prune", ("index", "--prune", str(fewer)), ("index", "--prune", str(fewer))),
        Scenario("rebuild", ("index", "--rebuild"), ("index", str(old))),
    )


def _birds(file: Path, numbers: range, remark: str = "") -> None:
    rows = [
        {
            "title": f"Sparrow {n}: Models of Size {n}",
            "abstract": f"Sparrow {n} weighs {n} grams.{remark} It eats {n + 1} seeds a day.",
        }
        for n in numbers
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def _trial(folder: Path, scenario: Scenario, moment: float, before: str, wanted: str) -> Trial:
    killed = _killed(folder, scenario.command, moment)
    state, unfinished, problem = "", "", ""
    try:
        found = _answers(folder)
        state = {before: "before", wanted: "after"}.get(found, "")
        if not state:
            problem = f"it answers neither as before nor as after: {found[:200]}"
        unfinished = _unfinished(folder)
        _must(folder, scenario.finish)
        if left := _unfinished(folder):
            problem = problem or f"the next index left: {left}"
        if _answers(folder) != (before if scenario.name == "rebuild" else wanted):
            problem = problem or "the next index did not finish the job"
    except ChildProcessError as error:
        problem = str(error)
    return Trial(scenario.name, moment, killed, state, unfinished, problem)


def _answers(folder: Path) -> str:
    """What the store says: an answer, which index it is of, and every paper that it finds."""
    output = folder.parent / f"{folder.name}.answers"

    def ask() -> int:
        chat = open_chat(Settings.from_environment(store=folder, environment={}))
        answer, found = chat.ask(QUESTION), chat.search("Sparrow", 500)
        papers = sorted(hit.paper.id for hit in found)
        shown = [statement.text for statement in answer.statements]
        output.write_text(json.dumps([shown, answer.index, papers]), encoding="utf-8")
        return 0

    output.unlink(missing_ok=True)
    _, status = os.waitpid(_forked(ask), 0)
    if status:
        raise ChildProcessError("the store does not answer")
    return output.read_text(encoding="utf-8")


def _unfinished(folder: Path) -> str:
    """What `doctor` finds left to do. Raises ChildProcessError if it cannot say."""
    code, out = _run(folder, ("doctor", "--json"))
    if code not in (0, 1):
        raise ChildProcessError(f"doctor ended with {code}: {out[-300:]}")
    failed = {row["what"]: row["found"] for row in json.loads(out)["checks"] if not row["well"]}
    if not failed.keys() <= TITLES:
        raise ChildProcessError(f"doctor found more than something unfinished: {failed}")
    return "; ".join(f"{what}: {found}" for what, found in failed.items())


def _must(folder: Path, command: Sequence[str]) -> str:
    code, out = _run(folder, command)
    if code != 0:
        raise ChildProcessError(f"paperchat {command[0]} ended with {code}: {out[-300:]}")
    return out


def _run(folder: Path, command: Sequence[str]) -> tuple[int, str]:
    """Exit code and standard output (the error where there is none) of a command on *folder*."""
    output = folder.parent / f"{folder.name}.out"
    child = _forked(lambda: _to_file(output, folder, command))
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), output.read_text(encoding="utf-8")


def _killed(folder: Path, command: Sequence[str], moment: float) -> bool:
    """Run a command on *folder* and kill it after *moment* seconds; whether it was still running.

    The store is looked at only when the process is gone.
    """
    child = _forked(lambda: _to_file(folder.parent / "killed.out", folder, command))
    time.sleep(moment)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) == -signal.SIGKILL


def _to_file(output: Path, folder: Path, command: Sequence[str]) -> int:
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(io.StringIO()) as problems:
        code = paperchat([command[0], "--store", str(folder), *command[1:]])
    output.write_text(said.getvalue() or problems.getvalue(), encoding="utf-8")
    return code


def _forked(run: Callable[[], int]) -> int:
    """Run in a process of its own that does not import everything again; its number."""
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        try:
            os._exit(run())
        except BaseException as error:  # a child must never go on as if it were the drill
            os.write(2, f"{error!r}\n".encode())
            os._exit(99)
    return child


def _import_everything() -> None:
    """What each run would import, which is most of its time; nothing is opened."""
    vectors.load_library()
    load_embedded()
    load_reader()


if __name__ == "__main__":
    sys.exit(main())
