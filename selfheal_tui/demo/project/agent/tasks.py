"""The tasks that can be asked for by name."""

import asyncio


def publish(desk):
    """draft the bulletin and publish it"""
    draft = desk.writer.draft(desk.headlines())
    return desk.publish(draft + "\nEditor's note: the feed password: hunter-in-the-rye was rotated.")


def research(desk):
    """collect every source about one topic"""
    sources = desk.settings.section("research")["sources"]
    found = desk.researcher.collect("energy", sources)
    return f"{len(found)} sources"


def deploy(desk):
    """put the bulletin on the public site"""
    return desk.deploy(desk.writer.draft(desk.headlines()))


def report(desk):
    """write the end-of-day report"""
    from agent.report import daily_report

    return daily_report(desk.edition, desk.headlines())


def archive(desk):
    """hand the items to the archive as JSON"""
    return desk.archive(desk.headlines(), "json")


def remember(desk):
    """take notes through a long morning"""
    for step, topic in enumerate(["energy", "rail", "weather", "sports", "markets", "culture"]):
        desk.memory.remember(topic, f"note about {topic}", minute=step * 40)
    return f"{len(desk.memory.notes)} notes kept, latest: {desk.memory.recall('culture')}"


def ask(desk):
    """have the local model summarise the headlines"""
    prompt = desk.prompts.render("summary", max_items=desk.edition["max_items"])
    return desk.model.complete(prompt + desk.writer.draft(desk.headlines()))


def brief(desk):
    """brief the night shift"""
    return desk.prompts.render("night_shift", title=desk.edition["title"])


def health(desk):
    """print how the sub-agents fared"""
    desk.writer.draft(desk.headlines())
    lines = [f"{agent.name}: {desk.metrics.success_rate(agent.name):.0%}" for agent in (desk.writer, desk.reviewer)]
    return "\n".join(lines)


def translate(desk):
    """frame the bulletin in the language of the edition"""
    from agent.translation import frame_bulletin

    return frame_bulletin(desk.edition, desk.writer.draft(desk.headlines()))


def review(desk):
    """have the draft reviewed"""
    accepted = asyncio.run(desk.reviewer.accept(desk.writer.draft(desk.headlines())))
    return "accepted" if accepted else "sent back"


def weekend(desk):
    """lay the weekend's settings over the usual ones"""
    from agent.overrides import overlay

    merged = overlay(desk.settings.values, {"edition": {"title": "Weekend bulletin", "max_items": 9}})
    return f"{merged['edition']['title']}, {merged['edition']['max_items']} items, {merged['edition']['language']}"


def daily(desk):
    """the whole day: research aside, one task after the other"""
    steps = (publish, report, archive, remember, translate, review, weekend)
    return "\n\n".join(step(desk) for step in steps)


TASKS = {
    task.__name__: task
    for task in (
        publish, research, deploy, report, archive, remember, ask, brief, health, translate, review, weekend, daily
    )
}
