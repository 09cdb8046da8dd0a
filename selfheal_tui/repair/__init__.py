"""Floor 2: proposers of fixes: offline rules, memory, language models. Never touches the live tree."""
