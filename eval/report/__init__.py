"""What a run leaves: files for people and machines, and a summary for the terminal."""

from eval.report.canonical import digest, dump
from eval.report.files import newest, read_report, write
from eval.report.summary import summary

__all__ = ["digest", "dump", "newest", "read_report", "summary", "write"]
