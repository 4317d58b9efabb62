"""The peer of `framepack bench`: diffusers and transformers, eager, one request a line.

Requests and answers are JSON objects on standard input and output, as `WorkerProtocol.swift`
describes them; the program that starts this one keeps time, memory and order.
"""

import contextlib
import json
import os
import sys
import time
from pathlib import Path

# Answers alone go to standard output; what a library prints goes where errors go.
ANSWERS = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)

import torch  # noqa: E402
from safetensors.torch import load_file, save_file  # noqa: E402

DTYPES = {"f32": torch.float32, "bf16": torch.bfloat16, "f16": torch.float16}


class Place:
    """Where a case lies, and where and in what type it is computed."""

    def __init__(self, model, inputs, dtype, device):
        self.model, self.inputs = Path(model), inputs
        self.dtype, self.device = DTYPES[dtype], torch.device(device)

    def tensors(self):
        """The inputs, floating point ones in the type of the computation."""
        return {
            name: tensor.to(self.device, self.dtype if tensor.is_floating_point() else tensor.dtype)
            for name, tensor in load_file(self.inputs).items()
        }


def count(*modules):
    return sum(p.numel() for module in modules for p in module.parameters())


def framepack_transformer(place):
    from diffusers import HunyuanVideoFramepackTransformer3DModel

    model = HunyuanVideoFramepackTransformer3DModel.from_pretrained(
        place.model, torch_dtype=place.dtype
    )
    return model.to(place.device).eval()


class Transformer:
    def __init__(self, place):
        self.model = framepack_transformer(place)
        self.inputs = transformer_arguments(place.tensors())
        self.parameters = count(self.model)

    def run(self):
        return {"sample": self.model(**self.inputs, return_dict=False)[0]}


def transformer_arguments(tensors):
    """Whole numbers of frames with a leading axis where diffusers asks for none stay as they are."""
    tensors["timestep"] = tensors["timestep"].float()
    return tensors


class Blocks:
    """A double-stream and a single-stream block, called as the transformer's forward does."""

    def __init__(self, place):
        from diffusers.models.transformers.transformer_hunyuan_video import (
            HunyuanVideoSingleTransformerBlock,
            HunyuanVideoTransformerBlock,
        )
        from diffusers.models.transformers.transformer_hunyuan_video_framepack import (
            HunyuanVideoFramepackRotaryPosEmbed,
        )

        config = json.loads((place.model / "config.json").read_text())
        heads, size = config["num_attention_heads"], config["attention_head_dim"]
        settings = {"mlp_ratio": config["mlp_ratio"], "qk_norm": config["qk_norm"]}
        self.double = HunyuanVideoTransformerBlock(heads, size, **settings)
        self.single = HunyuanVideoSingleTransformerBlock(heads, size, **settings)
        weights = load_file(place.model / "diffusion_pytorch_model.safetensors")
        for block, prefix in (
            (self.double, "transformer_blocks.0."),
            (self.single, "single_transformer_blocks.0."),
        ):
            own = {k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)}
            block.load_state_dict(own)
            block.to(place.device, place.dtype).eval()
        tensors = place.tensors()
        self.x, self.context, self.temb = tensors["x"], tensors["context"], tensors["temb"]
        patch = config["patch_size"]
        height, width = (side * patch for side in tensors["grid"].tolist())
        rotary = HunyuanVideoFramepackRotaryPosEmbed(
            patch, config["patch_size_t"], config["rope_axes_dim"], config["rope_theta"]
        )
        self.rotary = rotary(
            frame_indices=tensors["indices"], height=height, width=width, device=place.device
        )
        self.parameters = count(self.double, self.single)

    def run(self):
        x, context = self.double(self.x, self.context, self.temb, None, self.rotary)
        x, context = self.single(x, context, self.temb, None, self.rotary)
        return {"tokens": torch.cat([x, context], dim=1)}


class Decoding:
    """The VAE in its own windows of 16 frames every 12, without spatial tiles."""

    def __init__(self, place):
        from diffusers import AutoencoderKLHunyuanVideo

        self.vae = AutoencoderKLHunyuanVideo.from_pretrained(place.model, torch_dtype=place.dtype)
        self.vae.to(place.device).eval()
        self.latents = place.tensors()["latents"] / self.vae.config.scaling_factor
        self.parameters = count(self.vae)

    def run(self):
        return {"pixels": self.vae.decode(self.latents, return_dict=False)[0]}


class Encoders:
    """Llama's layers without the norm after them, CLIP, SigLIP."""

    def __init__(self, place):
        from transformers import CLIPTextModel, LlamaModel, SiglipVisionModel

        def load(kind, name):
            model = kind.from_pretrained(place.model / name, dtype=place.dtype)
            return model.to(place.device).eval()

        self.llama = load(LlamaModel, "llama")
        self.llama.norm = torch.nn.Identity()
        self.clip, self.siglip = load(CLIPTextModel, "clip"), load(SiglipVisionModel, "siglip")
        self.tensors = place.tensors()
        self.parameters = count(self.llama, self.clip, self.siglip)

    def run(self):
        llama = self.llama(self.tensors["input_ids"], use_cache=False)
        clip = self.clip(self.tensors["input_ids_2"])
        siglip = self.siglip(self.tensors["pixel_values"])
        return {
            "llama": llama.last_hidden_state,
            "clip": clip.last_hidden_state,
            "pooled": clip.pooler_output,
            "siglip": siglip.last_hidden_state,
        }


class Loading:
    """Weights that are read once, so that none is left on the disk."""

    def __init__(self, place):
        model = framepack_transformer(place)
        for parameter in model.parameters():
            parameter.detach().sum().item()
        self.model, self.parameters = model, count(model)

    def run(self):
        return {}


