"""The reasons of a plan: for its blocks, its moves and what does not fit."""
