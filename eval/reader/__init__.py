"""Trains the reader that the library ships: questions with their paragraphs → `rag/reader/model`.

A run leaves `exported/reader.onnx`; it ships once it is put there, with what it reached in its card.

rows      what the training data says, one form for all sources, a part of each kept for measuring
mine      passages that look like the answer's and are not, found by our own retriever
changed   questions and texts changed by a little, so that the text no longer answers
examples  rows → token windows with what the heads shall say of them
order     which examples an epoch holds, in which batches: all of it drawn by one seed
network   the cross-encoder with its three heads
train     the loop, its schedule and its checkpoints
export    the trained network → the files that the library reads with
measure   what it is worth with the right text given
whole     what it is worth at the end: a corpus searched, read and answered from
trials    small runs beside each other: what a source gives, what more data gives
"""
