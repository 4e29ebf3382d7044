# SPDX-License-Identifier: Apache-2.0
"""Small models of Hugging Face architectures with a loss and a batch for each kind of task, in float64 with dropout at 0."""

import torch
import torch.nn.functional as F
from torch import nn

import ghostgrad

VOCABULARY, CLASSES, EXAMPLES, POSITIONS = 33, 3, 3, 7
ABSENT = object()  # a setting that this configuration refuses
SMALL = dict(vocab_size=VOCABULARY, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=24, num_labels=CLASSES)
TEXT = dict(SMALL, max_position_embeddings=40, bos_token_id=1, eos_token_id=2, pad_token_id=0)
IMAGE = dict(SMALL, image_size=16, patch_size=8, num_channels=3)
SPEECH = dict(
    TEXT,
    conv_dim=(8, 8),
    conv_stride=(3, 2),
    conv_kernel=(5, 3),
    num_feat_extract_layers=2,
    num_conv_pos_embeddings=4,
    num_conv_pos_embedding_groups=2,
    mask_time_prob=0.0,
    mask_feature_prob=0.0,
    classifier_proj_size=8,
)


def without_randomness(config):
    """Dropout, layer drop and masks at 0, in this configuration and those inside of it."""
    for name, value in vars(config).items():
        if isinstance(value, float) and ("drop" in name or "mask_time" in name or "mask_feature" in name):
            setattr(config, name, 0.0)
        elif hasattr(value, "to_dict"):
            without_randomness(value)
    return config


