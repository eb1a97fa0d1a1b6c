"""Nobody but `mailsacd.work` starts work: no loops, no threads, no coroutine that nobody awaits."""

import ast
from collections.abc import Iterator
from pathlib import Path

import mailsacd

ROOT = Path(mailsacd.__file__).parent

STARTERS = frozenset(
    {
        "LoopingCall", "cooperate", "coiterate",
        "deferToThread", "deferToThreadPool", "blockingCallFromThread",
        "callInThread", "callInThreadWithCallback", "callMultipleInThread", "callFromThread",
        "getThreadPool", "suggestThreadPoolSize",
        "ThreadPool", "ThreadPoolExecutor", "ProcessPoolExecutor", "Thread", "Timer",
    }
)  # fmt: skip
"""What begins a loop or reaches a thread, in Twisted and in the standard library."""

BEGINNERS = frozenset({"ensureDeferred", "fromCoroutine"})
"""What begins a coroutine: whoever calls it keeps what it returns."""


def names_in(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Each name that is imported, read or asked of an object, with its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom | ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name.rpartition(".")[2]
        elif isinstance(node, ast.Name):
            yield node.lineno, node.id
        elif isinstance(node, ast.Attribute):
            yield node.lineno, node.attr


def dropped_in(tree: ast.AST) -> Iterator[int]:
    """The lines of statements that begin a coroutine and let what comes of it go."""
    for node in ast.walk(tree):
        called = node.value if isinstance(node, ast.Expr) else None
        while isinstance(called, ast.Call):
            function = called.func
            name = function.attr if isinstance(function, ast.Attribute) else ast.unparse(function)
            if name in BEGINNERS:
                yield called.lineno
            called = function.value if isinstance(function, ast.Attribute) else None


def trees() -> Iterator[tuple[str, ast.AST]]:
    """The modules outside of `mailsacd.work`."""
    for path in sorted(ROOT.rglob("*.py")):
        place = path.relative_to(ROOT)
        if place.parts[0] != "work":
            yield str(place), ast.parse(path.read_text(encoding="utf-8"))


def test_no_other_module_begins_loops_or_threads() -> None:
    found = [
        (module, line, name)
        for module, tree in trees()
        for line, name in names_in(tree)
        if name in STARTERS
    ]
    assert found == []


def test_no_other_module_begins_a_coroutine_and_lets_it_go() -> None:
    assert [(module, line) for module, tree in trees() for line in dropped_in(tree)] == []
