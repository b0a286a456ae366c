"""Texts whose labels a loopback server can tell, and what it replies: right answers, slow ones, faults, and prices."""

from __future__ import annotations

import hashlib
import json
import time

import pandas as pd
from loopback import CUT, DROPPED, LOST, completion

BUSY = {"error": {"message": "slow down"}}
PRICE = {"input": 1.0, "output": 2.0}


def corpus(number):
    """Texts whose label stands in them, so that server and test agree without sharing anything."""
    return pd.DataFrame(
        {"text": f"Report {place}: {('rain', 'soup')[place % 2]} again.", "gold": label_of("soup" * (place % 2))}
        for place in range(number)
    )


def label_of(text):
    return "food" if "soup" in text else "weather"


def right(text, before=0):
    token = "AB"[label_of(text) == "food"]
    return 200, completion(token, {token: 0.7, "AB"["BA".index(token)]: 0.2})


def slowly(seconds, reply=right):
    def answer(text, before):
        time.sleep(seconds)
        return reply(text, before)

    return answer


def chance(text, before, salt=""):
    """In [0, 1), the same in every run."""
    return int.from_bytes(hashlib.sha256(f"{salt}{text}|{before}".encode()).digest()[:8], "big") / 2**64


def mix(text, before):
    """20 % 429, 5 % 500, 2 % dropped (half of them after the answer was charged), 1 % not whole."""
    share = chance(text, before, "s1")
    steps = [
        (0.10, (429, BUSY, {"Retry-After": "0.05"})),
        (0.20, (429, BUSY, {})),
        (0.25, (500, {"error": {"message": "oops"}})),
        (0.26, (DROPPED, None)),
        (0.27, (LOST, right(text)[1])),
        (0.275, (CUT, right(text)[1])),
        (0.28, (200, json.dumps(right(text)[1]).encode()[:70])),
    ]
    return next((reply for bound, reply in steps if share < bound), right(text))


def priced(reply):
    """As many prompt tokens as a tokenizer makes of the bytes, more or less."""

    def answer(text, before):
        status, content, *headers = reply(text, before)
        if isinstance(content, dict) and "usage" in content:
            content = content | {"usage": {"prompt_tokens": 200 + len(text) * 3, "completion_tokens": 1}}
        return status, content, *headers

    return answer


def cost(ledger):
    """What the server charges, with what the client never saw."""
    return (ledger.tokens[0] * PRICE["input"] + ledger.tokens[1] * PRICE["output"]) / 1e6
