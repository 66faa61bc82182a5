#!/usr/bin/env python3
"""Builds a search index over many texts with several threads, and asks it.

The texts are made up (always the same ones), so that there is nothing to fetch: words are drawn as in
natural language, a few of them often and most of them seldom. Each thread takes documents from a common
pile, splits them into words and counts them; its part of the index is merged into the whole at the end.
A query is scored as search engines do it (BM25).
"""

import math
import random
import re

from measure import Tickets, arguments, check, report, run_threads, timed

WORD = re.compile(r"[a-z]+")
SYLLABLES = ["ka", "ri", "to", "mo", "ne", "sha", "lu", "ber", "din", "fo", "gra", "hel", "ist", "jun", "pel"]


def make_vocabulary(size):
    words = [first + second for first in SYLLABLES for second in SYLLABLES]
    words += [word + end for word in words for end in SYLLABLES]
    return words[:size]


def make_documents(count, length):
    """Texts of about `length` words; the k-th word of the vocabulary is drawn 1/k times as often."""
    generator = random.Random(313)
    vocabulary = make_vocabulary(3000)
    weights = [1 / (rank + 3) for rank in range(len(vocabulary))]
    documents = []
    for _ in range(count):
        words = generator.choices(vocabulary, weights, k=length)
        for i in range(0, length, 9):
            words[i] = words[i].capitalize() + ","
        documents.append(" ".join(words))
    return documents


def index_documents(documents, tickets):
    """Word -> {document: how often it stands there}, of the documents that `tickets` gives."""
    index = {}
    for number in tickets:
        counts = {}
        for word in WORD.findall(documents[number].lower()):
            counts[word] = counts.get(word, 0) + 1
        for word, count in counts.items():
            places = index.get(word)
            if places is None:
                places = index[word] = {}
            places[number] = count
    return index


def merge(parts):
    whole = parts[0]
    for part in parts[1:]:
        for word, places in part.items():
            if word in whole:
                whole[word].update(places)
            else:
                whole[word] = places
    return whole


def search(index, lengths, query, limit=3):
    """The best documents for a query, with their scores."""
    average = sum(lengths) / len(lengths)
    scores = {}
    for word in WORD.findall(query.lower()):
        places = index.get(word, {})
        rarity = math.log(1 + (len(lengths) - len(places) + 0.5) / (len(places) + 0.5))
        for document, count in places.items():
            weight = count * 2.2 / (count + 1.2 * (0.25 + 0.75 * lengths[document] / average))
            scores[document] = scores.get(document, 0.0) + rarity * weight
    return sorted(scores.items(), key=lambda item: (-item[1], item[0]))[:limit]


def main():
    args = arguments(__doc__.splitlines()[0], documents=1200, words=1000)
    documents = make_documents(args.documents, args.words)
    tickets = Tickets(len(documents))
    with timed() as time:
        parts = run_threads(args.threads, lambda _: index_documents(documents, iter(tickets)))
        index = merge(parts)
    check("words counted", sum(sum(places.values()) for places in index.values()),
          args.documents * args.words)
    check("order of documents", all(sum(word in documents[d].lower() for d in list(places)[:2]) > 0
                                    for word, places in list(index.items())[:50]), True)
    query = "Shaber gradin"
    best = search(index, [args.words] * args.documents, query)
    if (args.documents, args.words) == (1200, 1000):
        check("different words", len(index), 3000)
    report(args, time.seconds,
           f"{args.documents} documents, {args.documents * args.words} words, {len(index)} different ones\n"
           f"best for {query!r}: " + ", ".join(f"{document} ({score:.2f})" for document, score in best))


if __name__ == "__main__":
    main()
