"""How good the checker of citations is: on labelled responses, on corrupted claims, on rewordings.

Nothing here looks at how the checker works, or at what it finds hard.
"""

from eval.ground.corrupt import corruptions
from eval.ground.data import Data
from eval.ground.invented import invented
from eval.ground.reworded import read_rewordings
from eval.ground.run import ground
from eval.ground.show import invented_table, table

__all__ = ["Data", "corruptions", "ground", "invented", "invented_table", "read_rewordings", "table"]
