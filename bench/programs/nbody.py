"""Planets around a sun: floats and attributes."""
import math


class Body:
    def __init__(self, x, y, z, vx, vy, vz, mass):
        self.x = x
        self.y = y
        self.z = z
        self.vx = vx
        self.vy = vy
        self.vz = vz
        self.mass = mass

    def kinetic(self):
        return 0.5 * self.mass * (self.vx ** 2 + self.vy ** 2 + self.vz ** 2)


def circular_orbit(distance, phase, mass, sun):
    """A body on a near-circular path around the sun, slightly tilted."""
    speed = math.sqrt(sun.mass / distance)
    return Body(distance * math.cos(phase), distance * math.sin(phase), 0.02 * distance,
                -speed * math.sin(phase), speed * math.cos(phase), 0.01 * speed, mass)


def make_system():
    sun = Body(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 39.5)
    planets = [circular_orbit(1.0 + 1.7 * i, 0.9 * i, 0.03 / (i + 1), sun) for i in range(4)]
    bodies = [sun] + planets
    for axis in ("vx", "vy", "vz"):
        drift = sum(getattr(body, axis) * body.mass for body in planets)
        setattr(sun, axis, -drift / sun.mass)
    return bodies


def all_pairs(bodies):
    return [(a, b) for i, a in enumerate(bodies) for b in bodies[i + 1:]]


def energy(bodies):
    total = sum(body.kinetic() for body in bodies)
    for a, b in all_pairs(bodies):
        total -= a.mass * b.mass / math.dist((a.x, a.y, a.z), (b.x, b.y, b.z))
    return total


def advance(bodies, pairs, dt, steps):
    for _ in range(steps):
        for a, b in pairs:
            dx = a.x - b.x
            dy = a.y - b.y
            dz = a.z - b.z
            square = dx * dx + dy * dy + dz * dz
            pull = dt / (square * math.sqrt(square))
            of_b = b.mass * pull
            of_a = a.mass * pull
            a.vx -= dx * of_b
            a.vy -= dy * of_b
            a.vz -= dz * of_b
            b.vx += dx * of_a
            b.vy += dy * of_a
            b.vz += dz * of_a
        for body in bodies:
            body.x += dt * body.vx
            body.y += dt * body.vy
            body.z += dt * body.vz


def main():
    bodies = make_system()
    before = energy(bodies)
    advance(bodies, all_pairs(bodies), 0.001, 20000)
    after = energy(bodies)
    assert abs(after - before) < 1e-3 * abs(before), (before, after)
    print(f"{before:.6f} {after:.6f}")


if __name__ == "__main__":
    for _ in range(4):
        main()
