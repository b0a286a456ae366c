"""What is written beside an exported classifier: what it says, and how it is called."""

from __future__ import annotations

from labelrisk.classifiers.folders import Form
from labelrisk.text_tables import markdown_of

TRANSFORMERS = """```python
from transformers import pipeline

classify = pipeline("text-classification", "FOLDER", top_k=None)
classify(["a text"], truncation=True)
```

Give `truncation=True`: it was trained on the first {tokens} tokens of a text, as the tokenizer's `model_max_length`
says.
"""
ONNX = """```python
import json
import onnxruntime
from transformers import AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("FOLDER")
session = onnxruntime.InferenceSession("FOLDER/model.onnx")
classes = json.load(open("FOLDER/classes.json"))["classes"]
read = tokenizer(["a text"], truncation=True, padding=True, return_tensors="np")
probabilities = session.run(None, {{"input_ids": read["input_ids"], "attention_mask": read["attention_mask"]}})[0]
print([classes[code] for code in probabilities.argmax(axis=1)])
```

The graph gives the mean probabilities of {members} student{s}; batch and length may be any, up to {tokens} tokens.
"""
OPENVINO = """```python
import json
import numpy as np
import openvino
from transformers import AutoTokenizer

form = json.load(open("FOLDER/graph.json"))
tokenizer = AutoTokenizer.from_pretrained("FOLDER")
graph = openvino.Core().compile_model("FOLDER/model.xml", "CPU")
read = tokenizer(["a text"], truncation=True, padding=True, return_tensors="np")
said = graph((read["input_ids"], read["attention_mask"]))[0] ** (1 / form["temperature"])
probabilities = said / said.sum(axis=1, keepdims=True)
print([form["classes"][code] for code in probabilities.argmax(axis=1)])
```

The graph gives the students' own probabilities; the line with the temperature calibrates them. `labelrisk predict
--graph FOLDER` reads it in the students' place.
"""


def transformers(form: Form, temperature: float) -> str:
    """The README of a folder of transformers."""
    return _about(form, _heat(temperature)) + TRANSFORMERS.format(tokens=form.max_tokens)


def onnx(form: Form, temperature: float) -> str:
    """The README beside an ONNX graph."""
    members = len(form.members)
    note = ONNX.format(tokens=form.max_tokens, members=members, s="s" * (members > 1))
    return _about(form, _heat(temperature)) + note


def openvino(form: Form, told: str, alone: float) -> str:
    """The README beside a graph of OpenVINO; told: what was measured of it; alone: of it without the students."""
    return _about(form, f"{told} The graph alone: {100 * alone:.2f} %.") + OPENVINO


def _heat(temperature: float) -> str:
    if temperature == 1:
        return "Its probabilities are as the students say them, not calibrated; it computes in fp32."
    return (
        f"Its probabilities are calibrated: a temperature of {temperature:.4g}, fitted on validation rows, is "
        "built in. They are those of `labelrisk predict`, but for rounding: it computes in fp32."
    )


def _about(form: Form, how: str) -> str:
    classes = "\n".join(f"- {markdown_of(name)}" for name in form.classes)
    return (
        f"# {markdown_of(form.ensemble)}\n\nA text classifier, exported by `labelrisk export`. Its classes:\n\n"
        f"{classes}\n\n{how}\n\nConformal sets, the warning for unlike texts and corrected class shares stay with "
        "`labelrisk predict`.\n\n"
    )
