"""Closures: a parser library made of functions, used on arithmetic and on lists."""
import functools


def char(wanted):
    def parse(text, at):
        if at < len(text) and text[at] == wanted:
            return wanted, at + 1
        return None
    return parse


def satisfy(test):
    def parse(text, at):
        if at < len(text) and test(text[at]):
            return text[at], at + 1
        return None
    return parse


def many(parser):
    def parse(text, at):
        values = []
        while (result := parser(text, at)) is not None:
            value, at = result
            values.append(value)
        return values, at
    return parse


def sequence(*parsers):
    def parse(text, at):
        values = []
        for parser in parsers:
            result = parser(text, at)
            if result is None:
                return None
            value, at = result
            values.append(value)
        return values, at
    return parse


def choice(*parsers):
    def parse(text, at):
        for parser in parsers:
            if (result := parser(text, at)) is not None:
                return result
        return None
    return parse


def apply(function, parser):
    def parse(text, at):
        result = parser(text, at)
        return None if result is None else (function(result[0]), result[1])
    return parse


def lazy(make):
    return lambda text, at: make()(text, at)


def compose(*functions):
    return functools.reduce(lambda f, g: lambda x: g(f(x)), functions)


space = many(satisfy(str.isspace))


def token(parser):
    return apply(lambda pair: pair[0], sequence(parser, space))


def left_assoc(operand, operators):
    step = sequence(choice(*(token(char(op)) for op in operators)), operand)

    def combine(values):
        first, rest = values
        for op, value in rest:
            first = operators[op](first, value)
        return first

    return apply(combine, sequence(operand, many(step)))


digits = sequence(satisfy(str.isdigit), many(satisfy(str.isdigit)))
number = token(apply(lambda parts: int(parts[0] + "".join(parts[1])), digits))
inside = lazy(lambda: expression)
parenthesised = apply(lambda parts: parts[1], sequence(token(char("(")), inside, token(char(")"))))
factor = choice(number, parenthesised)
term = left_assoc(factor, {"*": lambda a, b: a * b, "/": lambda a, b: a // b})
expression = left_assoc(term, {"+": lambda a, b: a + b, "-": lambda a, b: a - b})
listing = apply(
    lambda parts: [parts[1]] + [item[1] for item in parts[2]],
    sequence(token(char("[")), lazy(lambda: value), many(sequence(token(char(",")), lazy(lambda: value))),
             token(char("]"))))
value = choice(listing, expression)


def counter():
    count = 0

    def step(amount=1):
        nonlocal count
        count += amount
        return count

    return step


def main():
    total = counter()
    twice_plus_one = compose(lambda x: x * 2, lambda x: x + 1)
    for i in range(400):
        result, end = expression(f"(1 + {i}) * 3 - 8 / (2 + 2) + (7 * (6 - {i % 5}))", 0)
        assert result == (1 + i) * 3 - 2 + 7 * (6 - i % 5)
        total(twice_plus_one(result))
        nested, _ = value(f"[1, [2, {i}], 3 * 4, [[5]]]", 0)
        assert nested == [1, [2, i], 12, [[5]]]
    print(total(0))


if __name__ == "__main__":
    for _ in range(6):
        main()
