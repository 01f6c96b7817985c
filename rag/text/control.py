"""Text that a chat model's server would take for markup of the chat, and characters nobody sees."""

import unicodedata

import regex

_NAMES = (
    "s|bos|eos|pad|unk|cls|sep|mask|eot|eod|eop|sop|think|tool|tools|image|video|audio|reponame|"
    "filename|unused\\d+|extra_id_\\d+"
)
CONTROL = regex.compile(
    rf"""
    <(?=[|｜][^\s<>]{{1,60}}>)             # <|im_end|>, <|channel>, DeepSeek's full-width bars
  | <(?=[^\s<>]{{1,60}}[|｜]>)             # <channel|>
  | <(?=(?i:/?[a-z0-9]+(?:_[a-z0-9]+)+)>)  # <start_of_turn>, <file_sep>; no tag of HTML has a "_"
  | <(?=/?(?i:{_NAMES})>)
  | <(?=</?SYS>>)                          # <<SYS>>
  | \[(?=/?[A-Z]+(?:_[A-Z]+)+\])           # [TOOL_CALLS], [AVAILABLE_TOOLS]
  | \[(?=/?(?:INST|SYS|gMASK|sMASK|IMG|CLS|SEP|PAD|MASK|UNK|BOS|EOS|THINK|ARGS)\])
    """,
    regex.VERBOSE,
)
"""The first character of each control token, of any family; every match is one character long."""
_FLAG = regex.compile(r"\U0001f3f4[\U000e0020-\U000e007e]{1,6}\U000e007f")
"""England's flag and its like, the one use of tag characters that is seen."""
TAGS = regex.compile(r"[\U000e0000-\U000e007f]+")


def inert(text: str) -> str:
    """Return the text as it may stand in a prompt: no control token of a chat is left in it.

    A server reads `<|im_end|>` as the end of the turn wherever it stands, so a blank parts the
    token's first character from the rest, `< |im_end|>`, which reads as before and ends nothing.
    Tag characters are left out: no screen shows them, and models read them as letters.
    """
    return str(CONTROL.sub(r"\g<0> ", without_tags(text)))


def without_tags(text: str) -> str:
    """Return the text without tag characters, but for those that make a flag."""
    if not TAGS.search(text):
        return text
    at = 0
    pieces = []
    for flag in _FLAG.finditer(text):
        pieces += [TAGS.sub("", text[at : flag.start()]), flag.group()]
        at = flag.end()
    return "".join([*pieces, TAGS.sub("", text[at:])])


def visible(text: str) -> str:
    """Return the text for people, tag characters as the letters they stand for, others escaped."""
    return "".join(
        chr(ord(char) - 0xE0000)
        if "\U000e0020" <= char < "\U000e007f"
        else f"\\u{ord(char):04x}"
        if unicodedata.category(char) == "Cf"
        else char
        for char in text
    )
