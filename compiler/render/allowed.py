"""The syntax generated modules may have: literals and words of the vocabulary, nothing that acts.

The compiler holds its own output against it, so that no text of a YAML can ever become code.
"""

from __future__ import annotations

import ast
from typing import Final

from runtime import vocabulary

_RECORDS: Final = frozenset(
    name
    for name, value in vars(vocabulary).items()
    if isinstance(value, type) and issubclass(value, vocabulary.Word)
)
_FLAGS: Final = frozenset(vocabulary.FLAG_NAMES.values())
_TYPES: Final = frozenset({"dict", "str", "tuple"})
_ASSIGNED: Final = frozenset(
    {
        "SETTINGS",
        "PROVIDERS",
        "PRICES",
        "TARGETS",
        "GROUPS",
        "PHASE_RULES",
        "REACHES",
        "LIMITS",
        "PROJECT_LIMITS",
        "CALLERS",
        "TOKENS",
        "ROUTES",
        "OUT",
    }
)


class NotAllowed(Exception):
    """A generated module holds more than data."""


def check_module(path: str, text: str) -> None:
    """Raises NotAllowed unless the module is data alone."""
    for statement in ast.parse(text, path).body:
        if not _is_statement(statement):
            raise NotAllowed(f"{path}:{statement.lineno}: not data: {ast.unparse(statement)[:80]}")


def _is_statement(node: ast.stmt) -> bool:
    match node:
        case ast.Expr(value=ast.Constant(value=str())):
            return True
        case ast.ImportFrom(module=vocabulary.__name__, level=0, names=names):
            return all(n.asname is None and n.name in _RECORDS | _FLAGS for n in names)
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            return name in _ASSIGNED and _is_value(value)
        case ast.AnnAssign(target=ast.Name(id=name), annotation=kind, value=ast.expr() as value):
            return name in _ASSIGNED and _is_type(kind) and _is_value(value)
    return False


def _is_value(node: ast.expr) -> bool:
    match node:
        case ast.Tuple(elts=items) | ast.List(elts=items):
            return all(_is_value(item) for item in items)
        case ast.Dict(keys=keys, values=items):
            return all(k is not None and _is_value(k) for k in keys) and all(map(_is_value, items))
        case ast.Call():
            return _is_record(node)
    return _is_scalar(node) or _is_flags(node)


def _is_record(node: ast.Call) -> bool:
    return (
        isinstance(node.func, ast.Name)
        and node.func.id in _RECORDS
        and all(map(_is_value, node.args))
        and all(k.arg is not None and _is_value(k.value) for k in node.keywords)
    )


def _is_scalar(node: ast.expr) -> bool:
    match node:
        case ast.Constant(value=value):
            return value is None or isinstance(value, str | int | float)
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=value)):
            return isinstance(value, int | float)
    return False


def _is_flags(node: ast.expr) -> bool:
    match node:
        case ast.Name(id=name):
            return name in _FLAGS
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return _is_flags(left) and _is_flags(right)
    return False


def _is_type(node: ast.expr) -> bool:
    return all(
        isinstance(part, ast.Subscript | ast.Tuple | ast.Load)
        or (isinstance(part, ast.Name) and part.id in _TYPES | _RECORDS)
        or (isinstance(part, ast.Constant) and part.value is Ellipsis)
        for part in ast.walk(node)
    )
