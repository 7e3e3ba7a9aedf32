"""`caret eval humaneval` and `mbpp`: whole functions written from a description.

HumanEval is of arXiv 2107.03374, MBPP of arXiv 2108.07732. A base prompt is text to continue; an
instruct prompt is a message of a conversation, for models that were trained for that.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import defaultdict
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import click

from bench.evals.answers import Answer
from bench.evals.data import read, with_places
from bench.evals.infill import DATA, SERVER
from bench.evals.intervals import Measure, mean, pass_at_k, share
from bench.evals.run import Evaluation, Plan, evaluation_options
from bench.evals.sandbox import Sandbox
from engine.api import ChatMessage, ChatRequest, CompletionRequest, Sampling
from engine.remote import Endpoint, RemoteClient
from lsp_server.loading import connect_to
from lsp_server.roles import chosen

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable, Sequence
    from pathlib import Path

    from bench.evals.record import Entry
    from engine.api import Piece
    from engine.client import CompletionService

GREEDY = Sampling()
_BASE_ENDS = ("\ndef ", "\nclass ", "\nif __name__", "\nprint(", "\n#", "\n@")
"""A base model goes on with another function."""
_COMPLETE = "Complete this Python function. Answer with the whole function in one block of code."
_MBPP_TEST = range(11, 511)
"""Task ids of MBPP's test split; 2 to 4 are its examples."""
_CODE = re.compile(r"^```[\w+-]*\n(.*?)(?:^```|\Z)", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Problem:
    """Something to write, and how it is tested."""

    id: str
    prompt: str
    """Text to continue, or the message."""
    chat: bool
    before: str
    """Stands before a written function; what a base model continues."""
    test: str
    ends: tuple[str, ...] = ()
    sampling: Sampling = GREEDY
    max_tokens: int = 512


def code_in(text: str) -> str:
    r"""The code of an answer: its blocks, or all of it where there is none.

    >>> code_in("Here:\n```python\na = 1\n```\nDone.")
    'a = 1\n'
    """
    blocks = _CODE.findall(text)
    return "\n".join(blocks) if blocks else text


def humaneval(rows: Iterable[dict[str, Any]], *, chat: bool) -> list[Problem]:
    """The 164 problems."""
    return [
        Problem(
            row["task_id"],
            f"{_COMPLETE}\n\n```python\n{row['prompt']}```" if chat else row["prompt"],
            chat,
            row["prompt"],
            f"\n{row['test']}\ncheck({row['entry_point']})\n",
            _BASE_ENDS,
        )
        for row in rows
    ]


def mbpp(rows: Sequence[dict[str, Any]], *, chat: bool) -> list[Problem]:
    """The 500 problems of the test split; a base model sees three solved ones first."""
    shown = "" if chat else "".join(_solved(row) for row in rows if row["task_id"] in (2, 3, 4))
    return [
        Problem(
            f"MBPP/{row['task_id']}",
            f"{row['text']} It must pass these tests:\n\n```python\n{_tests(row)}\n```\n\n"
            "Answer with the Python code in one block."
            if chat
            else shown + _question(row),
            chat,
            "",
            f"\n{row['test_setup_code']}\n{_tests(row)}\n",
            ("\n[DONE]", '\n"""'),
        )
        for row in rows
        if row["task_id"] in _MBPP_TEST
    ]


def _tests(row: dict[str, Any]) -> str:
    return "\n".join(row["test_list"])


def _question(row: dict[str, Any]) -> str:
    return f'"""\n{row["text"]}\n{_tests(row)}\n"""\n'


def _solved(row: dict[str, Any]) -> str:
    code = row["code"].replace("\r", "").strip()
    return f"{_question(row)}{code}\n[DONE]\n\n"


class Writer:
    """The engine on this machine, or any server of OpenAI's dialect."""

    def __init__(self, plan: Plan) -> None:
        self._model = plan.model
        self._service: CompletionService = (
            RemoteClient(Endpoint(plan.server, ""))
            if plan.server
            else connect_to(chosen(plan.settings, "infill"), plan.settings.engine)
        )

    async def write(self, problem: Problem) -> Answer:
        """The answer as it was written."""
        start, text, total, tokens = time.perf_counter(), "", 0.0, 0
        async with aclosing(self._asked(problem)) as pieces:
            async for piece in pieces:
                text += piece.text
                total += piece.logprob or 0.0
                tokens = piece.usage.completion_tokens if piece.usage else tokens
        certain = total / tokens if tokens and total else None
        return Answer(text, time.perf_counter() - start, tokens, certain)

    async def aclose(self) -> None:
        """Let go of the server."""
        await self._service.aclose()

    def _asked(self, problem: Problem) -> AsyncGenerator[Piece, None]:
        if problem.chat:
            message = ChatMessage("user", problem.prompt)
            return self._service.chat(
                ChatRequest(self._model, (message,), problem.max_tokens, sampling=problem.sampling)
            )
        return self._service.complete(
            CompletionRequest(
                self._model,
                problem.prompt,
                max_tokens=problem.max_tokens,
                stop=problem.ends,
                sampling=problem.sampling,
            )
        )


def program(problem: Problem, text: str) -> str:
    """What runs: the answer and its tests."""
    written = f"{problem.before}\n{code_in(text)}" if problem.chat else problem.before + text
    return written + "\n" + problem.test


def judge(sandbox: Sandbox, problem: Problem, answer: Answer) -> Entry:
    """Whether its tests pass."""
    outcome = sandbox.run(program(problem, answer.text))
    return {"passed": outcome.passed, "why": outcome.why}


def repeated(problems: Sequence[Problem], tries: int, temperature: float) -> list[Problem]:
    """Each as often as it is tried, with another seed."""
    if tries == 1 and not temperature:
        return list(problems)
    return [
        replace(problem, id=f"{problem.id}#{seed}", sampling=Sampling(temperature, 0, 0.95, seed))
        for problem in problems
        for seed in range(tries)
    ]


def measures(entries: Sequence[Entry]) -> list[Measure]:
    """Pass@k for 1, 10 and 100, as far as there are tries."""
    tries: dict[str, list[bool]] = defaultdict(list)
    for entry in entries:
        tries[entry["id"].partition("#")[0]].append(entry["passed"])
    fewest = min(map(len, tries.values()), default=0)
    if fewest <= 1:
        return [share("pass@1", [entry["passed"] for entry in entries])]
    return [
        mean(f"pass@{k}", [pass_at_k(len(hits), sum(hits), k) for hits in tries.values()])
        for k in (1, 10, 100)
        if k <= fewest
    ]


async def carry_out(plan: Plan, problems: list[Problem]) -> None:
    """Have them written and tested."""
    sandbox, writer = Sandbox(), Writer(plan)
    try:
        await plan.carry_out(
            Evaluation(
                problems,
                writer.write,
                lambda problem, answer: judge(sandbox, problem, answer),
                measures,
                (f"Generated code runs in: {sandbox.in_force}.",),
            )
        )
    finally:
        await writer.aclose()


def _command(task: str, file: str, short: str) -> click.Command:
    @click.command(task, help=short)
    @evaluation_options(
        task,
        DATA,
        click.option("--prompt", default="instruct", type=_PROMPTS, help=_PROMPT),
        click.option("--tries", default=1, type=click.IntRange(1), help="Answers to each problem."),
        click.option("--temperature", default=0.0, type=click.FloatRange(0, 2), help=_HEAT),
        SERVER,
    )
    def command(plan: Plan, *, data: Path, prompt: str, tries: int, temperature: float) -> None:
        if tries > 1 and not temperature:
            raise click.UsageError("Several tries need a --temperature, such as 0.2 or 0.8.")
        made = {"humaneval": humaneval, "mbpp": mbpp}[task](
            read(data, file), chat=prompt == "instruct"
        )
        plan = plan.with_(prompt=prompt, temperature=temperature)
        asyncio.run(carry_out(plan.all(), repeated(plan.chosen(made), tries, temperature)))

    return with_places(command)


_PROMPTS = click.Choice(["instruct", "base"])
_PROMPT = "instruct: ask for it; base: give the beginning to continue."
_HEAT = "0: the most likely token each time."
humaneval_command = _command("humaneval", "HumanEval", "Write 164 functions: pass@1 and pass@k.")
mbpp_command = _command("mbpp", "mbpp", "Write 500 small programs: pass@1 and pass@k.")
