import asyncio

LIMIT = 10


def area(width, height, *, scale=1):
    return width * height * scale


async def fetch(key):
    await asyncio.sleep(0)
    return {"key": key}


def pair(text):
    left, _, right = text.partition("=")
    return left, right


def note(lines, text):
    lines.append(text)
    lines.sort()


class Store:
    def __init__(self, folder):
        self.folder = folder
        self.entries = {}

    def put(self, key, value):
        self.entries[key] = value
