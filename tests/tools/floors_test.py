# SPDX-License-Identifier: Apache-2.0
import subprocess
import sys
import unittest

from house import HouseTest

import floors
import tree


class FloorsTest(HouseTest):
    def complaints(self, path: str, text: str) -> list[str]:
        for header in ("base/error.h", "privacy/event.h", "random/stream.h", "graph/walk.h", "clip/method.h", "rules/rule.h"):
            self.write(f"ghostgrad/{header}", "#pragma once\n")
        self.write("cli/progress.h", "#pragma once\n")
        self.write(path, text)
        return [found for found in floors.check(self.root) if found.startswith(path)]

    def assert_wrong(self, path: str, text: str, line: int, part: str) -> None:
        found = self.complaints(path, text)
        self.assertEqual(len(found), 1, found)
        self.assertTrue(found[0].startswith(f"{path}:{line}: "), found[0])
        self.assertIn(part, found[0])

    def assert_fine(self, path: str, text: str) -> None:
        self.assertEqual(self.complaints(path, text), [])

    def test_a_room_may_include_itself_and_lower_floors(self) -> None:
        self.assert_fine("ghostgrad/clip/x.cpp", '#include "ghostgrad/clip/method.h"\n#include "ghostgrad/base/error.h"\n')

    def test_an_include_of_a_higher_floor_is_wrong(self) -> None:
        self.assert_wrong("ghostgrad/base/x.h", '#pragma once\n#include "ghostgrad/clip/method.h"\n', 2, "upward")

    def test_an_include_of_a_room_on_the_same_floor_is_wrong(self) -> None:
        self.assert_wrong("ghostgrad/random/x.cpp", '#include "ghostgrad/privacy/event.h"\n', 1, "sideways")

    def test_an_include_in_a_comment_is_not_an_include(self) -> None:
        self.assert_fine("ghostgrad/base/x.h", '// #include "ghostgrad/clip/method.h"\n/*\n#include "ghostgrad/clip/method.h"\n*/\n')

    def test_an_include_that_is_not_written_from_the_root_is_wrong(self) -> None:
        self.assert_wrong("ghostgrad/clip/x.cpp", '#include "method.h"\n', 1, "from the root")
        self.assert_wrong("ghostgrad/clip/x.cpp", "#include <ghostgrad/clip/method.h>\n", 1, "quotes")

    def test_an_include_of_a_file_that_is_not_there_is_wrong(self) -> None:
        self.assert_wrong("ghostgrad/clip/x.cpp", '#include "ghostgrad/base/gone.h"\n', 1, "does not exist")

    def test_a_folder_that_is_no_room_is_wrong(self) -> None:
        self.assert_wrong("ghostgrad/misc/x.cpp", "int x;\n", 1, "no room")
        self.assert_wrong("ghostgrad/misc/x.cpp", '#include "ghostgrad/clip/method.h"\n', 1, "no room")

    def test_front_ends_may_use_every_room_but_never_one_another(self) -> None:
        self.assert_fine("cli/x.cpp", '#include "cli/progress.h"\n#include "ghostgrad/clip/method.h"\n')
        self.assert_wrong("bench/x.cpp", '#include "cli/progress.h"\n', 1, "never include one another")

    def test_the_umbrella_may_include_every_room_and_only_front_ends_include_it(self) -> None:
        self.assert_fine("ghostgrad/ghostgrad.h", '#include "ghostgrad/clip/method.h"\n#include "ghostgrad/base/error.h"\n')
        self.assert_fine("cli/x.cpp", '#include "ghostgrad/ghostgrad.h"\n')
        self.assert_wrong("ghostgrad/clip/x.cpp", '#include "ghostgrad/ghostgrad.h"\n', 1, "is for programs")

    def test_autograd_nodes_are_for_graph_and_rules_only(self) -> None:
        include = "#include <torch/csrc/autograd/generated/Functions.h>\n"
        self.assert_fine("ghostgrad/graph/x.cpp", include)
        self.assert_fine("ghostgrad/rules/x.cpp", include)
        self.assert_wrong("ghostgrad/clip/x.cpp", include, 1, "autograd nodes")

    def test_every_foreign_system_has_its_own_place(self) -> None:
        for include, part in (
            ("<openssl/evp.h>", "OpenSSL"),
            ("<torch/csrc/distributed/c10d/ProcessGroup.hpp>", "c10d"),
            ("<pybind11/pybind11.h>", "Python"),
            ("<Python.h>", "Python"),
            ("<torch/extension.h>", "Python"),
            ("<CLI/CLI.hpp>", "command line"),
            ("<iostream>", "output streams"),
        ):
            with self.subTest(include):
                self.assert_wrong("ghostgrad/clip/x.cpp", f"#include {include}\n", 1, part)

    def test_only_front_ends_print_or_end_the_process(self) -> None:
        for statement in ('std::cout << "x";', 'printf("x");', 'std::fprintf(stderr, "x");', "std::exit(1);", "abort();", 'fmt::print("x");'):
            with self.subTest(statement):
                self.assert_wrong("ghostgrad/clip/x.cpp", f"void f() {{\n  {statement}\n}}\n", 2, "only")
        self.assert_fine("cli/x.cpp", 'void f() { std::cout << "x"; std::exit(1); }\n')

    def test_a_word_that_only_looks_like_printing_is_fine(self) -> None:
        self.assert_fine(
            "ghostgrad/clip/x.cpp",
            'void f() { std::snprintf(b, 9, "std::cout"); plan.print(); fingerprint(x); on_exit(1); }  // printf("x")\n',
        )

    def test_predictable_randomness_stays_out_of_the_mechanisms(self) -> None:
        for statement in ("at::randn({2});", "torch::normal(0, 1, {2});", "std::mt19937 g;", "noise.normal_(0, 1);"):
            with self.subTest(statement):
                self.assert_wrong("ghostgrad/noise/x.cpp", f"void f() {{ {statement} }}\n", 1, "a seed predicts")
        self.assert_fine("ghostgrad/models/x.cpp", "void f() { at::randn({2}); }\n")

    def test_a_room_opens_no_other_rooms_namespace(self) -> None:
        self.assert_wrong("ghostgrad/rules/x.h", "namespace ghostgrad::clip {\nstruct Method;\n}\n", 1, "folder = namespace")
        self.assert_fine("ghostgrad/rules/x.h", "namespace ghostgrad::rules::detail {\n}\n")

    def test_the_program_exits_1_when_something_is_wrong_and_0_otherwise(self) -> None:
        program = [sys.executable, str(tree.ROOT / "tools" / "floors.py"), str(self.root)]
        self.assertEqual(self.complaints("ghostgrad/clip/x.cpp", "int x;\n"), [])
        self.assertEqual(subprocess.run(program, capture_output=True).returncode, 0)
        self.write("ghostgrad/clip/x.cpp", "#include <openssl/evp.h>\n")
        judged = subprocess.run(program, capture_output=True, text=True)
        self.assertEqual(judged.returncode, 1)
        self.assertIn("ghostgrad/clip/x.cpp:1: OpenSSL", judged.stdout)


if __name__ == "__main__":
    unittest.main()
