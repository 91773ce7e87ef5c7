"""A language model from Python: load a GGUF file, stream an answer, look at the figures."""

from __future__ import annotations

import sys

from tensorlib.llama import Llama
from tensorlib.llama.fetch import model_path


def main(name: str = "smollm2-135m-instruct") -> None:
    model = Llama.load(model_path(name, progress=True))
    question = [{"role": "user", "content": "Name three colours."}]
    answer = model.generate(model.chat_ids(question), max_tokens=32)
    for piece in answer:
        print(piece, end="", flush=True)
    print(f"\n{len(answer.tokens)} tokens, {answer.timings['decode_tok_s']:.1f} a second")


if __name__ == "__main__":
    main(*sys.argv[1:])
