"""Numbers: a spectral norm, a Mandelbrot set, digits of e and pi, Gaussian elimination, a random generator."""
from fractions import Fraction


def spectral_norm(size):
    def entry(i, k):
        return 1.0 / ((i + k) * (i + k + 1) // 2 + i + 1)

    def times(v):
        return [sum(entry(i, k) * x for k, x in enumerate(v)) for i in range(size)]

    def transposed(v):
        return [sum(entry(k, i) * x for k, x in enumerate(v)) for i in range(size)]

    u = [1.0] * size
    for _ in range(5):
        v = transposed(times(u))
        u = transposed(times(v))
    vv = sum(x * x for x in v)
    uv = sum(x * y for x, y in zip(u, v))
    return (uv / vv) ** 0.5


def mandelbrot(width, height, limit):
    inside = 0
    for row in range(height):
        ci = 2.0 * row / height - 1.0
        for column in range(width):
            cr = 3.0 * column / width - 2.0
            zr = zi = 0.0
            for _ in range(limit):
                rr, ii = zr * zr, zi * zi
                if rr + ii > 4.0:
                    break
                zi = 2.0 * zr * zi + ci
                zr = rr - ii + cr
            else:
                inside += 1
    return inside


def pi_digits(count):
    """Machin's formula with whole numbers."""
    unity = 10 ** (count + 10)

    def arctan_of_inverse(x):
        power = total = unity // x
        square, n, sign = x * x, 3, -1
        while power:
            power //= square
            total += sign * (power // n)
            sign, n = -sign, n + 2
        return total

    return 4 * (4 * arctan_of_inverse(5) - arctan_of_inverse(239)) // 10 ** 10


def e_digits(count):
    unity = 10 ** (count + 10)
    total, term, n = unity, unity, 1
    while term:
        total += term
        n += 1
        term //= n
    return total // 10 ** 10


def solve(matrix, right):
    size = len(matrix)
    rows = [row[:] + [value] for row, value in zip(matrix, right)]
    for i in range(size):
        pivot = max(range(i, size), key=lambda r: abs(rows[r][i]))
        rows[i], rows[pivot] = rows[pivot], rows[i]
        for r in range(i + 1, size):
            factor = rows[r][i] / rows[i][i]
            for c in range(i, size + 1):
                rows[r][c] -= factor * rows[i][c]
    result = [0] * size
    for i in reversed(range(size)):
        result[i] = (rows[i][size] - sum(rows[i][k] * result[k] for k in range(i + 1, size))) / rows[i][i]
    return result


def collatz(limit):
    best = (0, 0)
    for start in range(1, limit):
        n, steps = start, 0
        while n != 1:
            n = n // 2 if n % 2 == 0 else 3 * n + 1
            steps += 1
        best = max(best, (steps, start))
    return best


def main():
    norm = spectral_norm(60)
    assert abs(norm - 1.274) < 0.001
    inside = mandelbrot(90, 60, 60)
    pi = str(pi_digits(1000))
    assert pi.startswith("31415926535897932384626433832795") and len(pi) == 1001
    assert str(e_digits(500)).startswith("271828182845904523536")
    matrix = [[1.0 / (i + k + 1) + (i == k) for k in range(30)] for i in range(30)]
    x = solve(matrix, [sum(row) for row in matrix])
    assert all(abs(value - 1) < 1e-9 for value in x)
    exact = solve([[Fraction(1, i + k + 1) for k in range(6)] for i in range(6)], [Fraction(i) for i in range(6)])
    assert all(value.denominator == 1 for value in exact)
    print(round(norm, 6), inside, collatz(4000), exact[0])


if __name__ == "__main__":
    for _ in range(4):
        main()
