"""The options that say which engine runs the rules, shared by the commands that have them."""

from __future__ import annotations

import functools
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, TypeVar

import click

from adjudge.cli.options import filled, finite
from adjudge.cli.terminal import safe
from adjudge.errors import UsageError

if TYPE_CHECKING:
    from adjudge.evaluation import Engine, Judge
    from adjudge.gate.run import MakeEngine
    from adjudge.opa.target import Target
    from adjudge.policyset import PolicySet
    from adjudge.policyset.opa_eval import QueryEngine, Question
    from adjudge.rego.query import Result
    from adjudge.service.point import Documents

_F = TypeVar("_F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """Who runs the rules: the OPA at ``target``, or the embedded engine when that is None."""

    target: Target | None = None

    def maker(self) -> MakeEngine | None:
        """What makes the engine for a release check; None for the embedded one."""
        return None if self.target is None else self._made

    def query_engine(self) -> QueryEngine | None:
        """What answers the queries of ``adjudge eval``; None for the embedded engine."""
        return None if self.target is None else self._answered

    @contextmanager
    def documents(self, policies: PolicySet) -> Iterator[Documents | None]:
        """What gives the documents that the service serves; None for the embedded engine."""
        if self.target is None:
            yield None
            return
        from adjudge.opa.answering import opa_answers

        opened = opa_answers(self.target, policies.modules, policies.data, warn)
        with ended_by_signals(), opened as answers:
            yield answers

    def refuse(self, options: Mapping[str, bool]) -> None:
        """Raise UsageError ``engine_option_unsupported`` when one of these is given that only
        the embedded engine heeds."""
        for option, given in options.items():
            if given and self.target is not None:
                raise UsageError(
                    "engine_option_unsupported",
                    f"{option} needs the embedded engine: OPA does not tell",
                    hint="leave out --engine",
                )

    def _answered(self, question: Question) -> list[Result]:
        from adjudge.opa import asking
        from adjudge.opa.client import Opa
        from adjudge.opa.workspace import RUNS

        assert self.target is not None
        self.refuse({"--opa-no-push": not self.target.push})
        request, opa = question.request, Opa(self.target)
        asked = asking.Question(
            request.query,
            question.package,
            question.imports,
            request.rego_version,
            request.strict_builtin_errors,
        )
        with ended_by_signals(), closing(opa):
            opa.provenance(RUNS)
            return asking.evaluate_query(
                opa, question.modules, question.data, request.input, asked, warn
            )

    @contextmanager
    def _made(self, judge: Judge) -> Iterator[Engine]:
        # With requests and aiohttp, it takes half a second to import.
        from adjudge.opa.engine import opa_engine

        assert self.target is not None
        opened = opa_engine(self.target, judge.policies, judge.entries, judge.evidence, warn)
        with ended_by_signals(), opened as engine:
            yield engine


def engine_options(command: _F) -> _F:
    """Give a command the options, and its argument ``engine`` an :class:`EngineChoice`."""

    @click.option(
        "--engine",
        "engine",
        default="embedded",
        show_default=True,
        callback=filled,
        metavar="embedded|opa=URL",
        help="Who evaluates: adjudge itself, or a running OPA.",
    )
    @click.option(
        "--opa-token-file",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="The bearer token for OPA.",
    )
    @click.option(
        "--opa-ca",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="The certificates OPA's must come from.",
    )
    @click.option(
        "--opa-timeout",
        type=click.FloatRange(min=0.1),
        callback=finite,
        default=10.0,
        show_default=True,
        metavar="SECONDS",
        help="How long one request to OPA may take, retries included.",
    )
    @click.option(
        "--opa-no-push",
        is_flag=True,
        help="OPA has the policies and data already, as a bundle; write nothing.",
    )
    @functools.wraps(command)
    def wrapped(
        *arguments: Any,
        engine: str,
        opa_token_file: Path | None,
        opa_ca: Path | None,
        opa_timeout: float,
        opa_no_push: bool,
        **others: Any,
    ) -> Any:
        chosen = _choice(engine, opa_token_file, opa_ca, opa_timeout, opa_no_push)
        return command(*arguments, engine=chosen, **others)

    return wrapped  # type: ignore[return-value]


def _choice(
    engine: str, token_file: Path | None, ca: Path | None, timeout: float, no_push: bool
) -> EngineChoice:
    name, _, url = engine.partition("=")
    if name == "opa" and url:
        from adjudge.opa.target import parse_target

        target = parse_target(url, token_file=token_file, ca=ca, timeout=timeout, push=not no_push)
        return EngineChoice(target)
    if engine != "embedded":
        raise UsageError(
            "unknown_engine",
            f"{engine[:100]!r} is no engine",
            hint="--engine embedded, or --engine opa=http://127.0.0.1:8181",
        )
    given = {
        "--opa-token-file": token_file,
        "--opa-ca": ca,
        "--opa-no-push": no_push or None,
    }
    for option, value in given.items():
        if value is not None:
            raise UsageError(
                "engine_option_unused",
                f"{option} means nothing to the embedded engine",
                hint="add --engine opa=URL",
            )
    return EngineChoice()


def warn(text: str) -> None:
    """Tell a person what went wrong but changes no verdict."""
    click.echo(safe(f"warning: {text}"), err=True)


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Let SIGTERM end the process as Ctrl-C does: by way of what is to be cleared away."""

    def end(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    try:
        before = signal.signal(signal.SIGTERM, end)
    except ValueError:
        # Not in the main thread: signals are somebody else's business.
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
