import sys
import unicodedata

import pytest

from graphql_api.domain.text import Search, is_invisible


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "\t\r\n", "\0\x1f\x7f", "\u00a0\u2028", "\u200b\u200d\ufeff", "\u061c\u202e"),
        *("\ud800", "\u115f\u1160\u3164\uffa0", "\u180e\u180f", "\ufe0f\U000e0100", "\U000e0041"),
        "\u2800",
    ],
    ids=ascii,
)
def test_a_text_of_invisible_characters_is_invisible(text):
    assert is_invisible(text)


@pytest.mark.parametrize(
    "text", ["a", ".", "\u200b.", "🎉", "é", "ー", "\u0301", "\ue000"], ids=ascii
)
def test_a_text_with_a_visible_character_is_not(text):
    assert not is_invisible(text)


def test_letters_numbers_punctuation_and_symbols_are_visible_but_for_the_blank_ones():
    blank = {"\u115f", "\u1160", "\u3164", "\uffa0", "\u2800"}

    found = {
        character
        for character in map(chr, range(sys.maxunicode + 1))
        if unicodedata.category(character)[0] in "LNPS" and is_invisible(character)
    }

    assert found == blank


@pytest.mark.parametrize("search", ["shop part", '"the  SHOP"', '"parts from" shop'])
def test_a_search_finds_words_and_phrases_in_texts_that_are_read_once(search):
    assert Search.of(search).finds(iter(["Parts from\nthe shop", "x"]))
    assert not Search.of(search).finds(iter(["Parts of the", "from a store"]))
