"""Readers of formats that are more than text; each runs in a worker, as any file may be hostile.

Each takes a `File` and yields documents; `Unreadable` says why a file gives none. What they write is
Markdown (`written`), so that headings, lists, tables and code are told apart as everywhere.
"""
