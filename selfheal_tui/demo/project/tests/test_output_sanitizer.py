import unittest

from agent.output_sanitizer import PLACEHOLDER, OutputSanitizer

SAMPLES = ["key sk-" + "a1B2" * 6, "AKIA" + "ABCDEFGH12345678", "password: tr0ub4dor"]


class OutputSanitizerTest(unittest.TestCase):
    def setUp(self):
        self.sanitizer = OutputSanitizer()

    def test_credentials_are_found(self):
        for sample in SAMPLES:
            with self.subTest(sample):
                self.assertTrue(self.sanitizer.contains_secrets(sample))

    def test_plain_text_is_left_alone(self):
        self.assertFalse(self.sanitizer.contains_secrets("Fog expected along the coast"))
        self.assertEqual(self.sanitizer.sanitize("Fog expected"), "Fog expected")

    def test_nothing_is_left_after_sanitizing(self):
        for sample in SAMPLES:
            with self.subTest(sample):
                cleaned = self.sanitizer.sanitize(sample)
                self.assertIn(PLACEHOLDER, cleaned)
                self.assertFalse(self.sanitizer.contains_secrets(cleaned))

    def test_no_detector_says_clean_when_there_is_a_credential(self):
        detectors = [name for name in dir(OutputSanitizer) if name.startswith(("contains_", "has_", "is_"))]
        self.assertTrue(detectors)
        for name in detectors:
            for sample in SAMPLES:
                with self.subTest(detector=name, sample=sample):
                    self.assertTrue(getattr(self.sanitizer, name)(sample))
