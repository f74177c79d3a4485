"""What every script here shares: folders, fixed numeric settings, small helpers."""

import json
import os
import tempfile
from pathlib import Path

# The base models are local folders; nothing may be looked up on a hub. Set before transformers is imported.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

import torch
from transformers import AutoModelForCausalLM, AutoModelForImageTextToText, PreTrainedModel, PrinterCallback, Trainer, TrainingArguments
from transformers.utils import logging

GOLDEN = Path(os.environ.get("LORAFA_GOLDEN") or Path(__file__).resolve().parent / "golden")
MODELS = GOLDEN / "models"
TRAINING = GOLDEN / "training"


def fix_numerics() -> None:
    """One thread and deterministic kernels: the golden files come out the same, byte for byte, on every run."""
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    logging.disable_progress_bar()


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def load_model(folder: Path, dtype: torch.dtype = torch.float32) -> PreTrainedModel:
    """The model in `folder`, its stored weights cast to `dtype`, with the plain (eager) attention and experts."""
    plain = {"attn_implementation": "eager", "experts_implementation": "eager"}
    whole = "vision_config" in json.loads((folder / "config.json").read_text())
    auto_class = AutoModelForImageTextToText if whole else AutoModelForCausalLM
    return auto_class.from_pretrained(folder, dtype=dtype, **plain).eval()


def make_trainer(model: torch.nn.Module, rows: list[dict] | None = None, **settings) -> Trainer:
    """The Trainer of transformers. What `settings` don't say, the kind of optimizer above all, is its own choice; it
    takes the rows in their order, reports every step and writes nothing."""
    arguments = TrainingArguments(
        output_dir=tempfile.gettempdir(), use_cpu=True, report_to="none", save_strategy="no", disable_tqdm=True,
        logging_steps=1, train_sampling_strategy="sequential", **settings,
    )
    trainer = Trainer(model=model, args=arguments, train_dataset=rows)
    trainer.remove_callback(PrinterCallback)
    return trainer


def write_json(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")


def relative_error(actual: torch.Tensor, expected: torch.Tensor) -> float:
    """Largest absolute difference, measured against the largest expected value."""
    scale = expected.double().abs().max().clamp_min(1e-30)
    return float((actual.double() - expected.double()).abs().max() / scale)
