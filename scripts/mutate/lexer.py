# SPDX-License-Identifier: Apache-2.0
"""Tokens of SystemVerilog with their places; comments and directives are left out."""
import dataclasses
import re

TOKEN = re.compile(r"""
    (?P<skip>\s+|//[^\n]*|/\*.*?\*/)
  | (?P<string>"(?:\\.|[^"\\])*")
  | (?P<macro>`[A-Za-z_]\w*)
  | (?P<number>\d[\d_]*\s*'[sS]?[bBoOdDhH][\da-fA-F_xXzZ?]+|'[sS]?[bBoOdDhH][\da-fA-F_]+|'[01xXzZ](?!\w)|\d[\d_]*(?:\.\d+)?)
  | (?P<name>\$?[A-Za-z_][\w$]*)
  | (?P<mark><<<=|>>>=|<<<|>>>|<<=|>>=|===|!==|==\?|!=\?|\|=>|\|->|<->|->|\+=|-=|\*=|/=|%=|&=|\|=|\^=|==|!=|<=|>=|&&|\|\||\*\*
      |<<|>>|\+\+|--|\+:|-:|::|'\{|~&|~\||~\^|\^~|[-+*/%&|^~!<>=?:;,.@\#()\[\]{}'])
""", re.X | re.S)
LINE_DIRECTIVES = ("`include", "`ifdef", "`ifndef", "`else", "`elsif", "`endif", "`define", "`undef")


@dataclasses.dataclass(frozen=True)
class Token:
    kind: str   # string, macro, number, name, mark; "end" behind the last
    text: str
    start: int  # offsets into the file
    end: int


class SyntaxProblem(Exception):
    """What the parser does not read."""


def tokens(text):
    """All tokens; of a macro's call its arguments, too, are left out: assertions are not the design."""
    found, at = [], 0
    while at < len(text):
        match = TOKEN.match(text, at)
        if not match:
            raise SyntaxProblem(f"line {text.count(chr(10), 0, at) + 1}: no token begins with {text[at]!r}")
        at = match.end()
        if match.lastgroup == "macro":
            at = after_macro(text, match)
        elif match.lastgroup != "skip":
            found.append(Token(match.lastgroup, match.group(), match.start(), match.end()))
    return found + 3 * [Token("end", "", len(text), len(text))]  # who looks ahead finds an end


def after_macro(text, match):
    if match.group() in LINE_DIRECTIVES:
        end = re.compile(r"(?:[^\\\n]|\\.)*", re.S).match(text, match.end())
        return end.end()
    at, depth = match.end(), 0
    while at < len(text):
        inner = TOKEN.match(text, at)
        if inner.group() == "(":
            depth += 1
        elif inner.group() == ")":
            depth -= 1
        elif inner.lastgroup != "skip" and depth == 0:
            return match.end()
        at = inner.end()
        if depth == 0 and inner.group() == ")":
            return at
    return at
