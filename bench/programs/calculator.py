"""A language of expressions: tokenizer, parser, optimiser, stack machine."""
import re
from collections import namedtuple

Token = namedtuple("Token", "kind text position")
TOKENS = re.compile(r"\s*(?:(?P<number>\d+)|(?P<name>[a-z]\w*)|(?P<op>\*\*|[-+*/%()=?:<>;]))")
POWERS = {"<": 1, ">": 1, "+": 2, "-": 2, "*": 3, "/": 3, "%": 3}


class Number:
    def __init__(self, value):
        self.value = value

    def fold(self):
        return self

    def emit(self, code):
        code.append(("push", self.value))


class Name:
    def __init__(self, name):
        self.name = name

    def fold(self):
        return self

    def emit(self, code):
        code.append(("load", self.name))


class Binary:
    def __init__(self, op, left, right):
        self.op = op
        self.left = left
        self.right = right

    def fold(self):
        self.left = self.left.fold()
        self.right = self.right.fold()
        if isinstance(self.left, Number) and isinstance(self.right, Number):
            return Number(apply(self.op, self.left.value, self.right.value))
        return self

    def emit(self, code):
        self.left.emit(code)
        self.right.emit(code)
        code.append(("apply", self.op))


class Assign:
    def __init__(self, name, value):
        self.name = name
        self.value = value

    def fold(self):
        self.value = self.value.fold()
        return self

    def emit(self, code):
        self.value.emit(code)
        code.append(("store", self.name))


def apply(op, a, b):
    if op == "+":
        return a + b
    if op == "-":
        return a - b
    if op == "*":
        return a * b
    if op == "/":
        return a // b if b else 0
    if op == "%":
        return a % b if b else 0
    if op == "<":
        return int(a < b)
    if op == ">":
        return int(a > b)
    raise ValueError(op)


def tokenize(text):
    position = 0
    text = text.rstrip()
    while position < len(text):
        match = TOKENS.match(text, position)
        if match is None:
            raise SyntaxError(f"at {position}")
        yield Token(match.lastgroup, match.group(match.lastgroup), position)
        position = match.end()
    yield Token("end", "", position)


class Parser:
    def __init__(self, text):
        self.tokens = list(tokenize(text))
        self.next = 0

    def peek(self):
        return self.tokens[self.next]

    def take(self, text=None):
        token = self.tokens[self.next]
        if text is not None and token.text != text:
            raise SyntaxError(f"{text} expected at {token.position}")
        self.next += 1
        return token

    def program(self):
        statements = []
        while self.peek().kind != "end":
            statements.append(self.statement())
            if self.peek().text == ";":
                self.take()
        return statements

    def statement(self):
        if self.peek().kind == "name" and self.tokens[self.next + 1].text == "=":
            name = self.take().text
            self.take("=")
            return Assign(name, self.expression(0))
        return self.expression(0)

    def expression(self, least):
        left = self.atom()
        while (power := POWERS.get(self.peek().text, 0)) > least:
            op = self.take().text
            left = Binary(op, left, self.expression(power))
        return left

    def atom(self):
        token = self.take()
        match token.kind, token.text:
            case "number", text:
                return Number(int(text))
            case "name", text:
                return Name(text)
            case "op", "(":
                inner = self.expression(0)
                self.take(")")
                return inner
            case "op", "-":
                return Binary("-", Number(0), self.atom())
        raise SyntaxError(f"unexpected {token.text!r} at {token.position}")


def execute(code, variables):
    stack = []
    push, pop = stack.append, stack.pop
    for op, argument in code:
        if op == "push":
            push(argument)
        elif op == "load":
            push(variables.get(argument, 0))
        elif op == "store":
            variables[argument] = pop()
        else:
            b = pop()
            push(apply(argument, pop(), b))
    return stack[-1] if stack else None


SOURCE = """
    total = 0; x = 7; y = x * (3 + 4 * 2) - 100 / (2 + 3);
    limit = 12 * 12 % 13; total = total + x * y - limit;
    z = (x + y) * (x - y) / (1 + limit); total = total + z % 97;
    big = x < y; small = y > total; total = total * 3 + big - small;
    total
"""


def main():
    results = []
    for round in range(250):
        program = Parser(SOURCE + f"; total + {round} * (2 + 3)").program()
        code = []
        for statement in program:
            statement.fold().emit(code)
        for _ in range(20):
            result = execute(code, {})
        results.append(result)
    assert results[1] - results[0] == 5 and len(set(results)) == 250
    print(results[-1])


if __name__ == "__main__":
    for _ in range(6):
        main()
