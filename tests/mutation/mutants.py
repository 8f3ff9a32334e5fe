"""Every small way to break a module: one changed node of its tree per mutant, always the same ones.

It knows syntax alone: what a module means, and which tests speak of it, is not its business.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

COMPARED = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
COUNTED = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Div: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
# Types are mypy's business, and no test calls `__all__` or asks whether a record is frozen.
UNREAD = {"annotation", "returns", "type_params", "decorator_list"}
TYPING = {"TypeVar", "cast", "ParamSpec"}
GENERIC = {"tuple", "Callable", "Mapping"}  # what the alias of a type begins with


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change: the nth of its module, where it stands, what it does, and whether to a text."""

    number: int
    line: int
    change: str
    is_text: bool


@dataclass(frozen=True, slots=True)
class _Site:
    change: str
    node: ast.AST
    make: Callable[[], None]
    is_text: bool = False


def mutants(source: str) -> list[Mutant]:
    """All mutants of a module, in the order of its text."""
    return [
        Mutant(number, getattr(site.node, "lineno", 0), site.change, site.is_text)
        for number, site in enumerate(_sites(ast.parse(source)))
    ]


def mutated(source: str, number: int) -> ast.Module:
    """The tree of a module with the mutant of that number made. Raises IndexError."""
    tree = ast.parse(source)
    list(_sites(tree))[number].make()
    return ast.fix_missing_locations(tree)


def _sites(node: ast.AST) -> Iterator[_Site]:
    for name, value in ast.iter_fields(node):
        if name in UNREAD or _is_unread(value):
            continue
        children = value if isinstance(value, list) else [value]
        for at, child in enumerate(children):
            if not isinstance(child, ast.AST) or _is_unread(child):
                continue
            put = _setter(node, name, at if isinstance(value, list) else None)
            if isinstance(child, ast.Constant):
                yield from _constant(child, in_text=isinstance(node, ast.JoinedStr))
            yield from _places(child)
            yield from _own(child, put)
            yield from _sites(child)


def _setter(parent: ast.AST, name: str, at: int | None) -> Callable[[ast.AST], None]:
    def put(new: ast.AST) -> None:
        if at is None:
            setattr(parent, name, new)
        else:
            getattr(parent, name)[at] = new

    return put


def _is_unread(node: Any) -> bool:
    match node:
        case ast.Expr(value=ast.Constant()) | ast.ImportFrom() | ast.Import():
            return True
        case ast.Assign(targets=[ast.Name(id="__all__")]):
            return True
        case ast.Call(func=ast.Name(id=called)):
            return called in TYPING
        case ast.Assign(value=ast.Subscript(value=ast.Name(id=base))):
            return base in GENERIC
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
    return False


def _own(node: ast.AST, put: Callable[[ast.AST], None]) -> Iterator[_Site]:
    """What can be done to this very node."""
    match node:
        case ast.BoolOp():
            other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
            yield _Site("and <-> or", node, lambda: setattr(node, "op", other))
        case ast.UnaryOp(op=ast.Not()):
            yield _Site("not dropped", node, lambda: put(node.operand))
        case ast.BinOp() if type(node.op) in COUNTED:
            new = COUNTED[type(node.op)]()
            change = f"{type(node.op).__name__} -> {type(new).__name__}"
            yield _Site(change, node, lambda: setattr(node, "op", new))
        case ast.If() | ast.IfExp() | ast.While():
            yield _Site("condition negated", node, lambda: _negate(node))
        case ast.Return(value=ast.Constant(value=None)):
            return  # the same program
        case ast.Return(value=ast.AST()):
            yield _Site("returns None", node, lambda: setattr(node, "value", ast.Constant(None)))
        case ast.Expr(value=ast.Yield() | ast.YieldFrom()):
            never = ast.If(test=ast.Constant(False), body=[node], orelse=[])
            yield _Site("yield dropped", node, lambda: put(ast.copy_location(never, node)))
        case ast.Continue():
            yield _Site("continue -> break", node, lambda: put(ast.Break()))


def _places(node: ast.AST) -> Iterator[_Site]:
    """What can be done to each of the things a node holds."""
    match node:
        case ast.Compare():
            yield from _compared(node)
        case ast.comprehension():
            yield from _filters(node)
        case ast.Tuple(ctx=ast.Load()) | ast.List(ctx=ast.Load()) | ast.Set():
            yield from _elements(node)
        case ast.Dict():
            yield from _entries(node)


def _compared(node: ast.Compare) -> Iterator[_Site]:
    for at, op in enumerate(node.ops):
        new = COMPARED[type(op)]()
        change = f"{type(op).__name__} -> {type(new).__name__}"
        yield _Site(change, node, lambda at=at, new=new: node.ops.__setitem__(at, new))


def _negate(node: ast.If | ast.IfExp | ast.While) -> None:
    node.test = ast.UnaryOp(op=ast.Not(), operand=node.test)


def _filters(node: ast.comprehension) -> Iterator[_Site]:
    for at, test in enumerate(node.ifs):
        yield _Site("filter dropped", test, lambda at=at: node.ifs.__delitem__(at))


def _elements(node: ast.Tuple | ast.List | ast.Set) -> Iterator[_Site]:
    if isinstance(node, ast.Set) and len(node.elts) == 1:
        return  # `{}` would be a dict
    for at, element in enumerate(node.elts):
        told = f"without element {ast.unparse(element)[:40]}"
        yield _Site(told, element, lambda at=at: node.elts.__delitem__(at))


def _entries(node: ast.Dict) -> Iterator[_Site]:
    def without(at: int) -> None:
        del node.keys[at], node.values[at]

    for at, value in enumerate(node.values):
        key = node.keys[at]
        told = f"without entry {ast.unparse(key)[:40] if key else '**'}"
        yield _Site(told, value, lambda at=at: without(at))


def _constant(node: ast.Constant, *, in_text: bool) -> Iterator[_Site]:
    value = node.value
    new: Any
    if isinstance(value, bool):
        new = not value
    elif isinstance(value, int | float):
        new = value + 1
    elif isinstance(value, str):
        new = value + "~"
    else:
        return
    # Words to a person have a space or are put together; a name, a key or a code is neither.
    is_text = isinstance(value, str) and (in_text or " " in value)
    told = f"{str(value)[:40]!r} -> {str(new)[-40:]!r}"
    yield _Site(told, node, lambda: setattr(node, "value", new), is_text)
