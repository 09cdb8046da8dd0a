"""Where the agent's material comes from."""

ARTICLES = [
    {"title": "Night trains return", "words": 287, "topics": ["rail", "travel"]},
    {"title": "Fog along the coast", "words": 96, "topics": ["weather"]},
    {"title": "Second interconnector", "words": 412, "topics": ["energy", "grid"]},
    {"title": "Library opens late", "words": 154, "topics": ["city"]},
]


class Archive:
    """Looks articles up by number."""

    def __init__(self, articles=ARTICLES):
        self.articles = list(articles)

    def article(self, number):
        return self.articles[number % len(self.articles)]

    def find_by_topic(self, topic):
        return [a for a in self.articles if topic in a["topics"]]
