"""What whoever runs PaperChat sees of it: a log line, metrics and a trace for each request.

A request is a question, a comparison, a search or a claim to be checked, whichever way it came.

All three are off until they are asked for, and cost nothing then. None holds a question's or an
answer's text, unless the log is told to.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rag.errors import UsageError

if TYPE_CHECKING:
    from rag.types import Answer

STEPS = ("retrieve", "compose", "verify")
BOUNDS = (0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.0, 5.0, 15.0, 60.0)  # seconds
log = logging.getLogger(__name__)
_starting = threading.Lock()
_meters: list[_Meters] = []  # one, once metrics are served
_with_questions: list[bool] = []  # one, if the log may hold what was asked


@dataclass(slots=True)
class Seen:
    """One request as it is being answered."""

    kind: str  # ask, compare, search, verify
    question: str
    request: str = field(default_factory=lambda: uuid.uuid4().hex[:12])  # names it in every line
    answer: Answer | None = None
    outcome: str = ""  # what came of a request that has no answer: found, nothing, a verdict

    @property
    def became(self) -> str:
        """What came of it, in a word."""
        return self.outcome if self.answer is None else self.answer.abstention or "answered"


@contextmanager
def request(kind: str, question: str) -> Iterator[Seen]:
    """Watch one request from beginning to end; put the answer or outcome into what is given."""
    seen, began, at = Seen(kind, question), time.perf_counter(), time.time_ns()
    try:
        yield seen
    except GeneratorExit:  # stopped by whoever asked
        _tell(seen, "stopped", time.perf_counter() - began, at)
        raise
    except Exception as error:
        _tell(seen, type(error).__name__, time.perf_counter() - began, at)
        raise
    _tell(seen, "", time.perf_counter() - began, at)


def _tell(seen: Seen, problem: str, seconds: float, at: int) -> None:
    if _meters:
        _meters[0].count(seen, problem, seconds)
    if log.isEnabledFor(logging.INFO):
        log.info("asked", extra={"fields": _fields(seen, problem, seconds)})
    if "opentelemetry.trace" in sys.modules:
        _trace(seen, problem, at, at + int(seconds * 1e9))


def _fields(seen: Seen, problem: str, seconds: float) -> dict[str, object]:
    """What a log line says of a request; its text only where that was asked for."""
    said: dict[str, object] = {"request": seen.request, "kind": seen.kind}
    said |= {"milliseconds": round(seconds * 1000, 1), "characters": len(seen.question)}
    if problem:
        said["problem"] = problem
    if _with_questions and _with_questions[0]:
        said["question"] = seen.question
    if not problem:
        said["outcome"] = seen.became
    if seen.answer is not None:
        answer = seen.answer
        said |= {
            "shape": answer.shape,
            "mode": answer.mode,
            "statements": len(answer.statements),
            "verdicts": sorted({one.verdict for one in answer.statements}),
            "papers": answer.papers_in_corpus,
            "index": answer.index,
            "model": answer.model,
            "timings_ms": dict(answer.timings_ms),
        }
    return said


class JsonLines(logging.Formatter):
    """A log record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        row: dict[str, Any] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
            + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            row["traceback"] = self.formatException(record.exc_info)
        return json.dumps(row, ensure_ascii=False)


def start_log(*, questions: bool = False) -> None:
    """Write a line of JSON to standard error for each request and each warning."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    _with_questions[:] = [questions]
    for name in ("rag", "ui"):
        logger = logging.getLogger(name)
        logger.handlers[:] = [handler]
        logger.setLevel(logging.INFO)
        logger.propagate = False


class _Meters:
    """The metrics that Prometheus reads."""

    def __init__(self) -> None:
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram  # late: optional

        self.registry = here = CollectorRegistry()
        labels = ["shape", "mode", "outcome"]
        self._asked = Counter("paperchat_questions", "Questions answered", labels, registry=here)
        self._failed = Counter(
            "paperchat_failures", "Requests that failed", ["problem"], registry=here
        )
        self._requests = Counter(
            "paperchat_requests", "Requests of every kind", ["kind", "outcome"], registry=here
        )
        self._took = Histogram(
            "paperchat_request_seconds",
            "Time of a request",
            ["kind"],
            registry=here,
            buckets=BOUNDS,
        )
        self._seconds = Histogram(
            "paperchat_answer_seconds",
            "Time of an answer",
            ["shape"],
            registry=here,
            buckets=BOUNDS,
        )
        self._steps = Histogram(
            "paperchat_step_seconds", "Time of a step", ["step"], registry=here, buckets=BOUNDS
        )
        self._papers = Gauge("paperchat_papers", "Papers in the collection", registry=here)

    def count(self, seen: Seen, problem: str, seconds: float) -> None:
        """Count one request."""
        answer = seen.answer
        if problem or not seen.became:
            self._failed.labels(problem or "no answer").inc()
            return
        self._requests.labels(seen.kind, seen.became).inc()
        self._took.labels(seen.kind).observe(seconds)
        if answer is None:
            return
        self._asked.labels(answer.shape, answer.mode, answer.abstention or "answered").inc()
        self._seconds.labels(answer.shape).observe(seconds)
        for step in STEPS:
            self._steps.labels(step).observe(answer.timings_ms.get(step, 0.0) / 1000)
        self._papers.set(answer.papers_in_corpus)


def serve_metrics(port: int, host: str = "127.0.0.1") -> int:
    """Serve metrics at http://host:port/metrics; the port, which 0 lets the system choose.

    Raises UsageError if the port cannot be had.
    """
    from prometheus_client import start_http_server

    with _starting:
        if not _meters:
            _meters.append(_Meters())
    try:
        server, _ = start_http_server(port, host, _meters[0].registry)
    except OSError as error:
        raise UsageError(
            f"metrics cannot be served at {host}:{port} ({error.strerror}); choose another port"
            " with --metrics-port"
        ) from error
    return int(server.server_port)


def start_tracing() -> None:
    """Send traces where the standard OTEL_* variables say. Raises UsageError without the extra."""
    try:
        from opentelemetry import trace
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise UsageError(
            "OTEL_EXPORTER_OTLP_ENDPOINT is set and OpenTelemetry is not installed; install"
            " paperchat[trace], or unset it"
        ) from error
    provider = TracerProvider(resource=Resource.create({"service.name": "paperchat"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)


def _trace(seen: Seen, problem: str, began: int, ended: int) -> None:
    """A span for the request and one for each step; nobody sees them without a provider."""
    from opentelemetry import trace

    tracer = trace.get_tracer("paperchat")
    whole = tracer.start_span(f"paperchat.{seen.kind}", start_time=began)
    whole.set_attribute("paperchat.request", seen.request)
    if problem:
        whole.set_attribute("error.type", problem)
    else:
        whole.set_attribute("paperchat.outcome", seen.became)
    if seen.answer is not None:
        whole.set_attribute("paperchat.shape", seen.answer.shape)
        inside, at = trace.set_span_in_context(whole), began
        for step in STEPS:
            after = at + int(seen.answer.timings_ms.get(step, 0.0) * 1e6)
            tracer.start_span(f"paperchat.{step}", inside, start_time=at).end(after)
            at = after
    whole.end(ended)
