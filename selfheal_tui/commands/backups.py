"""`selfheal backups` and `rollback`: the backup tree, and the way back."""

from __future__ import annotations

import sys
from typing import Any

import click

from selfheal_tui.commands import exits
from selfheal_tui.commands.common import Options, emit, emit_json, fail, opened, operator, project_options
from selfheal_tui.model.record import BackupEntry
from selfheal_tui.operations import texts


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
@click.option("--reason", default="", help="Why, for the record.")
@click.argument("target")
@project_options
def rollback_command(*, options: Options, dry_run: bool, overwrite: bool, reason: str, target: str) -> None:
    """Take back the fix of incident TARGET, or restore backup TARGET.

    Edits made after the fix are kept by a three-way merge; where that conflicts nothing is written
    (exit code 77) unless --overwrite is given. A rollback has backups of its own and can be taken back.
    """
    from selfheal_tui.pipeline.rollback import RollbackConflictError, execute_rollback, plan_rollback
    from selfheal_tui.store import StoreError

    with opened(options) as project:
        engine = project.engine
        store = engine.store
        backup = next((e for e in store.backups.entries() if e.backup_id == target), None)
        incident = None
        if backup is not None:
            entries = [backup]
        else:
            incident = store.incidents.get(target.lstrip("#"))
            if not incident.transaction_id:
                fail(f"incident {incident.incident_id} has no applied fix to take back", exits.NOT_FOUND)
            entries = store.backups.of_transaction(incident.transaction_id)
        plans = plan_rollback(store, engine.project, entries)
        if not dry_run:
            try:
                if incident is not None:
                    why = reason or "taken back by the operator"
                    engine.closer.revert(incident, why, actor=f"operator:{operator()}", overwrite=overwrite)
                else:
                    execute_rollback(
                        store,
                        plans,
                        incident_id=entries[0].incident_id,
                        actor=f"operator:{operator()}",
                        overwrite=overwrite,
                    )
            except (RollbackConflictError, StoreError) as error:
                fail(str(error), exits.REFUSED)
    _show(options, plans, dry_run=dry_run)
    conflict = any(p.action.value == "conflict" for p in plans)
    sys.exit(exits.REFUSED if dry_run and conflict and not overwrite else exits.OK)


def _show(options: Options, plans: Any, *, dry_run: bool) -> None:
    if options.as_json:
        emit_json(
            {
                "dry_run": dry_run,
                "files": [
                    {"path": p.path, "action": p.action.value, "diff": p.diff, "note": p.note} for p in plans
                ],
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
