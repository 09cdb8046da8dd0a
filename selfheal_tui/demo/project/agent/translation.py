"""Picks the phrases for the language of an edition."""

PHRASES = {
    "en": {"greeting": "Good morning", "closing": "Until tomorrow"},
    "fr": {"greeting": "Bonjour", "closing": "À demain"},
}


def phrase(edition, name):
    return PHRASES[edition["langauge"]][name]


def frame_bulletin(edition, body):
    return f"{phrase(edition, 'greeting')}.\n\n{body}\n\n{phrase(edition, 'closing')}."
