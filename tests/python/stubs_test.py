# SPDX-License-Identifier: Apache-2.0
"""The type stubs of the extension say what is there."""

import ast
from pathlib import Path

import ghostgrad
from ghostgrad import _core

STUB = Path(ghostgrad.__file__).parent / "_core.pyi"


def names(nodes):
    for node in nodes:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield node.name, node
        elif isinstance(node, ast.AnnAssign):
            yield node.target.id, node


def public(thing):
    return {name for name in vars(thing) if not name.startswith("_") or name == "__version__"}


def test_every_name_of_the_extension_is_in_the_stub_and_no_other():
    stub = dict(names(ast.parse(STUB.read_text(encoding="utf-8")).body))
    assert set(stub) == public(_core)
    for name, node in stub.items():
        if isinstance(node, ast.ClassDef):
            members = {member for member, _ in names(node.body) if not member.startswith("_")}
            assert members == public(getattr(_core, name)), name


def test_the_package_says_that_it_is_typed():
    assert (STUB.parent / "py.typed").is_file()
