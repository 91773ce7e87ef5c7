"""Makes the JSON references of the Llama tests with transformers, tokenizers, gguf and torch.

Run by hand, in an environment with the extras `test` and `oracle`:
    python -m tensorlib.tests.make_reference MODEL.gguf [tokenizer] [words] [chat] [greedy]
"""

# mypy: disable-error-code="import-not-found,import-untyped"

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tensorlib.tests.tokenizer_strings import strings

DATA = Path(__file__).parent / "data"
STEPS = 64
# The vocabulary entries whose logits are kept: spread over the table, special tokens included.
LOGIT_IDS = [0, 1, 2, *range(17, 49152, 1696)]

PROMPTS = [
    "The capital of France is",
    "Once upon a time, in a small village by the sea,",
    "def fibonacci(n):\n    ",
    "Water boils at 100 degrees Celsius because",
    "1, 2, 3, 4, 5, 6, 7,",
    "Q: Who wrote Romeo and Juliet?\nA:",
    "Die Hauptstadt von Deutschland ist",
    "The three laws of motion are:\n\n1.",
    "<|im_start|>user\nWrite a haiku about the moon.<|im_end|>\n<|im_start|>assistant\n",
    "Dear Sir or Madam,\n\nI am writing to",
    "A",
    "In mathematics, a prime number is a natural number greater than 1 that is not a product of "
    "two smaller natural numbers. A natural number greater than 1 that is not prime is called a "
    "composite number. For example, 5 is prime because the only ways of writing it as a product, "
    "1 × 5 or 5 × 1, involve 5 itself. However, 4 is composite because it is a product (2 × 2) in "
    "which both numbers are smaller than 4. Primes are central in number theory because of the "
    "fundamental theorem of arithmetic: every natural number greater than 1 is either a prime "
    "itself or can be factorized as a product of primes that is unique up to their order. The "
    "property of being prime is called primality. A simple but slow method of checking the "
    "primality of a given number n, called trial division,",
]

CONVERSATIONS: list[list[dict[str, str]]] = [
    [{"role": "user", "content": "What is the capital of France?"}],
    [{"role": "system", "content": "Answer in one word."}, {"role": "user", "content": "2 + 2?"}],
    [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello! How can I help?"},
        {"role": "user", "content": "  Tell me\n\na joke 😂  \n"},
    ],
    [{"role": "user", "content": ""}],
    [{"role": "user", "content": "3 < 4 and 5 > 4, <b>bold</b> <| |> <|im"}],
]

# Templates in the ways of known model families; special tokens are the default model's.
TEMPLATES = {
    "llama-3": (
        "{% set loop_messages = messages %}{% for message in loop_messages %}"
        "{% set content = '<|im_start|>' + message['role'] + '\n\n' + message['content'] | trim "
        "+ '<|im_end|>' %}{% if loop.index0 == 0 %}{% set content = bos_token + content %}"
        "{% endif %}{{ content }}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n\n' }}{% endif %}"
    ),
    "instruct": (
        "{%- if messages[0]['role'] == 'system' %}\n"
        "    {%- set system = messages[0]['content'] %}\n"
        "    {%- set rest = messages[1:] %}\n"
        "{%- else %}\n    {%- set rest = messages %}\n{%- endif %}\n"
        "{{- bos_token }}\n"
        "{%- for m in rest %}\n"
        "    {%- if m['role'] == 'user' %}\n"
        "        {{- '[INST] ' + (system ~ '\\n\\n' if system is defined and loop.first else '')"
        " + m.content + ' [/INST]' }}\n"
        "    {%- else %}\n        {{- ' ' + m.content|trim + eos_token }}\n    {%- endif %}\n"
        "{%- endfor %}"
    ),
    "features": (
        "{% macro part(m) %}[{{ m.role|upper }}]{{ m.content|tojson }}{% endmacro %}"
        "{% set ns = namespace(count=0) %}\n"
        "{% for m in messages if m.content is string %}\n"
        "  {% set ns.count = ns.count + m.content|length %}\n"
        "  {{ part(m) }}{% if not loop.last %},{% endif %}\n"
        "  {% if tools is not none or documents is not none %}never{% endif %}\n"
        "  {% if loop.index > 2 %}{% break %}{% endif %}\n"
        "{% endfor %}\n"
        "{{ ns.count }} {{ messages|map(attribute='role')|join('+') }} "
        "{{ messages[-1].content.split('\n')[0].strip() ~ 7 * 6 }} {{ nothing }}"
        "{{ [1, 2.5, none, true, {'a': 'é<>'}]|tojson(indent=2) }}"
    ),
}


def metadata(path: Path) -> dict[str, Any]:
    """Return the GGUF metadata of `path` as the `gguf` package reads it."""
    import gguf

    return {key: field.contents() for key, field in gguf.GGUFReader(path).fields.items()}


