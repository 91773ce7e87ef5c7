"""Chat templates: messages to text by the model file's Jinja template, and to token ids safely."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from reprlib import repr as short
from typing import TYPE_CHECKING, Any

from tensorlib.errors import ModelError
from tensorlib.llama.finder import TextFinder
from tensorlib.llama.tokenizer import Tokenizer, check_text

if TYPE_CHECKING:
    from tensorlib.llama.sandbox import BoundedEnvironment

__all__ = ["ChatTemplate", "encode_chat"]

Message = Mapping[str, Any]

JINJA = (3, 1, 6)  # older sandboxes have holes
LONGEST_SOURCE = 1 << 17  # characters
LONGEST_SPECIAL = 256  # characters of a special token that is looked for at a text's ends
DEEPEST = 16  # levels of lists and mappings in a message
STAND_INS = 1024


class ChatTemplate:
    """The Jinja template `tokenizer.chat_template` of a model file, rendered in a sandbox.

    Raises:
        ModelError: not a template, a template that fails, refuses or takes too much, no jinja2.

    >>> template = ChatTemplate("{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}")
    >>> template.render([{"role": "user", "content": "Hi"}])
    '<user>Hi'
    """

    def __init__(self, source: str) -> None:
        if not isinstance(source, str) or len(source) > LONGEST_SOURCE:
            got = f"{len(source)} characters" if isinstance(source, str) else short(source)
            raise ModelError(
                f"tokenizer.chat_template: got {got}; needed text of at most {LONGEST_SOURCE}"
            )
        self.source = source
        self._environment = _environment()
        try:
            self._template = self._environment.from_string(source)
        except Exception as error:  # a template is foreign code: it may fail in any way
            raise _failed("can't be read", error) from error

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, Any]) -> ChatTemplate:
        """Return the template of a GGUF file; ModelError where it has none."""
        if "tokenizer.chat_template" not in metadata:
            raise ModelError(
                "tokenizer.chat_template: the model file has none; try a raw prompt (--raw)"
            )
        return cls(metadata["tokenizer.chat_template"])

    def render(
        self,
        messages: Sequence[Message],
        add_generation_prompt: bool = True,
        bos_token: str = "",
        eos_token: str = "",
    ) -> str:
        """Return the text of `messages`, each a mapping with `role` and `content`."""
        variables = {"add_generation_prompt": add_generation_prompt}
        return self._filled(_copied(messages, _same), bos_token, eos_token, variables)

    def _filled(
        self, messages: list[Any], bos_token: str, eos_token: str, variables: Mapping[str, Any]
    ) -> str:
        self._environment.start()
        names = {"messages": messages, "bos_token": bos_token, "eos_token": eos_token}
        try:
            return self._template.render(**names, **variables, tools=None, documents=None)
        except ModelError:
            raise
        except Exception as error:  # see above
            raise _failed("fails", error) from error


def encode_chat(
    tokenizer: Tokenizer,
    template: ChatTemplate,
    messages: Sequence[Message],
    add_generation_prompt: bool = True,
) -> list[int]:
    """Return the token ids of `messages` as `template` writes them.

    Only the template's own special tokens become special ids; those written in a message are plain
    characters. Law: where no message holds a special token's text, this is
    `tokenizer.encode(template.render(messages), bos=False)`.
    """
    marks = _Marks(tokenizer.special_texts())
    bos, eos = (_text_of(tokenizer, i) for i in (tokenizer.bos_id, tokenizer.eos_id))
    variables = {"add_generation_prompt": add_generation_prompt}
    text = template._filled(_copied(messages, marks.marked), bos, eos, variables)
    ids: list[int] = []
    for piece, number in tokenizer.cut(text):
        if number is None:
            ids += tokenizer.encode(marks.restored(piece), special=False, bos=False)
        else:
            ids.append(number)
    return ids


class _Marks:
    """Stand-ins: in each special token's text within a message one character is exchanged.

    A stand-in is a lone surrogate, which no text holds. The template sees texts of the same length
    and, but for that character, the same; what it writes itself is never exchanged. The same is
    done to a part of a special token at the very end or start of a text (spaces aside), which the
    template's own words might complete.
    """

    def __init__(self, specials: Sequence[str]) -> None:
        self._finder = TextFinder(dict.fromkeys(specials, 0))
        known = [text for text in specials if len(text) <= LONGEST_SPECIAL]
        self._forward = sorted(known)
        self._backward = sorted(text[::-1] for text in known)
        self._stand_ins: dict[str, str] = {}

    def marked(self, text: str) -> str:
        """Return `text` with stand-ins in it."""
        letters = list(text)
        for place in self._places(text):
            letters[place] = self._stand_in(text[place])
        return "".join(letters)

    def restored(self, text: str) -> str:
        """Return `text` with the characters that stand-ins stand for."""
        return text.translate({ord(mark): character for character, mark in self._stand_ins.items()})

    def _places(self, text: str) -> set[int]:
        """Return where the specials in `text` begin, and their parts at its ends begin or end."""
        start, end = len(text) - len(text.lstrip()), len(text.rstrip())
        sizes = range(1, min(LONGEST_SPECIAL, end - start) + 1)
        places = {at for at, _ in self._finder.found(text)}
        places |= {end - n for n in sizes if _extended(self._forward, text[end - n : end])}
        heads = (n for n in sizes if _extended(self._backward, text[start : start + n][::-1]))
        return places | {start + n - 1 for n in heads}

    def _stand_in(self, character: str) -> str:
        mark = self._stand_ins.get(character)
        if mark is None:
            if len(self._stand_ins) == STAND_INS:
                raise ModelError(f"chat: got over {STAND_INS} different ends of special tokens")
            mark = self._stand_ins[character] = chr(0xDC00 + len(self._stand_ins))
        return mark


def _extended(known: Sequence[str], part: str) -> bool:
    """Return whether a text in sorted `known` begins with `part` and goes on."""
    place = bisect_right(known, part)
    return place < len(known) and known[place].startswith(part)


def _same(text: str) -> str:
    return text


def _copied(messages: object, change: Callable[[str], str]) -> list[Any]:
    """Return a checked deep copy of `messages` with `change` made to every text."""
    if not isinstance(messages, list | tuple):
        raise ModelError(f"chat: got messages={short(messages)}; needed a list of messages")
    for place, message in enumerate(messages):
        if not isinstance(message, Mapping) or not isinstance(message.get("role"), str):
            raise ModelError(
                f"chat: got messages[{place}]={short(message)}; "
                "needed a mapping with 'role' and 'content'"
            )
        if "content" not in message:
            raise ModelError(f"chat: messages[{place}] has no 'content'; needed a text")
    return [_plain(message, f"messages[{i}]", change) for i, message in enumerate(messages)]


def _plain(value: Any, where: str, change: Callable[[str], str], depth: int = DEEPEST) -> Any:
    """Return a deep copy of `value` in texts, numbers, lists and dicts, as JSON has them."""
    if isinstance(value, str):
        check_text(value)
        return change(str(value))
    if value is None or isinstance(value, bool | int | float):
        return value
    if depth and isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {key: _plain(v, f"{where}.{key}", change, depth - 1) for key, v in value.items()}
    if depth and isinstance(value, list | tuple):
        return [_plain(v, f"{where}[{i}]", change, depth - 1) for i, v in enumerate(value)]
    raise ModelError(f"chat: got {where}={short(value)}; needed text, numbers, lists and mappings")


def _text_of(tokenizer: Tokenizer, number: int | None) -> str:
    return "" if number is None else tokenizer.token_text(number)


def _failed(how: str, error: Exception) -> ModelError:
    return ModelError(f"chat template: it {how}: {type(error).__name__}: {str(error)[:200]}")


def _environment() -> BoundedEnvironment:
    """Return a fresh environment; ModelError where jinja2 is missing or has a leaking sandbox."""
    install = "try pip install 'tensorlib[llama]'"
    try:
        from tensorlib.llama.sandbox import BoundedEnvironment
    except ImportError:
        raise ModelError(f"chat template: the package jinja2 is missing; {install}") from None
    found = version("jinja2")
    if tuple(int(part) for part in re.findall(r"\d+", found)[:3]) < JINJA:
        needed = ".".join(map(str, JINJA))
        raise ModelError(f"chat template: got jinja2 {found}; needed {needed} or newer; {install}")
    return BoundedEnvironment()
