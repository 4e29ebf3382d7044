# SPDX-License-Identifier: Apache-2.0
"""Where the functions of a C++ or Python file begin and end, by counting brackets: good enough for budgets, no parser needed."""

import ast
import re
from dataclasses import dataclass
from typing import Iterator

import tree


@dataclass(frozen=True)
class Function:
    name: str
    line: int
    lines: int  # from the signature to the closing brace
    parameters: int


# Preprocessor lines and access labels: blanked before the brackets are counted.
_BLANKED = re.compile(r"^[ \t]*(?:#(?:[^\n\\]|\\.)*|(?:public|protected|private)[ \t]*:)", re.MULTILINE | re.DOTALL)
_SCOPE = re.compile(r'^\s*(?:inline\s+)?namespace\b|^\s*extern\s*"[^"]*"\s*$')
_TYPE = re.compile(r"^\s*(?:template\s*<.*>\s*)?(?:typedef\s+)?(?:class|struct|union|enum)\b(?!.*\)\s*(?:const|noexcept|override|final|\s)*$)", re.DOTALL)
_LAMBDA = re.compile(r"\](?:\s*<[^<>]*>)?\s*(?:\((?:[^()]|\([^()]*\))*\))?\s*(?:mutable|constexpr|noexcept|->\s*[\w:<>&*\s,]+|\s)*$")
_INITIALISERS = re.compile(r"\)[\s\w]*(?<!:):(?!:)")


def in_cpp(text: str) -> list[Function]:
    """The functions of a C++ file; a lambda counts where it is not inside a function."""
    code = tree.without_comments(text)
    code = _BLANKED.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), code)
    return list(_functions(code, 0, len(code)))


def _functions(code: str, begin: int, end: int) -> Iterator[Function]:
    """Functions declared in code[begin:end], a namespace or class scope."""
    head, position = begin, begin
    parentheses = 0
    while position < end:
        character = code[position]
        parentheses += (character == "(") - (character == ")")
        if character == ";" and parentheses == 0:
            head = position + 1
        elif character == "{":
            close = _matching_brace(code, position, end)
            kind = _kind(code[head:position], parentheses)
            if kind == "scope":
                yield from _functions(code, position + 1, close)
            elif kind == "function":
                yield _function(code, head, position, close)
            if kind in ("scope", "function") and parentheses == 0:
                head = close + 1
            position = close
        position += 1


def _matching_brace(code: str, opening: int, end: int) -> int:
    depth = 0
    for match in re.compile(r"[{}]").finditer(code, opening, end):
        depth += 1 if match.group() == "{" else -1
        if depth == 0:
            return match.start()
    return end


def _kind(head: str, parentheses: int) -> str:
    """What a brace after `head` opens: a scope to look into, a function, or a value (an initialiser, skipped)."""
    if _LAMBDA.search(head):
        return "function"
    if parentheses > 0:
        return "value"
    if _SCOPE.search(head) or _TYPE.search(head):
        return "scope"
    if "(" not in head or re.search(r"(?<![=!<>])=\s*(?:[\w:<>,\s]*)$", head):
        return "value"
    if _INITIALISERS.search(head) and re.search(r"[\w>]\s*$", head) and not re.search(r"\)\s*(?:const|noexcept|\s)*$", head):
        return "value"  # a member in a constructor's list: `: count_{0}`
    return "function"


def _function(code: str, head: int, opening: int, close: int) -> Function:
    start = head + len(code[head:opening]) - len(code[head:opening].lstrip())
    signature = code[start:opening].strip()
    first, last = tree.line_of(code, start), tree.line_of(code, close)
    name = re.search(r"(operator\s*(?:\(\)|[^\s(]+)|[~\w:]+(?:<[^<>()]*>)?)\s*\(", re.sub(r"^template\s*<[^()]*?>\s*(?=\w)", "", signature))
    return Function(name.group(1) if name else "lambda", first, last - first + 1, _parameters(signature))


def _parameters(signature: str) -> int:
    """Commas at the top level of the first parameter list, plus one."""
    signature = signature.replace("operator()", "operator_call")
    opening = signature.find("(")
    depth, count, seen = 0, 1, False
    for character in signature[opening + 1 :] if opening >= 0 else ")":
        if character == ")" and depth == 0:
            return count if seen else 0
        depth += (character in "(<{[") - (character in ")>}]")
        count += character == "," and depth == 0
        seen = seen or not character.isspace()
    return count


def in_python(text: str) -> list[Function]:
    functions = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            parameters = len(node.args.posonlyargs) + len(node.args.args) + len(node.args.kwonlyargs)
            functions.append(Function(node.name, node.lineno, (node.end_lineno or node.lineno) - node.lineno + 1, parameters))
    return functions