def fast_tokenizer(fields: Mapping[str, Any]) -> Any:
    """Return the `tokenizers.Tokenizer` that SmolLM2 publishes, from the GGUF's own lists."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    tokens = fields["tokenizer.ggml.tokens"]
    merges = [tuple(merge.split(" ")) for merge in fields["tokenizer.ggml.merges"]]
    tokenizer = Tokenizer(models.BPE({text: i for i, text in enumerate(tokens)}, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    kinds = fields["tokenizer.ggml.token_type"]
    control = [text for text, kind in zip(tokens, kinds, strict=True) if kind == 3]
    tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in control])
    return tokenizer


def tokenizer_reference(path: Path) -> dict[str, Any]:
    """Return every string of `tokenizer_strings` with its ids, special tokens recognised or not."""
    tokenizer = fast_tokenizer(metadata(path))
    texts = strings()
    special = [tokenizer.encode(text, add_special_tokens=False).ids for text in texts]
    tokenizer.encode_special_tokens = True
    plain = [tokenizer.encode(text, add_special_tokens=False).ids for text in texts]
    rows = [
        {"text": t, "ids": s} | ({} if s == p else {"plain": p})
        for t, s, p in zip(texts, special, plain, strict=True)
    ]
    return {"source": f"tokenizers, {path.name}", "rows": rows}


def words_reference(path: Path) -> dict[str, Any]:
    """Return the lengths of the words into which each pre-tokenizer cuts each string."""
    splitters = splitters_by_name()
    rows = []
    for text in strings():
        row: dict[str, Any] = {"text": text}
        for name, splitter in splitters.items():
            words = splitter.pre_tokenize_str(text)
            row[name] = [stop - start for _, (start, stop) in words]
        rows.append(row)
    return {"source": "tokenizers.pre_tokenizers", "rows": rows}


def splitters_by_name() -> dict[str, Any]:
    """Return the pre-tokenizers as their models publish them (`default` as llama.cpp has it)."""
    from tokenizers import Regex
    from tokenizers.pre_tokenizers import ByteLevel, Digits, Sequence, Split

    def split(pattern: str) -> Any:
        return Split(Regex(pattern), "isolated")

    gpt2 = ByteLevel(add_prefix_space=False, use_regex=True)
    llama3 = (
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
        r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    )
    default = (
        r"[\p{P}\$\+<=>\^~\|`]+",
        r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
        r"\p{N}+",
        "[0-9][0-9][0-9]",
    )
    return {
        "smollm": Sequence([Digits(individual_digits=True), gpt2]),
        "gpt-2": gpt2,
        "llama-bpe": split(llama3),
        "default": Sequence([split(pattern) for pattern in default]),
    }


def chat_reference(path: Path) -> dict[str, Any]:
    """Return the rendered text and ids of CONVERSATIONS by transformers' chat template code."""
    from transformers import PreTrainedTokenizerFast

    fields = metadata(path)
    templates = {"default": fields["tokenizer.chat_template"]} | TEMPLATES
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=fast_tokenizer(fields), bos_token="<|im_start|>", eos_token="<|im_end|>"
    )
    rows = []
    for name, messages, prompt in itertools.product(templates, CONVERSATIONS, (True, False)):
        text = tokenizer.apply_chat_template(
            messages,
            chat_template=templates[name],
            tokenize=False,
            add_generation_prompt=prompt,
        )
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        row = {"template": name, "messages": messages, "add_generation_prompt": prompt}
        rows.append(row | {"text": text, "ids": ids})
    return {"source": f"transformers, {path.name}", "templates": templates, "rows": rows}


def load_model(path: Path) -> Any:
    """Return transformers' own float32 reading of the GGUF, with eager attention."""
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(
        path.parent, gguf_file=path.name, dtype=torch.float32, attn_implementation="eager"
    )
    return model.eval()


def unpermuted(rows: Any, heads: int) -> Any:
    """Return q or k rows in transformers' order: GGUF interleaves the two halves of each head."""
    count, columns = rows.shape
    half = count // heads // 2
    return rows.reshape(heads, half, 2, columns).swapaxes(1, 2).reshape(count, columns)


# GGUF name within a block -> transformers' name within a layer
LAYER_NAMES = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}


def transformers_name(name: str) -> str:
    """Return the name that transformers gives to the GGUF tensor `name`."""
    if name.startswith("blk."):
        _, layer, part, suffix = name.split(".")
        return f"model.layers.{layer}.{LAYER_NAMES[part]}.{suffix}"
    whole = {"token_embd.weight": "embed_tokens", "output_norm.weight": "norm"}
    return f"model.{whole[name]}.weight"


