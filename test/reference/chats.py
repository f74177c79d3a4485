"""Conversations as transformers renders and masks them: golden/chats/."""

import json
import sys
from pathlib import Path

from jinja2.exceptions import TemplateError
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

HERE = Path(__file__).parent
GOLDEN = HERE / "golden" / "chats"
TEMPLATES = HERE / "chat_templates"
SPECIAL = ["<s>", "</s>", "<|im_start|>", "<|im_end|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"]

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather of a city, in °C.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer", "enum": [1, 7]}},
            "required": ["city"],
        },
    },
}


def call(number: int, **arguments: object) -> dict:
    """A call as OpenAI writes it: its arguments are JSON text."""
    text = json.dumps(arguments, ensure_ascii=False)
    return {"id": f"call0000{number}", "type": "function", "function": {"name": "get_weather", "arguments": text}}


def turn(role: str, content: str | None, **others: object) -> dict:
    return {"role": role, "content": content, **others}


ROWS = {
    "one answer": {"messages": [turn("user", "Hi, who are you?"), turn("assistant", "  A model.\nWhat else?\n")]},
    "system and two answers": {
        "messages": [
            turn("system", "Be brief."),
            turn("user", "Say é and 漢 😀"),
            turn("assistant", "é 漢 😀"),
            turn("user", "Again"),
            turn("assistant", "é 漢 😀 again"),
        ]
    },
    "ends with a question": {
        "messages": [turn("user", "a"), turn("assistant", "b"), turn("user", "c {{ d }} {% e %}")]
    },
    "two questions in a row": {"messages": [turn("user", "a"), turn("user", "b"), turn("assistant", "c")]},
    "a call": {
        "messages": [
            turn("system", "Use functions."),
            turn("user", "Weather in Zürich?"),
            turn("assistant", None, tool_calls=[call(1, city="Zürich", days=7)]),
            turn("tool", '{"temperature": 21.5, "sky": "clear \\"blue\\""}', name="get_weather", tool_call_id="call00001"),
            turn("assistant", "21.5 °C and clear."),
        ],
        "tools": [WEATHER],
    },
    "two calls at once": {
        "messages": [
            turn("user", "Weather in Rome and Oslo?"),
            turn("assistant", "", tool_calls=[call(1, city="Rome"), call(2, city="Oslo")]),
            turn("tool", "20", name="get_weather", tool_call_id="call00001"),
            turn("tool", "5", name="get_weather", tool_call_id="call00002"),
            turn("assistant", "Rome 20, Oslo 5."),
            turn("user", "Thanks"),
            turn("assistant", "Sure."),
        ],
        "tools": [WEATHER],
    },
}


def make_tokenizer(texts: list[str]) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    special = [AddedToken(token, special=True, normalized=False) for token in SPECIAL]
    trainer = trainers.BpeTrainer(
        vocab_size=420, show_progress=False, initial_alphabet=alphabet, special_tokens=special
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def with_objects(messages: list[dict]) -> list[dict]:
    """What templates are written for: arguments of calls as objects."""
    made = json.loads(json.dumps(messages))
    for message in made:
        for each in message.get("tool_calls", []):
            each["function"]["arguments"] = json.loads(each["function"]["arguments"])
    return made


def render(tokenizer: PreTrainedTokenizerFast, template: str, row: dict) -> dict:
    """The text, with and without generation prompt, and for templates with generation blocks ids and mask."""
    options = {"chat_template": template, "tools": row.get("tools"), "tokenize": False}
    messages = with_objects(row["messages"])
    try:
        made = {
            "text": tokenizer.apply_chat_template(messages, **options),
            "prompt": tokenizer.apply_chat_template(messages, add_generation_prompt=True, **options),
        }
    except (TemplateError, TypeError) as error:
        return {"error": str(error)}
    if "generation" not in template.replace("add_generation_prompt", ""):
        return made
    tokens = tokenizer.apply_chat_template(
        messages, **{**options, "tokenize": True}, return_dict=True, return_assistant_tokens_mask=True
    )
    return {**made, "ids": tokens["input_ids"], "mask": tokens["assistant_masks"]}


def render_all(tokenizer: PreTrainedTokenizerFast, templates: dict[str, str]) -> list[dict]:
    return [
        {"template": name, "row": key, **render(tokenizer, text, row)}
        for name, text in templates.items()
        for key, row in ROWS.items()
    ]


def wrapped(tokenizer: Tokenizer) -> PreTrainedTokenizerFast:
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>")


def make_chats() -> None:
    templates = {file.stem: file.read_text() for file in sorted(TEMPLATES.glob("*.jinja"))}
    tokenizer = make_tokenizer([*templates.values(), json.dumps(ROWS, ensure_ascii=False)])
    GOLDEN.mkdir(parents=True, exist_ok=True)
    (GOLDEN / "tokenizer.json").write_text(tokenizer.to_str() + "\n")
    cases = render_all(wrapped(tokenizer), templates)
    if not all(any(case.get("mask", [])) for case in cases if case["template"].startswith("marked")):
        sys.exit("A template with generation blocks has marked nothing.")
    document = {"templates": templates, "rows": ROWS, "cases": cases}
    (GOLDEN / "chats.json").write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n")


def print_published() -> None:
    """The same for the templates in the package trl, printed: python chats.py --published."""
    from importlib.util import find_spec

    folder = Path(find_spec("trl").origin).parent / "chat_templates"
    templates = {file.stem: file.read_text() for file in sorted(folder.glob("*.jinja"))}
    tokenizer = Tokenizer.from_file(str(GOLDEN / "tokenizer.json"))
    document = {"templates": templates, "rows": ROWS, "cases": render_all(wrapped(tokenizer), templates)}
    print(json.dumps(document))


if __name__ == "__main__":
    print_published() if sys.argv[1:] == ["--published"] else make_chats()
