"""What several rooms share about text: sentences, terms by script and language, folding."""

from rag.text.control import inert, visible
from rag.text.fold import Folded, fold, squeeze
from rag.text.instructions import instructions
from rag.text.language import LANGUAGES, UNKNOWN, is_sure, language
from rag.text.sentences import sentences
from rag.text.terms import content_stems, foreign_terms, index_terms, query_terms, stems
from rag.text.tokens import token_estimate

__all__ = [
    "LANGUAGES",
    "UNKNOWN",
    "Folded",
    "content_stems",
    "fold",
    "foreign_terms",
    "index_terms",
    "inert",
    "instructions",
    "is_sure",
    "language",
    "query_terms",
    "sentences",
    "squeeze",
    "stems",
    "token_estimate",
    "visible",
]