def dequantised(path: Path) -> Iterable[tuple[str, np.ndarray]]:
    """Yield each weight in float32 by `gguf.dequantize`, q and k rows put back in order."""
    import gguf

    reader = gguf.GGUFReader(path)
    fields = reader.fields
    heads = {
        "attn_q": fields["llama.attention.head_count"].contents(),
        "attn_k": fields["llama.attention.head_count_kv"].contents(),
    }
    for tensor in reader.tensors:
        weight = gguf.dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
        part = tensor.name.split(".")[2] if tensor.name.startswith("blk.") else ""
        weight = unpermuted(weight, heads[part]) if part in heads else weight
        yield transformers_name(tensor.name), weight


def check_weights(path: Path, model: Any) -> int:
    """Raise unless transformers read the same weights as `gguf.dequantize`; return how many."""
    import torch

    state = model.state_dict()
    names = set()
    for name, weight in dequantised(path):
        if not torch.equal(state[name], torch.from_numpy(weight)):
            raise SystemExit(f"check_weights: transformers read {name} otherwise")
        names.add(name)
    missing = set(state) - names - {"lm_head.weight"}
    if missing or not torch.equal(state["lm_head.weight"], state["model.embed_tokens.weight"]):
        raise SystemExit(f"check_weights: got {len(names)} weights; missing {sorted(missing)}")
    return len(names)


def check_settings(path: Path, model: Any) -> None:
    """Raise unless transformers runs with the RoPE base and the epsilon that the GGUF names."""
    fields, config = metadata(path), model.config
    frequencies = model.model.rotary_emb.inv_freq
    size = fields["llama.rope.dimension_count"]
    base = float(frequencies[1].item()) ** (-size / 2)
    if abs(base / fields["llama.rope.freq_base"] - 1) > 1e-4:
        raise SystemExit(f"check_settings: RoPE base {base}")
    if abs(config.rms_norm_eps / fields["llama.attention.layer_norm_rms_epsilon"] - 1) > 1e-6:
        raise SystemExit(f"check_settings: epsilon {config.rms_norm_eps}")


def greedy(model: Any, ids: Sequence[int], eos: int) -> dict[str, Any]:
    """Return the greedy continuation of `ids`, its logit gaps, and logits after the prompt."""
    import torch

    generated: list[int] = []
    gaps: list[float] = []
    first: list[float] = []
    cache = None
    step = torch.tensor([list(ids)])
    while len(generated) < STEPS:
        with torch.no_grad():
            output = model(step, past_key_values=cache, use_cache=True)
        cache, logits = output.past_key_values, output.logits[0, -1]
        first = first or [round(logits[i].item(), 5) for i in LOGIT_IDS]
        best = torch.topk(logits, 2)
        token = int(torch.argmax(logits))
        gaps.append(round(float(best.values[0] - best.values[1]), 4))
        generated.append(token)
        if token == eos:
            break
        step = torch.tensor([[token]])
    return {"ids": generated, "gaps": gaps, "logits": first}


def greedy_reference(path: Path) -> dict[str, Any]:
    """Return every prompt's greedy continuation; the end token, where one comes, is kept."""
    fields = metadata(path)
    tokenizer = fast_tokenizer(fields)
    model = load_model(path)
    check_weights(path, model)
    check_settings(path, model)
    rows = []
    for prompt in PROMPTS:
        ids = tokenizer.encode(prompt, add_special_tokens=False).ids
        found = greedy(model, ids, fields["tokenizer.ggml.eos_token_id"])
        rows.append({"prompt": prompt, "prompt_ids": ids} | found)
    source = f"transformers float32 eager, {path.name}"
    return {"source": source, "logit_ids": LOGIT_IDS, "rows": rows}


REFERENCES: dict[str, tuple[str, Callable[[Path], dict[str, Any]]]] = {
    "tokenizer": ("tokenizer_smollm2.json", tokenizer_reference),
    "words": ("words.json", words_reference),
    "chat": ("chat_smollm2.json", chat_reference),
    "greedy": ("greedy_smollm2.json", greedy_reference),
}


def written(value: dict[str, Any]) -> str:
    """Return `value` as JSON text, one row a line, ASCII only."""
    head = {key: item for key, item in value.items() if key != "rows"}
    lines = ",\n".join(json.dumps(row, separators=(",", ":")) for row in value["rows"])
    return json.dumps(head)[:-1] + ', "rows": [\n' + lines + "\n]}\n"


def main(arguments: Sequence[str]) -> None:
    """Write the references named in `arguments` (all of them when none is) from one GGUF."""
    path = Path(arguments[0])
    for name in arguments[1:] or REFERENCES:
        file, make = REFERENCES[name]
        (DATA / file).write_text(written(make(path)), encoding="ascii")
        print(f"wrote {DATA / file}")


if __name__ == "__main__":
    main(sys.argv[1:])
