"""Sorting algorithms written in Python, against the built-in one."""
import heapq
import operator


def make_numbers(count, seed):
    state = seed
    numbers = []
    for _ in range(count):
        state = (state * 69069 + 1) & 0xFFFFFFFF
        numbers.append(state >> 8)
    return numbers


def insertion_sort(items):
    for i in range(1, len(items)):
        item = items[i]
        k = i
        while k > 0 and items[k - 1] > item:
            items[k] = items[k - 1]
            k -= 1
        items[k] = item
    return items


def quick_sort(items, low=0, high=None):
    if high is None:
        high = len(items) - 1
    while high - low > 12:
        pivot = sorted((items[low], items[(low + high) // 2], items[high]))[1]
        i, k = low, high
        while i <= k:
            while items[i] < pivot:
                i += 1
            while items[k] > pivot:
                k -= 1
            if i <= k:
                items[i], items[k] = items[k], items[i]
                i += 1
                k -= 1
        if k - low < high - i:
            quick_sort(items, low, k)
            low = i
        else:
            quick_sort(items, i, high)
            high = k
    items[low:high + 1] = insertion_sort(items[low:high + 1])
    return items


def merge_sort(items):
    if len(items) < 2:
        return items
    middle = len(items) // 2
    left, right = merge_sort(items[:middle]), merge_sort(items[middle:])
    merged = []
    i = k = 0
    while i < len(left) and k < len(right):
        if right[k] < left[i]:
            merged.append(right[k])
            k += 1
        else:
            merged.append(left[i])
            i += 1
    merged.extend(left[i:])
    merged.extend(right[k:])
    return merged


def heap_sort(items):
    heap = []
    for item in items:
        heapq.heappush(heap, item)
    return [heapq.heappop(heap) for _ in range(len(heap))]


def radix_sort(items):
    shift = 0
    while any(item >> shift for item in items):
        buckets = [[] for _ in range(256)]
        for item in items:
            buckets[item >> shift & 255].append(item)
        items = [item for bucket in buckets for item in bucket]
        shift += 8
    return items


class Version:
    def __init__(self, number):
        self.parts = (number >> 16, number >> 8 & 255, number & 255)

    def __lt__(self, other):
        return self.parts < other.parts


def main():
    numbers = make_numbers(6000, 7)
    expected = sorted(numbers)
    assert quick_sort(numbers[:]) == expected
    assert merge_sort(numbers) == expected
    assert heap_sort(numbers) == expected
    assert radix_sort(numbers) == expected
    assert insertion_sort(numbers[:400]) == sorted(numbers[:400])
    versions = sorted(Version(number) for number in numbers)
    assert versions[0].parts[0] == expected[0] >> 16
    pairs = sorted(zip(numbers, map(str, numbers)), key=operator.itemgetter(1))
    assert [text for _, text in pairs] == sorted(map(str, numbers))
    for _ in range(20):
        backwards = sorted(numbers, reverse=True)
    assert backwards[::-1] == expected
    print(expected[0], expected[-1], pairs[0])


if __name__ == "__main__":
    for _ in range(5):
        main()
