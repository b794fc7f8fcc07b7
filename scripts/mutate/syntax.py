# SPDX-License-Identifier: Apache-2.0
"""Where the RTL can be changed at run time: its expressions and statements, read from the source.

Only what runs is read closely: `assign`, processes, functions, input ports of instances. What is fixed when
the model is built (parameters, ranges, generate conditions, loop headers, case labels) is passed over, as are
assertions. A `Node` is a piece of the source; nodes nest as the text does.
"""
import dataclasses

from .lexer import SyntaxProblem, tokens

BINARY = [("||",), ("&&",), ("|",), ("^", "~^", "^~"), ("&",), ("==", "!=", "===", "!==", "==?", "!=?"),
          ("<", "<=", ">", ">=", "inside"), ("<<", ">>", "<<<", ">>>"), ("+", "-"), ("*", "/", "%"), ("**",)]
PRECEDENCE = {op: level for level, ops in enumerate(BINARY) for op in ops}
UNARY = ("!", "~", "-", "+", "&", "|", "^", "~&", "~|", "~^")
ASSIGNMENTS = ("=", "<=", "+=", "-=", "|=", "&=", "^=")
OPENING = {"(": ")", "[": "]", "{": "}", "'{": "}"}
ASSERTIONS = ("assert", "assume", "cover")


@dataclasses.dataclass
class Node:
    kind: str   # binary, unary, ternary, number, name, call, index, other; assignment, if
    start: int
    end: int
    op: str = ""
    parts: list = dataclasses.field(default_factory=list)  # nodes below, in the order of the text


@dataclasses.dataclass
class Region:
    """What one mutant may take for itself: the outermost expression, or a statement."""
    root: Node
    context: str  # "value", "condition", "port", "assignment"


