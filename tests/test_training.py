"""Fine-tuning: the shortcuts change nothing, seeds are everything, and what is saved is what predicted."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from students import CLASSES, Stage, ids, recipe, taught, tiny_model
from torch.nn import functional

from labelrisk.errors import LabelRiskError
from labelrisk.settings.presets import recipe_of
from labelrisk.students import encoders, minibatches, runs, training
from labelrisk.students.dropout import MaskedDropout, Masks
from labelrisk.students.targets import Targets

KINDS = ["bert", "roberta", "modernbert", "distilbert"]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return {kind: str(tiny_model(tmp_path_factory.mktemp(kind), kind)) for kind in KINDS}


def load(folder: str, dropout: float = 0.0) -> Any:
    return encoders.load_classifier(folder, None, CLASSES, dropout, 7)


def plain_training(model: Any, settings: Any, seed: int) -> None:
    """The recipe written down plainly with PyTorch's own parts."""
    rows, labels = ids(40)
    order = np.random.default_rng(runs.seeds_of(seed).order)
    named = list(model.named_parameters())
    groups = [
        {"params": [p for name, p in named if "bias" not in name and "norm" not in name.lower()], "weight_decay": 0.1},
        {"params": [p for name, p in named if "bias" in name or "norm" in name.lower()], "weight_decay": 0.0},
    ]
    optimiser = torch.optim.AdamW(groups, lr=settings.learning_rate)
    steps = settings.epochs * 5

    def share(step: int) -> float:
        return step / 1 if step < 1 else (steps - step) / (steps - 1)

    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, share)
    for _ in range(settings.epochs):
        for batch in minibatches.shuffled(rows.lengths, settings.batch_size, order):
            padded, present = rows.padded(batch, 0)
            logits = model(torch.from_numpy(padded), attention_mask=torch.from_numpy(present).long()).logits
            functional.cross_entropy(logits, torch.from_numpy(labels[batch])).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            optimiser.zero_grad()


@pytest.mark.parametrize("kind", KINDS)
def test_training_equals_plain_training(folders: dict[str, str], kind: str) -> None:
    """Without dropout, and with the last epoch chosen, all weights agree, those of words that never occur included."""
    settings = recipe(epochs=1, dropout=0.0)
    plain = load(folders[kind])
    plain.train()
    plain_training(plain, settings, seed=3)
    ours = training.fine_tune(load(folders[kind]), *taught(40), *ids(20, seed=1), settings, 3).model
    assert type(ours) is type(plain)
    for (name, weight), (other, value) in zip(ours.named_parameters(), plain.named_parameters(), strict=True):
        assert name == other
        # a key's bias has no effect, so its gradient is rounding error, which Adam scales up to full steps
        if not name.endswith(("key.bias", "k_lin.bias")):
            torch.testing.assert_close(weight, value, rtol=0, atol=3e-6, msg=lambda text, name=name: f"{name}: {text}")
    rows, _ = ids(20, seed=2)
    np.testing.assert_allclose(training.predict(ours, rows, 4), training.predict(plain, rows, 4), atol=1e-5)


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=pytest.mark.slow if kind in ("roberta", "modernbert") else []) for kind in KINDS]
)
def test_every_kind_learns_in_bf16_with_dropout(folders: dict[str, str], kind: str) -> None:
    settings = recipe(precision="bf16", epochs=6, learning_rate=5e-3)
    tuned = training.fine_tune(load(folders[kind], 0.1), *taught(200), *ids(50, seed=1), settings, 0)
    assert (tuned.validation.argmax(1) == ids(50, seed=1)[1]).mean() > 0.9
    assert {parameter.dtype for parameter in tuned.model.parameters()} == {torch.bfloat16}


