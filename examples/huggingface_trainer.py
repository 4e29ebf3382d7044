# SPDX-License-Identifier: Apache-2.0
"""A Hugging Face Trainer that trains with differential privacy.

Two changes to an ordinary Trainer: `training_step` hands per-example losses to the engine in place of `loss.backward()`, and a callback
releases just before the optimizer's step. The batches come from Poisson sampling. Needs transformers and accelerate; the model is a small
random one and the data are made up: which of two words occurs more often.
"""

import tempfile

import torch
from torch.utils.data import DataLoader, Dataset
from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainerCallback, TrainingArguments

import ghostgrad

EXAMPLES, BATCH, STEPS, LENGTH, VOCABULARY = 4000, 200, 150, 12, 20


class Words(Dataset):
    """Words 1 and 2 among others; the label says which of the two is more frequent."""

    def __init__(self, examples, seed):
        generator = torch.Generator().manual_seed(seed)
        self.words = torch.randint(1, VOCABULARY, (examples, LENGTH), generator=generator)
        frequent = torch.randint(1, 3, (examples, 1), generator=generator)
        self.words[:, :9] = torch.where(torch.rand(examples, 9, generator=generator) < 0.9, frequent, 3 - frequent)
        self.words = self.words.gather(1, torch.rand(examples, LENGTH, generator=generator).argsort(1))
        self.labels = ((self.words == 2).sum(1) > (self.words == 1).sum(1)).long()

    def __len__(self):
        return len(self.words)

    def __getitem__(self, i):
        return {"input_ids": self.words[i], "labels": self.labels[i]}


class Release(TrainerCallback):
    """Ends each logical batch: noise once, .grad written."""

    def __init__(self, engine):
        self.engine = engine

    def on_pre_optimizer_step(self, args, state, control, **kwargs):
        self.engine.release()


class PrivateTrainer(Trainer):
    """Trainer with a ghostgrad.Engine. One logical batch is one batch of the loader."""

    def __init__(self, *args, engine, sampler, **options):
        super().__init__(*args, callbacks=[Release(engine)], **options)
        self.engine, self.sampler = engine, sampler

    def get_train_dataloader(self):
        return DataLoader(self.train_dataset, batch_sampler=self.sampler, collate_fn=ghostgrad.collate(self.train_dataset))

    def training_step(self, model, inputs, num_items_in_batch=None):
        model.train()
        inputs = self._prepare_inputs(inputs)
        labels = inputs.pop("labels")
        if len(labels) == 0:  # an empty logical batch is a release of noise alone
            return torch.zeros(())
        losses = ghostgrad.per_example_loss(model(**inputs).logits, labels)
        self.engine.backward(losses)
        return losses.mean().detach()


def main():
    torch.manual_seed(0)
    train, test = Words(EXAMPLES, 1), Words(1000, 2)
    config = BertConfig(
        vocab_size=VOCABULARY, hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64, num_labels=2
    )
    model = BertForSequenceClassification(config)
    q = BATCH / EXAMPLES
    sigma = ghostgrad.calibrate_noise(epsilon=8, delta=1e-5, sample_rate=q, steps=STEPS).noise_multiplier
    engine = ghostgrad.Engine(model.named_parameters(), clip=1.0, noise_multiplier=sigma, expected_batch_size=BATCH, sample_rate=q)
    first = train[0:8]
    engine.check_independence(lambda batch: ghostgrad.per_example_loss(model(batch["input_ids"]).logits, batch["labels"]), first)
    with tempfile.TemporaryDirectory() as folder:
        settings = dict(output_dir=folder, max_steps=STEPS, learning_rate=3e-3, max_grad_norm=0.0, report_to=[], use_cpu=True)
        arguments = TrainingArguments(
            **settings, save_strategy="no", logging_strategy="no", disable_tqdm=True, lr_scheduler_type="constant"
        )
        sampler = ghostgrad.PoissonSampler(EXAMPLES, sample_rate=q, steps=STEPS)
        PrivateTrainer(model, arguments, train_dataset=train, engine=engine, sampler=sampler).train()
    model.eval()
    with torch.no_grad():
        right = (model(test.words).logits.argmax(1) == test.labels).float().mean()
    print(f"accuracy on what it was not trained on: {right:.3f}; {engine.steps} releases")
    print(engine.statement(delta=1e-5))


if __name__ == "__main__":
    main()
