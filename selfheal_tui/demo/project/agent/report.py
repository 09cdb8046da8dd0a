"""The end-of-day report."""


def heading(edition):
    return f"{edition['title']} ({edition['language']})"


def footer(items):
    words = sum(item["words"] for item in items)
    return "Items: " + str(len(items)) + ", words: " + words


def daily_report(edition, items):
    lines = [heading(edition), ""]
    lines.extend(f"- {item['headline']}" for item in items)
    lines.extend(["", footer(items)])
    return "\n".join(lines)
