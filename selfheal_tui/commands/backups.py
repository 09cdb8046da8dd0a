"""`selfheal backups` and `rollback`: the backup tree, and the way back."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from selfheal_tui.commands import exits
from selfheal_tui.commands.common import Options, emit, emit_json, fail, opened, operator, project_options
from selfheal_tui.model.record import BackupEntry
from selfheal_tui.operations import texts
from selfheal_tui.pipeline.rollback import FilePlan


@click.command("backups")
@project_options
def backups_command(*, options: Options) -> None:
    """List every saved version of every file, by file, newest first."""
    with opened(options) as project:
        entries = project.engine.store.backups.entries()
    if options.as_json:
        emit_json(entries)
        return
    if not entries:
        emit("no backups yet; each applied fix makes one per changed file")
    by_path: dict[str, list[BackupEntry]] = {}
    for entry in entries:
        by_path.setdefault(entry.path, []).append(entry)
    for path in sorted(by_path):
        emit(path)
        for entry in sorted(by_path[path], key=lambda e: e.created_at, reverse=True):
            what = (entry.sha256 or "(did not exist)")[:12]
            emit(
                f"  {entry.backup_id}  {texts.moment(entry.created_at)}  {what}  incident {entry.incident_id or '-'}"
            )


@click.command("rollback")
@click.option("--dry-run", is_flag=True, help="Show what would change, write nothing.")
@click.option(
    "--overwrite", is_flag=True, help="Restore over conflicting later edits; they are backed up first."
)
@click.option("--undo", is_flag=True, help="Take the last rollback back instead of a TARGET.")
@click.option("--reason", default="", help="Why, for the record.")
@click.argument("target", required=False, default="")
@project_options
def rollback_command(
    *, options: Options, dry_run: bool, overwrite: bool, undo: bool, reason: str, target: str
) -> None:
    """Take back the fix of incident TARGET, or restore backup TARGET.

    Edits made after the fix are kept by a three-way merge; where that conflicts nothing is written
    (exit code 77) unless --overwrite is given. A rollback has backups of its own and can be taken back
    with --undo, which puts the fix in again.
    """
    from selfheal_tui.operations import rollbacks

    if undo == bool(target):
        raise click.UsageError("name a TARGET, or take the last rollback back with --undo")
    running = ""
    with opened(options) as project:
        try:
            retreat = rollbacks.plan(project, rollbacks.UNDO if undo else target)
        except rollbacks.NothingToTakeBackError as error:
            fail(str(error), exits.NOT_FOUND)
        if not dry_run:
            answer = rollbacks.carry_out(project, retreat, by=operator(), overwrite=overwrite, reason=reason)
            if not answer.ok:
                fail(answer.text, exits.REFUSED)
            running = answer.running
    _show(options, retreat.title, retreat.plans, dry_run=dry_run, running=running)
    conflict = any(p.action.value == "conflict" for p in retreat.plans)
    sys.exit(exits.REFUSED if dry_run and conflict and not overwrite else exits.OK)


def _show(options: Options, title: str, plans: Sequence[FilePlan], *, dry_run: bool, running: str) -> None:
    if options.as_json:
        emit_json(
            {
                "dry_run": dry_run,
                "title": title,
                "files": [
                    {"path": p.path, "action": p.action.value, "diff": p.diff, "note": p.note} for p in plans
                ],
                "running": running,
            }
        )
        return
    for plan in plans:
        emit(
            f"{'would ' if dry_run else ''}{plan.action.value}: {plan.path}"
            + (f" ({plan.note})" if plan.note else "")
        )
        if plan.diff:
            emit(plan.diff.rstrip("\n"))
    if running:
        emit(running)
