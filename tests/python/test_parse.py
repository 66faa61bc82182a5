"""The front end: what is said about wrong sources, trees, folding, incomplete and single input.

parse_errors.json holds sources with the type, message and positions of the error that CPython 3.13.5
raises for each (null: none).
"""
import ast
import copy
import json
import os
import unittest
import warnings

ONLY_AST = ast.PyCF_ONLY_AST
TYPE_COMMENTS = ast.PyCF_TYPE_COMMENTS
ALLOW_INCOMPLETE_INPUT = 0x4000


def outcome(source, mode="exec", flags=0):
    try:
        compile(source, "<file>", mode, flags | ONLY_AST, dont_inherit=True)
    except SyntaxError as e:
        return [type(e).__name__, e.msg, e.lineno, e.offset, e.end_lineno, e.end_offset, e.text]
    return None


class Errors(unittest.TestCase):
    def test_recorded(self):
        path = os.path.join(os.path.dirname(__file__), "parse_errors.json")
        with open(path, encoding="utf-8") as file:
            cases = json.load(file)
        self.assertGreater(len(cases), 200)
        for source, want in cases:
            with self.subTest(source=source[:100]), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self.assertEqual(outcome(source), want)

    def test_deep_nesting_takes_linear_time(self):
        for opening, closing in (("(", ")"), ("[", "]"), ("{", "}"), ("{a:", "}"), ("f(", ")")):
            for rest in ("1" + closing * 150, "1 $ " + closing * 150, "", "1" + closing * 149):
                with self.subTest(opening=opening, rest=rest[:5]):
                    outcome(opening * 150 + rest)

    def test_too_complex(self):
        for source in ("-" * 200_000 + "1", "not " * 200_000 + "x", "lambda:" * 200_000 + "1"):
            with self.assertRaises((MemoryError, RecursionError)):
                compile(source, "f", "eval", ONLY_AST)

    def test_incomplete(self):
        for source in ("if x:\n", "x = (1,\n", '"""abc\n', "def f():\n", "f(a,", "@d\n"):
            with self.subTest(source=source):
                self.assertEqual(outcome(source, "single", ALLOW_INCOMPLETE_INPUT)[:2],
                                 ["_IncompleteInputError", "incomplete input"])

    def test_single(self):
        self.assertEqual(outcome("x\ny\n", "single")[1],
                         "multiple statements found while compiling a single statement")
        self.assertIsNone(outcome("x # comment\n\n# more\n", "single"))

    def test_encodings(self):
        self.assertEqual(ast.literal_eval(ast.parse(b"# coding: latin-1\n'\xe9'").body[0].value), "\xe9")
        self.assertEqual(ast.parse(b"\xef\xbb\xbf1").body[0].value.value, 1)
        self.assertEqual(outcome(b"# coding: foo\n")[1], "unknown encoding: foo")
        self.assertEqual(outcome(b"\xef\xbb\xbf# coding: latin-1\n")[1],
                         "encoding problem: iso-8859-1 with BOM")


class Trees(unittest.TestCase):
    def dump(self, source, mode="eval", **options):
        return ast.dump(ast.parse(source, mode=mode, **options), include_attributes=False)

    def test_positions(self):
        call = ast.parse("f(é, [\n  b])  # c").body[0].value
        self.assertEqual((call.lineno, call.col_offset, call.end_lineno, call.end_col_offset), (1, 0, 2, 5))
        self.assertEqual((call.args[1].col_offset, call.args[1].end_col_offset), (6, 4))

    def test_strings(self):
        self.assertEqual(ast.literal_eval(r"'a\x41\u00e9\N{BULLET}\101' 'b' r'\n'"), "aA\xe9\u2022Ab\\n")
        self.assertEqual(ast.literal_eval(r"b'a\x41\101\n' br'\x'"), b"aAA\n\\x")
        self.assertEqual(self.dump("f'{x = !r:>{w}}{{}}'"),
                         "Expression(body=JoinedStr(values=[Constant(value='x = '), FormattedValue("
                         "value=Name(id='x', ctx=Load()), conversion=114, format_spec=JoinedStr(values=["
                         "Constant(value='>'), FormattedValue(value=Name(id='w', ctx=Load()), "
                         "conversion=-1)])), Constant(value='{}')]))")

    def test_type_comments(self):
        tree = ast.parse("x = 1  # type: int\ny = 2  # type: ignore[z]\n", type_comments=True)
        self.assertEqual(tree.body[0].type_comment, "int")
        self.assertEqual([(i.lineno, i.tag) for i in tree.type_ignores], [(2, "[z]")])

    def test_names_are_normalised(self):
        self.assertEqual(ast.parse("ﬁ").body[0].value.id, "fi")
        with self.assertRaises(ValueError):
            ast.parse("Tru\u1d49")

    def test_folding(self):
        for source, want in (("1 + 2 * 3", "7"), ("(1, 2)[1]", "2"), ("-(-1)", "1"), ("2 ** 64", str(2 ** 64)),
                             ("'a' * 3 == 'aaa'", None), ("2 ** 200", None), ("1 // 0", None)):
            with self.subTest(source=source):
                tree = ast.parse(source, mode="eval", optimize=1)
                if want is None:
                    self.assertNotIsInstance(tree.body, ast.Constant)
                else:
                    self.assertEqual(ast.dump(tree), f"Expression(body=Constant(value={want}))")
        self.assertIn("JoinedStr", self.dump("'%5s' % (x,)", optimize=1))

    def test_objects(self):
        self.assertEqual(ast.Name.__doc__, "Name(identifier id, expr_context ctx)")
        self.assertEqual(ast.FunctionDef(name="f", args=ast.arguments()).body, [])
        with self.assertWarns(DeprecationWarning):
            ast.Name()
        tree = ast.parse("def f(a, *b, c=1): return [x async for x in a]")
        self.assertEqual(ast.dump(copy.deepcopy(tree)), ast.dump(tree))

    def test_bad_trees(self):
        for node, error in ((ast.Expression(ast.Name("x", ast.Store(), lineno=1, col_offset=0)), ValueError),
                            (ast.Expression(ast.BoolOp(ast.And(), [])), TypeError),
                            (ast.Module([ast.Pass(lineno=2, end_lineno=1, col_offset=0, end_col_offset=0)], []), ValueError),
                            (ast.Expression(3), TypeError)):
            with self.subTest(node=node), self.assertRaises(error):
                compile(node, "f", "exec" if isinstance(node, ast.Module) else "eval")


if __name__ == "__main__":
    unittest.main()
