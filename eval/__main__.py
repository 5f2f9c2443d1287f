"""`python -m eval`: ask all cases, print what came of them, and say whether the gates are met.

Exit codes: 0 all gates met, 1 a gate not met, 2 the evals could not run.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib import import_module
from io import TextIOWrapper
from pathlib import Path
from time import perf_counter

from eval import baseline
from eval.cases import BASELINE_NAME, BUNDLED, TYPES, Case, nearest, read_cases
from eval.gates import GATES, Scores, judged, laws, read_gates, summarise
from eval.open import (
    Opener,
    Options,
    Parser,
    end_progress,
    judging_model,
    opened,
    positive_number,
    teller,
    whole_number,
)
from eval.report import files
from eval.report.text import Outcome, text
from eval.run import TIMED, Row, run, timed
from rag.embed import CORES
from rag.errors import PaperChatError, UsageError
from rag.types import Chat

PASSED, NOT_MET, COULD_NOT_RUN = 0, 1, 2

FAIL_ON: Mapping[str, Callable[[Outcome], bool]] = {
    "gates": lambda run: bool(run.failed),
    "must_pass": lambda run: bool(run.must_pass),
    "errors": lambda run: any(row.error for row in run.rows),
    "worse": lambda run: any(not one.better for one in run.changed),
    "flaky": lambda run: bool(run.flaky),
    "nothing": lambda run: False,
}
"""What can make a run fail, for --fail-on."""

COMMANDS = ("add", "check", "new", "draft", "faults", "ablate")
"""What else the evals can do, each a module of `eval` with a `main`."""


def main(arguments: Sequence[str] | None = None, opener: Opener = opened) -> int:
    """Run the evals with *arguments* of the command line, and return the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # questions are in every script
    given = list(sys.argv[1:] if arguments is None else arguments)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the command line does
    if given and given[0] in COMMANDS:
        command = import_module(f"eval.{given[0]}")
        return guarded(lambda: int(command.main(given[1:])))
    return guarded(lambda: _evaluate(_options(given), opener))


def _options(given: Sequence[str]) -> argparse.Namespace:
    """What *given* asks for. Raises UsageError, naming the nearest command for one misspelt."""
    if given and not given[0].startswith("-"):
        wanted = nearest(given[0], COMMANDS)
        raise UsageError(f"There is no command {given[0]!r} of the evals: did you mean {wanted!r}?")
    return _parser().parse_args(given)


def guarded(work: Callable[[], int]) -> int:
    """The exit code of *work*, or COULD_NOT_RUN with a sentence for whatever it raises."""
    cause: Exception
    try:
        return work()
    except PaperChatError as error:
        problem, cause = str(error), error
    except KeyboardInterrupt:
        print("\nStopped: run the evals again for a result.", file=sys.stderr)
        return COULD_NOT_RUN
    except Exception as error:  # an exit code of 1 would read as a gate that is not met
        name = type(error).__name__
        problem = f"The evals broke ({name}: {error}): see where with PAPERCHAT_DEBUG=1."
        cause = error
    if os.environ.get("PAPERCHAT_DEBUG", "").strip().lower() in {"1", "true", "yes"}:
        raise cause
    print(problem, file=sys.stderr)
    return COULD_NOT_RUN


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="paperchat eval",
        description="Ask all cases, by default without a key, and hold the answers against their "
        "gold papers, evidence and key facts.",
        epilog=f"Also: paperchat eval {{{','.join(COMMANDS)}}} --help. "
        "Exit codes: 0 all gates met, 1 a gate not met, 2 the evals could not run.",
    )
    _asked(parser.add_argument_group("what is asked"))
    _held(parser.add_argument_group("what it is held against"))
    _written(parser.add_argument_group("what is written, beside the report on standard output"))
    return parser


