"""A stack of numbers that knows its greatest one."""


class GreatestStack:
    """Push and pop in constant time."""

    def __init__(self) -> None:
        self.items: list[float] = []
        self.greatest: list[float] = []

    def push(self, item: float) -> None:
        self.items.append(item)
        if self.greatest:
            self.greatest.append(max(item, self.greatest[-1]))
        else:
            self.greatest.append(item)

    def pop(self) -> float:
        self.greatest.pop()
        return self.items.pop()


def drained(stack: GreatestStack) -> list[float]:
    found = []
    while stack.items:
        found.append(stack.pop())
    return found
