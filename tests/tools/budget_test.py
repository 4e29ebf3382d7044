# SPDX-License-Identifier: Apache-2.0
import unittest

from house import HouseTest

import budget
import functions


def cpp_function(lines: int, name: str = "f") -> str:
    return f"void {name}() {{\n" + "  g();\n" * (lines - 2) + "}\n"


class BudgetTest(HouseTest):
    def complaints(self, path: str, text: str) -> list[str]:
        self.write(path, text)
        return budget.check(self.root).complaints

    def test_a_file_of_400_lines_is_fine_and_one_of_401_is_not(self) -> None:
        self.assertEqual(self.complaints("tests/clip/x.cpp", "// x\n" * 400), [])
        self.assertIn("tests/clip/x.cpp:1: 401 lines", self.complaints("tests/clip/x.cpp", "// x\n" * 401)[0])

    def test_a_function_of_60_lines_is_fine_and_one_of_61_is_not(self) -> None:
        small = cpp_function(3) * 3
        self.assertEqual(self.complaints("ghostgrad/clip/x.cpp", small + cpp_function(60, "long_one")), [])
        found = self.complaints("ghostgrad/clip/x.cpp", small + cpp_function(61, "long_one"))
        self.assertEqual(found, ["ghostgrad/clip/x.cpp:10: long_one is 61 lines long, more than 60; name its steps"])

    def test_python_functions_are_counted_too(self) -> None:
        self.assertIn("f is 62 lines long", self.complaints("tools/x.py", "def f():\n" + "    g()\n" * 61)[0])

    def test_the_median_library_file_must_stay_within_120_lines(self) -> None:
        self.write("ghostgrad/clip/a.cpp", "// x\n" * 121)
        self.assertIn("median file has 121", self.complaints("ghostgrad/clip/b.cpp", "// x\n" * 121)[0])
        self.assertEqual(self.complaints("ghostgrad/clip/b.cpp", "// x\n" * 9), [])

    def test_the_median_library_function_must_stay_within_10_lines(self) -> None:
        self.assertIn("median function has 11", self.complaints("ghostgrad/clip/a.cpp", cpp_function(11))[0])
        self.assertEqual(self.complaints("ghostgrad/clip/a.cpp", cpp_function(10)), [])

    def test_the_top_cmake_file_must_stay_within_150_lines(self) -> None:
        self.assertEqual(self.complaints("CMakeLists.txt", "#\n" * 150), [])
        self.assertIn("CMakeLists.txt:1: 151 lines", self.complaints("CMakeLists.txt", "#\n" * 151)[0])

    def test_a_header_has_no_conditional_compilation(self) -> None:
        for directive in ("#ifdef X", "#ifndef X", "#if defined(X)", "  # ifdef X"):
            with self.subTest(directive):
                self.assertIn("ghostgrad/clip/x.h:2: #ifdef", self.complaints("ghostgrad/clip/x.h", f"#pragma once\n{directive}\n#endif\n")[0])
        self.assertEqual(self.complaints("ghostgrad/clip/x.h", "#pragma once\n// #ifdef\n"), [])

    def test_more_than_four_parameters_are_noted_but_allowed(self) -> None:
        self.write("ghostgrad/clip/x.cpp", "void f(int a, int b, int c, int d, std::map<int, int> e) {\n}\n")
        judged = budget.check(self.root)
        self.assertEqual(judged.complaints, [])
        self.assertIn("f takes 5 parameters", judged.notes[0])

    def test_the_figures_tell_comment_and_test_ratios(self) -> None:
        self.write("ghostgrad/clip/x.h", "#pragma once\n// a\n// b\nint x;\n")
        self.write("tests/clip/x_test.cpp", "int x;\n" * 6)
        figures = budget.check(self.root).figures()
        self.assertIn("header comment/code 1.00", figures)
        self.assertIn("test/library 1.50", figures)


class FunctionsTest(unittest.TestCase):
    def names(self, text: str) -> list[tuple[str, int]]:
        return [(function.name, function.lines) for function in functions.in_cpp(text)]

    def test_functions_are_found_in_namespaces_and_classes(self) -> None:
        text = "namespace a::b {\nclass X final : public Y {\n public:\n  int f() const noexcept { return 1; }\n};\nint X::g(int a) {\n  return a;\n}\n}\n"
        self.assertEqual(self.names(text), [("f", 1), ("X::g", 3)])

    def test_values_in_braces_are_not_functions(self) -> None:
        text = "constexpr std::array<int, 2> a = {f(1), 2};\nstruct X {\n  int b{3};\n  Plan plan = Plan({.clip = 1});\n};\nint g(Plan plan = {}) { return 1; }\n"
        self.assertEqual(self.names(text), [("g", 1)])

    def test_a_constructors_list_is_part_of_its_signature(self) -> None:
        self.assertEqual(self.names("X::X(int a)\n    : a_{a}, b_(2) {\n  f();\n}\nint after() { return 1; }\n"), [("X::X", 4), ("after", 1)])

    def test_braces_in_strings_and_comments_do_not_count(self) -> None:
        text = 'int f() {\n  g("}}", \'}\', R"({{{)");  // }\n  /* } */\n}\nint h() { return 1\'000; }\n'
        self.assertEqual(self.names(text), [("f", 4), ("h", 1)])

    def test_a_lambda_counts_where_it_stands_outside_any_function(self) -> None:
        self.assertEqual([lines for _, lines in self.names("const Rule r = [](int a) {\n  return a;\n};\n")], [3])
        self.assertEqual([lines for _, lines in self.names("REGISTER(x, [](int a) -> int {\n  return a;\n});\n")], [3])
        self.assertEqual(self.names("int f() {\n  auto l = [] { return 1; };\n}\n"), [("f", 3)])

    def test_templates_operators_and_tests_are_functions(self) -> None:
        text = "template <typename T, int N = 3>\nT f(T a) {\n  return a;\n}\nbool X::operator==(const X& o) const { return o; }\nTEST(A, B) {\n}\n"
        self.assertEqual(self.names(text), [("f", 4), ("operator==", 1), ("TEST", 2)])

    def test_parameters_are_counted_at_the_top_level(self) -> None:
        for text, count in (("int f() {}", 0), ("int f(int a) {}", 1), ("int f(std::map<int, int> a, void (*g)(int, int)) {}", 2)):
            with self.subTest(text):
                self.assertEqual(functions.in_cpp(text)[0].parameters, count)


if __name__ == "__main__":
    unittest.main()