def made(kind, model_type, values):
    """The model of `AutoModelFor...` or of a class by name, training, with weights that leave no gradient at zero."""
    import transformers

    config_class = type(transformers.AutoConfig.for_model(model_type))
    config = without_randomness(config_class(**{name: value for name, value in values.items() if value is not ABSENT}))
    config._experts_implementation = "eager"  # grouped_mm has no float64
    model_class = getattr(transformers, kind)
    model = model_class.from_config(config) if kind.startswith("Auto") else model_class(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    return model.double().train()


def tokens(examples=EXAMPLES, positions=POSITIONS):
    """Token ids with padding at the end of all examples but the first."""
    ids = torch.randint(3, VOCABULARY, (examples, positions))
    present = torch.arange(positions) < torch.tensor([positions, positions - 2, positions - 3]).repeat(examples)[:examples, None]
    return {"input_ids": torch.where(present, ids, 0), "attention_mask": present.long()}


def causal(model_type, padded=True, **values):
    model = made("AutoModelForCausalLM", model_type, {**TEXT, **values})
    batch = tokens()
    batch["labels"] = torch.where(batch["attention_mask"] == 1, batch["input_ids"], -100)
    if not padded:
        del batch["attention_mask"]

    def losses(b):
        inputs = {key: value for key, value in b.items() if key != "labels"}
        return ghostgrad.per_example_loss(model(**inputs, use_cache=False).logits[:, :-1], b["labels"][:, 1:])

    return model, losses, batch


def masked(model_type, **values):
    model = made("AutoModelForMaskedLM", model_type, {**TEXT, **values})
    batch = tokens()
    labels = torch.where((batch["attention_mask"] == 1) & (torch.arange(POSITIONS) % 2 == 0), batch["input_ids"], -100)
    return (
        model,
        lambda b: ghostgrad.per_example_loss(model(b["input_ids"], b["attention_mask"]).logits, b["labels"]),
        {**batch, "labels": labels},
    )


def classified(model_type, kind="AutoModelForSequenceClassification", padded=True, **values):
    model = made(kind, model_type, {**TEXT, **values})
    batch = {**tokens(), "labels": torch.arange(EXAMPLES) % CLASSES}
    if not padded:
        batch["attention_mask"] = torch.ones_like(batch["attention_mask"])
    return model, lambda b: F.cross_entropy(model(b["input_ids"], b["attention_mask"]).logits, b["labels"], reduction="none"), batch


def described(kind, model_type, **values):
    """A model without a head: a smooth function of what it says of each example."""
    model = made(kind, model_type, {**TEXT, **values})
    return model, lambda b: smooth(model(b["input_ids"], b["attention_mask"]).last_hidden_state), tokens()


def smooth(hidden):
    return (hidden * hidden.sin()).flatten(1).mean(1)


def translated(model_type, kind="AutoModelForSeq2SeqLM", padded=True, **values):
    sizes = dict(d_model=16, encoder_layers=2, decoder_layers=2, encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=24)
    model = made(kind, model_type, {**TEXT, **sizes, "decoder_ffn_dim": 24, "decoder_start_token_id": 0, **values})
    batch = {
        **tokens(),
        "decoder_input_ids": torch.randint(3, VOCABULARY, (EXAMPLES, 5)),
        "labels": torch.randint(3, VOCABULARY, (EXAMPLES, 5)),
    }
    batch["labels"][1, 3:] = -100
    if not padded:
        batch["attention_mask"] = torch.ones_like(batch["attention_mask"])

    def losses(b):
        out = model(b["input_ids"], b["attention_mask"], decoder_input_ids=b["decoder_input_ids"], use_cache=False)
        return ghostgrad.per_example_loss(out.logits, b["labels"])

    return model, losses, batch


def seen(model_type, kind="AutoModelForImageClassification", change=None, side=16, **values):
    model = made(kind, model_type, {**IMAGE, **values})
    if change is not None:
        change(model)
    batch = torch.randn(EXAMPLES, 3, side, side, dtype=torch.float64), torch.arange(EXAMPLES) % CLASSES
    if "Classification" not in kind:
        return model, lambda x: smooth(model(x).last_hidden_state), batch[0]
    return model, lambda b: F.cross_entropy(model(b[0]).logits, b[1], reduction="none"), batch


def with_group_norm(model):
    """Group norm in the place of batch norm."""
    for name, child in model.named_children():
        if isinstance(child, nn.BatchNorm2d):
            norm = nn.GroupNorm(2, child.num_features).double()
            nn.init.normal_(norm.weight, 1.0, 0.1)
            setattr(model, name, norm)
        else:
            with_group_norm(child)


def in_evaluation_mode(model):
    """Batch norm with the statistics that it has."""
    for module in model.modules():
        if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
            module.eval()


def heard(model_type, kind="AutoModelForAudioClassification", **values):
    model = made(kind, model_type, {**SPEECH, **values})
    batch = torch.randn(EXAMPLES, 90, dtype=torch.float64), torch.arange(EXAMPLES) % CLASSES
    return model, lambda b: F.cross_entropy(model(b[0]).logits, b[1], reduction="none"), batch


def transcribed(model_type, **values):
    model = made("AutoModelForCTC", model_type, {**SPEECH, **values})
    batch = {"sound": torch.randn(EXAMPLES, 90, dtype=torch.float64), "words": torch.randint(3, VOCABULARY, (EXAMPLES, 2))}

    def losses(b):
        scores = model(b["sound"]).logits.log_softmax(-1).transpose(0, 1)
        lengths = [torch.full((len(b["sound"]),), n) for n in (len(scores), 2)]
        return F.ctc_loss(scores, b["words"], *lengths, reduction="none")

    return model, losses, batch


def whisper():
    values = dict(d_model=16, encoder_layers=2, decoder_layers=2, encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=24)
    values.update(decoder_ffn_dim=24, num_mel_bins=8, max_source_positions=10, max_target_positions=12, decoder_start_token_id=1)
    model = made("WhisperForConditionalGeneration", "whisper", {**TEXT, **values})
    batch = torch.randn(EXAMPLES, 8, 20, dtype=torch.float64), torch.randint(3, VOCABULARY, (EXAMPLES, 5))
    return (
        model,
        lambda b: ghostgrad.per_example_loss(model(b[0], decoder_input_ids=b[1], use_cache=False).logits[:, :-1], b[1][:, 1:]),
        batch,
    )


def forecast(model_type, kind, length=8, **values):
    model = made(kind, model_type, values)
    return model, lambda b: smooth(model(past_values=b).last_hidden_state), torch.randn(EXAMPLES, length, 2, dtype=torch.float64)
