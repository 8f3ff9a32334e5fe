"""Writes request bodies into a folder: {chat,messages,responses}-{small,large}[-stream|-paced].

small: about 1 KB, one question. large: about 200 KB, a coding agent's turn: a long system
prompt, 20 tools with schemas, 60 messages with tool calls and tool results. Deterministic.
"""

import json
import pathlib
import random
import sys

WORDS = (  # noqa: SIM905 - a list of words reads worse
    "router target dialect stream request header compile table group upstream fallback "
    "token cache field value"
).split()


def prose(rng, size):
    out = []
    while sum(map(len, out)) + len(out) < size:
        out.append(rng.choice(WORDS) + rng.choice(["", "", "", ",", ".\n", "()", " = 1\n", ' "x"']))
    return " ".join(out)[:size]


def tool_schemas(rng):
    for i in range(20):
        props = {
            f"arg_{j}": {
                "type": rng.choice(["string", "integer", "boolean"]),
                "description": prose(rng, 90),
            }
            for j in range(6)
        }
        yield (
            f"tool_{i}",
            prose(rng, 900),
            {
                "type": "object",
                "properties": props,
                "required": ["arg_0", "arg_1"],
                "additionalProperties": False,
            },
        )


def turns(rng, large, mark):
    """(role, text, tool call or None, tool result or None)"""
    if not large:
        return [("user", mark + prose(rng, 700), None, None)]
    out = [("user", mark + prose(rng, 1500), None, None)]
    for i in range(29):
        call = {
            "id": f"call_{i:04d}",
            "name": f"tool_{i % 20}",
            "args": {"arg_0": prose(rng, 200), "arg_1": i},
        }
        out.append(("assistant", prose(rng, 300), call, None))
        out.append(("tool", None, None, (call["id"], prose(rng, 4300))))
    return [*out, ("user", prose(rng, 400), None, None)]


def chat(large, rng, mark):
    tools, msgs = (
        list(tool_schemas(rng)),
        [{"role": "system", "content": prose(rng, 8000 if large else 100)}],
    )
    for role, text, call, result in turns(rng, large, mark):
        if result:
            msgs.append({"role": "tool", "tool_call_id": result[0], "content": result[1]})
        elif call:
            msgs.append(
                {
                    "role": "assistant",
                    "content": text,
                    "tool_calls": [
                        {
                            "id": call["id"],
                            "type": "function",
                            "function": {
                                "name": call["name"],
                                "arguments": json.dumps(call["args"]),
                            },
                        }
                    ],
                }
            )
        else:
            msgs.append({"role": role, "content": text})
    body = {"model": "bench-model", "messages": msgs, "temperature": 0.2, "max_tokens": 4096}
    if large:
        body["tools"] = [
            {"type": "function", "function": {"name": n, "description": d, "parameters": s}}
            for n, d, s in tools
        ]
    return body


def messages(large, rng, mark):
    tools, msgs = list(tool_schemas(rng)), []
    system = [
        {
            "type": "text",
            "text": prose(rng, 8000 if large else 100),
            "cache_control": {"type": "ephemeral"},
        }
    ]
    for role, text, call, result in turns(rng, large, mark):
        if result:
            msgs.append(
                {
                    "role": "user",
                    "content": [
                        {"type": "tool_result", "tool_use_id": result[0], "content": result[1]}
                    ],
                }
            )
        elif call:
            msgs.append(
                {
                    "role": "assistant",
                    "content": [
                        {"type": "text", "text": text},
                        {
                            "type": "tool_use",
                            "id": call["id"],
                            "name": call["name"],
                            "input": call["args"],
                        },
                    ],
                }
            )
        else:
            msgs.append({"role": role, "content": [{"type": "text", "text": text}]})
    body = {"model": "bench-model", "max_tokens": 4096, "system": system, "messages": msgs}
    if large:
        body["tools"] = [{"name": n, "description": d, "input_schema": s} for n, d, s in tools]
    return body


def responses(large, rng, mark):
    tools, items = list(tool_schemas(rng)), []
    for role, text, call, result in turns(rng, large, mark):
        if result:
            items.append(
                {"type": "function_call_output", "call_id": result[0], "output": result[1]}
            )
        elif call:
            items.append(
                {
                    "type": "message",
                    "role": "assistant",
                    "content": [{"type": "output_text", "text": text}],
                }
            )
            items.append(
                {
                    "type": "function_call",
                    "call_id": call["id"],
                    "name": call["name"],
                    "arguments": json.dumps(call["args"]),
                }
            )
        else:
            items.append(
                {"type": "message", "role": role, "content": [{"type": "input_text", "text": text}]}
            )
    body = {
        "model": "bench-model",
        "instructions": prose(rng, 8000 if large else 100),
        "input": items,
        "store": False,
    }
    if large:
        body["tools"] = [
            {"type": "function", "name": n, "description": d, "parameters": s, "strict": False}
            for n, d, s in tools
        ]
    return body


def write(folder):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for make in (chat, messages, responses):
        for size in ("small", "large"):
            for kind in ("", "-stream", "-paced"):
                body = make(
                    size == "large", random.Random(7), "[paced] " if kind == "-paced" else ""
                )
                if kind:
                    body["stream"] = True
                (folder / f"{make.__name__}-{size}{kind}.json").write_bytes(
                    json.dumps(body, separators=(",", ":")).encode()
                )


if __name__ == "__main__":
    write(sys.argv[1])
