"""Writes golden/nf4.safetensors anew: what bitsandbytes makes of weights on the CPU.

For each weight NAME: the weight itself, and of `quantize_4bit` with blocks of 64
  NAME.codes, NAME.absmax    packed codes and the largest magnitude of each block
  NAME.values                the weight again, dequantized
  NAME.absmax_codes, NAME.nested_absmax, NAME.offset, NAME.nested_values
                             the same with the magnitudes quantized as well (`compress_statistics`)
"""

from pathlib import Path

import torch
from bitsandbytes.backends.default.ops import _dequantize_4bit_compute
from bitsandbytes.functional import QuantState, create_dynamic_map, dequantize_blockwise, get_4bit_type, quantize_4bit
from safetensors.torch import save_file

OUTPUT = Path(__file__).parent / "golden" / "nf4.safetensors"


def at_the_bounds() -> torch.Tensor:
    """Blocks whose elements lie on the bounds between two codes, and next to them on either side."""
    code = get_4bit_type("nf4", device="cpu")
    bounds = (code[:-1] + code[1:]) / 2
    near = torch.cat([bounds, torch.nextafter(bounds, torch.tensor(2.0)), torch.nextafter(bounds, torch.tensor(-2.0))])
    block = torch.cat([near, code, torch.tensor([1.0, -1.0, -0.0])])
    return torch.stack([block, block * 3, block * 1e-30, block / 7])


def weights() -> dict[str, torch.Tensor]:
    rng = torch.Generator().manual_seed(11)
    normal = torch.randn(24, 128, generator=rng) * 0.05
    normal[3] = 0
    return {
        "normal": normal,
        "bounds": at_the_bounds(),
        "half": (torch.randn(300, 64, generator=rng) * 0.02).half(),
        "brain": (torch.randn(16, 96, generator=rng) * torch.logspace(-3, 2, 16).view(-1, 1)).bfloat16(),
        "odd": torch.randn(5, 33, generator=rng),
        "zero": torch.zeros(3, 5),
    }


def dequantize(codes: torch.Tensor, state: QuantState) -> torch.Tensor:
    """What `dequantize_4bit` does on every device but the CPU, whose kernel takes the magnitudes of other blocks where
    the rows are no multiple of 64 long."""
    absmax = state.absmax
    if state.nested:
        absmax = dequantize_blockwise(absmax, state.state2) + state.offset
    return _dequantize_4bit_compute(codes.flatten(), absmax, state.code, 64, state.shape, torch.float32)


def main() -> None:
    tensors = {"dynamic_map": create_dynamic_map(), "nf4": get_4bit_type("nf4", device="cpu")}
    for name, weight in weights().items():
        codes, state = quantize_4bit(weight, blocksize=64, quant_type="nf4")
        same_codes, nested = quantize_4bit(weight, blocksize=64, quant_type="nf4", compress_statistics=True)
        assert torch.equal(codes, same_codes)
        tensors |= {
            name: weight,
            f"{name}.codes": codes.flatten(),
            f"{name}.absmax": state.absmax,
            f"{name}.values": dequantize(codes, state),
            f"{name}.absmax_codes": nested.absmax,
            f"{name}.nested_absmax": nested.state2.absmax,
            f"{name}.offset": nested.offset,
            f"{name}.nested_values": dequantize(codes, nested),
        }
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, OUTPUT)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