def _asked(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--cases", nargs="+", type=Path, metavar="FILE_OR_FOLDER", help="default: the bundled ones")
    add("--store", type=Path, metavar="DIR", help="the index; default: a new one")
    made = "papers that the new index is made of; default: the bundled ones"
    add("--corpus", nargs="+", type=Path, metavar="PATH", help=made)
    add("--only", action="append", metavar="TYPE|ID|TAG", help="these only; may be repeated")
    modes = ("extractive", "llm")
    add("--mode", choices=modes, default="extractive", help="llm asks the model that is set up")
    model = group.add_mutually_exclusive_group()
    kept = "ask in llm mode, and write what the language model says to FILE"
    model.add_argument("--record", type=Path, metavar="FILE", help=kept)
    again = "ask in llm mode of what FILE has recorded; a call too many or too few is an error"
    model.add_argument("--replay", type=Path, metavar="FILE", help=again)
    many = (
        f"questions asked at once (default: the number of cores, here {CORES}); with more than 1,"
        f" the latency is that of {TIMED} of them, asked again one at a time"
    )
    add("--workers", type=positive_number, default=CORES, metavar="N", help=many)
    times = "ask everything N times anew, and name the cases that differ"
    add("--repeat", type=positive_number, default=1, metavar="N", help=times)
    anew = "ask anew what an earlier run of the same product has answered"
    add("--no-cache", action="store_true", help=anew)
    judge = "let the language model that is set up judge the statements too; it bounds nothing"
    add("--judge", action="store_true", help=judge)


def _held(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--gates", type=Path, metavar="FILE", help="default: those that come with the cases")
    run_before = "a run to compare with; default: the one that comes with the cases"
    add("--baseline", type=Path, metavar="FILE", help=run_before)
    add("--update-baseline", action="store_true", help="make this run the baseline")
    failing = f"what makes the run fail (default: gates,must_pass): {', '.join(FAIL_ON)}"
    add("--fail-on", type=reasons, default=("gates", "must_pass"), metavar="WHAT,…", help=failing)


def _written(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--json", type=Path, metavar="FILE", help="every measure and case, times left out")
    add("--junit", type=Path, metavar="FILE", help="for CI systems: a test for each case and gate")
    add("--markdown", type=Path, metavar="FILE", help="a summary for a pull request")
    add("--html", type=Path, metavar="FILE", help="a report to open in a browser, in one file")
    few = "cases listed for each failed gate (default: 10)"
    add("--failures", type=whole_number, default=10, metavar="N", help=few)


def reasons(value: str) -> tuple[str, ...]:
    """*value*, parted by commas, as names of FAIL_ON. Raises ArgumentTypeError."""
    names = tuple(filter(None, (name.strip() for name in value.split(","))))
    for name in names:
        if name not in FAIL_ON:
            wanted = nearest(name, tuple(FAIL_ON))
            raise argparse.ArgumentTypeError(f"no reason {name!r}: did you mean {wanted!r}?")
    if not names:  # an empty variable of a workflow must not let every change through
        known = ", ".join(FAIL_ON)
        raise argparse.ArgumentTypeError(f"says no reason to fail: give some of {known}")
    return names


def _evaluate(options: argparse.Namespace, opener: Opener) -> int:
    every = read_cases(options.cases or (BUNDLED,))
    read = tuple(case for case in every if not case.draft)
    if not read:
        raise UsageError('All cases are drafts: correct them, and take out "draft".')
    cases = chosen(read, options.only or ())
    written = {kind: getattr(options, kind) for kind in files.KINDS}
    files.check(written)
    judge = judging_model() if options.judge else None
    bounds = beside(options, options.gates, "gates.json", GATES)
    gates = read_gates(bounds) if bounds else laws(read_gates(GATES))
    gates = judged(gates, read, cases)
    kept = beside(options, options.baseline, BASELINE_NAME, baseline.BASELINE)
    own = folder_of(options.cases) / BASELINE_NAME if options.cases else baseline.BASELINE
    made = kept or own
    if options.update_baseline:
        baseline.check(made)
    before = None if options.update_baseline or kept is None else baseline.read(kept)
    if before is None and not options.update_baseline and any(g.no_worse for g in gates):
        raise UsageError(f"The gates {bounds} need a baseline: make one with --update-baseline.")
    _tell_gone(before or {}, every)
    runs = asked(cases, options, opener)
    lines = summarise(runs[0], gates, before)
    whole = not options.only and bounds is not None
    flaky = baseline.flaky(runs)
    changed = baseline.differences(runs[0], before or {}, flaky)
    drafts, said = len(every) - len(read), opinions(judge, runs)
    done = Outcome(runs[0], lines, whole, before, changed, flaky, drafts, said)
    if options.update_baseline:
        left = {case.id for case in read} - {case.id for case in cases}
        baseline.write(made, runs[0], left)
    return conclude(done, options)


def _tell_gone(before: Scores, every: Sequence[Case]) -> None:
    """Say on standard error which cases of the baseline are in no file any more."""
    gone = sorted(before.keys() - {case.id for case in every})
    if gone:
        few = ", ".join(gone[:5]) + (", …" if len(gone) > 5 else "")
        said = f"{len(gone)} of the baseline's cases are in no file: {few}"
        print(f"{said}; --update-baseline forgets them", file=sys.stderr)


def beside(
    options: argparse.Namespace, named: Path | None, name: str, bundled: Path
) -> Path | None:
    """The file to use: the one *named*, else *name* beside the cases, else the *bundled* one.

    None if nothing is named, the cases are somebody's own, and no such file is beside them.
    """
    if named:
        return named
    if not options.cases:
        return bundled if bundled.exists() else None
    found = folder_of(options.cases) / name
    return found if found.exists() else None


def folder_of(cases: Sequence[Path]) -> Path:
    """Where gates and baseline of one's own *cases* lie."""
    return cases[0] if cases[0].is_dir() else cases[0].parent


def asked(
    cases: Sequence[Case], options: argparse.Namespace, opener: Opener
) -> tuple[tuple[Row, ...], ...]:
    """The rows of every repeat; the times are of the first."""
    started = perf_counter()
    tell = teller()
    spoken = bool(options.record or options.replay)
    workers = 1 if spoken else options.workers  # a repeated call gets its own recording
    wanted = Options(
        store=options.store,
        corpus=tuple(options.corpus or ()),
        mode=options.mode,
        record=options.record,
        replay=options.replay,
        cached=options.repeat == 1 and not options.no_cache,
    )
    with opener(wanted, tell) as product:
        again = range(options.repeat)
        runs = [run(cases, product, partial(tell, "asking"), workers) for _ in again]
        if workers > 1 or product.uncached:
            runs[0] = timed(runs[0], product.uncached or product)  # times are of real answers
    took = f"asked {len(cases)} cases in {perf_counter() - started:.1f} s"
    end_progress(took if workers == 1 else f"{took}, {workers} at once")
    return tuple(runs)


def opinions(judge: Chat | None, runs: Sequence[Sequence[Row]]) -> str:
    """What the language model *judge* makes of the statements shown, if there is one."""
    if judge is None:
        return ""
    from eval.opinions import asked_of  # late: few runs ask a model

    return asked_of(judge, runs[0])


def chosen(cases: Sequence[Case], only: Sequence[str]) -> tuple[Case, ...]:
    """The *cases* whose type or id, or one of whose tags, is one of *only*; all if that is empty.

    Raises UsageError, naming the nearest, for a word that is none of these.
    """
    tags = {tag for case in cases for tag in case.tags}
    known = {*TYPES, *tags, *(case.id for case in cases)}
    for word in only:
        if word not in known:
            wanted = nearest(word, sorted(known))
            raise UsageError(f"There is no type or case {word!r}: did you mean {wanted!r}?")
    wanted_words = set(only)
    found = tuple(
        case for case in cases if not only or {case.type, case.id, *case.tags} & wanted_words
    )
    if not found:
        raise UsageError(f"No case is of the type {' or '.join(only)}: name another with --only.")
    return found


def conclude(done: Outcome, options: argparse.Namespace) -> int:
    """Print the report, write the files that were asked for, and return the exit code."""
    print(text(done, options.failures))
    files.write(done, {kind: getattr(options, kind) for kind in files.KINDS})
    failed = any(FAIL_ON[reason](done) for reason in options.fail_on)
    return NOT_MET if failed else PASSED


if __name__ == "__main__":
    sys.exit(main())
