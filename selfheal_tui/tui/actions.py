"""Every action of the console, once: keys, footer, help, palette and the table in the docs are made from this.

An action is data. What it does is a method `act_<id>` of the widget or screen whose context it has; why it cannot be
done now is what that widget's `why_not(id)` says. Nothing here may import a widget.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Action:
    """Something an operator can do with a key.

    Attributes:
        id: Stable id, for keymaps: `<context>.<verb>`.
        keys: Default keys, as Textual names them, the first one is shown.
        label: Two or three words for the footer.
        help: One sentence for help, palette and docs.
        context: Where it works: `app`, `incidents`, `review`, `history`, `backups`, `insights`, `policy`, `list`, `diff`…
        footer: Whether it is in the footer; the others are in the help.
        decides: Whether it changes anything; refused in a read-only console.
    """

    id: str
    keys: tuple[str, ...]
    label: str
    help: str
    context: str
    footer: bool = True
    decides: bool = False

    @property
    def verb(self) -> str:
        """The part of the id after its context, as in `act_<verb>`."""
        return self.id.rpartition(".")[2]


def _action(
    id_: str, keys: str, label: str, help_: str, *, footer: bool = True, decides: bool = False
) -> Action:
    return Action(id_, tuple(keys.split()), label, help_, id_.partition(".")[0], footer, decides)


_A = _action

ACTIONS: tuple[Action, ...] = (
    # -- everywhere
    _A("app.incidents", "1", "Incidents", "Go to the incidents.", footer=False),
    _A("app.history", "2", "History", "Go to the history of past attempts.", footer=False),
    _A("app.backups", "3", "Backups", "Go to the backup tree, to take changes back.", footer=False),
    _A("app.insights", "4", "Insights", "Go to the plots and to what was learned.", footer=False),
    _A("app.policy", "5", "Policy", "Go to the policy in force, and the kill switch.", footer=False),
    _A("app.help", "question_mark f1", "Help", "Show every key that works here."),
    _A("app.palette", "colon ctrl+p", "Commands", "Find an action by its name."),
    _A("app.theme", "T", "Theme", "Next theme: dark, light, the terminal's own palette.", footer=False),
    _A("app.ascii", "A", "ASCII", "Show no glyph outside ASCII, or glyphs again.", footer=False),
    _A("app.errands", "W", "Work", "Show what long work runs, and cancel it.", footer=False),
    _A("app.screenshot", "ctrl+s", "Screenshot", "Save what is shown as an SVG file.", footer=False),
    _A("app.back", "escape", "Back", "Close what is open on top, or go back.", footer=False),
    _A("app.quit", "q ctrl+c", "Quit", "Leave; running programs are stopped, open questions stay open."),
    # -- lists
    _A("list.down", "j down", "Down", "One row down.", footer=False),
    _A("list.up", "k up", "Up", "One row up.", footer=False),
    _A("list.top", "g home", "Top", "To the first row.", footer=False),
    _A("list.bottom", "G end", "Bottom", "To the last row.", footer=False),
    _A("list.half_down", "ctrl+d pagedown", "Half down", "Half a page down.", footer=False),
    _A("list.half_up", "ctrl+u pageup", "Half up", "Half a page up.", footer=False),
    _A("list.filter", "slash", "Filter", "Filter as you type; escape ends it."),
    # -- incidents
    _A("incidents.open", "enter", "Open", "Look at the incident; tab goes through its parts."),
    _A("incidents.review", "v", "Review", "Review the fix that waits for you."),
    _A("incidents.next_request", "n", "Next question", "Go to the next incident that needs you."),
    _A(
        "incidents.decide",
        "a r e h d",
        "Decide",
        "Open the review of the question below; these keys decide only there.",
        footer=False,
    ),
    _A("incidents.next_tab", "tab", "Next tab", "Overview, Diff, Proof, Timeline, Output.", footer=False),
    _A("incidents.previous_tab", "shift+tab", "Previous tab", "The tab before.", footer=False),
    _A("incidents.pause_feed", "space", "Hold feed", "Hold the list still, or let it go on.", footer=False),
    _A(
        "incidents.retry",
        "R",
        "Try again",
        "Have an incident that was not healed looked at anew.",
        footer=False,
        decides=True,
    ),
    _A("incidents.cancel", "X", "Cancel work", "End the work on this incident.", footer=False, decides=True),
    _A("incidents.roll_back", "U", "Take back", "Preview taking back the applied fix.", footer=False),
    _A("incidents.copy", "y", "Copy", "Copy the incident's id and place.", footer=False),
    _A(
        "incidents.program_restart",
        "ctrl+r",
        "Restart",
        "Start the supervised program anew.",
        footer=False,
        decides=True,
    ),
    _A(
        "incidents.program_stop", "ctrl+x", "Stop", "Stop the supervised program.", footer=False, decides=True
    ),
    _A("incidents.next_program", "p", "Next program", "Show the output of the next program.", footer=False),
    # -- review of a fix
    _A("review.approve", "a", "Approve", "Approve this very patch and have it applied.", decides=True),
    _A("review.reject", "r", "Reject", "Reject it, with an optional reason.", decides=True),
    _A(
        "review.edit",
        "e",
        "Edit",
        "Edit the proposal in $EDITOR; what comes back is proved anew.",
        decides=True,
    ),
    _A(
        "review.hunks",
        "h",
        "Hunks",
        "Take the hunk under the cursor in or out; a new selection is proved anew.",
        decides=True,
    ),
    _A(
        "review.prove_hunks",
        "P",
        "Prove selection",
        "Prove the chosen hunks as a new patch.",
        footer=False,
        decides=True,
    ),
    _A("review.next_candidate", "n", "Next candidate", "Ask for another fix instead.", decides=True),
    _A("review.why", "w", "Why", "Why this is asked, and what approving would do."),
    _A(
        "review.proof", "p", "Proof", "Show the proof ladder with its evidence; escape goes back to the diff."
    ),
    _A("review.diff", "d", "Diff", "Show the diff."),
    _A("review.cancel", "X", "Cancel proof", "Cancel the proof of your version.", footer=False),
    _A("review.next_request", "N", "Next question", "Go on to the next question.", footer=False),
    # -- diff
    _A("diff.layout", "v", "Layout", "Side by side, or unified.", footer=False),
    _A("diff.next_hunk", "right_square_bracket", "Next hunk", "To the next hunk.", footer=False),
    _A("diff.previous_hunk", "left_square_bracket", "Previous hunk", "To the hunk before.", footer=False),
    _A("diff.more", "plus equals_sign", "More context", "More unchanged lines around changes.", footer=False),
    _A("diff.less", "minus", "Less context", "Fewer unchanged lines around changes.", footer=False),
    _A("diff.down", "j down", "Down", "One line down.", footer=False),
    _A("diff.up", "k up", "Up", "One line up.", footer=False),
    _A("diff.top", "g home", "Top", "To the first line.", footer=False),
    _A("diff.bottom", "G end", "Bottom", "To the last line.", footer=False),
    _A("diff.half_down", "ctrl+d pagedown", "Half down", "Half a page down.", footer=False),
    _A("diff.half_up", "ctrl+u pageup", "Half up", "Half a page up.", footer=False),
    _A("diff.right", "right", "Right", "Further right in long lines.", footer=False),
    _A("diff.left", "left", "Left", "Back to the left.", footer=False),
    _A("diff.next_file", "f", "Next file", "To the next file of the patch.", footer=False),
    # -- history
    _A("history.sort", "s", "Sort", "Sort by the next column."),
    _A("history.reverse", "S", "Reverse", "Turn the order around.", footer=False),
    _A("history.export", "E", "Export", "Write the history as JSON, CSV or a Markdown report."),
    _A("history.verify", "V", "Verify", "Check that the audit trail is whole.", footer=False),
    _A("history.open", "enter", "Open", "Go to the incident of this attempt."),
    # -- backups
    _A("backups.open", "enter", "Fold", "Open or close a file's versions.", footer=False),
    _A(
        "backups.restore",
        "R",
        "Restore",
        "Show exactly what restoring would change; then decide.",
        decides=True,
    ),
    _A("backups.undo", "u", "Undo", "Take the last restore or rollback back; previewed first.", decides=True),
    # -- preview of a rollback
    _A("rollback.confirm", "y", "Write it", "Write what the preview shows.", decides=True),
    _A(
        "rollback.overwrite",
        "O",
        "Overwrite",
        "Restore over conflicting later edits; they are backed up first.",
        decides=True,
    ),
    # -- insights
    _A("insights.export", "E", "Export", "Write the plots as SVG, or the numbers as JSON."),
    _A("insights.range", "t", "Range", "7, 30, 90 days, or all."),
    # -- policy
    _A(
        "policy.pause",
        "K",
        "Kill switch",
        "Stop all changes in every process, or allow them again.",
        decides=True,
    ),
)
"""The registry. Ids are stable: keymaps name them."""

BY_ID = {action.id: action for action in ACTIONS}


def of_context(*contexts: str) -> tuple[Action, ...]:
    """Returns the actions of some contexts, in the registry's order."""
    return tuple(action for action in ACTIONS if action.context in contexts)


def footer_of(contexts: Iterable[str]) -> tuple[Action, ...]:
    """Returns the actions that a footer shows for some contexts."""
    wanted = set(contexts)
    return tuple(action for action in ACTIONS if action.footer and action.context in wanted)