def test_one_seed_is_one_set_of_bytes_and_the_global_state_is_left_alone(folders: dict[str, str]) -> None:
    def digest(seed: int, noise: int) -> str:
        torch.default_generator.manual_seed(noise)
        before = torch.random.get_rng_state()
        tuned = training.fine_tune(load(folders["bert"], 0.1), *taught(40), *ids(20, seed=1), recipe(), seed)
        assert torch.equal(torch.random.get_rng_state(), before)
        state = b"".join(weight.numpy().tobytes() for weight in tuned.model.state_dict().values())
        return hashlib.sha256(state + tuned.validation.tobytes()).hexdigest()

    assert digest(0, noise=0) == digest(0, noise=1)
    assert digest(0, noise=0) != digest(1, noise=0)


def test_head_order_dropout_and_adapters_have_seeds_of_their_own() -> None:
    assert len({part for seed in range(20) for part in runs.seeds_of(seed)}) == 80


def test_dropout_keeps_the_share_and_the_mean() -> None:
    dropout = MaskedDropout(0.1, Masks(0)).train()
    x = torch.full((1000, 1000), 3.0, requires_grad=True)
    y = dropout(x)
    dropped = float((y == 0).float().mean())
    assert dropped == pytest.approx(0.1, abs=0.002)
    assert y.max().item() == pytest.approx(3 / 0.9, rel=1e-4)
    assert y.mean().item() == pytest.approx(3, rel=0.002)
    y.sum().backward()
    assert x.grad is not None
    torch.testing.assert_close(x.grad * 3, y.detach())
    assert not torch.equal(dropout(x), y)
    assert torch.equal(dropout.eval()(x), x)


def test_dropout_in_bf16_is_unbiased() -> None:
    x = torch.linspace(1, 2, 1_000_003).bfloat16()
    y = MaskedDropout(0.1, Masks(1)).train()(x)
    assert y.double().mean().item() == pytest.approx(x.double().mean().item(), rel=0.0015)


def test_dropout_masks_do_not_repeat_between_requests() -> None:
    masks = Masks(0)
    drawn = torch.stack([masks.draw(torch.Size((1000,)), 0.5, torch.float32)[0] for _ in range(1100)])
    assert abs(float((drawn[1:] == drawn[:-1]).float().mean()) - 0.5) < 0.005
    assert len(torch.unique(drawn, dim=0)) == 1100


def test_attention_drops_shares_and_keeps_the_mean(folders: dict[str, str]) -> None:
    from labelrisk.encoders.attention import attend

    module = torch.nn.Module()
    module.dropout_masks = Masks(0)  # type: ignore[assignment]
    generator = torch.Generator().manual_seed(0)
    q, k, v = (torch.randn(2, 4, 9, 8, generator=generator) for _ in range(3))
    exact, _ = attend(module, q, k, v, None)
    torch.testing.assert_close(exact, functional.scaled_dot_product_attention(q, k, v).transpose(1, 2))
    mean = torch.stack([attend(module, q, k, v, None, dropout=0.2)[0] for _ in range(4000)]).mean(0)
    assert float((mean - exact).abs().max()) < 0.05


