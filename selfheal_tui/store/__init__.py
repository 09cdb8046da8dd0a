"""Floor 1: what is on disk: history, incidents, approvals, backups. Bytes in, bytes out."""
