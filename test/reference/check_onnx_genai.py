"""Checks graphs with onnx, and continues prompts with ONNX Runtime GenAI, from folders that were exported.

    python check_onnx_genai.py < TASKS

TASKS is `[{folder, prompt, count}]`, what is printed `[tokens]`: the likeliest ones after those of the prompt, up to an
end. Needs requirements-onnx.txt.
"""

import json
import pathlib
import sys

import onnx
import onnxruntime_genai as og


def go_on(folder, prompt, count):
    for graph in pathlib.Path(folder, "onnx").glob("*.onnx"):
        onnx.checker.check_model(graph)
    model = og.Model(folder)
    params = og.GeneratorParams(model)
    params.set_search_options(do_sample=False, max_length=len(prompt) + count)
    generator = og.Generator(model, params)
    generator.append_tokens(prompt)
    tokens = []
    while not generator.is_done():
        generator.generate_next_token()
        tokens.append(int(generator.get_next_tokens()[0]))
    return tokens


if __name__ == "__main__":
    print(json.dumps([go_on(**task) for task in json.load(sys.stdin)]))
