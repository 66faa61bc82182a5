#!/usr/bin/env python3
"""Makes the interpreter from the instruction definitions in interp/instructions/*.inst.

A definition is

    inst NAME(a: kind, b: kind, c: kind) flag... {
        C statements
    }
    form NAME of BASE {
        C statements
    }

or a family of them: `each X Y`, rows `| one two`, definitions that mention $X and $Y, `end`.
Braces that end a definition stand alone in the first column; `//` in the first column is a comment.

Operand kinds are those of enum operand_kind; an operand named `bc` takes b and c together.
Outputs: opcodes.h (the enum), opcode_table.c (names, operands, flags), cases.inc (each body as TARGET(NAME) ...
END_TARGET, which the file that includes it turns into labels, cases or functions).
"""
import argparse
import os
import re
import sys

KINDS = {
    "none": "OPERAND_NONE", "dst": "OPERAND_DST", "use": "OPERAND_USE", "keep": "OPERAND_KEEP",
    "base": "OPERAND_BASE", "jump": "OPERAND_JUMP", "const": "OPERAND_CONST",
    "site": "OPERAND_SITE", "count": "OPERAND_COUNT", "number": "OPERAND_NUMBER",
    "local": "OPERAND_LOCAL",
}
BC_KINDS = {
    "jump": "OPERAND_JUMP_BC", "site": "OPERAND_SITE_BC", "const": "OPERAND_CONST_BC",
    "number": "OPERAND_NUMBER_BC",
}
FLAGS = {"jumps": 1, "ends": 2, "calls": 4, "raises": 8}


class Error(Exception):
    pass


class Instruction:
    def __init__(self, name, base, operands, flags, body, where):
        self.name, self.base, self.operands = name, base, operands
        self.flags, self.body, self.where = flags, body, where


def parse_operands(text, where):
    operands = {"a": "OPERAND_NONE", "b": "OPERAND_NONE", "c": "OPERAND_NONE"}
    for part in filter(None, (p.strip() for p in text.split(","))):
        name, _, kind = (p.strip() for p in part.partition(":"))
        try:
            if name == "bc":
                operands["b"] = BC_KINDS[kind]
            elif name in operands:
                operands[name] = KINDS[kind]
            else:
                raise KeyError(name)
        except KeyError as error:
            raise Error(f"{where}: unknown operand {error}") from None
    return operands


def expand_families(lines, where):
    """Yields (line number, line) with families written out."""
    number = 0
    while number < len(lines):
        line = lines[number]
        if not line.startswith("each "):
            yield number + 1, line
            number += 1
            continue
        names = line.split()[1:]
        number += 1
        rows = []
        while lines[number].startswith("|"):
            row = lines[number][1:].split()
            if len(row) != len(names):
                raise Error(f"{where}:{number + 1}: {len(row)} columns, not {len(names)}")
            rows.append(dict(zip(names, row)))
            number += 1
        start = number
        pattern = re.compile(r"\$(" + "|".join(sorted(names, key=len, reverse=True)) + ")")
        while lines[number].strip() != "end":
            number += 1
        for row in rows:
            for offset, text in enumerate(lines[start:number]):
                yield start + offset + 1, pattern.sub(lambda m: row[m[1]], text)
        number += 1


def parse(path, instructions):
    with open(path, encoding="utf-8") as file:
        lines = file.read().splitlines()
    where = os.path.basename(path)
    current, body = None, []
    for number, line in expand_families(lines, where):
        if current is not None:
            if line == "}":
                current.body = "\n".join(body)
                if current.name in instructions:
                    raise Error(f"{where}:{number}: {current.name} defined twice")
                instructions[current.name] = current
                current, body = None, []
            else:
                body.append(line)
            continue
        if not line.strip() or line.startswith("//"):
            continue
        match = re.fullmatch(r"inst (\w+)\(([^)]*)\)((?: \w+)*) \{", line)
        if match:
            flags = 0
            for flag in match[3].split():
                flags |= FLAGS[flag]
            operands = parse_operands(match[2], f"{where}:{number}")
            current = Instruction(match[1], match[1], operands, flags, "", f"{where}:{number}")
            continue
        match = re.fullmatch(r"form (\w+) of (\w+) \{", line)
        if match and match[2] in instructions:
            base = instructions[match[2]]
            current = Instruction(match[1], base.name, base.operands, base.flags, "",
                                  f"{where}:{number}")
            continue
        raise Error(f"{where}:{number}: not understood: {line}")
    if current is not None:
        raise Error(f"{where}: {current.name} is not closed")


def order(instructions):
    """Plain instructions first (what compiler and marshal may use), then forms."""
    return ([i for i in instructions.values() if i.base == i.name]
            + [i for i in instructions.values() if i.base != i.name])


def write_opcodes(instructions, out):
    plain = sum(i.base == i.name for i in instructions)
    out.write("/* Made by tools/gen_interp.py. */\n#ifndef KRAIT_OPCODES_H\n#define KRAIT_OPCODES_H\n\n"
              "enum opcode {\n")
    for number, inst in enumerate(instructions):
        out.write(f"    {inst.name} = {number},\n")
    out.write(f"}};\n\n#define OPCODE_COUNT {len(instructions)}\n"
              f"#define OPCODE_PLAIN_COUNT {plain}     /* the rest are forms of these */\n"
              "\n"
              "#define OPCODE_LIST(X) \\\n")
    out.write(" \\\n".join(f"    X({inst.name})" for inst in instructions))
    out.write("\n\n#endif\n")


def write_table(instructions, out):
    out.write('/* Made by tools/gen_interp.py. */\n#include "interp/code.h"\n\n'
              "const struct opcode_info opcode_table[] = {\n")
    for inst in instructions:
        ops = inst.operands
        out.write(f'    [{inst.name}] = {{"{inst.name}", {inst.base}, {ops["a"]}, {ops["b"]}, '
                  f'{ops["c"]}, {inst.flags}}},\n')
    out.write("};\n\nconst unsigned opcode_count = OPCODE_COUNT;\n")


def write_cases(instructions, out):
    out.write("/* Made by tools/gen_interp.py. */\n")
    for inst in instructions:
        out.write(f"\n/* {inst.where} */\nTARGET({inst.name})\n{{\n{inst.body}\n}}\nEND_TARGET\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--opcodes")
    parser.add_argument("--table")
    parser.add_argument("--cases")
    parser.add_argument("inputs", nargs="+")
    args = parser.parse_args()
    instructions = {}
    try:
        for path in args.inputs:
            parse(path, instructions)
    except Error as error:
        sys.exit(f"gen_interp: {error}")
    ordered = order(instructions)
    for path, write in ((args.opcodes, write_opcodes), (args.table, write_table),
                        (args.cases, write_cases)):
        if path:
            with open(path, "w", encoding="utf-8") as out:
                write(ordered, out)


if __name__ == "__main__":
    main()
