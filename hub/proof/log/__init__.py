"""The log: tree, checkpoints as signed notes, receipts of its entries, digests of rows."""
