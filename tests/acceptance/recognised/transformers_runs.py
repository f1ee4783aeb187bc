"""What transformers' `Trainer` leaves, of nets that are made from a configuration: nothing is downloaded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.acceptance.recognised.folder import CLASSES, EPOCHS, Folder, folder_of_images, folder_of_texts

if TYPE_CHECKING:
    from pathlib import Path


def transformers_images(path: Path) -> Folder:
    """A Vision Transformer, `save_strategy="epoch"`."""
    import transformers

    folder = folder_of_images(path)
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24}
    config = transformers.ViTConfig(**sizes, image_size=8, patch_size=4, num_labels=CLASSES)
    rows = [
        {"pixel_values": image, "labels": int(label)} for image, label in zip(folder.inputs, folder.labels, strict=True)
    ]
    return _trained(folder, transformers.ViTForImageClassification(config), rows)


def transformers_resnet(path: Path) -> Folder:
    """A ResNet, whose checkpoints have running statistics."""
    import transformers

    folder = folder_of_images(path, side=16)
    config = transformers.ResNetConfig(
        embedding_size=6, hidden_sizes=[6, 12], depths=[1, 1], layer_type="basic", num_labels=CLASSES
    )
    rows = [
        {"pixel_values": image, "labels": int(label)} for image, label in zip(folder.inputs, folder.labels, strict=True)
    ]
    return _trained(folder, transformers.ResNetForImageClassification(config), rows)


def transformers_texts(path: Path) -> Folder:
    """A small BERT on token ids with an attention mask."""
    import transformers

    folder = folder_of_texts(path)
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24}
    config = transformers.BertConfig(**sizes, vocab_size=30, max_position_embeddings=16, num_labels=CLASSES)
    inputs: Any = folder.inputs
    rows = [
        {**{name: values[row] for name, values in inputs.items()}, "labels": int(label)}
        for row, label in enumerate(folder.labels)
    ]
    return _trained(folder, transformers.BertForSequenceClassification(config), rows)


def _trained(folder: Folder, net: Any, rows: list[dict[str, Any]]) -> Folder:
    import transformers

    class Remember(transformers.TrainerCallback):
        def on_save(self, *_: Any, model: Any, **__: Any) -> None:
            folder.remember(model)

    arguments = transformers.TrainingArguments(
        output_dir=str(folder.path / "out"),
        num_train_epochs=EPOCHS,
        per_device_train_batch_size=8,
        learning_rate=0.01,
        save_strategy="epoch",
        report_to=[],
        use_cpu=True,
        disable_tqdm=True,
    )
    transformers.Trainer(model=net, args=arguments, train_dataset=rows, callbacks=[Remember()]).train()
    steps = len(rows) // 8
    folder.epochs = [*folder.epochs, [steps * (epoch + 1) for epoch in range(EPOCHS)]]
    return folder