def test_attention_has_the_gradients_of_pytorch() -> None:
    from labelrisk.encoders.attention import attend

    generator = torch.Generator().manual_seed(0)
    q, k, v = (torch.randn(2, 4, 9, 8, generator=generator, requires_grad=True) for _ in range(3))
    bias = torch.zeros(2, 1, 9, 9)
    bias[0, ..., 6:] = torch.finfo(bias.dtype).min
    weight = torch.randn(2, 9, 4, 8, generator=generator)
    ours = torch.autograd.grad((attend(torch.nn.Module(), q, k, v, bias)[0] * weight).sum(), (q, k, v))
    plain = functional.scaled_dot_product_attention(q, k, v, attn_mask=bias).transpose(1, 2)
    for one, other in zip(ours, torch.autograd.grad((plain * weight).sum(), (q, k, v)), strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("kind", KINDS)
def test_padding_does_not_change_predictions(folders: dict[str, str], kind: str) -> None:
    model = load(folders[kind])
    rows, _ = ids(30)
    alone, together = (training.predict(model, rows, size) for size in (1, 30))
    np.testing.assert_allclose(alone, together, atol=2e-6)
    np.testing.assert_allclose(alone.sum(axis=1), 1, atol=1e-6)


def test_the_earliest_of_equally_good_checkpoints_is_kept(folders: dict[str, str]) -> None:
    logged: list[tuple[int, dict[str, float]]] = []
    settings = recipe(learning_rate=1e-12, epochs=3)  # nothing is learned
    tuned = training.fine_tune(
        load(folders["bert"]), *taught(40), *ids(20, seed=1), settings, 0, log=lambda *entry: logged.append(entry)
    )
    assert tuned.step == 5
    scored = [(step, metrics) for step, metrics in logged if "validation/macro_f1" in metrics]
    assert [step for step, _ in scored] == [5, 10, 15]
    assert len({metrics["validation/macro_f1"] for _, metrics in scored}) == 1
    losses = [step for step, metrics in logged if metrics.keys() == {"loss", "learning_rate"}]
    assert losses == [5, 10, 15]


def logged_steps(folder: str, rows: int = 40, **changes: Any) -> tuple[training.FineTuned, list[int]]:
    """A short training, and the steps at which it was validated."""
    steps: list[int] = []

    def log(step: int, metrics: dict[str, float]) -> None:
        if "validation/macro_f1" in metrics:
            steps.append(step)

    tuned = training.fine_tune(load(folder), *taught(rows), *ids(20, seed=1), recipe(**changes), 0, log)
    return tuned, steps


def test_a_budget_in_steps_is_the_same_for_all_sizes(folders: dict[str, str]) -> None:
    for rows in (40, 20):  # 5 and 3 batches an epoch
        tuned, steps = logged_steps(folders["bert"], rows, budget="steps", steps=7, validate_every=3)
        assert (tuned.steps, steps) == (7, [3, 6, 7])


def test_a_budget_in_epochs_has_a_floor_in_steps(folders: dict[str, str]) -> None:
    assert logged_steps(folders["bert"], budget="epochs", epochs=2)[1] == [5, 10]
    assert logged_steps(folders["bert"], budget="epochs", epochs=2, least_steps=12)[0].steps == 12


def test_patience_stops_after_the_floor_and_not_before(folders: dict[str, str]) -> None:
    # with a rate of almost 0 nothing is learned: the first validation is the best one
    nothing = {"budget": "steps", "steps": 40, "validate_every": 2, "learning_rate": 1e-12}
    assert logged_steps(folders["bert"], **nothing, patience=3, least_steps=1)[1] == [2, 4, 6, 8]
    assert logged_steps(folders["bert"], **nothing, patience=3, least_steps=11)[1] == [2, 4, 6, 8, 10, 12]
    assert logged_steps(folders["bert"], **nothing, patience=None)[0].steps == 40


def test_the_papers_recipe_takes_the_place_of_the_keys() -> None:
    asked = recipe(preset="papers", budget="steps", steps=160, threads=2)
    found = recipe_of(asked)
    assert (found.budget, found.epochs, found.batch_size, found.learning_rate) == ("epochs", 3, 16, 2e-5)
    assert (found.weight_decay, found.warmup_share, found.dropout, found.threads) == (0.01, 0.05, 0.1, 2)
    assert found.steps_for(5000) == 3 * 313  # ceil(5,000 / 16)
    assert asked.steps == 160  # what stands in params.yaml is left as it is
    assert recipe_of(recipe()) == recipe()


def test_a_floor_above_the_budget_is_refused() -> None:
    with pytest.raises(ValueError, match="least_steps is 100, more than steps: 40"):
        recipe(budget="steps", steps=40, least_steps=100)


def test_no_rows_and_divergence_are_sentences(folders: dict[str, str]) -> None:
    nothing, no_labels = ids(0)
    untaught = Targets(codes=no_labels)
    with pytest.raises(LabelRiskError, match="no labelled train row"):
        training.fine_tune(load(folders["bert"]), nothing, untaught, *ids(5), recipe(), 0)
    with pytest.raises(LabelRiskError, match="no labelled validation row"):
        training.fine_tune(load(folders["bert"]), *taught(5), nothing, no_labels, recipe(), 0)
    broken = load(folders["bert"])
    broken.classifier.weight.data.fill_(float("nan"))
    with pytest.raises(LabelRiskError, match="diverged"):
        training.fine_tune(broken, *taught(20), *ids(5), recipe(), 0)


@pytest.mark.parametrize("precision", ["bf16", "fp32"])
def test_the_saved_model_gives_the_stored_predictions(folders: dict[str, str], tmp_path: Path, precision: str) -> None:
    from transformers import AutoModelForSequenceClassification

    model, predictions, logs = Stage(tmp_path, folders["bert"], precision=precision).run("a")
    table = pd.read_parquet(predictions)
    assert table["split"].tolist() == ["validation"] * 20 + ["test"] * 15
    assert table["id"].tolist() == [f"r{at}" for at in range(40, 60)] + [f"t{at}" for at in range(15)]
    stored = np.stack(table["probabilities"].tolist())
    assert stored.dtype == np.float32
    assert stored.shape == (35, 3)
    loaded = AutoModelForSequenceClassification.from_pretrained(model)
    assert loaded.dtype == (torch.bfloat16 if precision == "bf16" else torch.float32)
    rows, _ = ids(60)
    again = training.predict(loaded, rows, 8)[40:]
    np.testing.assert_allclose(again, stored[:20], atol=0.01 if precision == "bf16" else 1e-6)
    again = training.predict(loaded, ids(15, seed=5)[0], 8)
    np.testing.assert_allclose(again, stored[20:], atol=1e-6)
    assert loaded.config.id2label == dict(enumerate(CLASSES))
    assert (logs / "plots/metrics/loss.tsv").read_text().startswith("step\tloss\n")
    assert (logs / "plots/metrics/validation/macro_f1.tsv").is_file()


def test_two_runs_of_the_stage_write_the_same_bytes(folders: dict[str, str], tmp_path: Path) -> None:
    stage = Stage(tmp_path, folders["bert"], precision="auto")

    def contents(name: str, seed: int) -> dict[str, bytes]:
        model, predictions, logs = stage.run(name, seed)
        files = [predictions, *(path for folder in (model, logs) for path in folder.rglob("*") if path.is_file())]
        return {str(path.relative_to(tmp_path / name)).replace(f"/{seed}", ""): path.read_bytes() for path in files}

    first = contents("a", 0)
    assert first == contents("b", 0)
    other = contents("c", 1)
    assert other["predictions.parquet"] != first["predictions.parquet"]
    assert other["models/model.safetensors"] != first["models/model.safetensors"]


def test_how_long_it_took_is_noted_beside_the_outputs(folders: dict[str, str], tmp_path: Path) -> None:
    from labelrisk.students.durations import note_duration, seconds_per_step

    path = tmp_path / "notes" / "durations.jsonl"
    assert seconds_per_step(path) is None
    Stage(tmp_path, folders["bert"]).run("one")
    (line,) = [json.loads(line) for line in path.read_text().splitlines()]
    assert (line["source"], line["seed"], line["steps"]) == ("gold", 0, 10)
    note_duration(path, "gold", 1, 10, 20.0)
    note_duration(path, "gold", 2, 10, 30.0)
    with path.open("a") as file:
        file.write('{"source": "go')  # cut short by a crash
    assert seconds_per_step(path) == pytest.approx(2.0)  # the median of three, the first of which took no second


def test_an_interrupted_stage_leaves_nothing(
    folders: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = Stage(tmp_path, folders["bert"])

    def interrupt(*ignored: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(training, "predict", interrupt)
    with pytest.raises(KeyboardInterrupt):
        stage.run("a")
    assert {path.name for path in (tmp_path / "a").iterdir()} <= {"training", "local"}
    assert not list((tmp_path / "a").rglob("student.json"))


def test_a_label_outside_the_classes_is_a_sentence(folders: dict[str, str], tmp_path: Path) -> None:
    stage = Stage(tmp_path, folders["bert"])
    (tmp_path / "labels.json").write_text(json.dumps(["no", "perhaps"]))
    with pytest.raises(LabelRiskError, match="'yes' is not among the labels"):
        stage.run("a")
