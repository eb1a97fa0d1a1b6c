"""HTML that browsers show whole, however it is written: nothing that they show is lost."""

import re

import pytest

from mailsacd.mime.extract import text_of
from mailsacd.mime.parse import parse
from mailsacd.mime.sanitise import sanitised_page

# (source, the words that are shown, in order)
HEADS = {
    "never closed": "<html><head><meta charset=utf-8><title>t</title><p>one</p>two",
    "never closed, nothing else": "<head>one two",
    "never closed, with styles": "<head><style>p { }</style><script>x()</script><b>one</b> two",
    "never closed, with links": "<head><link rel=x><base href=y><table><tr><td>one<td>two</table>",
    "closed late": "<head><p>one</p></head><p>two</p>",
    "opened in the body": "<body>one<head>two",
    "twice": "<head></head><head><p>one</head>two",
    "a title that is never closed": "<head><title><p>one</p>two",
    "no head, but a title": "<title>t</title>one two",
    "a text before the tags": "one<html><head></head><body>two",
    "a body within a table": "<table><body><tr><td>one</table>two",
    "frames": "<noframes>unseen</noframes>one two",
    "no scripts": "<noscript>one</noscript> two",
}
SLIPS = {
    "a quote twice": '<p style="color:red; class="x">one</p><p style="color:red; class="x">two</p>',
    "a quote once": '<p style="color:red; class="x">one</p><p>two</p>',
    "a quote at the end": '<p class=x">one</p><p class=y">two</p>',
    "a quote in a name": "<p cl\"ass>one</p><p cl'ass>two</p>",
    "a quote alone": "<p \">one</p><p '>two</p>",
    "quotes of both kinds": "<p title=\"it's\">one</p><p title='5\"'>two</p>",
    "an apostrophe in a value": "<p title=it's>one</p><p title=it's>two</p>",
    "values without a blank between": '<p class="a"id="b"title="c>d">one</p><p>two</p>',
    "a sign in a value": "<p title='a > b'>one</p><p title=\"a > b\">two</p>",
    "a sign in a value, and an apostrophe": "<p title=\"it's > 5\">one</p><p title='a\"b>'>two</p>",
    "a value that never ends": '<p>one</p><p>two</p><p title="never',
    "no value": "<p title=>one</p><p title = >two</p>",
    "an equals sign first": "<p =x>one</p><p =>two</p>",
    "slashes": "<p/>one<br/ />two</p/ class=x>",
    "a tag in a tag": "<p class=x <b>one</b></p> two",
    "attributes of an end tag": '<p>one</p title="a>b"> two',
    "an end tag of nothing": "one</ >two</>",
    "a comment of two signs": "one<!-->two",
    "a comment of three signs": "one<!--->two",
    "a comment with another end": "one<!-- unseen --!>two",
    "a comment within another": "one<!-- <!-- unseen -->two",
    "a comment for one mailer": "one<!--[if mso]><p>unseen</p><![endif]-->two",
    "a comment for all others": "one<![if !mso]>two<![endif]>",
    "a declaration": '<!DOCTYPE html PUBLIC "x">one<!x>two',
    "an instruction": "<?xml version='1.0'?>one<?php unseen ?>two",
    "a section of characters": "one<![CDATA[ unseen ]]>two",
    "a name with a quote": '<p"x>one</p>two',
    "signs that begin no tag": "one < two",
    "an end tag that is cut": "one two</p",
    "unclosed formatting": "<b><i><p>one</b>two",
}
ELEMENTS = {
    "a text area": "<textarea>one <b></textarea>two",
    "an example": "<xmp>one <b></xmp>two",
    "plain text": "one<plaintext> two",
    "an object that cannot be shown": "<object data=x>one</object>two",
    "mathematics": "<math><mi>one</mi></math>two",
    "a picture that is never closed": "<svg><path d=x><p>one</p>two",
    "a picture in a cell": "<table><tr><td><svg><path></td><td>one</table>two",
    "a choice that is never closed": "<select><option>unseen<p>one</p>two",
    "a choice": "one<select><option>unseen</select>two",
    "a template": "one<template>unseen</template>two",
    "a list without a list": "<li>one<dd>two",
    "cells without a table": "<td>one</td><tr>two",
    "text in a table": "<table>one<tr><td>two</table>",
    "an unknown element": "<o:p>one</o:p><x-y z>two</x-y>",
    "elements of old": "<marquee>one</marquee><blink>two</blink>",
    "a form": "<form action=x>one<button>two</button></form>",
    "a script that has tags": "one<script>if (a<b) '</p>'</script>two",
}
CASES = {**HEADS, **SLIPS, **ELEMENTS}
_HIDDEN = re.compile(r"<title>.*?</title>|<[^>]*>", re.DOTALL)


@pytest.mark.parametrize("name", CASES)
def test_all_that_a_browser_shows_is_in_the_text_and_the_page(name: str) -> None:
    parsed = parse(b"Content-Type: text/html; charset=utf-8\r\n\r\n" + CASES[name].encode())
    text = text_of(parsed)
    page = _HIDDEN.sub(" ", sanitised_page(parsed))
    assert "unseen" not in text
    for shown in (text, page):
        assert re.findall("one|two", shown) == ["one", "two"], shown
