"""Exports a run for the archive, in the formats that the archive takes."""

import csv
import io


def to_csv(items):
    stream = io.StringIO()
    writer = csv.DictWriter(stream, fieldnames=["topic", "headline", "words"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(items)
    return stream.getvalue()


def to_json(items):
    return json.dumps({"items": items, "count": len(items)}, indent=2, sort_keys=True)