class Parser:
    def __init__(self, text):
        self.text, self.tokens, self.at = text, tokens(text), 0
        self.regions = []

    # --- tokens
    @property
    def now(self):
        return self.tokens[self.at]

    def take(self, *allowed):
        token = self.now
        if allowed and token.text not in allowed:
            raise SyntaxProblem(f"line {self.text.count(chr(10), 0, token.start) + 1}: {token.text!r} where "
                                f"{' or '.join(allowed)} is read")
        self.at += 1
        return token

    def has(self, *texts):
        return self.now.text in texts and self.now.kind in ("name", "mark")

    def pass_to(self, *stops):
        """Over balanced brackets to one of `stops`, which is not taken."""
        while self.now.kind != "end" and not self.has(*stops):
            self.pass_group()

    def pass_group(self):
        opening = self.take()
        if opening.kind == "mark" and opening.text in OPENING:
            self.pass_to(OPENING[opening.text])
            self.take(OPENING[opening.text])

    def last_end(self):
        return self.tokens[self.at - 1].end

    # --- expressions
    def expression(self, level=-1):
        condition = self.binary(0) if level < 0 else self.binary(level)
        if level >= 0 or not self.has("?"):
            return condition
        self.take("?")
        one = self.expression()
        self.take(":")
        two = self.expression()
        return Node("ternary", condition.start, two.end, "?", [condition, one, two])

    def binary(self, level):
        left = self.unary()
        while self.now.kind in ("mark", "name") and PRECEDENCE.get(self.now.text, -1) >= level:
            op = self.take().text
            if op == "inside":
                self.pass_group()
                left = Node("other", left.start, self.last_end(), op, [left])
                continue
            right = self.binary(PRECEDENCE[op] + 1)
            left = Node("binary", left.start, right.end, op, [left, right])
        return left

    def unary(self):
        if self.now.kind == "mark" and self.now.text in UNARY:
            op = self.take()
            inner = self.unary()
            return Node("unary", op.start, inner.end, op.text, [inner])
        return self.postfix(self.primary())

    def primary(self):
        token = self.now
        if self.has("("):
            self.take()
            inner = self.expression()
            self.take(")")
            return Node("other", token.start, self.last_end(), "(", [inner])
        if self.has("{"):
            return self.concatenation()
        if self.has("'{"):
            return self.pattern(token.start)
        if token.kind in ("number", "name", "string"):
            self.take()
            return Node({"string": "other"}.get(token.kind, token.kind), token.start, token.end, token.text)
        raise SyntaxProblem(f"line {self.text.count(chr(10), 0, token.start) + 1}: {token.text!r} begins no expression")

    def concatenation(self):
        start = self.take("{").start
        if self.has("<<", ">>"):
            self.at -= 1
            self.pass_group()
            return Node("other", start, self.last_end(), "{")
        parts = [self.expression()]
        if self.has("{"):  # {N{x}}: N is fixed
            parts = [self.concatenation()]
        while self.has(","):
            self.take()
            parts.append(self.expression())
        self.take("}")
        return Node("other", start, self.last_end(), "{", parts)

    def pattern(self, start):
        """'{member: value, ...}: the values."""
        self.take("'{")
        parts = []
        while not self.has("}"):
            if self.tokens[self.at + 1].text == ":":
                self.take()
                self.take()
            parts.append(self.expression())
            if self.has(","):
                self.take()
        self.take()
        return Node("other", start, self.last_end(), "'{", parts)

    def postfix(self, node):
        while True:
            if self.has("::", "."):
                self.take()
                self.take()
                node = Node("name", node.start, self.last_end(), self.text[node.start:self.last_end()], node.parts)
            elif self.has("["):
                node = self.select(node)
            elif self.has("("):
                node = Node("call", node.start, 0, self.text[node.start:node.end], self.arguments())
                node.end = self.last_end()
            elif self.has("'"):  # a cast: its operand
                self.take()
                inner = self.concatenation() if self.has("{") else self.parenthesised()
                node = Node("other", node.start, self.last_end(), "'", [inner])
            elif self.has("'{"):
                node = self.pattern(node.start)
            else:
                return node

    def parenthesised(self):
        self.take("(")
        inner = self.expression()
        self.take(")")
        return inner

    def arguments(self):
        self.take("(")
        parts = []
        while not self.has(")"):
            if self.has(","):
                self.take()
            elif self.has("."):
                self.pass_to(",", ")")
            else:
                parts.append(self.expression())
        self.take(")")
        return parts

    def select(self, node):
        """x[i], x[i +: w], x[h:l]; of the second the place, of the third nothing may change."""
        self.take("[")
        index = self.expression()
        fixed = self.has(":")
        whole = self.has("]")
        self.pass_to("]")
        self.take("]")
        return Node("index" if whole else "slice", node.start, self.last_end(), "[", node.parts + ([] if fixed else [index]))

    # --- statements
    def statement(self):
        """One statement; what guards nothing but assertions is no part of the design."""
        if self.has(";"):
            self.take()
        elif self.has("begin"):
            self.take()
            self.label()
            while not self.has("end"):
                self.statement()
            self.take()
            self.label()
        elif self.has("unique", "priority"):
            self.take()
            self.statement()
        elif self.has("if"):
            self.if_statement()
        elif self.has("case", "casez", "casex"):
            self.case_statement()
        elif self.has("for", "while", "repeat"):
            self.take()
            self.pass_group()
            self.statement()
        elif self.has(*ASSERTIONS):
            self.pass_to(";")
            self.take()
        elif self.has("return"):
            self.take()
            if not self.has(";"):
                self.regions.append(Region(self.expression(), "value"))
            self.take(";")
        else:
            self.simple_statement()

    def label(self):
        if self.has(":"):
            self.take()
            self.take()

    def if_statement(self):
        self.take("if")
        condition = Region(self.parenthesised(), "condition")
        before, body = len(self.regions), self.at
        self.statement()
        if self.has("else"):
            self.take()
            self.statement()
        asserts = any(t.text in ASSERTIONS for t in self.tokens[body:self.at])
        if len(self.regions) > before or not asserts:
            self.regions.insert(before, condition)

    def case_statement(self):
        self.take()
        self.regions.append(Region(self.parenthesised(), "value"))
        if self.has("inside"):
            self.take()
        while not self.has("endcase"):
            self.pass_to(":", ";") if not self.has("default") else self.take()
            if self.has(":"):
                self.take()
            self.statement()
        self.take()

    def simple_statement(self):
        """An assignment; a declaration, a call and a labelled assertion are passed over."""
        start = self.now.start
        if self.now.kind == "name" and self.tokens[self.at + 1].text == ":" and self.tokens[
                self.at + 2].text in ASSERTIONS:
            self.pass_to(";")
            self.take()
            return
        names = 0
        previous = None
        while not self.has(";", *ASSIGNMENTS) and self.now.kind != "end":
            names += self.now.kind == "name" and (previous is None or previous.text not in (".", "::"))
            previous = self.now
            self.pass_group()
        if self.has(";"):
            self.take()
            return
        target_end = self.last_end()
        op = self.take().text
        value = self.expression()
        end = self.take(";").end
        if names == 1:
            target = Node("name", start, target_end)
            self.regions.append(Region(Node("assignment", start, end, op, [target, value]), "assignment"))

    # --- design units
    def file(self):
        while self.now.kind != "end":
            self.item()
        return self.regions

    def item(self):
        """One item of a module or package, or one token of what is not read closely."""
        if self.has("module", "macromodule", "package", "interface", "import", "typedef", "localparam", "parameter", "export", "modport"):
            self.pass_to(";")
            self.take()
        elif self.has("function", "task"):
            self.function()
        elif self.has("always_comb", "always_latch"):
            self.take()
            self.statement()
        elif self.has("always_ff", "always"):
            self.take()
            self.take("@")
            self.pass_group()
            self.statement()
        elif self.has("initial", "final"):
            before = len(self.regions)
            self.take()
            self.statement()
            del self.regions[before:]
        elif self.has("assign"):
            self.take()
            while True:
                unused = self.now.text.startswith("unused")
                self.pass_to("=")
                self.take()
                value = Region(self.expression(), "value")
                self.regions += [] if unused else [value]
                if not self.has(","):
                    break
                self.take()
            self.take(";")
        elif self.has("for", "if", "case"):  # generate
            self.take()
            self.pass_group()
        elif self.now.kind == "name" and self.is_instance():
            self.instance()
        else:
            self.pass_group()

    def function(self):
        """One that a module calls from its assertions only is none of the design."""
        begin, before = self.at, len(self.regions)
        while not self.has("(", ";"):
            self.take()
        name = self.tokens[self.at - 1].text
        self.pass_to(";")
        self.take()
        while not self.has("endfunction", "endtask"):
            self.statement()
        self.take()
        around = self.tokens[:begin] + self.tokens[self.at:]  # without the arguments of macros
        if self.tokens[0].text == "module" and all(token.text != name for token in around):
            del self.regions[before:]

    def is_instance(self):
        """`type name (` or `type #(`, at the beginning of an item."""
        first, second = self.tokens[self.at + 1], self.tokens[self.at + 2]
        return first.text == "#" or first.kind == "name" and second.text in ("(", "[") and self.tokens[self.at - 1].text in (
            ";", "begin", ")", "end", "endfunction") or first.kind == "name" and second.text == "(" and self.tokens[
                self.at - 1].kind == "name"

    def instance(self):
        self.take()
        if self.has("#"):
            self.take()
            self.pass_group()
        self.pass_to("(", ";")
        if self.has(";"):
            self.take()
            return
        self.take("(")
        while not self.has(")"):
            if self.has("."):
                self.take()
                port = self.take().text
                if self.has("("):
                    if port.endswith("_i") and self.tokens[self.at + 1].text != ")":
                        self.regions.append(Region(self.parenthesised(), "port"))
                    else:
                        self.pass_group()
            elif self.now.kind == "end":
                raise SyntaxProblem("an instance has no end")
            else:
                self.pass_group()
        self.take(")")


def regions(text):
    """Every region of a source file; SyntaxProblem where it is not read."""
    return Parser(text).file()