class Section:
    """A section of the small model, as our side makes it, from a picture and a prompt to pixels."""

    def __init__(self, place):
        from diffusers import HunyuanVideoFramepackPipeline
        from PIL import Image

        self.pipeline = HunyuanVideoFramepackPipeline.from_pretrained(
            place.model, torch_dtype=place.dtype
        ).to(place.device)
        self.pipeline.set_progress_bar_config(disable=True)
        settings = json.loads((place.model / "framepack.json").read_text())
        self.size, self.settings = settings["resolution"], settings
        self.image = Image.new("RGB", (self.size, self.size), tuple(settings["plainColour"]))
        parts = (
            self.pipeline.transformer, self.pipeline.vae, self.pipeline.text_encoder,
            self.pipeline.text_encoder_2, self.pipeline.image_encoder,
        )
        self.parameters = count(*parts)

    def run(self):
        window = self.settings["window"]
        self.pipeline(
            image=self.image,
            prompt="a red circle moves slowly to the right",
            height=self.size,
            width=self.size,
            num_frames=(window - 1) * 4 + 1,
            latent_window_size=window,
            num_inference_steps=self.settings["steps"],
            guidance_scale=self.settings["guidance"],
            generator=torch.Generator("cpu").manual_seed(1),
            sampling_type="vanilla" if self.settings["order"] == "f1" else "inverted_anti_drifting",
            output_type="np",
        )
        return {}


class Released:
    """The released transformer with weights that are made on the device."""

    def __init__(self, place):
        from diffusers import HunyuanVideoFramepackTransformer3DModel

        with torch.device(place.device), default_dtype(place.dtype):
            self.model = HunyuanVideoFramepackTransformer3DModel(
                has_image_proj=True, has_clean_x_embedder=True
            ).eval()
        self.inputs = transformer_arguments(self.draws(place))
        self.parameters = count(self.model)

    @staticmethod
    def draws(place):
        def draw(*shape):
            return torch.randn(shape, device=place.device, dtype=place.dtype)

        def whole(*numbers):
            return torch.tensor(numbers, device=place.device)

        height, width = 80, 76
        return {
            "hidden_states": draw(1, 16, 9, height, width),
            "timestep": torch.full((1,), 500.0, device=place.device),
            "guidance": torch.full((1,), 9984.0, device=place.device, dtype=place.dtype),
            "encoder_hidden_states": draw(1, 60, 4096),
            "encoder_attention_mask": torch.ones(1, 60, device=place.device, dtype=torch.int64),
            "pooled_projections": draw(1, 768),
            "image_embeds": draw(1, 729, 1152),
            "indices_latents": whole(*range(10, 19)),
            "latents_clean": draw(1, 16, 2, height, width),
            "indices_latents_clean": whole(0, 19),
            "latents_history_2x": draw(1, 16, 2, height, width),
            "indices_latents_history_2x": whole(20, 21),
            "latents_history_4x": draw(1, 16, 16, height, width),
            "indices_latents_history_4x": whole(*range(22, 38)),
        }

    def run(self):
        return {"sample": self.model(**self.inputs, return_dict=False)[0]}


@contextlib.contextmanager
def default_dtype(dtype):
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


CASES = {
    "transformer-300m": Transformer,
    "released-256": Transformer,
    "released-streamed": Transformer,
    "block-4000": Blocks,
    "block-18300": Blocks,
    "vae-16": Decoding,
    "vae-32": Decoding,
    "vae-608x640": Decoding,
    "vae-1280x720": Decoding,
    "text-encoders": Encoders,
    "load": Loading,
    "section": Section,
    "released": Released,
}


class Worker:
    def __init__(self):
        self.workload, self.results, self.device = None, {}, torch.device("cpu")
        self.used_before = 0

    def timed(self, body):
        began = time.perf_counter()
        result = body()
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return result, time.perf_counter() - began

    def used(self):
        free, total = torch.cuda.mem_get_info(self.device)
        return total - free

    def prepare(self, name, model, inputs, dtype, threads, device):
        if threads:
            torch.set_num_threads(threads)
        self.device = torch.device(device)
        if self.device.type == "cuda":
            self.used_before = self.used()
        place = Place(model, inputs, dtype, device)
        self.workload, seconds = self.timed(lambda: CASES[name](place))
        return {
            "seconds": seconds, "parameters": self.workload.parameters, "versions": versions(),
        }

    def run(self):
        # What the run before gave is not this one's memory.
        self.results = {}
        self.results, seconds = self.timed(self.workload.run)
        return {"seconds": seconds}

    def memory(self):
        answer = {}
        with contextlib.suppress(OSError), open("/proc/self/status") as status:
            for line in status:
                if line.startswith("VmHWM:"):
                    answer["resident"] = int(line.split()[1]) * 1024
        if self.device.type == "cuda":
            answer["deviceAllocated"] = torch.cuda.max_memory_allocated(self.device)
            answer["deviceUsed"] = max(0, self.used() - self.used_before)
        return answer

    def output(self, file):
        tensors = {name: value.cpu().contiguous() for name, value in self.results.items()}
        save_file(tensors, file)
        return {}


def versions():
    from importlib.metadata import version

    return [f"{name} {version(name)}" for name in ("diffusers", "transformers", "torch")]


def main():
    worker = Worker()
    for line in sys.stdin:
        (name, values), = json.loads(line).items()
        if name != "end":
            try:
                answer = getattr(worker, name)(**values)
            except Exception as error:  # noqa: BLE001, told to the other side
                answer = {"problem": f"The peer failed: {type(error).__name__}: {error}"}
        else:
            answer = {}
        print(json.dumps(answer), file=ANSWERS, flush=True)
        if name == "end":
            return


if __name__ == "__main__":
    with torch.inference_mode():
        main()
