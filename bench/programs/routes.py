"""Graphs: shortest ways by Dijkstra and A*, components, a spanning tree, on a made-up map."""
import heapq
import math


class Graph:
    def __init__(self):
        self.edges = {}
        self.places = {}

    def add_place(self, name, x, y):
        self.places[name] = (x, y)
        self.edges[name] = {}

    def connect(self, a, b):
        (ax, ay), (bx, by) = self.places[a], self.places[b]
        length = math.hypot(ax - bx, ay - by)
        self.edges[a][b] = length
        self.edges[b][a] = length


def make_map(side):
    graph = Graph()
    state = 17
    for row in range(side):
        for column in range(side):
            state = (state * 48271) % 2147483647
            graph.add_place((row, column), column + state % 100 / 250, row + state // 100 % 100 / 250)
    for row in range(side):
        for column in range(side):
            for down, right in ((0, 1), (1, 0), (1, 1)):
                state = (state * 48271) % 2147483647
                if state % 10 < 7 and row + down < side and column + right < side:
                    graph.connect((row, column), (row + down, column + right))
    return graph


def dijkstra(graph, start):
    distances = {start: 0.0}
    heap = [(0.0, start)]
    while heap:
        distance, place = heapq.heappop(heap)
        if distance > distances[place]:
            continue
        for neighbour, length in graph.edges[place].items():
            candidate = distance + length
            if candidate < distances.get(neighbour, math.inf):
                distances[neighbour] = candidate
                heapq.heappush(heap, (candidate, neighbour))
    return distances


def a_star(graph, start, goal):
    gx, gy = graph.places[goal]

    def estimate(place):
        x, y = graph.places[place]
        return math.sqrt((x - gx) ** 2 + (y - gy) ** 2)

    best = {start: 0.0}
    came_from = {}
    heap = [(estimate(start), start)]
    while heap:
        _, place = heapq.heappop(heap)
        if place == goal:
            way = [place]
            while place in came_from:
                place = came_from[place]
                way.append(place)
            return best[goal], way[::-1]
        for neighbour, length in graph.edges[place].items():
            candidate = best[place] + length
            if neighbour not in best or candidate < best[neighbour]:
                best[neighbour] = candidate
                came_from[neighbour] = place
                heapq.heappush(heap, (candidate + estimate(neighbour), neighbour))
    return None


def components(graph):
    parent = {place: place for place in graph.places}

    def find(place):
        while parent[place] != place:
            parent[place] = parent[parent[place]]
            place = parent[place]
        return place

    edges = sorted((length, a, b) for a, near in graph.edges.items() for b, length in near.items() if a < b)
    total = 0.0
    for length, a, b in edges:
        ra, rb = find(a), find(b)
        if ra != rb:
            parent[ra] = rb
            total += length
    return len({find(place) for place in graph.places}), total


def main():
    graph = make_map(45)
    for start in ((0, 0), (5, 40), (44, 0)):
        distances = dijkstra(graph, start)
    goals = [place for place in distances if sum(place) % 29 == 0]
    for goal in goals[:30]:
        length, way = a_star(graph, (44, 0), goal)
        assert abs(length - distances[goal]) < 1e-9 and way[-1] == goal
    count, total = components(graph)
    print(len(distances), len(goals), count, round(total, 3))


if __name__ == "__main__":
    for _ in range(8):
        main()
