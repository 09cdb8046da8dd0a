"""`selfheal policy`: the Traffic Light table in force, why it asks, and what is left of the budgets."""

from __future__ import annotations

import click

from selfheal_tui.commands.common import Options, emit, emit_json, opened, project_options


@click.command("policy")
@project_options
def policy_command(*, options: Options) -> None:
    """Show the policy in force: environment, lights, reasons to ask, budgets, kill switch, walls.

    `selfheal config` shows every setting and where it came from; with --json they are given here as well.
    """
    from selfheal_tui.operations.policyview import policy_of, sandbox_text

    with opened(options) as project:
        view = policy_of(project, sandbox=sandbox_text())
    if options.as_json:
        emit_json(view)
        return
    emit(f"environment  {view.environment} (from {view.environment_source})")
    emit(f"policy       {view.version}")
    emit(f"healing      {f'PAUSED {view.paused}' if view.paused else 'is allowed'}")
    emit(f"sandbox      {view.sandbox}")
    for sentence in view.outcome:
        emit(f"  {sentence}")
    emit("\nlights")
    for action, light in view.lights:
        emit(f"  {light:<7} {action}")
    emit("\nreasons to ask")
    for name, sentence, always in view.rules:
        emit(f"  {'always' if always else 'if so':<7} {name:<26} {sentence}")
    emit("\nbudgets")
    for name, text in view.budgets:
        emit(f"  {name:<36} {text}")
