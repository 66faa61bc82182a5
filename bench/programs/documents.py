"""JSON: documents made, written, read, changed and compared."""
import json


def make_document(number):
    return {
        "id": number,
        "name": f"document {number}",
        "tags": [f"tag{number % k}" for k in range(2, 9)],
        "owner": {"first": "Ada", "last": "Løvelace", "age": 36 + number % 5, "admin": number % 2 == 0},
        "scores": [number * 0.5, number / 3, 1e-7 * number, -number],
        "text": 'a "quoted" line\nwith breaks\tand tabs \\ and unicode é ☃ ' * 2,
        "nested": [[{"x": i, "y": None, "z": [True, False]}] for i in range(5)],
    }


def walk(value, counts):
    """Counts what kinds of values a document holds."""
    kind = type(value).__name__
    counts[kind] = counts.get(kind, 0) + 1
    if isinstance(value, dict):
        for key, item in value.items():
            walk(key, counts)
            walk(item, counts)
    elif isinstance(value, list):
        for item in value:
            walk(item, counts)


def flatten(value, prefix=""):
    if isinstance(value, dict):
        for key, item in value.items():
            yield from flatten(item, f"{prefix}.{key}")
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from flatten(item, f"{prefix}[{i}]")
    else:
        yield prefix, value


class Encoder(json.JSONEncoder):
    def default(self, o):
        if isinstance(o, (set, frozenset)):
            return sorted(o)
        return super().default(o)


def main():
    documents = [make_document(i) for i in range(200)]
    counts = {}
    for round in range(8):
        compact = [json.dumps(document, separators=(",", ":")) for document in documents]
        pretty = json.dumps(documents[:40], indent=2, sort_keys=True, ensure_ascii=False)
        again = [json.loads(text) for text in compact]
        assert again == documents
        assert json.loads(pretty) == documents[:40]
        for document in again:
            walk(document, counts)
        custom = json.dumps({"values": {3, 1, 2}, "round": round}, cls=Encoder)
        assert json.loads(custom)["values"] == [1, 2, 3]
    paths = {path for document in documents for path, _ in flatten(document)}
    assert counts["dict"] == 8 * 200 * 7, counts
    print(len(pretty), len(paths), sorted(counts.items()))


if __name__ == "__main__":
    for _ in range(3):
        main()
