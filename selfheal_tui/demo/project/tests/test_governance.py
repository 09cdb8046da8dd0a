import unittest

from agent.governance import ApprovalLedger, Governance

RULES = {"auto_approve": ["search"], "ask": ["deploy"]}


class GovernanceTest(unittest.TestCase):
    def test_harmless_tools_run_unasked(self):
        self.assertEqual(Governance(RULES).authorise("search"), "policy")

    def test_a_tool_that_must_ask_is_refused_without_approval(self):
        with self.assertRaises(PermissionError):
            Governance(RULES).authorise("deploy")

    def test_an_approval_is_good_for_one_call(self):
        ledger = ApprovalLedger()
        ledger.grant("deploy", "mara")
        gate = Governance(RULES, ledger)
        self.assertEqual(gate.authorise("deploy"), "mara")
        with self.assertRaises(PermissionError):
            gate.authorise("deploy")

    def test_unknown_tools_are_refused(self):
        with self.assertRaises(PermissionError):
            Governance(RULES).authorise("format_disk")
