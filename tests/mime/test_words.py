"""The words of HTML, as searches find them."""

import time

import pytest

from mailsacd.mime.words import words_of_html

FOUND = [
    ("<p>one</p><p>two</p>", "one two"),
    ("in<b>voi</b>ce <SPAN class=x>no</SPAN>7", "invoice no7"),
    ("<td>a</td><td>b</td>", "a b"),
    ("a<br>b<wbr>c", "a bc"),
    ("x &amp; y &lt;z&gt; &#65;", "x & y <z> A"),
    ("<style>p { color: red }</style>a<SCRIPT>var b</script>c", "a c"),
    ("a<!-- hidden <p> -->b", "ab"),
    ("a<style>never closed", "a"),
    ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
    ("<!DOCTYPE html><html>a", "a"),
    ("cut <a href='x", "cut <a href='x"),
]


@pytest.mark.parametrize(("source", "words"), FOUND)
def test_what_is_read(source: str, words: str) -> None:
    assert " ".join(words_of_html(source).split()) == words


@pytest.mark.parametrize("piece", ["<style", "<!--", "<a", "<", "</", "&#", "<style></style>"])
def test_nothing_makes_it_slow(piece: str) -> None:
    begun = time.process_time()
    words_of_html(piece * 100_000)
    assert time.process_time() - begun < 1
