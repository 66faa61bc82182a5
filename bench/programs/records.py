"""Dataclasses, enums and properties: a library's books and loans, pickled and copied."""
import copy
import enum
import pickle
from dataclasses import asdict, dataclass, field, replace


class State(enum.Enum):
    FREE = "free"
    LENT = "lent"
    LOST = "lost"


@dataclass(order=True)
class Book:
    title: str
    author: str
    year: int
    copies: int = 1
    state: State = field(default=State.FREE, compare=False)
    readers: list = field(default_factory=list, compare=False)

    @property
    def available(self):
        return self.state is State.FREE and self.copies > len(self.readers)


@dataclass(frozen=True)
class Reader:
    name: str
    number: int


@dataclass
class Library:
    books: dict = field(default_factory=dict)
    loans: int = 0
    refused: int = 0

    def add(self, book):
        self.books[book.title] = book

    def lend(self, title, reader):
        book = self.books[title]
        if not book.available:
            self.refused += 1
            return False
        book.readers.append(reader)
        self.loans += 1
        if len(book.readers) == book.copies:
            book.state = State.LENT
        return True

    def give_back(self, title, reader):
        book = self.books[title]
        if reader in book.readers:
            book.readers.remove(reader)
            book.state = State.FREE


def make_library():
    library = Library()
    for i in range(120):
        library.add(Book(f"title {i:03}", f"author {i % 7}", 1900 + i, 1 + i % 3))
    return library


def simulate(library, readers, steps):
    titles = list(library.books)
    state = 1
    for step in range(steps):
        state = (state * 48271) % 2147483647
        title = titles[state % len(titles)]
        reader = readers[state // 7 % len(readers)]
        if state & 16:
            library.lend(title, reader)
        else:
            library.give_back(title, reader)


def main():
    readers = [Reader(f"reader {i}", i) for i in range(40)]
    library = make_library()
    simulate(library, readers, 20000)
    ordered = sorted(library.books.values())
    assert ordered[0].title == "title 000" and ordered[-1] > ordered[0]
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        again = pickle.loads(pickle.dumps(library, protocol))
        assert again == library
    other = copy.deepcopy(library)
    assert other == library and other.books is not library.books
    rows = [asdict(book) for book in ordered]
    changed = [replace(book, year=book.year + 1) for book in ordered]
    assert all(a != b for a, b in zip(changed, ordered))
    groups = {}
    for book in ordered:
        groups.setdefault(book.author, set()).add(book.year)
    assert len({hash(reader) for reader in readers}) == 40
    print(library.loans, library.refused, len(rows), repr(ordered[5]), len(groups))


if __name__ == "__main__":
    for _ in range(6):
        main()
