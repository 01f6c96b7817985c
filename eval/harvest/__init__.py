"""What users said of answers → drafts of gold, for a person to finish and accept."""

from eval.harvest.feedback import Feedback, read_feedback
from eval.harvest.run import Harvested, Skipped, harvest

__all__ = ["Feedback", "Harvested", "Skipped", "harvest", "read_feedback"]
